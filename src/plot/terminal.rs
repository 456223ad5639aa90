//! [`Terminal`]: a chart in letters.

use core::fmt;

use super::Chart;
use super::axis::{Axis, Tick};
use super::chart::Kind;
use super::clip::{clip, within};

/// A [`Chart`] for a terminal, which `Display` prints: see [`Chart::terminal`]. Of a chart that cannot be drawn it prints the reason.
///
/// ```
/// use tenonet::plot::Chart;
///
/// let chart = Chart::new("Parabola").line("x²", (-20..=20).map(|x| (x.into(), f64::from(x * x))));
/// let text = chart.terminal(60, 15).to_string();
/// assert_eq!(text.lines().count(), 15);
/// assert!(text.lines().all(|line| line.chars().count() <= 60));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Terminal<'a> {
    chart: &'a Chart,
    columns: usize,
    rows: usize,
}

/// Dots of a cell of braille across and down, and the bits of Unicode's block of them (U+2800), which Louis Braille's six dots gave their order.
const DOTS: [usize; 2] = [2, 4];
const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Markers of points, and what stands for a line that has no letter.
const MARKERS: [char; 6] = ['o', 'x', '+', '*', '#', '%'];
const LINE: &str = "⠒⠒";
/// Cells from one letter on a line to the next; the letters of neighbouring lines are a few cells apart.
const LETTER_EVERY: usize = 24;
const LETTER_SHIFT: usize = 7;
/// The least cells of a plot: what remains of a smaller terminal would show nothing.
const LEAST: [usize; 2] = [10, 3];
/// The most, so that sizes by mistake do not fill the memory.
const MOST: usize = 1000;

impl<'a> Terminal<'a> {
    pub(super) fn new(chart: &'a Chart, columns: usize, rows: usize) -> Self {
        Terminal { chart, columns, rows }
    }
}

/// The plot's cells: dots, and letters in place of them.
struct Cells {
    columns: usize,
    rows: usize,
    dots: Vec<u32>,
    letters: Vec<Option<char>>,
}

impl Cells {
    fn new(columns: usize, rows: usize) -> Self {
        Cells { columns, rows, dots: vec![0; columns * rows], letters: vec![None; columns * rows] }
    }

    /// Where a point is in dots, from the upper left corner.
    fn place(&self, axes: &[Axis; 2], [x, y]: [f64; 2]) -> [f64; 2] {
        let [right, below] = self.corner();
        [axes[0].share(x) * right, (1.0 - axes[1].share(y)) * below]
    }

    /// The last dot.
    fn corner(&self) -> [f64; 2] {
        [(self.columns * DOTS[0] - 1) as f64, (self.rows * DOTS[1] - 1) as f64]
    }

    /// Sets a dot and tells its cell.
    fn dot(&mut self, [x, y]: [f64; 2]) -> usize {
        let (x, y) = (x.round() as usize, y.round() as usize);
        let cell = (y / DOTS[1]).min(self.rows - 1) * self.columns + (x / DOTS[0]).min(self.columns - 1);
        self.dots[cell] |= BITS[y % DOTS[1]][x % DOTS[0]];
        cell
    }

    /// Sets the dots of a line inside of the plot, and tells its cells in order.
    fn line(&mut self, points: &[[f64; 2]]) -> Vec<usize> {
        let mut cells: Vec<usize> = points.first().map(|&point| self.dot(point)).into_iter().collect();
        for ends in points.windows(2) {
            let way = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
            let steps = way[0].abs().max(way[1].abs()).ceil().max(1.0);
            for step in 1..=steps as usize {
                let share = step as f64 / steps;
                let cell = self.dot([ends[0][0] + share * way[0], ends[0][1] + share * way[1]]);
                if cells.last() != Some(&cell) {
                    cells.push(cell);
                }
            }
        }
        cells
    }

    fn row(&self, row: usize) -> String {
        let range = row * self.columns..(row + 1) * self.columns;
        let cell = |index: usize| match (self.letters[index], self.dots[index]) {
            (Some(letter), _) => letter,
            (None, 0) => ' ',
            (None, dots) => char::from_u32(0x2800 + dots).unwrap_or(' '),
        };
        range.map(cell).collect()
    }
}

