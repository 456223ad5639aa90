//! Colours that colour-blind readers can tell apart.

use image::Rgb;

/// Red, green and blue.
pub(super) type Colour = Rgb<u8>;

pub(super) const WHITE: Colour = Rgb([255; 3]);
/// Text and axes: nearly black, which is softer on white.
pub(super) const INK: Colour = Rgb([38, 38, 38]);
/// The lines of the grid.
pub(super) const GRID: Colour = Rgb([225; 3]);
/// What is not a number.
pub(super) const NOT_A_NUMBER: Colour = Rgb([0; 3]);

/// The colours of series in turn (M. Okabe and K. Ito 2008, "Color Universal Design"), without their yellow, which is too pale for lines on white.
const SERIES: [Colour; 7] = [
    Rgb([0, 114, 178]),
    Rgb([213, 94, 0]),
    Rgb([0, 158, 115]),
    Rgb([204, 121, 167]),
    Rgb([230, 159, 0]),
    Rgb([86, 180, 233]),
    Rgb([0, 0, 0]),
];

/// The colour of a series, or of a class.
pub(super) fn series(index: usize) -> Colour {
    SERIES[index % SERIES.len()]
}

/// The way from `from` (at 0) to `to` (at 1), in sRGB.
pub(super) fn mix(from: Colour, to: Colour, share: f64) -> Colour {
    let share = share.clamp(0.0, 1.0);
    Rgb([0, 1, 2].map(|i| (f64::from(from.0[i]) + (f64::from(to.0[i]) - f64::from(from.0[i])) * share).round() as u8))
}

/// How light a colour is, 0 to 1: the luma of ITU-R BT.601.
pub(super) fn lightness(colour: Colour) -> f64 {
    let [r, g, b] = colour.0.map(f64::from);
    (0.299 * r + 0.587 * g + 0.114 * b) / 255.0
}

/// Black or white, whichever is read on this ground.
pub(super) fn text_on(ground: Colour) -> Colour {
    if lightness(ground) < 0.55 { WHITE } else { INK }
}

/// Viridis (S. van der Walt and N. Smith 2015, matplotlib) at 0, 1/10, …, 1: equal steps look equally far, and it is as clear in grey.
const VIRIDIS: [Colour; 11] = [
    Rgb([68, 1, 84]),
    Rgb([72, 36, 117]),
    Rgb([65, 68, 135]),
    Rgb([53, 95, 141]),
    Rgb([42, 120, 142]),
    Rgb([33, 145, 140]),
    Rgb([34, 168, 132]),
    Rgb([68, 191, 112]),
    Rgb([122, 209, 81]),
    Rgb([189, 223, 38]),
    Rgb([253, 231, 37]),
];

/// White to dark blue: the single-hue scheme Blues of ColorBrewer at 0, 1/4, …, 1.
const BLUES: [Colour; 5] =
    [Rgb([255, 255, 255]), Rgb([198, 219, 239]), Rgb([107, 174, 214]), Rgb([33, 113, 181]), Rgb([8, 48, 107])];

/// The colour of a share of 0 to 1 between the colours of a table at equal distances.
fn along(table: &[Colour], share: f64) -> Colour {
    if !share.is_finite() {
        return NOT_A_NUMBER;
    }
    let at = share.clamp(0.0, 1.0) * (table.len() - 1) as f64;
    let low = (at as usize).min(table.len() - 2);
    mix(table[low], table[low + 1], at - low as f64)
}

/// Dark violet at 0, yellow at 1.
pub(super) fn viridis(share: f64) -> Colour {
    along(&VIRIDIS, share)
}

/// White at 0, dark blue at 1.
pub(super) fn blues(share: f64) -> Colour {
    along(&BLUES, share)
}

// The ends and the middle of ColorBrewer's diverging scheme RdBu, which colour-blind readers can tell apart
// (M. Harrower and C. Brewer 2003, "ColorBrewer.org: An Online Tool for Selecting Colour Schemes for Maps").
const NEGATIVE: [f32; 3] = [33.0, 102.0, 172.0];
const ZERO: [f32; 3] = [247.0; 3];
const POSITIVE: [f32; 3] = [178.0, 24.0, 43.0];

/// Blue at −1, white at 0, red at 1.
pub(super) fn diverging(weight: f32) -> Colour {
    if !weight.is_finite() {
        return NOT_A_NUMBER;
    }
    let (weight, end) = (weight.clamp(-1.0, 1.0), if weight < 0.0 { NEGATIVE } else { POSITIVE });
    Rgb([0, 1, 2].map(|i| (ZERO[i] + (end[i] - ZERO[i]) * weight.abs()).round() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_end_where_they_should() {
        assert_eq!((viridis(0.0), viridis(1.0), viridis(2.0)), (VIRIDIS[0], VIRIDIS[10], VIRIDIS[10]));
        assert_eq!(viridis(0.5), Rgb([33, 145, 140]));
        assert_eq!(viridis(f64::NAN), NOT_A_NUMBER);
        assert_eq!((blues(0.0), blues(1.0)), (WHITE, Rgb([8, 48, 107])));
        assert_eq!(
            [diverging(-1.0), diverging(0.0), diverging(9.0)].map(|c| c.0),
            [[33, 102, 172], [247; 3], [178, 24, 43]]
        );
    }

    #[test]
    fn viridis_grows_lighter() {
        let light: Vec<f64> = (0..=100).map(|i| lightness(viridis(f64::from(i) / 100.0))).collect();
        assert!(light.is_sorted());
    }
}
