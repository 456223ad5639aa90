//! Decision regions: which class a function gives to each place, and where one class meets another.

use std::collections::{BTreeMap, BTreeSet};

use image::RgbImage;

use super::clip::simplify;
use super::colour::{Colour, INK, WHITE, mix, series};
use super::contour::chain;
use super::frame::Frame;
use super::scene::Scene;

/// Cells across and down at whose corners the function is asked: parts of a region that are smaller than a cell may be missed.
const CELLS: usize = 160;
/// Pixels of the ground on a side of a cell, where classes meet in it; so the ground's steps, a pixel or less, are under the line.
const FINE: usize = 4;
/// Halvings by which a place is found where classes meet: 1/256 of a cell.
const HALVINGS: usize = 8;

/// The classes of a square, sides 0 to 1, y downwards.
pub(super) struct Regions {
    /// Classes by pixels, row by row.
    pub(super) classes: Vec<usize>,
    /// Pixels on a side.
    pub(super) side: usize,
    /// Where classes meet.
    pub(super) boundaries: Vec<Vec<[f64; 2]>>,
}

/// What boundary lines go through: the middle of an edge where classes change (`0` to the right of a node, `1` downwards), or a place in a cell (`2`).
type Stop = (usize, usize, u8);

impl Regions {
    pub(super) fn of(class: &mut dyn FnMut([f64; 2]) -> usize) -> Self {
        let nodes = CELLS + 1;
        let at = |row: usize, column: usize| [column as f64 / CELLS as f64, row as f64 / CELLS as f64];
        let corners: Vec<usize> = (0..nodes * nodes).map(|node| class(at(node / nodes, node % nodes))).collect();
        let corner = |row: usize, column: usize| corners[row * nodes + column];
        let side = CELLS * FINE;
        let mut classes = vec![0; side * side];
        let mut places = BTreeMap::<Stop, [f64; 2]>::new();
        let mut segments = Vec::new();
        for (row, column) in (0..CELLS).flat_map(|row| (0..CELLS).map(move |column| (row, column))) {
            let one = corner(row, column);
            let edges = [(row, column, 0), (row, column + 1, 1), (row + 1, column, 0), (row, column, 1)];
            let mixed: Vec<Stop> = edges
                .into_iter()
                .filter(|&(row, column, down)| {
                    corner(row, column) != if down == 1 { corner(row + 1, column) } else { corner(row, column + 1) }
                })
                .collect();
            for pixel in 0..FINE * FINE {
                let (y, x) = (row * FINE + pixel / FINE, column * FINE + pixel % FINE);
                let middle = [x, y].map(|at| (at as f64 + 0.5) / side as f64);
                classes[y * side + x] = if mixed.is_empty() { one } else { class(middle) };
            }
            for &(row, column, down) in &mixed {
                let next = if down == 1 { at(row + 1, column) } else { at(row, column + 1) };
                places
                    .entry((row, column, down))
                    .or_insert_with(|| meeting(class, at(row, column), next, corner(row, column)));
            }
            match mixed[..] {
                [] => {}
                [from, to] => segments.push([from, to]),
                // Three or four classes, or a saddle, meet in the middle of those.
                _ => {
                    let middle = (row, column, 2);
                    let sum = |axis: usize| mixed.iter().map(|edge| places[edge][axis]).sum::<f64>();
                    places.insert(middle, [0, 1].map(|axis| sum(axis) / mixed.len() as f64));
                    segments.extend(mixed.iter().map(|&edge| [edge, middle]));
                }
            }
        }
        let lines = chain(segments.into_iter());
        let boundaries = lines.into_iter().map(|line| line.into_iter().map(|stop| places[&stop]).collect()).collect();
        Regions { classes, side, boundaries }
    }

    /// The classes that there are, in order.
    pub(super) fn present(&self) -> BTreeSet<usize> {
        // Neighbours are mostly equal: a set sees each run once.
        self.classes.chunk_by(|a, b| a == b).map(|run| run[0]).collect()
    }

    /// Draws the pale ground and the lines where classes meet.
    pub(super) fn draw(&self, scene: &mut Scene, frame: &Frame) {
        let side = self.side as u32;
        let pixels = RgbImage::from_fn(side, side, |x, y| pale(self.classes[y as usize * self.side + x as usize]));
        scene.image(frame.at(), frame.size(), pixels, false);
        let [at, size] = [frame.at(), frame.size()];
        for line in &self.boundaries {
            let line: Vec<_> =
                line.iter().map(|place| [0, 1].map(|axis| at[axis] + size[axis] * place[axis])).collect();
            scene.line(simplify(&line), 1.8, INK);
        }
    }
}

/// The ground of a class.
pub(super) fn pale(class: usize) -> Colour {
    mix(series(class), WHITE, 0.68)
}

/// A place between two where the class changes.
fn meeting(class: &mut dyn FnMut([f64; 2]) -> usize, mut from: [f64; 2], mut to: [f64; 2], first: usize) -> [f64; 2] {
    let middle = |from: [f64; 2], to: [f64; 2]| [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0];
    for _ in 0..HALVINGS {
        let half = middle(from, to);
        if class(half) == first { from = half } else { to = half }
    }
    middle(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_has_one_round_boundary() {
        let regions = Regions::of(&mut |[x, y]| usize::from((x - 0.5).hypot(y - 0.5) < 0.3));
        assert_eq!(regions.boundaries.len(), 1);
        let line = &regions.boundaries[0];
        assert_eq!(line.first(), line.last());
        assert!(line.iter().all(|[x, y]| ((x - 0.5).hypot(y - 0.5) - 0.3).abs() < 1e-4));
        let inside = regions.classes.iter().filter(|&&class| class == 1).count() as f64 / (640.0 * 640.0);
        assert!((inside - 0.09 * std::f64::consts::PI).abs() < 1e-3, "{inside}");
    }

    #[test]
    fn one_class_has_no_boundary() {
        assert!(Regions::of(&mut |_| 7).boundaries.is_empty());
    }

    #[test]
    fn three_classes_meet() {
        let regions = Regions::of(&mut |[x, y]| if y < 0.502 { 0 } else { 1 + usize::from(x > 0.503) });
        let length = |line: &Vec<[f64; 2]>| {
            line.windows(2).map(|ends| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1])).sum::<f64>()
        };
        let all: f64 = regions.boundaries.iter().map(length).sum();
        assert!((all - 1.498).abs() < 0.01, "{all}");
    }
}