/// The names of series, with what stands for them.
fn legend(chart: &Chart, columns: usize) -> Vec<String> {
    let lettered = letters(chart);
    let mut lines = Vec::<String>::new();
    for (index, series) in chart.series.iter().enumerate().filter(|(_, series)| !series.label.is_empty()) {
        let entry = match (series.kind, lettered) {
            (Kind::Line, true) => format!("{} {}", letter(index), series.label),
            (Kind::Line, false) => format!("{LINE} {}", series.label),
            (Kind::Points, _) => format!("{} {}", MARKERS[series.index % MARKERS.len()], series.label),
        };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + entry.chars().count() <= columns => {
                *line += &format!("   {entry}")
            }
            _ => lines.push(entry),
        }
    }
    lines
}

/// Whether there is more than one line, so that they need letters.
fn letters(chart: &Chart) -> bool {
    chart.series.iter().filter(|series| series.kind == Kind::Line).count() > 1
}

fn letter(index: usize) -> char {
    (b'a' + (index % 26) as u8) as char
}

impl fmt::Display for Terminal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chart = self.chart;
        let axes = match chart.fit() {
            Ok(axes) => axes,
            Err(fault) => return fault.fmt(f),
        };
        let (all_columns, all_rows) = (self.columns.min(MOST), self.rows.min(MOST));
        let legend = legend(chart, all_columns);
        let [x_label, y_label] = [0, 1].map(|axis: usize| chart.axes[axis].label.as_str());
        // The axis and its numbers take two lines.
        let around = legend.len() + 2 + [&chart.title, x_label, y_label].iter().filter(|text| !text.is_empty()).count();
        let rows = all_rows.saturating_sub(around).max(LEAST[1]);
        let y_ticks = axes[1].ticks((rows / 3).clamp(2, 10));
        let margin = y_ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0);
        let columns = all_columns.saturating_sub(margin + 2).max(LEAST[0]);
        let mut cells = Cells::new(columns, rows);
        draw(chart, &axes, &mut cells);

        if !chart.title.is_empty() {
            let left = margin + 2 + columns.saturating_sub(chart.title.chars().count()) / 2;
            writeln!(f, "{:left$}{}", "", chart.title)?;
        }
        if !y_label.is_empty() {
            writeln!(f, "{y_label}")?;
        }
        let place =
            |tick: &Tick| ((1.0 - axes[1].share(tick.value)) * (rows * DOTS[1] - 1) as f64).round() as usize / DOTS[1];
        for row in 0..rows {
            let tick = y_ticks.iter().find(|tick| !tick.label.is_empty() && place(tick) == row);
            let (label, edge) = tick.map_or(("", '│'), |tick| (&tick.label, '┤'));
            writeln!(f, "{label:>margin$} {edge}{}", cells.row(row).trim_end())?;
        }
        let (edge, numbers) = x_axis(&axes[0], columns);
        writeln!(f, "{:margin$} └{edge}", "")?;
        // The numbers may begin before the first cell, under the corner.
        write!(f, "{:margin$}{}", "", numbers.trim_end())?;
        if !x_label.is_empty() {
            let left = margin + 2 + columns.saturating_sub(x_label.chars().count()) / 2;
            write!(f, "\n{:left$}{x_label}", "")?;
        }
        legend.iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

/// Draws the series; letters lie above dots, and points above letters.
fn draw(chart: &Chart, axes: &[Axis; 2], cells: &mut Cells) {
    let bounds = [[0.0; 2], cells.corner()];
    let lettered = letters(chart);
    let shown = |&&[x, y]: &&[f64; 2]| chart.axes[0].shows(x) && chart.axes[1].shows(y);
    for (index, series) in chart.series.iter().enumerate().filter(|(_, series)| series.kind == Kind::Line) {
        let placed: Vec<_> = series
            .points
            .iter()
            .map(|point| if shown(&point) { cells.place(axes, *point) } else { [f64::NAN; 2] })
            .collect();
        let visited: Vec<usize> = clip(placed, bounds).iter().flat_map(|piece| cells.line(piece)).collect();
        if !lettered || series.label.is_empty() {
            continue;
        }
        let mut next = (LETTER_SHIFT * (series.index + 1)) % LETTER_EVERY;
        let mut places = Vec::new();
        for &cell in &visited {
            if (next..next + LETTER_EVERY).contains(&(cell % cells.columns)) {
                places.push(cell);
                next = cell % cells.columns + LETTER_EVERY;
            }
        }
        if places.is_empty() {
            places.extend(visited.get(visited.len() / 2));
        }
        for cell in places {
            cells.letters[cell].get_or_insert(letter(index));
        }
    }
    for series in chart.series.iter().filter(|series| series.kind == Kind::Points) {
        for point in series.points.iter().filter(shown).map(|&point| cells.place(axes, point)).collect::<Vec<_>>() {
            if within(point, bounds) {
                let cell = cells.dot(point);
                cells.letters[cell] = Some(MARKERS[series.index % MARKERS.len()]);
            }
        }
    }
}

