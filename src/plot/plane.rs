//! [`Plane`]: functions of two variables.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

use image::RgbImage;

use super::axis::{Axis, AxisSpec, extent};
use super::clip::{clip, simplify, within};
use super::colour::{self, Colour, INK, WHITE, lightness, mix};
use super::contour::Grid;
use super::frame::{self, Bar, Frame, Surroundings};
use super::legend::{Key, Legend};
use super::marker;
use super::regions::Regions;
use super::scene::Scene;
use super::{Picture, PlotError};

/// A function of two variables as colours and contour lines, or the regions of a classifier, with points, paths and arrows on it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("descent.svg");
/// use tenonet::plot::{Picture, Plane};
///
/// // Steepest descent on a narrow valley.
/// let risk = |x: f64, y: f64| x * x + 8.0 * y * y;
/// let mut at = (1.8, 0.9);
/// let steps: Vec<_> = (0..20).map(|_| std::mem::replace(&mut at, (0.8 * at.0, -0.6 * at.1))).collect();
/// Plane::new("Empirical risk")
///     .x_label("α₁")
///     .y_label("α₂")
///     .range(-2.0..=2.0, -1.0..=1.0)
///     .field(risk)
///     .contours(10)
///     .path("gradient descent", steps)
///     .equal_axes()
///     .save(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plane<'a> {
    title: String,
    axes: [AxisSpec; 2],
    ground: Option<Ground<'a>>,
    field_range: Option<[f64; 2]>,
    signed: bool,
    levels: Levels,
    points: Vec<(String, Vec<[f64; 2]>)>,
    paths: Vec<(String, Vec<[f64; 2]>)>,
    arrows: Vec<[[f64; 2]; 2]>,
    equal: bool,
    size: [usize; 2],
}

