//! What of a line is drawn: the pieces inside of a rectangle, without points that make no difference, in dashes.

/// Two corners of a rectangle, the lesser one first.
pub(super) type Bounds = [[f64; 2]; 2];

/// The farthest that a point is from the picture, in pixels: sums and products of such numbers are exact enough to cut lines at the frame.
const FAR: f64 = 1e7;
/// How far a point may be from the line without it to be left out, in pixels: less than is seen.
const TOLERANCE: f64 = 0.1;

/// The pieces of a line inside of the bounds. Points that are no numbers end a piece.
pub(super) fn clip(points: impl IntoIterator<Item = [f64; 2]>, bounds: Bounds) -> Vec<Vec<[f64; 2]>> {
    let (mut pieces, mut piece) = (Vec::new(), Vec::<[f64; 2]>::new());
    let mut former: Option<[f64; 2]> = None;
    let mut end = |piece: &mut Vec<[f64; 2]>| {
        if !piece.is_empty() {
            pieces.push(std::mem::take(piece));
        }
    };
    for point in points {
        if point.iter().any(|at| at.is_nan()) {
            end(&mut piece);
            former = None;
            continue;
        }
        let point = point.map(|at| at.clamp(-FAR, FAR));
        match former.map(|former| segment(former, point, bounds)) {
            None if within(point, bounds) => piece.push(point),
            None => {}
            Some(None) => end(&mut piece),
            Some(Some([enter, leave])) => {
                if piece.last() != Some(&enter) {
                    end(&mut piece);
                    piece.push(enter);
                }
                piece.push(leave);
                if leave != point {
                    end(&mut piece);
                }
            }
        }
        former = Some(point);
    }
    end(&mut piece);
    pieces
}

/// Whether a point is inside of the bounds or on them.
pub(super) fn within(point: [f64; 2], bounds: Bounds) -> bool {
    (0..2).all(|axis| (bounds[0][axis]..=bounds[1][axis]).contains(&point[axis]))
}

/// The part of a segment inside of the bounds (Y.-D. Liang and B. Barsky 1984, "A New Concept and Method for Line Clipping").
fn segment(from: [f64; 2], to: [f64; 2], bounds: Bounds) -> Option<[[f64; 2]; 2]> {
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        let way = to[axis] - from[axis];
        let [low, high] = [0, 1].map(|corner: usize| bounds[corner][axis] - from[axis]);
        if way == 0.0 {
            if low > 0.0 || high < 0.0 {
                return None;
            }
            continue;
        }
        let (first, last) = if way > 0.0 { (low / way, high / way) } else { (high / way, low / way) };
        enter = enter.max(first);
        leave = leave.min(last);
    }
    // The ends themselves where nothing is cut, so that pieces meet exactly.
    let at = |share: f64, end: [f64; 2]| {
        if share == 0.0 || share == 1.0 {
            end
        } else {
            [0, 1].map(|axis: usize| from[axis] + share * (to[axis] - from[axis]))
        }
    };
    (enter <= leave).then(|| [at(enter, from), at(leave, to)])
}

/// The line without points that are seen to make no difference.
pub(super) fn simplify(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    straighten(&columns(points))
}

/// Of the points in one column of half a pixel, neighbours in the line, the first and the last, the highest and the lowest: of a hundred thousand losses so many
/// are seen.
fn columns(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let column = |point: &[f64; 2]| (point[0] * 2.0).floor();
    let mut kept = Vec::new();
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let by = |a: &usize, b: &usize| run[*a][1].total_cmp(&run[*b][1]);
        let (lowest, highest) = ((0..run.len()).min_by(by).unwrap_or(0), (0..run.len()).max_by(by).unwrap_or(0));
        let mut indices = [0, lowest.min(highest), lowest.max(highest), run.len() - 1].to_vec();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| run[index]));
    }
    kept
}

/// The algorithm of U. Ramer 1972 and of D. Douglas and T. Peucker 1973: the point that is farthest from the line through the ends stays if it is too far, and
/// then so on either side.
fn straighten(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut keep = vec![false; points.len()];
    let mut spans = vec![(0, points.len().saturating_sub(1))];
    while let Some((first, last)) = spans.pop() {
        if first >= points.len() {
            continue;
        }
        (keep[first], keep[last]) = (true, true);
        let far = |&index: &usize| distance(points[index], points[first], points[last]);
        let Some(farthest) = (first + 1..last).max_by(|a, b| far(a).total_cmp(&far(b))) else { continue };
        if far(&farthest) > TOLERANCE {
            spans.extend([(first, farthest), (farthest, last)]);
        }
    }
    points.iter().zip(keep).filter_map(|(point, keep)| keep.then_some(*point)).collect()
}

