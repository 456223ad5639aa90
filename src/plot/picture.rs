//! [`Picture`]: what all pictures can do.

use std::path::Path;

use super::PlotError;
use super::scene::Scene;
use super::{pixels, svg};

/// The largest side of a picture, in pixels: 8192² in three bytes are 192 MiB.
pub(super) const MOST: usize = 8192;

/// What all pictures can do: become a file, or its content.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let (svg, png) = (folder.path().join("parabola.svg"), folder.path().join("parabola.png"));
/// use tenonet::plot::{Chart, Picture};
///
/// let chart = Chart::new("Parabola").line("x²", (-10..=10).map(|x| (x.into(), (x * x).into())));
/// chart.save(svg)?;
/// chart.save(png)?;
/// assert!(chart.to_svg()?.starts_with("<svg "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Picture {
    /// The picture, laid out.
    ///
    /// # Errors
    /// If there is nothing to draw, or the picture would be too large or too small.
    #[doc(hidden)]
    fn scene(&self) -> Result<Scene, PlotError>;

    /// Writes the picture: SVG if the path ends in `.svg`, PNG if it ends in `.png`. The file is replaced in one step: it is never seen half written.
    ///
    /// # Errors
    /// If the path has another extension, if there is nothing to draw, if the picture would be larger than 8192 pixels on a side, or if the file cannot
    /// be written.
    fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        let file = path.as_ref();
        let extension = file.extension().map(|extension| extension.to_string_lossy().into_owned());
        let bytes = match extension.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => self.to_svg()?.into_bytes(),
            Some("png") => self.to_png()?,
            _ => return Err(PlotError::Extension { file: file.into(), found: extension }),
        };
        crate::atomic::write(file, |out| out.write_all(&bytes))
            .map_err(|error| PlotError::Write { file: file.into(), reason: error.to_string() })
    }

    /// The picture as the text of an SVG file. What is an image in itself, such as a field of colours, is embedded as PNG.
    ///
    /// # Errors
    /// If there is nothing to draw, or the picture would be larger than 8192 pixels on a side.
    fn to_svg(&self) -> Result<String, PlotError> {
        svg::draw(&self.scene()?)
    }

    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// If there is nothing to draw, or the picture would be larger than 8192 pixels on a side.
    fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        pixels::png(&pixels::draw(&self.scene()?)?)
    }
}

/// Tells of a picture that is too large.
pub(super) fn limit(picture: &'static str, width: usize, height: usize, repair: &'static str) -> Result<(), PlotError> {
    if width > MOST || height > MOST {
        return Err(PlotError::TooLarge { picture, width, height, most: MOST, repair });
    }
    Ok(())
}