/// What is asked anew for each picture, so that ranges may be said in any order.
enum Ground<'a> {
    Field(RefCell<Box<dyn FnMut(f64, f64) -> f64 + 'a>>),
    Regions(RefCell<Box<dyn FnMut(f64, f64) -> usize + 'a>>),
}

/// Where contour lines are.
#[derive(Clone, Debug)]
enum Levels {
    Quantiles(usize),
    At(Vec<f64>),
}

const NAME: &str = "plane";
/// Cells across and down at whose corners a field is asked: of 3 or 4 pixels in an ordinary picture, and interpolated between.
const CELLS: usize = 200;
/// The most contour lines: more would be a ground of their own.
const MOST_LEVELS: usize = 100;
/// Colours of paths, as series: those that stand out from fields; and those that stand out from two classes of points as well.
const ON_FIELDS: [usize; 4] = [1, 6, 3, 0];
const AMONG_POINTS: [usize; 4] = [6, 3, 4, 2];

impl<'a> Plane<'a> {
    /// A plane without anything on it.
    pub fn new(title: impl Into<String>) -> Self {
        Plane {
            title: title.into(),
            axes: Default::default(),
            ground: None,
            field_range: None,
            signed: false,
            levels: Levels::Quantiles(0),
            points: Vec::new(),
            paths: Vec::new(),
            arrows: Vec::new(),
            equal: false,
            size: [900, 640],
        }
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

    /// What the axes span; unless said, the points, paths and arrows and a small margin, or −1 to 1 without any.
    pub fn range(mut self, x: RangeInclusive<f64>, y: RangeInclusive<f64>) -> Self {
        self.axes[0].range = Some([*x.start(), *x.end()]);
        self.axes[1].range = Some([*y.start(), *y.end()]);
        self
    }

    /// A coloured ground, dark where the function is small and light where it is large, with a colour bar. It is asked at 201 × 201 places.
    ///
    /// Places where it is not a number are black. It takes the place of [`regions`](Self::regions).
    pub fn field(mut self, f: impl FnMut(f64, f64) -> f64 + 'a) -> Self {
        self.ground = Some(Ground::Field(RefCell::new(Box::new(f))));
        self
    }

    /// What the field's colours span: unless said, from its least to its largest value. Values outside have the colour of the end.
    pub fn field_range(mut self, range: RangeInclusive<f64>) -> Self {
        self.field_range = Some([*range.start(), *range.end()]);
        self
    }

    /// Colours the field blue below 0, white at 0 and red above, to one scale on both sides.
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// Contour lines of the field at this many levels, at most 100: the quantiles that cut its values into parts of equal area, so that flat parts show some too.
    pub fn contours(mut self, count: usize) -> Self {
        self.levels = Levels::Quantiles(count.min(MOST_LEVELS));
        self
    }

    /// Contour lines of the field at these levels, of which the first 100 are drawn.
    pub fn contours_at(mut self, levels: &[f64]) -> Self {
        self.levels = Levels::At(levels.iter().copied().take(MOST_LEVELS).collect());
        self
    }

    /// A ground of one pale colour a class, in the order of the series of [`points`](Self::points), and a line where classes meet. The function is asked at
    /// 161 × 161 places, and at more of them near boundaries; parts of a region that are smaller may be missed. It takes the place of [`field`](Self::field).
    pub fn regions(mut self, class: impl FnMut(f64, f64) -> usize + 'a) -> Self {
        self.ground = Some(Ground::Regions(RefCell::new(Box::new(class))));
        self
    }

    /// Points with markers; those outside of the range are left out.
    pub fn points(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.points.push((name.into(), points.into_iter().map(|(x, y)| [x, y]).collect()));
        self
    }

    /// A way through points in their order: a dot at each, a larger one at the last, and arrow heads where there is room. It has a gap where a point is not a finite
    /// number.
    pub fn path(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.paths.push((name.into(), points.into_iter().map(|(x, y)| [x, y]).collect()));
        self
    }

    /// An arrow from a place along a vector, such as a gradient.
    pub fn arrow(mut self, from: (f64, f64), way: (f64, f64)) -> Self {
        self.arrows.push([[from.0, from.1], [from.0 + way.0, from.1 + way.1]]);
        self
    }

    /// Makes one unit as long on both axes, so that right angles look right. The picture becomes narrower or lower for it.
    pub fn equal_axes(mut self) -> Self {
        self.equal = true;
        self
    }

    /// Width and height in pixels: 900 × 640 unless said.
    pub fn size(mut self, width: usize, height: usize) -> Self {
        self.size = [width, height];
        self
    }

    fn fit(&self) -> Result<[Axis; 2], PlotError> {
        let listed = self.points.iter().chain(&self.paths).flat_map(|(_, points)| points);
        let all: Vec<[f64; 2]> = listed
            .chain(self.arrows.iter().flatten())
            .copied()
            .filter(|point| point.iter().all(|at| at.is_finite()))
            .collect();
        if self.ground.is_none() && all.is_empty() {
            return Err(PlotError::Empty {
                picture: NAME,
                found: "no field, no regions, and no points of finite numbers".into(),
            });
        }
        let unsaid = Axis { start: -1.0, end: 1.0, log: false };
        let fit = |axis: usize, name| {
            self.axes[axis].fit(NAME, name, all.iter().map(|point| point[axis])).map(|fitted| fitted.unwrap_or(unsaid))
        };
        Ok([fit(0, "x")?, fit(1, "y")?])
    }

    /// The field at the corners of cells, from the upper left, and what its colours span.
    fn sample(&self, f: &mut dyn FnMut(f64, f64) -> f64, axes: &[Axis; 2]) -> Result<(Grid, Axis), PlotError> {
        let columns = CELLS + 1;
        let share = |index: usize| index as f64 / CELLS as f64;
        let values = (0..columns * columns)
            .map(|index| f(axes[0].value(share(index % columns)), axes[1].value(1.0 - share(index / columns))));
        let grid = Grid { columns, values: values.collect() };
        let Some([mut least, mut most]) = extent(grid.values.iter().copied()) else {
            return Err(PlotError::Empty { picture: NAME, found: "a field without a finite value".into() });
        };
        if self.signed {
            let size = least.abs().max(most.abs());
            (least, most) = (-size, size);
        }
        if least == most {
            // A field of one value has the colour of the middle.
            let margin = if least == 0.0 { 0.5 } else { least.abs() * 0.1 };
            (least, most) = (least - margin, most + margin);
        }
        let spec = AxisSpec { range: Some(self.field_range.unwrap_or([least, most])), ..AxisSpec::default() };
        let axis = spec.fit(NAME, "field", std::iter::empty())?.unwrap_or(Axis { start: least, end: most, log: false });
        Ok((grid, axis))
    }

    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        for (index, (name, _)) in self.points.iter().enumerate() {
            legend.add(name, Key::Marker { colour: colour::series(index), shape: index });
        }
        for (index, (name, _)) in self.paths.iter().enumerate() {
            legend.add(name, Key::Path { colour: self.path_colour(index) });
        }
        legend
    }

    fn path_colour(&self, index: usize) -> Colour {
        let colours = if self.points.is_empty() { ON_FIELDS } else { AMONG_POINTS };
        colour::series(colours[index % colours.len()])
    }
}

impl Picture for Plane<'_> {
    fn scene(&self) -> Result<Scene, PlotError> {
        let axes = self.fit()?;
        let legend = self.legend();
        let signed = self.signed;
        let shade = move |share: f64| {
            if signed { colour::diverging((2.0 * share - 1.0) as f32) } else { colour::viridis(share) }
        };
        let field = match &self.ground {
            Some(Ground::Field(f)) => Some(self.sample(&mut **f.borrow_mut(), &axes)?),
            _ => None,
        };
        let (mut scene, frame) = frame::start(&Surroundings {
            picture: NAME,
            size: self.size,
            title: &self.title,
            specs: [&self.axes[0], &self.axes[1]],
            axes,
            legend: &legend,
            bar: field.as_ref().map(|(_, axis)| Bar { axis: *axis, colour: &shade }),
            equal: self.equal,
            grid: self.ground.is_none(),
        })?;
        if let Some((grid, axis)) = &field {
            scene.image(frame.at(), frame.size(), ground(grid, axis, &shade), true);
            let levels = match &self.levels {
                Levels::Quantiles(count) => grid.quantiles(*count),
                Levels::At(levels) => levels.clone(),
            };
            for level in levels {
                draw_contour(&mut scene, &frame, grid, level, shade(axis.share(level).clamp(0.0, 1.0)));
            }
        }
        if let Some(Ground::Regions(class)) = &self.ground {
            let class = &mut **class.borrow_mut();
            draw_regions(
                &mut scene,
                &frame,
                &Regions::of(&mut |[x, y]| class(axes[0].value(x), axes[1].value(1.0 - y))),
            );
        }
        for (index, (_, points)) in self.points.iter().enumerate() {
            for point in points.iter().map(|&point| frame.place(point)).filter(|&point| within(point, frame.bounds())) {
                marker::draw(&mut scene, index, point, marker::RADIUS, colour::series(index));
            }
        }
        for (index, (_, points)) in self.paths.iter().enumerate() {
            draw_path(&mut scene, &frame, points, self.path_colour(index));
        }
        for ends in &self.arrows {
            draw_arrow(&mut scene, &frame, *ends);
        }
        frame.finish(&mut scene);
        Ok(scene)
    }
}

