//! A function of two variables as colours, and its contour lines.

use image::RgbImage;

use super::PlotError;
use super::axis::{Axis, AxisSpec, extent};
use super::clip::simplify;
use super::colour::{self, Colour, WHITE, lightness, mix};
use super::contour::Grid;
use super::frame::{Bar, Frame};
use super::scene::Scene;

/// Cells across and down at whose corners a field is asked: of 3 or 4 pixels in an ordinary picture, and interpolated between.
const CELLS: usize = 200;
/// Colours of a field: neighbours cannot be told apart, and repeat, by which files are a fifth of what they would be.
const COLOURS: f64 = 128.0;

/// Where contour lines are.
#[derive(Clone, Debug)]
pub(super) enum Levels {
    /// At so many quantiles.
    Quantiles(usize),
    /// At these values.
    At(Vec<f64>),
}

/// A function's values on a grid, and what the colours span.
pub(super) struct Field {
    grid: Grid,
    axis: Axis,
    shade: fn(f64) -> Colour,
}

impl Field {
    /// Asks the function from the upper left on.
    pub(super) fn of(
        f: &mut dyn FnMut(f64, f64) -> f64, axes: &[Axis; 2], range: Option<[f64; 2]>, signed: bool,
    ) -> Result<Self, PlotError> {
        let columns = CELLS + 1;
        let share = |index: usize| index as f64 / CELLS as f64;
        let place = |index: usize| [axes[0].value(share(index % columns)), axes[1].value(1.0 - share(index / columns))];
        let values = (0..columns * columns).map(place).map(|[x, y]| f(x, y)).collect();
        let grid = Grid { columns, values };
        let Some([mut least, mut most]) = extent(grid.values.iter().copied()) else {
            return Err(PlotError::Empty { picture: "plane", found: "a field without a finite value".into() });
        };
        if signed {
            let size = least.abs().max(most.abs());
            (least, most) = (-size, size);
        }
        if least == most {
            // A field of one value has the colour of the middle.
            let margin = if least == 0.0 { 0.5 } else { least.abs() * 0.1 };
            (least, most) = (least - margin, most + margin);
        }
        let spec = AxisSpec { range: Some(range.unwrap_or([least, most])), ..AxisSpec::default() };
        let axis = spec.fit("plane", "field", std::iter::empty())?;
        let axis = axis.unwrap_or(Axis { start: least, end: most, log: false });
        let shade = if signed { |share| colour::diverging((2.0 * share - 1.0) as f32) } else { colour::viridis };
        Ok(Field { grid, axis, shade })
    }

    pub(super) fn bar(&self) -> Bar<'_> {
        Bar { axis: self.axis, colour: &self.shade }
    }

    /// Draws the coloured ground: one pixel a cell, of the mean of its corners.
    pub(super) fn draw(&self, scene: &mut Scene, frame: &Frame) {
        let columns = self.grid.columns;
        let pixels = RgbImage::from_fn(CELLS as u32, CELLS as u32, |column, row| {
            let first = row as usize * columns + column as usize;
            let corners = [first, first + 1, first + columns, first + columns + 1].map(|node| self.grid.values[node]);
            let share = corners.iter().map(|&value| self.share(value)).sum::<f64>() / 4.0;
            (self.shade)((share * (COLOURS - 1.0)).round() / (COLOURS - 1.0))
        });
        scene.image(frame.at(), frame.size(), pixels, true);
    }

    /// Where a value is between the ends of the colours, which those outside have, infinite ones too.
    fn share(&self, value: f64) -> f64 {
        if value.is_nan() { value } else { self.axis.share(value.clamp(self.axis.start, self.axis.end)) }
    }

    /// Draws the contour lines, each in a darker shade of the ground's colour, or in a lighter one where that is dark.
    pub(super) fn draw_contours(&self, scene: &mut Scene, frame: &Frame, levels: &Levels) {
        let levels = match levels {
            Levels::Quantiles(count) => self.grid.quantiles(*count),
            Levels::At(levels) => levels.clone(),
        };
        let [at, size] = [frame.at(), frame.size()];
        let place = |point: &[f64; 2]| [0, 1].map(|axis| at[axis] + size[axis] * point[axis] / CELLS as f64);
        for level in levels {
            let ground = (self.shade)(self.share(level));
            let far = if lightness(ground) < 0.35 { WHITE } else { Colour::from([0; 3]) };
            for line in self.grid.contour(level) {
                let line: Vec<_> = line.iter().map(place).collect();
                scene.line(simplify(&line), 1.2, mix(ground, far, 0.5));
            }
        }
    }
}
