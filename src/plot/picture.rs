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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Chart;

    fn chart() -> Chart {
        Chart::new("Größe α₁ & <β>").line("x²", (0..50).map(|x| (x.into(), f64::from(x * x)))).size(300, 200)
    }

    #[test]
    fn the_extension_says_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let [svg, png] = ["chart.svg", "chart.PNG"].map(|name| folder.path().join(name));
        for _ in 0..2 {
            chart().save(&svg).unwrap();
            chart().save(&png).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&svg).unwrap(), chart().to_svg().unwrap());
        assert_eq!(std::fs::read(&png).unwrap(), chart().to_png().unwrap());
        let pixels = image::load_from_memory(&chart().to_png().unwrap()).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (300, 200));
        assert!(chart().to_svg().unwrap().contains("<title>Größe α₁ &amp; &lt;β&gt;</title>"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "a temporary file was left");
    }

    #[test]
    fn other_extensions_are_told() {
        let text = |path| chart().save(path).unwrap_err().to_string();
        assert_eq!(text("out/chart.jpg"), "out/chart.jpg: found the extension `.jpg`, wanted `.svg` or `.png`");
        assert_eq!(text("chart"), "chart: found no extension, wanted `.svg` or `.png`");
    }
}
