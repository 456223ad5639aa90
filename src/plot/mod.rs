//! Pictures of what networks learn and how: SVG and PNG, from one description each.
//!
//! - [`Chart`]: curves over one axis, such as losses over epochs; in a terminal, too.
//! - [`Plane`]: a function of two variables with its contours, decision regions, points, and the paths of optimizers.
//! - [`Maps`]: images and feature maps; [`Filters`]: the kernels of a convolution.
//! - [`ConfusionMatrix`]: which classes were taken for which; [`Architecture`]: a network's layers and shapes.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("losses.svg");
//! use tenonet::plot::{Chart, Picture};
//!
//! let margins = || (-30..=30).map(|i| f64::from(i) / 10.0);
//! Chart::new("Loss functions")
//!     .x_label("margin ỹ y")
//!     .y_label("loss")
//!     .line("hinge", margins().map(|m| (m, (1.0 - m).max(0.0))))
//!     .line("logistic", margins().map(|m| (m, (-m).exp().ln_1p())))
//!     .save(path)?; // losses.svg; losses.png would be the same picture in pixels
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same description yields the same bytes each time. Nothing of the system is needed: PNGs have letters from a font that the crate holds, and SVGs ask for the
//! reader's `sans-serif`. (Its letters are those of Europe's languages and of formulas; others are boxes in PNGs.) Colours can be told apart by colour-blind readers, and series differ in dashes or markers as well.

mod architecture;
mod axis;
mod chart;
mod clip;
mod colour;
mod confusion;
mod contour;
mod error;
mod field;
mod filters;
mod font;
mod frame;
mod legend;
mod maps;
mod marker;
mod path;
mod picture;
mod pixels;
mod plane;
mod regions;
mod scene;
mod svg;
mod terminal;

pub use architecture::Architecture;
pub use chart::Chart;
pub use confusion::ConfusionMatrix;
pub use error::PlotError;
pub use filters::Filters;
pub use maps::Maps;
pub use picture::Picture;
pub use plane::Plane;
pub use terminal::Terminal;