/// One pixel a cell, of the mean of its corners.
fn ground(grid: &Grid, axis: &Axis, shade: &dyn Fn(f64) -> Colour) -> RgbImage {
    RgbImage::from_fn(CELLS as u32, CELLS as u32, |column, row| {
        let first = row as usize * grid.columns + column as usize;
        let corners = [first, first + 1, first + grid.columns, first + grid.columns + 1].map(|node| grid.values[node]);
        // Infinite corners have the colours of the ends.
        let shares =
            corners.map(|value| if value.is_nan() { value } else { axis.share(value.clamp(axis.start, axis.end)) });
        // 128 colours: neighbours cannot be told apart, and files are half as large.
        let share = shares.iter().sum::<f64>() / 4.0;
        shade((share * 127.0).round() / 127.0)
    })
}

/// Draws a contour line in a darker shade of the ground's colour, or in a lighter one where that is dark.
fn draw_contour(scene: &mut Scene, frame: &Frame, grid: &Grid, level: f64, ground: Colour) {
    let colour =
        if lightness(ground) < 0.35 { mix(ground, WHITE, 0.5) } else { mix(ground, Colour::from([0; 3]), 0.5) };
    for line in grid.contour(level) {
        let place = |[column, row]: [f64; 2]| {
            let [at, size] = [frame.at(), frame.size()];
            [at[0] + size[0] * column / CELLS as f64, at[1] + size[1] * row / CELLS as f64]
        };
        let line: Vec<_> = line.into_iter().map(place).collect();
        scene.line(simplify(&line), 1.2, colour);
    }
}

