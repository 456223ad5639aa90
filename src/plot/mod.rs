//! Pictures of networks: [`Filters`] draws the kernels of a convolution.

mod error;
mod filters;

pub use error::PlotError;
pub use filters::Filters;
