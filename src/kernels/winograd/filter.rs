//! The transforms of Winograd's minimal filtering along one axis: F(2, 3), F(4, 3) and F(2, 5).
//!
//! F(m, r), m outputs of a kernel of r taps, is a product of polynomials, computed by their values at m + r − 1 points and interpolated. Points p (and infinity) make the rows of
//! the transforms: of `Aᵀ` powers `p⁰ … pᵐ⁻¹`, of `G` the powers `p⁰ … pʳ⁻¹` by `Π (p − q)` over the other points q, of `Bᵀ` the coefficients of `Π (x − q)`.
//!
//! Sources: S. Winograd, "Arithmetic Complexity of Computations", 1980, chapter IV; B. Barabasz, A. Anderson, K. M. Soodhalter, D. Gregg, "Error analysis and
//! improving the accuracy of Winograd convolution for deep neural networks", 2018 (arXiv:1803.10986).

use crate::Scalar;
use crate::kernels::simd::Simd;

/// The most inputs of a tile along an axis.
pub(super) const MOST: usize = 6;

/// The most taps of a kernel along an axis.
pub(super) const MOST_TAPS: usize = 5;

/// Transforms along one axis, for vectors of channels. Of the arrays, what a filter does not have is neither read nor written.
pub(super) trait Filter: Copy {
    /// Outputs of a tile.
    const OUTPUTS: usize;
    /// Taps of a kernel.
    const TAPS: usize;
    /// Inputs that the outputs see, and values of a transformed kernel.
    const INPUTS: usize = Self::OUTPUTS + Self::TAPS - 1;

    /// `Bᵀ d` of the inputs.
    fn inputs<T: Scalar, S: Simd<T>>(simd: S, d: [S::V; MOST]) -> [S::V; MOST];

    /// `Aᵀ m` of the products.
    fn outputs<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST];

    /// `G g` of a kernel.
    fn kernel<T: Scalar, S: Simd<T>>(simd: S, g: [S::V; MOST_TAPS]) -> [S::V; MOST];
}

/// The transposes, which gradients go through.
pub(super) trait Transposed: Filter {
    /// `A y` of the outputs' gradients.
    fn gradients<T: Scalar, S: Simd<T>>(simd: S, y: [S::V; MOST]) -> [S::V; MOST];

    /// `Gᵀ m` of the products' gradients.
    fn kernel_gradients<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST_TAPS];
}

/// `f d fᵀ` for a transform `$f` along one axis: down the `$from` columns of what `$load` yields at row `$r`, column `$s`, and then along the `$to` rows that this makes. `$store`
/// takes `$value` of row `$i`, column `$j`. `$room`: elements of the transform's argument.
///
/// Not a function of closures: those are compiled without the instructions of the function around them.
macro_rules! along_both {
    ($simd:ident, $f:path: [$from:expr; $room:expr] => $to:expr, |$r:ident, $s:ident| $load:expr, |$i:ident, $j:ident, $value:ident| $store:expr) => {{
        let zero = $simd.splat(T::zero());
        let mut rows = [[zero; $room]; MOST];
        for $s in 0..$from {
            let mut column = [zero; $room];
            for $r in 0..$from {
                column[$r] = $load;
            }
            let column = $f($simd, column);
            for i in 0..$to {
                rows[i][$s] = column[i];
            }
        }
        for $i in 0..$to {
            let row = $f($simd, rows[$i]);
            for $j in 0..$to {
                let $value = row[$j];
                $store
            }
        }
    }};
}
pub(super) use along_both;

/// F(2, 3), of the points 0, 1 and −1.
///
/// ```text
/// Bᵀ = 1  0 −1  0      G = 1   0   0      Aᵀ = 1 1  1  0
///      0  1  1  0          ½   ½   ½           0 1 −1 −1
///      0 −1  1  0          ½  −½   ½
///      0  1  0 −1          0   0   1
/// ```
///
/// Errors stay near those of the direct sum, and whole numbers stay exact: all constants are 0, ±½ and ±1.
#[derive(Clone, Copy)]
pub(super) struct Two;

