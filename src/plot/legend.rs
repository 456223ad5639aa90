//! The legend: what colours, dashes and shapes stand for. It is beside the plot, never on it.

use super::clip::dashes;
use super::colour::{Colour, INK};
use super::font;
use super::marker;
use super::scene::{Align, Scene};

/// The names of series.
#[derive(Clone, Debug, Default)]
pub(super) struct Legend {
    entries: Vec<(String, Key)>,
}

/// What stands beside a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    /// A line in dashes.
    Line { colour: Colour, dash: &'static [f64] },
    /// A marker by itself.
    Marker { colour: Colour, shape: usize },
    /// A line through points.
    Path { colour: Colour },
    /// A coloured ground.
    Patch { colour: Colour },
}

/// The size of the letters, in pixels.
pub(super) const SIZE: f64 = 14.0;
/// From one line of the legend to the next.
const LINE: f64 = 24.0;
/// The width of a key, and the space behind it.
const KEY: f64 = 32.0;
const SPACE: f64 = 8.0;
/// Between entries that stand in one line.
const GAP: f64 = 26.0;

impl Legend {
    pub(super) fn add(&mut self, label: &str, key: Key) {
        if !label.is_empty() {
            self.entries.push((label.into(), key));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The width of a column of all entries.
    pub(super) fn width(&self) -> f64 {
        self.entries.iter().map(|(label, _)| width(label)).fold(0.0, f64::max)
    }

    /// The height of a column of all entries.
    pub(super) fn column_height(&self) -> f64 {
        self.entries.len() as f64 * LINE
    }

    /// Draws a column that begins at this place.
    pub(super) fn draw_column(&self, scene: &mut Scene, [x, y]: [f64; 2]) {
        for (index, (label, key)) in self.entries.iter().enumerate() {
            draw(scene, label, *key, [x, y + (index as f64 + 0.5) * LINE], f64::INFINITY);
        }
    }

    /// The entries in lines of at most this width.
    fn lines(&self, most: f64) -> Vec<Vec<&(String, Key)>> {
        let (mut lines, mut used) = (Vec::<Vec<_>>::new(), 0.0);
        for entry in &self.entries {
            let width = width(&entry.0);
            match lines.last_mut() {
                Some(line) if used + GAP + width <= most => {
                    line.push(entry);
                    used += GAP + width;
                }
                _ => {
                    lines.push(vec![entry]);
                    used = width;
                }
            }
        }
        lines
    }

    /// The height of the entries in lines of at most this width.
    pub(super) fn height(&self, most: f64) -> f64 {
        self.lines(most).len() as f64 * LINE
    }

    /// Draws lines of at most this width, each centred on `x`.
    pub(super) fn draw_lines(&self, scene: &mut Scene, [x, y]: [f64; 2], most: f64) {
        for (index, line) in self.lines(most).into_iter().enumerate() {
            let all: f64 = line.iter().map(|(label, _)| width(label)).sum::<f64>() + GAP * (line.len() - 1) as f64;
            let mut left = x - all.min(most) / 2.0;
            for (label, key) in line {
                draw(scene, label, *key, [left, y + (index as f64 + 0.5) * LINE], most);
                left += width(label) + GAP;
            }
        }
    }
}

fn width(label: &str) -> f64 {
    KEY + SPACE + font::width(label, SIZE)
}

/// Draws an entry whose left end is at `x` and whose middle is at `y`, of at most this width.
fn draw(scene: &mut Scene, label: &str, key: Key, [x, y]: [f64; 2], most: f64) {
    let middle = [x + KEY / 2.0, y];
    match key {
        Key::Line { colour, dash } => {
            for stroke in dashes(vec![[x, y], [x + KEY, y]], dash) {
                scene.line(stroke, 2.5, colour);
            }
        }
        Key::Marker { colour, shape } => marker::draw(scene, shape, middle, marker::RADIUS, colour),
        Key::Path { colour } => {
            scene.line(vec![[x, y], [x + KEY, y]], 2.0, colour);
            scene.disc([x + 6.0, y], 3.0, colour);
            scene.disc([x + KEY - 6.0, y], 5.0, colour);
        }
        Key::Patch { colour } => scene.rect([x + 6.0, y - 7.0], [KEY - 12.0, 14.0], colour),
    }
    scene.fitted(label, [x + KEY + SPACE, y], SIZE, most - KEY - SPACE, Align::Start, INK);
}
