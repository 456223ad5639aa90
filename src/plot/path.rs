//! Paths and arrows on a plane.

use super::clip::{clip, within};
use super::colour::{Colour, INK, WHITE};
use super::frame::Frame;
use super::marker;
use super::scene::Scene;

/// Draws a way through points: a line, a dot at each, a larger one at the last, and heads in the middle of long steps.
pub(super) fn draw_path(scene: &mut Scene, frame: &Frame, points: &[[f64; 2]], colour: Colour) {
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

/// Draws an arrow from the first point to the second.
pub(super) fn draw_arrow(scene: &mut Scene, frame: &Frame, ends: [[f64; 2]; 2]) {
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