impl Filter for Two {
    const OUTPUTS: usize = 2;
    const TAPS: usize = 3;

    #[inline(always)]
    fn inputs<T: Scalar, S: Simd<T>>(simd: S, d: [S::V; MOST]) -> [S::V; MOST] {
        let [d0, d1, d2, d3, ..] = d;
        [simd.sub(d0, d2), simd.add(d1, d2), simd.sub(d2, d1), simd.sub(d1, d3), d0, d0]
    }

    #[inline(always)]
    fn outputs<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST] {
        let [m0, m1, m2, m3, ..] = m;
        [simd.add(simd.add(m0, m1), m2), simd.sub(simd.sub(m1, m2), m3), m0, m0, m0, m0]
    }

    #[inline(always)]
    fn kernel<T: Scalar, S: Simd<T>>(simd: S, [g0, g1, g2, ..]: [S::V; MOST_TAPS]) -> [S::V; MOST] {
        let half = simd.splat(T::of(0.5));
        let (ends, middle) = (simd.mul(simd.add(g0, g2), half), simd.mul(g1, half));
        [g0, simd.add(ends, middle), simd.sub(ends, middle), g2, g0, g0]
    }
}

/// F(4, 3), of the points 0, ±a and ±b with a = ¾ and b = 3/2.
///
/// ```text
/// Bᵀ = a²b²   0   −a²−b²   0     1  0      G = 1/a²b²   0     0        Aᵀ = 1  1   1   1   1  0
///       0   −ab²   −b²     a     1  0          1/α    a/α   a²/α            0  a  −a   b  −b  0
///       0    ab²   −b²    −a     1  0          1/α   −a/α   a²/α            0  a²  a²  b²  b² 0
///       0   −a²b   −a²     b     1  0          1/β    b/β   b²/β            0  a³ −a³  b³ −b³ 1
///       0    a²b   −a²    −b     1  0          1/β   −b/β   b²/β
///       0   a²b²    0   −a²−b²   0  1           0      0     1         α = 2a²(a² − b²), β = 2b²(b² − a²)
/// ```
///
/// With these points the error of 64 channels is 10⁻⁶ of the largest output in f32 (of the usual ones, ±1 and ±2, four times that; of the direct sum 2 · 10⁻⁷):
/// they lie on both sides of 1, so that powers neither grow nor shrink much. And they and their powers are exact.
#[derive(Clone, Copy)]
pub(super) struct Four;

const A: f64 = 0.75;
const B: f64 = 1.5;
const A2: f64 = A * A;
const B2: f64 = B * B;
const ALPHA: f64 = 2.0 * A2 * (A2 - B2);
const BETA: f64 = 2.0 * B2 * (B2 - A2);

/// `v · factor + w`.
#[inline(always)]
fn by<T: Scalar, S: Simd<T>>(simd: S, v: S::V, factor: f64, w: S::V) -> S::V {
    simd.mul_add(v, simd.splat(T::of(factor)), w)
}

/// `v · factor`.
#[inline(always)]
fn times<T: Scalar, S: Simd<T>>(simd: S, v: S::V, factor: f64) -> S::V {
    simd.mul(v, simd.splat(T::of(factor)))
}

/// `Bᵀ d` for the points 0, ±a and ±b.
#[inline(always)]
fn six_inputs<T: Scalar, S: Simd<T>>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::V; MOST]) -> [S::V; MOST] {
    // Even and odd parts, of which the values at p and −p are sum and difference.
    let (a_even, a_odd) = (by(simd, d2, -B2, d4), by(simd, d1, -B2, d3));
    let (b_even, b_odd) = (by(simd, d2, -A2, d4), by(simd, d1, -A2, d3));
    [
        by(simd, d0, A2 * B2, by(simd, d2, -A2 - B2, d4)),
        by(simd, a_odd, A, a_even),
        by(simd, a_odd, -A, a_even),
        by(simd, b_odd, B, b_even),
        by(simd, b_odd, -B, b_even),
        by(simd, d1, A2 * B2, by(simd, d3, -A2 - B2, d5)),
    ]
}

