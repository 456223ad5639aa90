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
        let (mut scene, frame) = frame::start(&Surroundings {
            picture: NAME,
            size: self.size,
            title: &self.title,
            specs: [&self.axes[0], &self.axes[1]],
            axes,
            legend: &legend,
            bar: None,
            equal: false,
            grid: true,
        })?;
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
