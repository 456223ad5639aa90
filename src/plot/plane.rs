//! [`Plane`]: functions of two variables.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

use super::axis::{Axis, AxisSpec};
use super::clip::within;
use super::colour::{self, Colour};
use super::field::{Field, Levels};
use super::frame::{self, Frame, Surroundings};
use super::legend::{Key, Legend};
use super::marker;
use super::path;
use super::regions::{Regions, pale};
use super::scene::Scene;
use super::{Picture, PlotError};

/// A function of two variables as colours and contour lines, or the regions of a classifier, with points, paths and arrows on it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("descent.svg");
/// use tenonet::plot::{Picture, Plane};
///
/// // Gradient descent with the rate 0.1 in a narrow valley.
/// let risk = |x: f64, y: f64| x * x + 8.0 * y * y;
/// let steps = (0..20).map(|step| (1.8 * 0.8f64.powi(step), 0.9 * (-0.6f64).powi(step)));
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

const NAME: &str = "plane";
/// The most contour lines: more would be a ground of their own.
const MOST_LEVELS: usize = 100;
/// The most classes that are told in a legend, where colours come for the third time.
const MOST_CLASSES: usize = 20;
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

    /// A coloured ground, dark where the function is small and light where it is large, with a colour bar. It is asked at 201 × 201 places, and interpolated between them.
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

    /// The names of series; of regions without points, their numbers.
    fn legend(&self, regions: Option<&Regions>) -> Legend {
        let mut legend = Legend::default();
        if let Some(regions) = regions.filter(|_| self.points.is_empty()) {
            let present = regions.present();
            for &class in present.iter().filter(|_| present.len() <= MOST_CLASSES) {
                legend.add(&format!("class {class}"), Key::Patch { colour: pale(class) });
            }
        }
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

impl Plane<'_> {
    /// The picture, and where the data lies in it.
    fn lay_out(&self) -> Result<(Scene, Frame), PlotError> {
        let axes = self.fit()?;
        let (mut field, mut regions) = (None, None);
        match &self.ground {
            Some(Ground::Field(f)) => {
                field = Some(Field::of(&mut **f.borrow_mut(), &axes, self.field_range, self.signed)?);
            }
            Some(Ground::Regions(class)) => {
                let class = &mut **class.borrow_mut();
                regions = Some(Regions::of(&mut |[x, y]| class(axes[0].value(x), axes[1].value(1.0 - y))));
            }
            None => {}
        }
        let legend = self.legend(regions.as_ref());
        let (mut scene, frame) = frame::start(&Surroundings {
            picture: NAME,
            size: self.size,
            title: &self.title,
            specs: [&self.axes[0], &self.axes[1]],
            axes,
            legend: &legend,
            bar: field.as_ref().map(Field::bar),
            equal: self.equal,
            grid: self.ground.is_none(),
        })?;
        if let Some(field) = &field {
            field.draw(&mut scene, &frame);
            field.draw_contours(&mut scene, &frame, &self.levels);
        }
        if let Some(regions) = &regions {
            regions.draw(&mut scene, &frame);
        }
        for (index, (_, points)) in self.points.iter().enumerate() {
            let inside = points.iter().map(|&point| frame.place(point)).filter(|&point| within(point, frame.bounds()));
            marker::draw_all(&mut scene, index, inside, colour::series(index));
        }
        for (index, (_, points)) in self.paths.iter().enumerate() {
            path::draw_path(&mut scene, &frame, points, self.path_colour(index));
        }
        for ends in &self.arrows {
            path::draw_arrow(&mut scene, &frame, *ends);
        }
        frame.finish(&mut scene);
        Ok((scene, frame))
    }
}

impl Picture for Plane<'_> {
    fn scene(&self) -> Result<Scene, PlotError> {
        self.lay_out().map(|(scene, _)| scene)
    }
}

impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane").field("title", &self.title).field("axes", &self.axes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::pixels;

    fn plane<'a>() -> Plane<'a> {
        Plane::new("").range(-2.0..=2.0, -1.0..=1.0).size(400, 240)
    }

    /// The colours at points of the data.
    fn at<const N: usize>(plane: &Plane, points: [[f64; 2]; N]) -> [[u8; 3]; N] {
        let (scene, frame) = plane.lay_out().unwrap();
        let pixels = pixels::draw(&scene).unwrap();
        points.map(|point| {
            let [x, y] = frame.place(point);
            pixels.get_pixel(x as u32, y as u32).0
        })
    }

    #[test]
    fn a_contour_is_where_the_function_has_its_level() {
        let plain = plane().field(|x, y| x * x + y * y).equal_axes();
        let lined = plane().field(|x, y| x * x + y * y).equal_axes().contours_at(&[0.64]);
        let (scene, frame) = lined.lay_out().unwrap();
        let [plain, lined] = [plain.scene().unwrap(), scene].map(|scene| pixels::draw(&scene).unwrap());
        let centre = frame.place([0.0, 0.0]);
        let radius = frame.place([0.8, 0.0])[0] - centre[0];
        let mut changed = 0;
        for (x, y, pixel) in lined.enumerate_pixels().filter(|(x, y, pixel)| plain.get_pixel(*x, *y) != *pixel) {
            let distance = (f64::from(x) + 0.5 - centre[0]).hypot(f64::from(y) + 0.5 - centre[1]);
            assert!((distance - radius).abs() < 1.5, "{pixel:?} at {x}, {y}: {distance} from the centre, not {radius}");
            changed += 1;
        }
        // A circle's length in pixels, and some more where it lies on two.
        assert!(f64::from(changed) > std::f64::consts::TAU * radius, "{changed}");
    }

    #[test]
    fn a_field_has_the_colours_of_its_values() {
        let field = plane().field(|x, _| x);
        let [middle] = at(&field, [[0.0, 0.3]]);
        assert!(middle[0] == 33 && middle[1].abs_diff(145) <= 1, "{middle:?}");
        let [left, right] = at(&field, [[-1.98, 0.0], [1.98, 0.0]]);
        assert!(left[2] > left[0] && right[0] > 240 && right[2] < 60, "{left:?} {right:?}");
        let signed = plane().field(|x, _| x + 1.0).signed();
        let [negative, zero, positive] = at(&signed, [[-1.9, 0.0], [-1.0, 0.0], [1.9, 0.0]]);
        assert!(negative[2] > negative[0] && zero.iter().all(|&c| c > 240) && positive[0] > 150 && positive[1] < 60);
        let wide = plane().field(|x, _| x).field_range(-100.0..=100.0);
        assert!(at(&wide, [[-1.9, 0.0], [1.9, 0.0]]).windows(2).all(|pair| pair[0][1].abs_diff(pair[1][1]) < 16));
        // What is no number is black, and what is infinite has the colour of the end.
        let holes = plane().field(|x, y| {
            if x < 0.0 {
                f64::NAN
            } else if y < 0.0 {
                f64::INFINITY
            } else {
                x
            }
        });
        assert_eq!(at(&holes, [[-1.0, 0.5], [1.0, -0.5]]), [[0; 3], [253, 231, 37]]);
    }

    #[test]
    fn regions_are_pale_and_points_are_not() {
        let mut asked = 0;
        let regions = plane()
            .regions(|x, _| {
                asked += 1;
                usize::from(x > 0.1)
            })
            .points("", [(-1.0, 0.5), (5.0, 0.0)]);
        assert_eq!(
            at(&regions, [[-1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]]),
            [[173, 210, 230], [242, 203, 173], [0, 114, 178]]
        );
        let [boundary] = at(&regions, [[0.1, 0.37]]);
        assert!(boundary.iter().all(|&c| c < 120), "{boundary:?}");
        drop(regions);
        assert!(asked > 161 * 161);
    }

    #[test]
    fn equal_axes_have_one_unit() {
        let (scene, frame) = plane().points("", [(0.0, 0.0)]).equal_axes().lay_out().unwrap();
        let [origin, x, y] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(|point| frame.place(point));
        assert!((x[0] - origin[0] - (origin[1] - y[1])).abs() < 1e-9);
        assert!(scene.width == 400 && scene.height < 240 || scene.width < 400 && scene.height == 240);
    }

    #[test]
    fn paths_and_arrows_are_on_their_way() {
        let plane =
            plane().path("", [(-1.5, 0.0), (0.0, 0.0), (f64::NAN, 0.0), (9.0, 9.0)]).arrow((0.5, 0.5), (1.0, 0.0));
        assert_eq!(at(&plane, [[-1.2, 0.0], [0.0, 0.0], [0.7, 0.5]]), [[213, 94, 0], [213, 94, 0], [38; 3]]);
        assert!(at(&plane, [[0.3, 0.0], [1.6, 0.51]]).as_flattened().iter().all(|&c| c >= 225));
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let text = |plane: Plane| plane.to_svg().unwrap_err().to_string();
        assert_eq!(text(plane()), "plane: nothing to draw in no field, no regions, and no points of finite numbers");
        assert_eq!(text(plane().field(|_, _| f64::NAN)), "plane: nothing to draw in a field without a finite value");
        assert!(
            text(plane().range(0.0..=0.0, 0.0..=1.0).regions(|_, _| 0))
                .starts_with("plane: the x range is from 0 to 0")
        );
        let narrow = plane().range(0.0..=1e6, 0.0..=1.0).field(|x, _| x).equal_axes();
        assert!(text(narrow).starts_with("plane: a picture of 400 × 240 pixels leaves "));
        assert!(
            text(plane().field(|x, _| x).field_range(1.0..=0.0)).starts_with("plane: the field range is from 1 to 0")
        );
        assert!(plane().field(|_, _| 1.0).contours(usize::MAX).contours_at(&[f64::NAN, 1.0]).to_svg().is_ok());
        assert!(plane().field(|x, y| x * f64::MAX * y).contours(3).to_svg().is_err());
    }
}
