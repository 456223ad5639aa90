//! The frame of a plot: title, axes with their numbers, grid, colour bar and legend around a rectangle that is the data's alone.

use super::PlotError;
use super::axis::{Axis, AxisSpec, Tick};
use super::clip::Bounds;
use super::colour::{Colour, GRID, INK};
use super::font;
use super::legend::Legend;
use super::picture::limit;
use super::scene::{Align, Scene};

/// Between the picture's edge and what is drawn, in pixels.
const MARGIN: f64 = 22.0;
/// Sizes of letters in pixels.
const TITLE: f64 = 19.0;
const LABEL: f64 = 15.0;
const NUMBER: f64 = 14.0;
/// From the frame to the numbers.
const MARK: f64 = 5.0;
/// The least width and height of a plot: a marker is 10 pixels wide.
const LEAST: f64 = 40.0;
/// The width of a colour bar, and its distance from the plot.
const BAR: [f64; 2] = [16.0, 20.0];

/// What stands around the data.
pub(super) struct Surroundings<'a> {
    pub(super) picture: &'static str,
    pub(super) size: [usize; 2],
    pub(super) title: &'a str,
    pub(super) specs: [&'a AxisSpec; 2],
    pub(super) axes: [Axis; 2],
    pub(super) legend: &'a Legend,
    pub(super) bar: Option<Bar<'a>>,
    /// Whether one unit is as long on both axes.
    pub(super) equal: bool,
    /// Whether there are lines at the numbers.
    pub(super) grid: bool,
}

/// The scale of a coloured field.
pub(super) struct Bar<'a> {
    pub(super) axis: Axis,
    /// The colour at a share of the scale.
    pub(super) colour: &'a dyn Fn(f64) -> Colour,
}

/// The rectangle of the data, and how numbers lie in it.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    at: [f64; 2],
    size: [f64; 2],
    axes: [Axis; 2],
    ticks: [Vec<Tick>; 2],
}

impl Frame {
    /// Where a point lies in the picture.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.at[0] + self.size[0] * self.axes[0].share(x), self.at[1] + self.size[1] * (1.0 - self.axes[1].share(y))]
    }

    pub(super) fn at(&self) -> [f64; 2] {
        self.at
    }

    pub(super) fn size(&self) -> [f64; 2] {
        self.size
    }

    /// Its corners.
    pub(super) fn bounds(&self) -> Bounds {
        [self.at, [self.at[0] + self.size[0], self.at[1] + self.size[1]]]
    }

    /// Draws the frame and the numbers; what crosses the frame's line is below it.
    pub(super) fn finish(&self, scene: &mut Scene) {
        let (left, bottom) = (self.at[0], self.at[1] + self.size[1]);
        scene.frame(self.at, self.size, 1.0, INK);
        for tick in &self.ticks[0] {
            let x = self.place([tick.value, self.axes[1].start])[0];
            let mark = if tick.label.is_empty() { MARK / 2.0 } else { MARK };
            scene.rect([x - 0.5, bottom], [1.0, mark], INK);
            scene.text(&tick.label, [x, bottom + MARK + 11.0], NUMBER, Align::Middle, INK);
        }
        for tick in &self.ticks[1] {
            let y = self.place([self.axes[0].start, tick.value])[1];
            let mark = if tick.label.is_empty() { MARK / 2.0 } else { MARK };
            scene.rect([left - mark, y - 0.5], [mark, 1.0], INK);
            scene.text(&tick.label, [left - MARK - 5.0, y], NUMBER, Align::End, INK);
        }
    }
}

