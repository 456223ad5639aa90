//! [`Chart`]: curves and points over one axis.

use std::ops::RangeInclusive;

use super::axis::{Axis, AxisSpec};
use super::clip::{clip, dashes, simplify, within};
use super::colour;
use super::frame::{self, Frame, Surroundings};
use super::legend::{Key, Legend};
use super::marker;
use super::scene::Scene;
use super::{Picture, PlotError, Terminal};

/// Curves over one axis, with axes, grid and legend.
///
/// Series differ in colour, and lines in their dashes, points in their markers as well. The legend stands beside the plot; a series without a name is not in it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("training.png");
/// use tenonet::plot::{Chart, Picture};
///
/// let losses = [1.2, 0.5, 0.3, 0.21, 0.18];
/// let chart = Chart::new("Training")
///     .x_label("epoch")
///     .y_label("loss")
///     .line("training", losses.iter().zip(1..).map(|(&loss, epoch)| (epoch.into(), loss)))
///     .points("best", [(5.0, 0.18)])
///     .log_y();
/// chart.save(path)?;
/// println!("{}", chart.terminal(72, 18));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub(super) title: String,
    pub(super) axes: [AxisSpec; 2],
    pub(super) series: Vec<Series>,
    size: [usize; 2],
}

/// One curve, or one set of points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) label: String,
    pub(super) points: Vec<[f64; 2]>,
    pub(super) kind: Kind,
    /// Its place among those of its kind, which chooses dashes or marker.
    pub(super) index: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    Points,
}

const NAME: &str = "chart";

impl Chart {
    /// A chart without series.
    pub fn new(title: impl Into<String>) -> Self {
        // Half as wide again as high: curves are long.
        Chart { title: title.into(), axes: Default::default(), series: Vec::new(), size: [900, 560] }
    }

    /// What the horizontal axis shows.
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.axes[0].label = label.into();
        self
    }

    /// What the vertical axis shows.
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.axes[1].label = label.into();
        self
    }

    /// A line through points, in their order. Where a point is not a finite number, or cannot be on a logarithmic axis, the line has a gap.
    pub fn line(self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(name, points, Kind::Line)
    }

    /// Points, with markers.
    pub fn points(self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.series(name, points, Kind::Points)
    }

    fn series(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>, kind: Kind) -> Self {
        let index = self.series.iter().filter(|series| series.kind == kind).count();
        let points = points.into_iter().map(|(x, y)| [x, y]).collect();
        self.series.push(Series { label: name.into(), points, kind, index });
        self
    }

    /// A logarithmic horizontal axis. Points that are not above 0 are left out.
    pub fn log_x(mut self) -> Self {
        self.axes[0].log = true;
        self
    }

    /// A logarithmic vertical axis. Points that are not above 0 are left out.
    pub fn log_y(mut self) -> Self {
        self.axes[1].log = true;
        self
    }

    /// What the horizontal axis spans; unless said, the data and a small margin.
    pub fn x_range(mut self, range: RangeInclusive<f64>) -> Self {
        self.axes[0].range = Some([*range.start(), *range.end()]);
        self
    }

    /// What the vertical axis spans; unless said, the data and a small margin. What lies outside is cut off.
    pub fn y_range(mut self, range: RangeInclusive<f64>) -> Self {
        self.axes[1].range = Some([*range.start(), *range.end()]);
        self
    }

    /// Width and height in pixels: 900 × 560 unless said.
    pub fn size(mut self, width: usize, height: usize) -> Self {
        self.size = [width, height];
        self
    }

    /// The curves in letters, for a terminal of this many columns and rows, title, axes and legend included.
    ///
    /// Each cell has 2 × 4 dots of braille. Lines are named by letters that stand on them, points by their markers. There are no codes for colours, so it may
    /// be compared, logged and mailed.
    pub fn terminal(&self, columns: usize, rows: usize) -> Terminal<'_> {
        Terminal::new(self, columns, rows)
    }

    /// The axes, with the ends that were said or that fit the data.
    pub(super) fn fit(&self) -> Result<[Axis; 2], PlotError> {
        let shown = || {
            self.series.iter().flat_map(|s| &s.points).filter(|&&[x, y]| self.axes[0].shows(x) && self.axes[1].shows(y))
        };
        let [x, y] = &self.axes;
        let x = x.fit(NAME, "x", shown().map(|point| point[0]))?;
        let inside = |point: &&[f64; 2]| x.is_none_or(|x| (0.0..=1.0).contains(&x.share(point[0])));
        let y = y.fit(NAME, "y", shown().filter(inside).map(|point| point[1]))?;
        match (x, y) {
            // Ranges that were said are axes even where no point is.
            (Some(x), Some(y)) if shown().next().is_some() => Ok([x, y]),
            _ => {
                let points: usize = self.series.iter().map(|series| series.points.len()).sum();
                let logs = self.axes.iter().any(|axis| axis.log);
                let found = match (points, logs) {
                    (0, _) => "no points".into(),
                    (points, true) => format!(
                        "{points} points: none is of finite numbers, above 0 on a logarithmic axis, and in the range"
                    ),
                    (points, false) => format!("{points} points: none is of finite numbers and in the range"),
                };
                Err(PlotError::Empty { picture: NAME, found })
            }
        }
    }
}

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, PlotError> {
        let (mut scene, frame) = self.start()?;
        for (index, series) in self.series.iter().enumerate() {
            match series.kind {
                Kind::Line => self.draw_line(&mut scene, &frame, series, index),
                Kind::Points => self.draw_points(&mut scene, &frame, series, index),
            }
        }
        frame.finish(&mut scene);
        Ok(scene)
    }
}