/// How far a point is from a segment.
fn distance(point: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let way = [to[0] - from[0], to[1] - from[1]];
    let off = [point[0] - from[0], point[1] - from[1]];
    let length = way[0] * way[0] + way[1] * way[1];
    let share = if length > 0.0 { ((off[0] * way[0] + off[1] * way[1]) / length).clamp(0.0, 1.0) } else { 0.0 };
    (off[0] - share * way[0]).hypot(off[1] - share * way[1])
}

/// A line in dashes: lengths of strokes and gaps in turn. Without lengths it is whole.
pub(super) fn dashes(points: Vec<[f64; 2]>, lengths: &[f64]) -> Vec<Vec<[f64; 2]>> {
    if lengths.is_empty() || points.len() < 2 {
        return vec![points];
    }
    let (mut strokes, mut stroke) = (Vec::new(), vec![points[0]]);
    let (mut index, mut rest) = (0, lengths[0]);
    for ends in points.windows(2) {
        let (mut from, to) = (ends[0], ends[1]);
        loop {
            let length = (to[0] - from[0]).hypot(to[1] - from[1]);
            if length <= rest {
                rest -= length;
                stroke.push(to);
                break;
            }
            let share = rest / length;
            from = [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
            stroke.push(from);
            // Strokes stand at even places, gaps at odd ones.
            let ended = std::mem::replace(&mut stroke, vec![from]);
            if index % 2 == 0 {
                strokes.push(ended);
            }
            index = (index + 1) % lengths.len();
            rest = lengths[index];
        }
    }
    if index % 2 == 0 {
        strokes.push(stroke);
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = [[0.0, 0.0], [10.0, 10.0]];

    #[test]
    fn lines_end_at_the_bounds_and_at_gaps() {
        let clipped = |points: &[[f64; 2]]| clip(points.iter().copied(), BOUNDS);
        assert_eq!(clipped(&[[-5.0, 5.0], [5.0, 5.0], [5.0, 15.0]]), [[[0.0, 5.0], [5.0, 5.0], [5.0, 10.0]]]);
        assert_eq!(
            clipped(&[[1.0, 1.0], [f64::NAN, 2.0], [3.0, 3.0], [4.0, 4.0]]),
            [vec![[1.0, 1.0]], vec![[3.0, 3.0], [4.0, 4.0]]]
        );
        // Out and in again; and past a corner.
        assert_eq!(clipped(&[[5.0, 5.0], [15.0, 5.0], [15.0, 6.0], [5.0, 6.0]]).len(), 2);
        assert_eq!(clipped(&[[-5.0, 4.0], [4.0, -5.0]]), Vec::<Vec<[f64; 2]>>::new());
        assert_eq!(clipped(&[[5.0, 5.0], [5.0, f64::INFINITY]]), [[[5.0, 5.0], [5.0, 10.0]]]);
    }

    #[test]
    fn points_that_make_no_difference_are_left_out() {
        let straight: Vec<[f64; 2]> = (0..1000).map(|i| [f64::from(i), 2.0 * f64::from(i)]).collect();
        assert_eq!(simplify(&straight), [[0.0, 0.0], [999.0, 1998.0]]);
        let noise: Vec<[f64; 2]> = (0..100_000).map(|i| [f64::from(i) / 1000.0, f64::from(i * 7919 % 100)]).collect();
        let simple = simplify(&noise);
        assert!(simple.len() <= 4 * 201, "{}", simple.len());
        assert!(simple.iter().any(|point| point[1] == 0.0) && simple.iter().any(|point| point[1] == 99.0));
        assert_eq!(simplify(&[]), Vec::<[f64; 2]>::new());
        assert_eq!(simplify(&[[1.0, 2.0]]), [[1.0, 2.0]]);
    }

    #[test]
    fn dashes_go_around_corners() {
        let strokes = dashes(vec![[0.0, 0.0], [5.0, 0.0], [5.0, 8.0]], &[6.0, 2.0]);
        assert_eq!(strokes, [vec![[0.0, 0.0], [5.0, 0.0], [5.0, 1.0]], vec![[5.0, 3.0], [5.0, 8.0]]]);
    }
}
