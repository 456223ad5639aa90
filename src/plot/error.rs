//! Why a picture could not be drawn.

use std::path::PathBuf;

/// Why a picture could not be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The elements are not as many as the sizes say.
    #[error("filters: found {found} weights, wanted {} by the sizes {}×{}×{}×{} (filters, channels, rows, columns)", wanted.map_or("more than memory can hold".into(), |n| n.to_string()), sizes[0], sizes[1], sizes[2], sizes[3])]
    Weights {
        /// Weights that were given.
        found: usize,
        /// The product of the sizes, if it is a number of the machine.
        wanted: Option<usize>,
        /// Filters, channels, rows, columns.
        sizes: [usize; 4],
    },
    /// There is nothing to draw.
    #[error("{picture}: nothing to draw in {found}")]
    Empty {
        /// The kind of picture.
        picture: &'static str,
        /// What was given.
        found: String,
    },
    /// An axis has no length, or one that numbers cannot tell.
    #[error("{picture}: the {axis} range is from {start} to {end}, wanted two finite numbers, the smaller one first{}", if *log { ", both above 0 on a logarithmic axis" } else { "" })]
    Range {
        /// The kind of picture.
        picture: &'static str,
        /// `x`, `y`, or what else has a range.
        axis: &'static str,
        /// Where it was said to start.
        start: f64,
        /// Where it was said to end.
        end: f64,
        /// Whether the axis is logarithmic.
        log: bool,
    },
    /// There are not as many names as classes.
    #[error("confusion matrix: found {found} names of classes, wanted {wanted}")]
    Classes {
        /// Names that were given.
        found: usize,
        /// Classes of the matrix.
        wanted: usize,
    },
    /// Beside title, numbers and legend there is no room for the plot.
    #[error(
        "{picture}: a picture of {width} × {height} pixels leaves {} × {} of them for the plot, wanted at least {least} × {least}: choose a larger size, or shorter names", room[0], room[1]
    )]
    TooSmall {
        /// The kind of picture.
        picture: &'static str,
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// Width and height of what is left, in pixels.
        room: [usize; 2],
        /// The limit in pixels.
        least: usize,
    },
    /// The picture would be too large.
    #[error(
        "{picture}: the picture would have {width} × {height} pixels, at most {most} × {most} are drawn: choose {repair}"
    )]
    TooLarge {
        /// The kind of picture.
        picture: &'static str,
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The limit in pixels.
        most: usize,
        /// What would make it smaller.
        repair: &'static str,
    },
    /// The file's name does not say which kind of file is wanted.
    #[error("{}: found {}, wanted `.svg` or `.png`", file.display(), found.as_ref().map_or("no extension".into(), |found| format!("the extension `.{found}`")))]
    Extension {
        /// The file.
        file: PathBuf,
        /// The extension that it has.
        found: Option<String>,
    },
    /// The shapes could not be drawn.
    #[error("cannot draw the picture: {reason}")]
    Draw {
        /// The drawing library's or the encoder's reason.
        reason: String,
    },
    /// The file could not be written.
    #[error("{}: cannot write the picture: {reason}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        reason: String,
    },
}