impl Chart {
    /// All but the data, and where that lies.
    fn start(&self) -> Result<(Scene, Frame), PlotError> {
        let axes = self.fit()?;
        let mut legend = Legend::default();
        for (index, series) in self.series.iter().enumerate() {
            let colour = colour::series(index);
            let key = match series.kind {
                Kind::Line => Key::Line { colour, dash: marker::dash(series.index) },
                Kind::Points => Key::Marker { colour, shape: series.index },
            };
            legend.add(&series.label, key);
        }
        frame::start(&Surroundings {
            picture: NAME,
            size: self.size,
            title: &self.title,
            specs: [&self.axes[0], &self.axes[1]],
            axes,
            legend: &legend,
            bar: None,
            equal: false,
            grid: true,
        })
    }

    /// A series' points in the picture; those that cannot be shown are no numbers.
    fn placed(&self, frame: &Frame, series: &Series) -> impl Iterator<Item = [f64; 2]> {
        series.points.iter().map(|&[x, y]| {
            if self.axes[0].shows(x) && self.axes[1].shows(y) { frame.place([x, y]) } else { [f64::NAN; 2] }
        })
    }

    fn draw_line(&self, scene: &mut Scene, frame: &Frame, series: &Series, index: usize) {
        for piece in clip(self.placed(frame, series), frame.bounds()) {
            if let [point] = piece[..] {
                // A point between gaps would be no line at all.
                scene.disc(point, 2.0, colour::series(index));
                continue;
            }
            for stroke in dashes(simplify(&piece), marker::dash(series.index)) {
                scene.line(stroke, 2.5, colour::series(index));
            }
        }
    }

