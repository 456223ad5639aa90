//! An axis: which numbers it shows, where they lie, and which of them are written.

use super::PlotError;

/// What a user says of an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AxisSpec {
    pub(super) label: String,
    /// Start and end, if they do not come from the data.
    pub(super) range: Option<[f64; 2]>,
    pub(super) log: bool,
}

/// An axis with its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) log: bool,
}

/// A place on an axis that is marked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    /// What is written; nothing at the lines between.
    pub(super) label: String,
}

/// The part of the data's range that is left free at either end.
const MARGIN: f64 = 0.04;

impl AxisSpec {
    /// Whether the axis can show this number at all.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }

    /// The axis with the range that was said, or with one that fits these numbers; `None` if there are no numbers that it could show.
    pub(super) fn fit(
        &self, picture: &'static str, name: &'static str, values: impl Iterator<Item = f64>,
    ) -> Result<Option<Axis>, PlotError> {
        let log = self.log;
        if let Some([start, end]) = self.range {
            let fault = PlotError::Range { picture, axis: name, start, end, log };
            let sound = start < end && (end - start).is_finite() && (!log || start > 0.0);
            // A range so narrow that its tenths are no numbers of their own cannot be marked.
            let wide = log || start + (end - start) / 1000.0 > start;
            return if sound && wide { Ok(Some(Axis { start, end, log })) } else { Err(fault) };
        }
        let Some([least, most]) = extent(values.filter(|&value| self.shows(value))) else { return Ok(None) };
        let [low, high] = if log { [least.log10(), most.log10()] } else { [least, most] };
        // One number alone, or numbers that differ by rounding, are in the middle.
        let size = low.abs().max(high.abs());
        let margin = if high - low > size * 1e-9 {
            (high - low) * MARGIN
        } else if log || size == 0.0 {
            0.5
        } else {
            size * 0.1
        };
        let [start, end] = [low - margin, high + margin].map(|end| if log { 10f64.powf(end) } else { end });
        if !(end - start).is_finite() || (log && start <= 0.0) {
            return Err(PlotError::Range { picture, axis: name, start: least, end: most, log });
        }
        Ok(Some(Axis { start, end, log }))
    }
}

/// The least and the largest of some finite numbers.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    values.filter(|value| value.is_finite()).fold(None, |extent, value| {
        let [least, most] = extent.unwrap_or([value; 2]);
        Some([least.min(value), most.max(value)])
    })
}

impl Axis {
    /// Where a number lies: 0 at the start, 1 at the end.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.log {
            (value.log10() - self.start.log10()) / (self.end.log10() - self.start.log10())
        } else {
            (value - self.start) / (self.end - self.start)
        }
    }

    /// The number at a share of the axis.
    pub(super) fn value(&self, share: f64) -> f64 {
        if self.log {
            10f64.powf(self.start.log10() + share * (self.end.log10() - self.start.log10()))
        } else {
            self.start + share * (self.end - self.start)
        }
    }

    /// Marks at round numbers, about `wanted` with labels.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let decades = if self.log { (self.end / self.start).log10() } else { 0.0 };
        // Less than a decade and a half holds too few powers of ten.
        if decades < 1.5 { self.even_ticks(wanted) } else { self.decade_ticks(wanted, decades) }
    }

    /// Marks at multiples of 1, 2 or 5 times a power of ten.
    fn even_ticks(&self, wanted: usize) -> Vec<Tick> {
        let raw = (self.end - self.start) / wanted.max(1) as f64;
        let power = raw.log10().floor();
        let unit = 10f64.powf(power);
        // The first round step that is not below the raw one, but for rounding.
        let step = unit * [1.0, 2.0, 5.0].into_iter().find(|&step| step * unit >= raw * 0.999).unwrap_or(10.0);
        let (first, last) = ((self.start / step - 1e-9).ceil(), (self.end / step + 1e-9).floor());
        // Twice what was wanted are never reached; the limit is for steps that rounding makes 0.
        let count = (last - first).clamp(0.0, 2.0 * wanted as f64 + 2.0) as usize;
        let size = self.start.abs().max(self.end.abs());
        let place = (step * 1.001).log10().floor() as i32;
        (0..=count)
            .map(|index| (first + index as f64) * step)
            .filter(|&value| value <= self.end + step * 1e-6 && (!self.log || value > 0.0))
            .map(|value| Tick { value, label: number(value, place, size) })
            .collect()
    }

    /// Marks at powers of ten, with unlabelled ones at their multiples where there is room.
    fn decade_ticks(&self, wanted: usize, decades: f64) -> Vec<Tick> {
        let (first, last) = (self.start.log10().floor() as i32, self.end.log10().ceil() as i32);
        let every = (decades / wanted.max(1) as f64).ceil().max(1.0) as i32;
        // 0.01 to 1000 are read at a glance; beyond that, exponents are.
        let plain = first >= -3 && last <= 4;
        let mut ticks = Vec::new();
        for power in first..=last {
            for multiple in 1..10 {
                let value = f64::from(multiple) * 10f64.powi(power);
                let inside = value >= self.start * (1.0 - 1e-9) && value <= self.end * (1.0 + 1e-9);
                // Multiples of powers are marked over up to six decades, and written where three numbers a decade have room.
                let few = decades <= 2.2 && 3.0 * decades <= 1.2 * wanted as f64;
                let written =
                    if multiple == 1 { power.rem_euclid(every) == 0 } else { matches!(multiple, 2 | 5) && few };
                if !inside || !(written || decades <= 6.0 || (multiple == 1 && every < 10)) {
                    continue;
                }
                let label = match (written, plain, multiple) {
                    (false, ..) => String::new(),
                    (_, true, _) => number(value, power, 1.0),
                    (_, _, 1) => format!("10{}", superscript(power)),
                    (_, _, multiple) => format!("{multiple}·10{}", superscript(power)),
                };
                ticks.push(Tick { value, label });
            }
        }
        ticks
    }
}