fn draw_regions(scene: &mut Scene, frame: &Frame, regions: &Regions) {
    let side = regions.side as u32;
    let pixels = RgbImage::from_fn(side, side, |x, y| {
        mix(colour::series(regions.classes[y as usize * regions.side + x as usize]), WHITE, 0.68)
    });
    scene.image(frame.at(), frame.size(), pixels, false);
    for line in &regions.boundaries {
        let place = |&[x, y]: &[f64; 2]| [frame.at()[0] + frame.size()[0] * x, frame.at()[1] + frame.size()[1] * y];
        let line: Vec<_> = line.iter().map(place).collect();
        scene.line(simplify(&line), 1.8, INK);
    }
}

fn draw_path(scene: &mut Scene, frame: &Frame, points: &[[f64; 2]], colour: Colour) {
    let finite = |point: &[f64; 2]| point.iter().all(|at| at.is_finite());
    let place = |point: &[f64; 2]| if finite(point) { frame.place(*point) } else { [f64::NAN; 2] };
    let placed: Vec<[f64; 2]> = points.iter().map(place).collect();
    let pieces = clip(placed.iter().copied(), frame.bounds());
    // A white rim first, below all of the path.
    for (width, rim, paint) in [(4.5, 1.25, WHITE), (2.0, 0.0, colour)] {
        for piece in pieces.iter().filter(|piece| piece.len() > 1) {
            scene.line(piece.clone(), width, paint);
        }
        let last = placed.iter().rposition(|point| within(*point, frame.bounds()));
        for (index, &point) in placed.iter().enumerate().filter(|(_, point)| within(**point, frame.bounds())) {
            scene.disc(point, rim + if Some(index) == last { 5.5 } else { 3.0 }, paint);
        }
        for ends in placed.windows(2) {
            let way = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
            let length = way[0].hypot(way[1]);
            // Where a head leaves some of the line to be seen: it is 10 pixels long.
            let tip = [ends[0][0] + way[0] * (0.5 + 5.0 / length), ends[0][1] + way[1] * (0.5 + 5.0 / length)];
            if length > 28.0 && within(tip, frame.bounds()) {
                marker::arrow_head(
                    scene,
                    [tip[0] + way[0] / length * rim, tip[1] + way[1] / length * rim],
                    way,
                    10.0 + 2.0 * rim,
                    paint,
                );
            }
        }
    }
}

fn draw_arrow(scene: &mut Scene, frame: &Frame, ends: [[f64; 2]; 2]) {
    if ends.iter().flatten().any(|at| !at.is_finite()) {
        return;
    }
    let [from, to] = ends.map(|point| frame.place(point));
    let way = [to[0] - from[0], to[1] - from[1]];
    let length = way[0].hypot(way[1]);
    for (rim, paint) in [(1.25, WHITE), (0.0, INK)] {
        // The shaft ends inside of the head, which is sharp.
        let share = if length > 6.0 { 1.0 - 6.0 / length } else { 1.0 };
        let shaft = [from, [from[0] + way[0] * share, from[1] + way[1] * share]];
        for piece in clip(shaft, frame.bounds()).into_iter().filter(|piece| piece.len() > 1) {
            scene.line(piece, 2.2 + 2.0 * rim, paint);
        }
        if within(to, frame.bounds()) && length > 0.0 {
            let tip = [to[0] + way[0] / length * 2.0 * rim, to[1] + way[1] / length * 2.0 * rim];
            marker::arrow_head(scene, tip, way, 11.0 + 3.0 * rim, paint);
        }
    }
}

impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ground = match self.ground {
            Some(Ground::Field(_)) => "field",
            Some(Ground::Regions(_)) => "regions",
            None => "none",
        };
        f.debug_struct("Plane").field("title", &self.title).field("ground", &ground).finish_non_exhaustive()
    }
}