/// The line below the plot, and the numbers under it from one column before the corner on.
fn x_axis(axis: &Axis, columns: usize) -> (String, String) {
    let mut edge = vec!['─'; columns];
    // Two cells are those of the space and the corner; the last number may stand a few columns out.
    let mut numbers = vec![' '; columns + 2];
    let mut free = 0;
    for tick in axis.ticks((columns / 9).clamp(2, 10)).iter().filter(|tick| !tick.label.is_empty()) {
        let cell = (axis.share(tick.value) * (columns * DOTS[0] - 1) as f64).round().max(0.0) as usize / DOTS[0];
        let cell = cell.min(columns - 1);
        let width = tick.label.chars().count();
        let start = (cell + 2).saturating_sub(width / 2).min((columns + 2).saturating_sub(width));
        if start < free || width > numbers.len() {
            continue;
        }
        edge[cell] = '┬';
        for (place, digit) in numbers[start..].iter_mut().zip(tick.label.chars()) {
            *place = digit;
        }
        free = start + width + 1;
    }
    (edge.into_iter().collect(), numbers.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_points_are_drawn_in_a_frame() {
        let chart = Chart::new("Title").x_label("x").y_label("y").x_range(0.0..=10.0).y_range(0.0..=10.0);
        let chart = chart.line("diagonal", [(0.0, 0.0), (10.0, 10.0)]).line("level", [(0.0, 2.5), (10.0, 2.5)]);
        let text = chart.points("marks", [(5.0, 10.0), (20.0, 0.0)]).terminal(32, 14).to_string();
        let wanted = "
               Title
y
10 ┤              o         ⢀⡠⠔⠊
   │                     ⣀⠤⠒⠁
   │                 ⢀⡠⠔⠉
   │              ⣀⠤⠊⠁
 5 ┤          ⢀⡠⠒⠉
   │⣀⣀⣀⣀⣀⣀⣀a⣔⣊⣁⣀⣀⣀b⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
   │   ⢀⠤⠒⠉
 0 ┤⡠⠔⠊⠁
   └┬─────────────┬────────────┬
    0             5           10
                 x
a diagonal   b level   o marks";
        assert_eq!(text, wanted[1..]);
    }

    #[test]
    fn one_line_needs_no_letter() {
        let chart =
            Chart::new("").line("losses", [(0.0, 1.0), (1.0, 100.0)]).log_y().y_range(1.0..=100.0).x_range(0.0..=1.0);
        let wanted = "
100 ┤              ⢀⡠⠔⠊
    │           ⣀⠔⠊⠁
 10 ┤       ⣀⠤⠒⠉
    │   ⢀⡠⠔⠉
  1 ┤⡠⠔⠊⠁
    └┬────────┬───────┬
     0       0.5    1.0
⠒⠒ losses";
        assert_eq!(chart.terminal(23, 8).to_string(), wanted[1..]);
    }

    #[test]
    fn small_terminals_have_a_plot_and_faults_are_told() {
        let chart = Chart::new("Title").line("", [(0.0, 0.0), (1.0, 1.0)]);
        assert_eq!(chart.terminal(0, 0).to_string().lines().count(), 3 + 3);
        assert!(chart.terminal(usize::MAX, usize::MAX).to_string().lines().count() <= MOST);
        assert_eq!(Chart::new("").terminal(70, 20).to_string(), "chart: nothing to draw in no points");
    }
}