/// A number to the decimal place of a step, `place` being the power of ten of that; beside numbers of the order of `size` that are very large or small, with a power
/// of ten.
fn number(value: f64, place: i32, size: f64) -> String {
    // Rounding leaves a −0 of what should be 0.
    if value.abs() < size * 1e-12 {
        return "0".into();
    }
    let power = size.log10().floor() as i32;
    // Up to six digits are shorter than a power of ten; so are more where numbers differ at their ends alone.
    let plain = (-4..6).contains(&power) && place >= -6;
    let late = (0..15).contains(&power) && power - place > 6;
    let text = if plain || late {
        format!("{value:.decimals$}", decimals = (-place).max(0) as usize)
    } else {
        let decimals = (power - place).clamp(0, 6) as usize;
        format!("{:.decimals$}·10{}", value / 10f64.powi(power), superscript(power))
    };
    text.replace('-', "−")
}

/// A whole number in raised digits.
fn superscript(power: i32) -> String {
    power
        .to_string()
        .chars()
        .map(|digit| match digit {
            '-' => '⁻',
            digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit.to_digit(10).unwrap_or(0) as usize],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(start: f64, end: f64, log: bool, wanted: usize) -> Vec<String> {
        let ticks = Axis { start, end, log }.ticks(wanted);
        ticks.into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn round_numbers_are_marked() {
        assert_eq!(labels(-3.0, 3.0, false, 6), ["−3", "−2", "−1", "0", "1", "2", "3"]);
        assert_eq!(labels(0.0, 1.0, false, 5), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.93, 1.007, false, 5), ["0.94", "0.96", "0.98", "1.00"]);
        assert_eq!(labels(0.0, 50_000.0, false, 5), ["0", "10000", "20000", "30000", "40000", "50000"]);
        assert_eq!(labels(-1e-7, 4e-7, false, 5), ["−1·10⁻⁷", "0", "1·10⁻⁷", "2·10⁻⁷", "3·10⁻⁷", "4·10⁻⁷"]);
        assert_eq!(labels(0.0, 2.5e8, false, 5), ["0", "0.5·10⁸", "1.0·10⁸", "1.5·10⁸", "2.0·10⁸", "2.5·10⁸"]);
        assert_eq!(labels(1e6, 1e6 + 0.4, false, 4), ["1000000.0", "1000000.1", "1000000.2", "1000000.3", "1000000.4"]);
        assert_eq!(labels(0.0, 4e300, false, 4), ["0", "1·10³⁰⁰", "2·10³⁰⁰", "3·10³⁰⁰", "4·10³⁰⁰"]);
    }

    #[test]
    fn logarithmic_axes_are_marked_at_powers() {
        assert_eq!(labels(0.01, 100.0, true, 6), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(1e-9, 1.0, true, 5), ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]);
        assert_eq!(labels(1.0, 60.0, true, 6), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(2.0, 8.0, true, 6), ["2", "3", "4", "5", "6", "7", "8"]);
        let axis = Axis { start: 0.01, end: 100.0, log: true };
        assert_eq!([0.01, 1.0, 100.0].map(|value| axis.share(value)), [0.0, 0.5, 1.0]);
        assert!((axis.value(0.75) - 10.0).abs() < 1e-12);
    }

    #[test]
    fn ranges_fit_the_data() {
        let fit = |spec: AxisSpec, values: &[f64]| spec.fit("chart", "x", values.iter().copied());
        let log = AxisSpec { log: true, ..AxisSpec::default() };
        assert_eq!(
            fit(AxisSpec::default(), &[0.0, 10.0, f64::NAN]).unwrap().map(|a| [a.start, a.end]),
            Some([-0.4, 10.4])
        );
        assert_eq!(fit(AxisSpec::default(), &[5.0]).unwrap().map(|a| [a.start, a.end]), Some([4.5, 5.5]));
        assert_eq!(fit(AxisSpec::default(), &[]).unwrap(), None);
        assert_eq!(fit(log.clone(), &[-1.0, 0.0]).unwrap(), None);
        assert_eq!(
            fit(AxisSpec::default(), &[-f64::MAX, f64::MAX]).unwrap_err().to_string().split(" is from").next(),
            Some("chart: the x range")
        );
        let said = |range, log| fit(AxisSpec { range: Some(range), log, ..AxisSpec::default() }, &[]);
        assert_eq!(
            said([3.0, 3.0], false).unwrap_err().to_string(),
            "chart: the x range is from 3 to 3, wanted two finite numbers, the smaller one first"
        );
        assert!(said([1.0, 1.0 + f64::EPSILON], false).is_err());
        assert!(said([f64::NAN, 1.0], false).is_err());
        assert_eq!(
            said([0.0, 1.0], true).unwrap_err().to_string(),
            "chart: the x range is from 0 to 1, wanted two finite numbers, the smaller one first, both above 0 on a logarithmic axis"
        );
    }
}