    fn draw_points(&self, scene: &mut Scene, frame: &Frame, series: &Series, index: usize) {
        let inside = self.placed(frame, series).filter(|&point| within(point, frame.bounds()));
        marker::draw_all(scene, series.index, inside, colour::series(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::pixels;
    use crate::plot::scene::Mark;

    /// The colours of the pixels at points of the data.
    fn at<const N: usize>(chart: &Chart, points: [[f64; 2]; N]) -> [[u8; 3]; N] {
        let frame = chart.start().unwrap().1;
        let pixels = pixels::draw(&chart.scene().unwrap()).unwrap();
        points.map(|point| {
            let [x, y] = frame.place(point);
            pixels.get_pixel(x as u32, y as u32).0
        })
    }

    /// Whether there is nothing but the ground and its grid.
    fn is_light(pixel: [u8; 3]) -> bool {
        pixel.iter().all(|&c| c >= 225)
    }

    fn unit() -> Chart {
        Chart::new("").x_range(0.0..=1.0).y_range(0.0..=1.0).size(400, 300)
    }

    #[test]
    fn a_line_goes_through_its_points() {
        let chart = unit().line("half", [(0.0, 0.0), (1.0, 0.5)]).line("", [(0.1, 0.9), (0.3, 0.9)]);
        let places = [0.03, 0.21, 0.5, 0.77, 0.97];
        assert_eq!(at(&chart, places.map(|x| [x, x / 2.0])), [[0, 114, 178]; 5]);
        assert!(at(&chart, places.map(|x| [x, x / 2.0 + 0.08])).into_iter().all(is_light));
        // The second line begins with a stroke, and ends.
        let [stroke, behind] = at(&chart, [[0.11, 0.9], [0.33, 0.9]]);
        assert!(stroke == [213, 94, 0] && is_light(behind));
    }

    #[test]
    fn lines_have_gaps_and_points_have_none_between() {
        let gap = unit().line("", [(0.1, 0.31), (0.4, 0.31), (0.5, f64::NAN), (0.7, 0.31), (0.9, 0.31)]);
        let [left, between, right] = at(&gap, [0.25, 0.55, 0.8].map(|x| [x, 0.31]));
        assert!([left, right] == [[0, 114, 178]; 2] && is_light(between));
        let points = unit().points("", [(0.11, 0.31), (0.91, 0.31), (2.0, 2.0)]);
        let [left, between, right] = at(&points, [0.11, 0.51, 0.91].map(|x| [x, 0.31]));
        assert!([left, right] == [[0, 114, 178]; 2] && is_light(between));
    }

    #[test]
    fn a_logarithmic_axis_has_equal_decades() {
        let chart = Chart::new("").line("", [(1.0, 0.01), (3.0, 100.0), (4.0, 0.0)]).log_y().y_range(0.01..=100.0);
        let (_, frame) = chart.start().unwrap();
        let y = [0.01, 0.1, 1.0, 10.0, 100.0].map(|y| frame.place([1.0, y])[1]);
        assert!(y.windows(2).all(|pair| (pair[0] - pair[1] - frame.size()[1] / 4.0).abs() < 1e-9));
        assert!(at(&chart, [[2.0, 1.0]])[0][0] < 60);
        // The point that is not above 0 does not widen the axis.
        assert!(frame.place([3.2, 1.0])[0] > frame.bounds()[1][0]);
    }

    #[test]
    fn the_legend_is_beside_or_below_the_plot() {
        for name in ["short", "a name that is too long to stand beside the plot of a small picture"] {
            let chart = unit().line(name, [(0.0, 0.0), (1.0, 1.0)]);
            let (_, frame) = chart.start().unwrap();
            let scene = chart.scene().unwrap();
            let text = scene.marks.iter().find_map(|mark| match mark {
                Mark::Text(text) if text.text.starts_with(&name[..5]) => Some(text.at),
                _ => None,
            });
            let [x, y] = text.unwrap();
            assert!(x > frame.bounds()[1][0] || y > frame.bounds()[1][1]);
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let text = |chart: Chart| chart.to_svg().unwrap_err().to_string();
        assert_eq!(text(unit()), "chart: nothing to draw in no points");
        assert_eq!(
            text(unit().line("", [(f64::NAN, 1.0), (1.0, f64::INFINITY)])),
            "chart: nothing to draw in 2 points: none is of finite numbers and in the range"
        );
        assert_eq!(
            text(Chart::new("").points("", [(1.0, 0.0)]).log_y()),
            "chart: nothing to draw in 1 points: none is of finite numbers, above 0 on a logarithmic axis, and in the range"
        );
        let line = || unit().line("", [(0.0, 0.0), (1.0, 1.0)]);
        assert_eq!(
            text(line().size(9000, 100)),
            "chart: the picture would have 9000 × 100 pixels, at most 8192 × 8192 are drawn: choose a smaller size"
        );
        assert_eq!(
            text(line().size(90, 70)),
            "chart: a picture of 90 × 70 pixels leaves 12 × 1 of them for the plot, wanted at least 40 × 40: choose a larger size, or shorter names"
        );
        assert!(text(line().size(0, 0)).starts_with("chart: a picture of 0 × 0 pixels"));
        assert!(text(line().y_range(2.0..=-2.0)).starts_with("chart: the y range is from 2 to -2, wanted"));
    }

    #[test]
    fn extreme_numbers_are_drawn_or_told() {
        let all = [f64::MIN, -1e-320, 0.0, f64::MIN_POSITIVE, f64::MAX];
        for (x, y) in all.iter().flat_map(|&x| all.map(|y| (x, y))) {
            for chart in
                [Chart::new("").line("", [(x, y), (1.0, 1.0)]), Chart::new("").points("", [(x, y)]).log_x().log_y()]
            {
                let _ = chart.to_svg();
                let _ = chart.terminal(40, 10).to_string();
            }
            let _ = unit().line("", [(0.5, 0.5), (x, y), (0.1, 0.1)]).to_svg().unwrap();
        }
    }
}
