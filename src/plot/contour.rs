//! Contour lines of a function that is known on a grid: marching squares.

use std::collections::BTreeMap;

/// A function's values at the nodes of a grid, `[row][column]`, row by row.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

/// The edge of a cell by its first node: the one to the right, or the one downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    row: usize,
    column: usize,
    down: bool,
}

impl Grid {
    fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// The lines where the function is `level`, as columns and rows of the grid. A closed one ends where it begins.
    pub(super) fn contour(&self, level: f64) -> Vec<Vec<[f64; 2]>> {
        let (rows, columns) = (self.rows().saturating_sub(1), self.columns.saturating_sub(1));
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let lines = chain(cells.flat_map(|(row, column)| self.cell(row, column, level)));
        lines.into_iter().map(|line| line.into_iter().map(|edge| self.crossing(edge, level)).collect()).collect()
    }

    /// The segments of one cell, between its edges. Cells with a corner that is not finite have none.
    fn cell(&self, row: usize, column: usize, level: f64) -> Vec<[Edge; 2]> {
        // Clockwise from the upper left.
        let corners =
            [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)].map(|(r, c)| self.at(r, c));
        if corners.iter().any(|corner| !corner.is_finite()) {
            return Vec::new();
        }
        let top = Edge { row, column, down: false };
        let right = Edge { row, column: column + 1, down: true };
        let bottom = Edge { row: row + 1, column, down: false };
        let left = Edge { row, column, down: true };
        let above = corners.map(|corner| corner > level);
        let middle = corners.iter().sum::<f64>() / 4.0 > level;
        match above {
            [a, b, c, d] if a == b && b == c && c == d => Vec::new(),
            [a, b, c, d] if a == b && c == d => vec![[left, right]],
            [a, b, c, d] if a == d && b == c => vec![[top, bottom]],
            [a, b, c, d] if b == c && c == d && a != b => vec![[left, top]],
            [a, b, c, d] if a == c && c == d && a != b => vec![[top, right]],
            [a, b, c, d] if a == b && b == d && a != c => vec![[right, bottom]],
            [a, b, c, d] if a == b && b == c && a != d => vec![[bottom, left]],
            // A saddle: the middle tells which two corners hang together.
            [a, ..] if a == middle => vec![[top, right], [bottom, left]],
            _ => vec![[left, top], [right, bottom]],
        }
    }

    /// Where the function is `level` on an edge, by linear interpolation.
    fn crossing(&self, edge: Edge, level: f64) -> [f64; 2] {
        let (row, column) = (edge.row, edge.column);
        let from = self.at(row, column);
        let to = if edge.down { self.at(row + 1, column) } else { self.at(row, column + 1) };
        let share = ((level - from) / (to - from)).clamp(0.0, 1.0);
        let [x, y] = [column as f64, row as f64];
        if edge.down { [x, y + share] } else { [x + share, y] }
    }

    /// `count` levels that cut the finite values into parts of equal number, without repetitions.
    pub(super) fn quantiles(&self, count: usize) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else { return Vec::new() };
        let at = |part: usize| sorted[((part * sorted.len()) / (count + 1)).min(sorted.len() - 1)];
        let mut levels: Vec<f64> = (1..=count).map(at).filter(|&level| least < level && level < most).collect();
        levels.dedup();
        levels
    }
}

/// Joins segments that share an end to lines. Their order is that of the ends, so it is always the same.
pub(super) fn chain<End: Ord + Copy>(segments: impl Iterator<Item = [End; 2]>) -> Vec<Vec<End>> {
    let mut others = BTreeMap::<End, Vec<End>>::new();
    for [from, to] in segments {
        others.entry(from).or_default().push(to);
        others.entry(to).or_default().push(from);
    }
    // Lines with ends are followed from there; what is left then is closed.
    let ends = others.iter().filter(|(_, others)| others.len() % 2 == 1).map(|(&end, _)| end);
    let starts: Vec<End> = ends.chain(others.keys().copied()).collect();
    let mut lines = Vec::new();
    for start in starts {
        let (mut line, mut here) = (vec![start], start);
        while let Some(next) = others.get_mut(&here).and_then(Vec::pop) {
            if let Some(back) = others.get_mut(&next)
                && let Some(index) = back.iter().position(|&end| end == here)
            {
                back.remove(index);
            }
            line.push(next);
            here = next;
        }
        if line.len() > 1 {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 41 × 41 nodes from −2 to 2.
    fn grid(f: impl Fn(f64, f64) -> f64) -> Grid {
        let at = |index: usize| index as f64 / 10.0 - 2.0;
        let values = (0..41)
            .flat_map(|row| (0..41).map(move |column| (row, column)))
            .map(|(row, column)| f(at(column), at(row)));
        Grid { columns: 41, values: values.collect() }
    }

    #[test]
    fn a_circle_is_one_closed_line() {
        let lines = grid(|x, y| x * x + y * y).contour(1.5 * 1.5);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for [column, row] in &lines[0] {
            let radius = (column / 10.0 - 2.0).hypot(row / 10.0 - 2.0);
            assert!((radius - 1.5).abs() < 0.002, "{radius}");
        }
    }

    #[test]
    fn lines_end_at_the_border_and_at_what_is_no_number() {
        let lines = grid(|x, _| x).contour(0.25);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].len(), lines[0][0][1], lines[0][40][1]), (41, 0.0, 40.0));
        assert!(lines[0].iter().all(|point| (point[0] - 22.5).abs() < 1e-9));
        let lines = grid(|x, y| if y.abs() < 0.05 { f64::NAN } else { x }).contour(0.25);
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20]);
    }

    #[test]
    fn a_saddle_has_two_lines_that_do_not_cross() {
        let lines = grid(|x, y| x * y).contour(0.05);
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn quantiles_are_told_once() {
        assert_eq!(Grid { columns: 4, values: (0..12).map(f64::from).collect() }.quantiles(3), [3.0, 6.0, 9.0]);
        assert_eq!(Grid { columns: 2, values: vec![1.0; 4] }.quantiles(3), Vec::<f64>::new());
        assert_eq!(Grid { columns: 2, values: vec![f64::NAN; 4] }.quantiles(3), Vec::<f64>::new());
    }
}