/// Starts a picture: lays everything out, and draws all but the data and the frame.
pub(super) fn start(around: &Surroundings) -> Result<(Scene, Frame), PlotError> {
    let [mut width, mut height] = around.size;
    limit(around.picture, width, height, "a smaller size")?;
    let (mut right_room, mut below_room) = (0.0, 0.0);
    // A column beside the plot, unless it would take more than a third of the width or be higher than the plot, or a colour bar is there.
    let beside = around.bar.is_none()
        && around.legend.width() + 20.0 <= width as f64 / 3.0
        && around.legend.column_height() <= height as f64 * 0.75;
    let inner = width as f64 - 2.0 * MARGIN;
    if !around.legend.is_empty() {
        if beside {
            right_room = around.legend.width() + 20.0;
        } else {
            below_room = around.legend.height(inner) + 10.0;
        }
    }
    let title_room = if around.title.is_empty() { 0.0 } else { TITLE + 14.0 };
    let label_room = |axis: usize| if around.specs[axis].label.is_empty() { 0.0 } else { LABEL + 9.0 };
    let top = MARGIN + title_room;
    let bottom = MARGIN + below_room + label_room(0) + NUMBER + MARK + 6.0;
    let mut size = [0.0, height as f64 - top - bottom];
    let ticks_y = around.axes[1].ticks(wanted(size[1], 55.0));
    let left = MARGIN + label_room(1) + widest(&ticks_y) + MARK + 6.0;
    let bar_ticks = around.bar.as_ref().map(|bar| bar.axis.ticks(wanted(size[1], 55.0))).unwrap_or_default();
    if around.bar.is_some() {
        right_room = BAR[0] + BAR[1] + MARK + 4.0 + widest(&bar_ticks);
    }
    size[0] = width as f64 - left - right_room - MARGIN;
    if size[0] < LEAST || size[1] < LEAST {
        let room = size.map(|side| side.max(0.0) as usize);
        return Err(PlotError::TooSmall { picture: around.picture, width, height, room, least: LEAST as usize });
    }
    if around.equal {
        let [x, y] = around.axes.map(|axis| axis.end - axis.start);
        let unit = (size[0] / x).min(size[1] / y);
        // The picture shrinks with the plot, by whole pixels.
        let slack = [size[0] - unit * x, size[1] - unit * y].map(f64::floor);
        size = [unit * x, unit * y];
        if size[0] < LEAST || size[1] < LEAST {
            let room = size.map(|side| side as usize);
            return Err(PlotError::TooSmall { picture: around.picture, width, height, room, least: LEAST as usize });
        }
        (width, height) = (width - slack[0] as usize, height - slack[1] as usize);
    }
    // On whole pixels, so that the frame is sharp.
    let at = [left.round() + 0.5, top.round() + 0.5];
    if !around.equal {
        size = size.map(f64::floor);
    }
    let frame = Frame { at, size, axes: around.axes, ticks: [ticks_x(&around.axes[0], size[0]), ticks_y] };
    let mut scene = Scene::new(width, height, around.title);
    let [centre, middle] = [at[0] + size[0] / 2.0, at[1] + size[1] / 2.0];
    scene.heading(around.title, [centre, MARGIN + TITLE / 2.0 - 3.0], TITLE, INK);
    let under = at[1] + size[1] + MARK + NUMBER + 6.0;
    scene.heading(&around.specs[0].label, [centre, under + LABEL / 2.0 + 5.0], LABEL, INK);
    let (label, letters) = font::fit(&around.specs[1].label, LABEL, height as f64 - 16.0);
    scene.turned(label, [MARGIN + LABEL / 2.0 - 4.0, middle], letters, Align::Middle, INK);
    if beside {
        around.legend.draw_column(&mut scene, [at[0] + size[0] + 20.0, at[1]]);
    } else {
        around.legend.draw_lines(
            &mut scene,
            [width as f64 / 2.0, under + label_room(0) + 10.0],
            width as f64 - 2.0 * MARGIN,
        );
    }
    if let Some(bar) = &around.bar {
        draw_bar(&mut scene, bar, &bar_ticks, [at[0] + size[0] + BAR[1], at[1]], size[1]);
    }
    if around.grid {
        grid(&mut scene, &frame);
    }
    Ok((scene, frame))
}

/// How many numbers have room on so many pixels.
fn wanted(length: f64, each: f64) -> usize {
    (length / each).clamp(2.0, 10.0) as usize
}

/// Marks whose numbers do not touch.
fn ticks_x(axis: &Axis, length: f64) -> Vec<Tick> {
    let mut wanted = wanted(length, 70.0);
    loop {
        let ticks = axis.ticks(wanted);
        let written: Vec<&Tick> = ticks.iter().filter(|tick| !tick.label.is_empty()).collect();
        let room = |pair: &[&Tick]| (axis.share(pair[1].value) - axis.share(pair[0].value)) * length;
        let needed =
            |pair: &[&Tick]| (font::width(&pair[0].label, NUMBER) + font::width(&pair[1].label, NUMBER)) / 2.0 + 12.0;
        if wanted <= 1 || written.windows(2).all(|pair| room(pair) >= needed(pair)) {
            return ticks;
        }
        wanted -= 1;
    }
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| font::width(&tick.label, NUMBER)).fold(0.0, f64::max).ceil()
}

fn grid(scene: &mut Scene, frame: &Frame) {
    let [[left, top], [right, bottom]] = frame.bounds();
    let [x0, y0] = frame.axes.map(|axis| axis.start);
    for tick in &frame.ticks[0] {
        let width = if tick.label.is_empty() { 0.5 } else { 1.0 };
        scene.rect([frame.place([tick.value, y0])[0] - width / 2.0, top], [width, bottom - top], GRID);
    }
    for tick in &frame.ticks[1] {
        let width = if tick.label.is_empty() { 0.5 } else { 1.0 };
        scene.rect([left, frame.place([x0, tick.value])[1] - width / 2.0], [right - left, width], GRID);
    }
}

fn draw_bar(scene: &mut Scene, bar: &Bar, ticks: &[Tick], at: [f64; 2], height: f64) {
    // 256 steps from above: neighbours of them cannot be told apart.
    let pixels = image::RgbImage::from_fn(1, 256, |_, row| (bar.colour)(1.0 - f64::from(row) / 255.0));
    scene.image(at, [BAR[0], height], pixels, false);
    scene.frame(at, [BAR[0], height], 1.0, INK);
    for tick in ticks {
        let y = at[1] + height * (1.0 - bar.axis.share(tick.value));
        scene.rect([at[0] + BAR[0], y - 0.5], [MARK, 1.0], INK);
        scene.text(&tick.label, [at[0] + BAR[0] + MARK + 4.0, y], NUMBER, Align::Start, INK);
    }
}