/// Of values at the points 0, ±a, ±b and infinity: sum and difference of those at a and −a, and of those at b and −b.
#[inline(always)]
fn pairs<T: Scalar, S: Simd<T>>(simd: S, [_, m1, m2, m3, m4, _]: [S::V; MOST]) -> [[S::V; 2]; 2] {
    [[simd.add(m1, m2), simd.sub(m1, m2)], [simd.add(m3, m4), simd.sub(m3, m4)]]
}

/// The first two rows of `Gᵀ m` for these points, from the value at 0 and the [`pairs`].
#[inline(always)]
fn first_taps<T: Scalar, S: Simd<T>>(
    simd: S, m0: S::V, [a_sum, a_apart]: [S::V; 2], [b_sum, b_apart]: [S::V; 2],
) -> [S::V; 2] {
    [
        by(simd, m0, 1.0 / (A2 * B2), by(simd, a_sum, 1.0 / ALPHA, times(simd, b_sum, 1.0 / BETA))),
        by(simd, a_apart, A / ALPHA, times(simd, b_apart, B / BETA)),
    ]
}

impl Filter for Four {
    const OUTPUTS: usize = 4;
    const TAPS: usize = 3;

    #[inline(always)]
    fn inputs<T: Scalar, S: Simd<T>>(simd: S, d: [S::V; MOST]) -> [S::V; MOST] {
        six_inputs(simd, d)
    }

    #[inline(always)]
    fn outputs<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST] {
        let ([m0, .., m5], [[a_sum, a_apart], [b_sum, b_apart]]) = (m, pairs(simd, m));
        [
            simd.add(m0, simd.add(a_sum, b_sum)),
            by(simd, a_apart, A, times(simd, b_apart, B)),
            by(simd, a_sum, A2, times(simd, b_sum, B2)),
            by(simd, a_apart, A2 * A, by(simd, b_apart, B2 * B, m5)),
            m0,
            m0,
        ]
    }

    #[inline(always)]
    fn kernel<T: Scalar, S: Simd<T>>(simd: S, [g0, g1, g2, ..]: [S::V; MOST_TAPS]) -> [S::V; MOST] {
        let a_even = by(simd, g2, A2 / ALPHA, times(simd, g0, 1.0 / ALPHA));
        let b_even = by(simd, g2, B2 / BETA, times(simd, g0, 1.0 / BETA));
        [
            times(simd, g0, 1.0 / (A2 * B2)),
            by(simd, g1, A / ALPHA, a_even),
            by(simd, g1, -A / ALPHA, a_even),
            by(simd, g1, B / BETA, b_even),
            by(simd, g1, -B / BETA, b_even),
            g2,
        ]
    }
}

impl Transposed for Four {
    #[inline(always)]
    fn gradients<T: Scalar, S: Simd<T>>(simd: S, y: [S::V; MOST]) -> [S::V; MOST] {
        let [y0, y1, y2, y3, ..] = y;
        // Even and odd parts, of which the values at p and −p are sum and difference.
        let (a_even, a_odd) = (by(simd, y2, A2, y0), by(simd, y3, A2, y1));
        let (b_even, b_odd) = (by(simd, y2, B2, y0), by(simd, y3, B2, y1));
        [
            y0,
            by(simd, a_odd, A, a_even),
            by(simd, a_odd, -A, a_even),
            by(simd, b_odd, B, b_even),
            by(simd, b_odd, -B, b_even),
            y3,
        ]
    }

