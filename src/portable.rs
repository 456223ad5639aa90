//! Functions of `f64` whose bits are the same on every machine and in every build: additions and multiplications in a fixed order.
//!
//! The system's `cos` and `powi` differ from one C library to the next; a learning rate that comes from them would make
//! a resumed run differ from an uninterrupted one on another machine.

/// `base ^ exponent`, by squaring.
pub(crate) fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power *= base;
        }
        base *= base;
        exponent /= 2;
    }
    power
}

/// `½ (1 + cos πx)` for `0 ≤ x ≤ 1`: half a wave from 1 down to 0. `x` outside is taken as the nearer end.
///
/// It is `cos²(πx/2)`, and `sin²(π(1−x)/2)` on the right half, so that the series' argument stays below π/4; there the
/// terms up to the 18th power leave an error below half a unit in the last place (0.79²⁰ / 20! ≈ 4·10⁻²¹).
pub(crate) fn half_wave(x: f64) -> f64 {
    use core::f64::consts::FRAC_PI_2;
    let x = x.clamp(0.0, 1.0);
    let root = if x <= 0.5 {
        let angle = FRAC_PI_2 * x;
        series(angle * angle, [18.0, 16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0])
    } else {
        let angle = FRAC_PI_2 * (1.0 - x);
        angle * series(angle * angle, [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0])
    };
    root * root
}

/// Taylor's series of the cosine (even powers) or of the sine over its argument (odd powers), innermost term first:
/// `1 − s/(n(n−1)) · (…)` with `n` from `powers`.
fn series(square: f64, powers: [f64; 9]) -> f64 {
    powers.iter().fold(1.0, |tail, n| 1.0 - square / (n * (n - 1.0)) * tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wave_is_a_cosine() {
        for i in 0..=1000 {
            let x = i as f64 / 1000.0;
            let want = 0.5 * (1.0 + (core::f64::consts::PI * x).cos());
            assert!((half_wave(x) - want).abs() < 3e-16, "at {x}: {} against {want}", half_wave(x));
        }
        assert_eq!(half_wave(0.0), 1.0);
        assert_eq!(half_wave(1.0), 0.0);
        assert_eq!(half_wave(7.0), 0.0);
        assert_eq!(half_wave(-1.0), 1.0);
    }

    #[test]
    fn a_power_is_a_product() {
        assert_eq!(power(0.5, 0), 1.0);
        assert_eq!(power(0.5, 10), 1.0 / 1024.0);
        assert!((power(0.999, 1000) / 0.999f64.powi(1000) - 1.0).abs() < 1e-13);
    }
}
