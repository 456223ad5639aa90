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
    #[error("filters: nothing to draw in {}×{}×{}×{} weights (filters, channels, rows, columns)", sizes[0], sizes[1], sizes[2], sizes[3])]
    Empty {
        /// Filters, channels, rows, columns.
        sizes: [usize; 4],
    },
    /// The picture would be too large.
    #[error(
        "filters: the picture would have {width} × {height} pixels, at most {most} × {most} are drawn: choose smaller cells, or fewer filters"
    )]
    TooLarge {
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The limit in pixels.
        most: usize,
    },
    /// The file could not be written.
    #[error("{}: cannot write the picture: {reason}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The system's or the encoder's reason.
        reason: String,
    },
}