    #[inline(always)]
    fn kernel_gradients<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST_TAPS] {
        let ([m0, .., m5], [[a_sum, a_apart], [b_sum, b_apart]]) = (m, pairs(simd, m));
        let [g0, g1] = first_taps(simd, m0, [a_sum, a_apart], [b_sum, b_apart]);
        [g0, g1, by(simd, a_sum, A2 / ALPHA, by(simd, b_sum, B2 / BETA, m5)), g0, g0]
    }
}

/// F(2, 5), of the points of F(4, 3), whose `Bᵀ` it has.
///
/// ```text
/// G = 1/a²b²   0     0      0     0        Aᵀ = 1  1  1  1  1  0
///      1/α    a/α   a²/α   a³/α  a⁴/α          0  a −a  b −b  1
///      1/α   −a/α   a²/α  −a³/α  a⁴/α
///      1/β    b/β   b²/β   b³/β  b⁴/β
///      1/β   −b/β   b²/β  −b³/β  b⁴/β
///       0      0     0      0     1
/// ```
///
/// The error of 64 channels is that of F(4, 3), in one measurement 1.3 · 10⁻⁶ of the largest output in f32 for both.
#[derive(Clone, Copy)]
pub(super) struct TwoOfFive;

impl Filter for TwoOfFive {
    const OUTPUTS: usize = 2;
    const TAPS: usize = 5;

    #[inline(always)]
    fn inputs<T: Scalar, S: Simd<T>>(simd: S, d: [S::V; MOST]) -> [S::V; MOST] {
        six_inputs(simd, d)
    }

    #[inline(always)]
    fn outputs<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST] {
        let ([m0, .., m5], [[a_sum, a_apart], [b_sum, b_apart]]) = (m, pairs(simd, m));
        [simd.add(m0, simd.add(a_sum, b_sum)), by(simd, a_apart, A, by(simd, b_apart, B, m5)), m0, m0, m0, m0]
    }

    #[inline(always)]
    fn kernel<T: Scalar, S: Simd<T>>(simd: S, [g0, g1, g2, g3, g4]: [S::V; MOST_TAPS]) -> [S::V; MOST] {
        let a_even = by(simd, g4, A2 * A2 / ALPHA, by(simd, g2, A2 / ALPHA, times(simd, g0, 1.0 / ALPHA)));
        let b_even = by(simd, g4, B2 * B2 / BETA, by(simd, g2, B2 / BETA, times(simd, g0, 1.0 / BETA)));
        let a_odd = by(simd, g3, A2 * A / ALPHA, times(simd, g1, A / ALPHA));
        let b_odd = by(simd, g3, B2 * B / BETA, times(simd, g1, B / BETA));
        [
            times(simd, g0, 1.0 / (A2 * B2)),
            simd.add(a_even, a_odd),
            simd.sub(a_even, a_odd),
            simd.add(b_even, b_odd),
            simd.sub(b_even, b_odd),
            g4,
        ]
    }
}

impl Transposed for TwoOfFive {
    #[inline(always)]
    fn gradients<T: Scalar, S: Simd<T>>(simd: S, [y0, y1, ..]: [S::V; MOST]) -> [S::V; MOST] {
        [y0, by(simd, y1, A, y0), by(simd, y1, -A, y0), by(simd, y1, B, y0), by(simd, y1, -B, y0), y1]
    }

    #[inline(always)]
    fn kernel_gradients<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; MOST]) -> [S::V; MOST_TAPS] {
        let ([m0, .., m5], [[a_sum, a_apart], [b_sum, b_apart]]) = (m, pairs(simd, m));
        let [g0, g1] = first_taps(simd, m0, [a_sum, a_apart], [b_sum, b_apart]);
        [
            g0,
            g1,
            by(simd, a_sum, A2 / ALPHA, times(simd, b_sum, B2 / BETA)),
            by(simd, a_apart, A2 * A / ALPHA, times(simd, b_apart, B2 * B / BETA)),
            by(simd, a_sum, A2 * A2 / ALPHA, by(simd, b_sum, B2 * B2 / BETA, m5)),
        ]
    }
}
