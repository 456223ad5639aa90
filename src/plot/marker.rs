//! Marks of series: shapes of points, dashes of lines, arrow heads.

use std::collections::HashSet;

use super::colour::{Colour, WHITE};
use super::scene::Scene;

/// Lengths of strokes and gaps in pixels, for lines in turn. The first is whole.
const DASHES: [&[f64]; 5] = [&[], &[9.0, 4.0], &[2.5, 3.0], &[10.0, 3.0, 2.5, 3.0], &[16.0, 5.0]];

/// Strokes and gaps of the line of this index.
pub(super) fn dash(index: usize) -> &'static [f64] {
    DASHES[index % DASHES.len()]
}

/// Radius of a point's marker in pixels; of a crowd's, of more than [`CROWD`] points, that would hide each other; and of what is around it.
pub(super) const RADIUS: f64 = 4.5;
const IN_CROWD: f64 = 3.2;
const CROWD: usize = 300;
const RIM: f64 = 1.0;

/// Draws the marker of the series of points of this index, with a thin white rim by which it is seen on other markers and on fields.
pub(super) fn draw(scene: &mut Scene, index: usize, at: [f64; 2], radius: f64, colour: Colour) {
    shape(scene, index, at, radius + RIM, WHITE);
    shape(scene, index, at, radius, colour);
}

/// Draws the markers of a series' points, of those that fall on one pixel the first.
pub(super) fn draw_all(scene: &mut Scene, index: usize, points: impl Iterator<Item = [f64; 2]>, colour: Colour) {
    let mut pixels = HashSet::new();
    let points: Vec<_> = points.filter(|point| pixels.insert(point.map(|at| at.round() as i64))).collect();
    let radius = if points.len() > CROWD { IN_CROWD } else { RADIUS };
    for point in points {
        draw(scene, index, point, radius, colour);
    }
}

fn shape(scene: &mut Scene, index: usize, [x, y]: [f64; 2], radius: f64, colour: Colour) {
    let corners = |corners: &[[f64; 2]]| corners.iter().map(|[dx, dy]| [x + dx * radius, y + dy * radius]).collect();
    // Sizes that make areas about equal.
    match index % 5 {
        0 => scene.disc([x, y], radius * 0.95, colour),
        1 => scene.polygon(corners(&[[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]]), colour),
        2 => scene.polygon(corners(&[[0.0, -1.2], [1.1, 0.8], [-1.1, 0.8]]), colour),
        3 => scene.polygon(corners(&[[0.0, -1.25], [1.25, 0.0], [0.0, 1.25], [-1.25, 0.0]]), colour),
        _ => scene.polygon(corners(&[[-1.1, -0.8], [1.1, -0.8], [0.0, 1.2]]), colour),
    }
}

/// Draws a triangle whose tip is at `tip` and that points along `way`.
pub(super) fn arrow_head(scene: &mut Scene, tip: [f64; 2], way: [f64; 2], length: f64, colour: Colour) {
    let size = way[0].hypot(way[1]);
    if size == 0.0 {
        return;
    }
    let [ux, uy] = [way[0] / size, way[1] / size];
    let half = length * 0.4;
    let back = [tip[0] - ux * length, tip[1] - uy * length];
    scene.polygon(
        vec![tip, [back[0] - uy * half, back[1] + ux * half], [back[0] + uy * half, back[1] - ux * half]],
        colour,
    );
}
