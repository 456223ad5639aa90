//! Layer normalisation (Ba, Kiros and Hinton 2016, "Layer normalization"): each image is shifted and scaled to mean 0 and variance 1 over all of its
//! elements, then each element to what was learned.
//!
//! ```text
//! y = γ ⊙ x̂ + β,   x̂ = (x − μ) · r,   r = 1 / √(σ² + ε)
//! ```
//!
//! μ and σ² (divided by the number n of elements) are those of one image, in training and at inference alike: PyTorch's
//! `LayerNorm([C, H, W])`. Backward, with `d = dy ⊙ γ` and sums over the n elements:
//!
//! ```text
//! dγ += dy ⊙ x̂,   dβ += dy,   dx = r · (d − Σ d / n − x̂ · Σ (d ⊙ x̂) / n)
//! ```
//!
//! μ and r are found again there: that reads x once more, and nothing has to be kept. Memory of a layer: γ, then β, each in the order of the map.

use crate::Scalar;
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;

/// Sums that run side by side: two vectors of the widest registers, so that an addition need not wait for the one before.
const LINES: usize = 32;

/// The sum of all lines, in a fixed order, and of what is left.
#[inline(always)]
fn total<T: Scalar>(mut lines: [T; LINES], rest: T) -> T {
    let mut half = LINES / 2;
    while half > 0 {
        for i in 0..half {
            lines[i] += lines[i + half];
        }
        half /= 2;
    }
    lines[0] + rest
}

/// `Σ x`.
#[inline(always)]
fn sum<T: Scalar>(x: &[T]) -> T {
    let (chunks, rest) = x.as_chunks::<LINES>();
    let mut lines = [T::zero(); LINES];
    for chunk in chunks {
        for (line, x) in lines.iter_mut().zip(chunk) {
            *line += *x;
        }
    }
    total(lines, rest.iter().copied().sum())
}

/// `Σ (x − about)` and `Σ (x − about)²`.
#[inline(always)]
fn sums_around<T: Scalar>(x: &[T], about: T) -> [T; 2] {
    let (chunks, rest) = x.as_chunks::<LINES>();
    let (mut lines, mut squares) = ([T::zero(); LINES], [T::zero(); LINES]);
    for chunk in chunks {
        for ((line, square), x) in lines.iter_mut().zip(&mut squares).zip(chunk) {
            let d = *x - about;
            *line += d;
            *square += d * d;
        }
    }
    let ends = rest.iter().fold([T::zero(); 2], |[sum, squares], x| {
        let d = *x - about;
        [sum + d, squares + d * d]
    });
    [total(lines, ends[0]), total(squares, ends[1])]
}

/// `Σ d` and `Σ (d ⊙ x̂)`, with `d = dy ⊙ γ`.
#[inline(always)]
fn gradient_sums<T: Scalar>(gamma: &[T], x: &[T], dy: &[T], [mean, r]: [T; 2]) -> [T; 2] {
    let ((gammas, gamma), (xs, x), (dys, dy)) =
        (gamma.as_chunks::<LINES>(), x.as_chunks::<LINES>(), dy.as_chunks::<LINES>());
    let (mut lines, mut products) = ([T::zero(); LINES], [T::zero(); LINES]);
    for ((gamma, x), dy) in gammas.iter().zip(xs).zip(dys) {
        for ((line, product), ((gamma, x), dy)) in lines.iter_mut().zip(&mut products).zip(gamma.iter().zip(x).zip(dy))
        {
            let d = *dy * *gamma;
            *line += d;
            *product += d * ((*x - mean) * r);
        }
    }
    let ends = gamma.iter().zip(x).zip(dy).fold([T::zero(); 2], |[sum, product], ((gamma, x), dy)| {
        let d = *dy * *gamma;
        [sum + d, product + d * ((*x - mean) * r)]
    });
    [total(lines, ends[0]), total(products, ends[1])]
}

/// μ and r of an image.
///
/// In two passes: the mean, then the distances from it, whose sum corrects the rounding of the mean.
#[inline(always)]
fn statistics<T: Scalar>(x: &[T], epsilon: f64) -> [T; 2] {
    let part = T::one() / T::of(x.len().max(1) as f64);
    let about = sum(x) * part;
    let [rest, around] = sums_around(x, about);
    let variance = (around - rest * rest * part) * part;
    [about + rest * part, (variance + T::of(epsilon)).sqrt().recip()]
}

/// `y[i] ← γ ⊙ x̂[i] + β`. `norm`: γ, then β.
pub fn forward<T: Scalar, S: Simd<T>, N: Plain<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, norm: &N, epsilon: f64, x: &[X], y: &mut [Y],
) {
    const { assert!(N::LEN == 2 * X::LEN && X::LEN == Y::LEN) };
    let (gamma, beta) = norm.flat().split_at(const { N::LEN / 2 });
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            let [mean, r] = statistics(x, epsilon);
            for (((y, x), gamma), beta) in y.iter_mut().zip(x).zip(gamma).zip(beta) {
                *y = (*x - mean) * r * *gamma + *beta;
            }
        }
    }));
}

/// `dy[i]` becomes `dx[i]`; γ's and β's gradients are added to `d_norm`.
pub fn backward_in_place<T: Scalar, S: Simd<T>, N: Plain<T>, X: Plain<T>, D: Plain<T>>(
    simd: S, norm: &N, epsilon: f64, x: &[X], dy: &mut [D], d_norm: &mut N,
) {
    const { assert!(N::LEN == 2 * X::LEN && X::LEN == D::LEN) };
    let (gamma, _) = norm.flat().split_at(const { N::LEN / 2 });
    let (d_gamma, d_beta) = d_norm.flat_mut().split_at_mut(const { N::LEN / 2 });
    let part = T::one() / T::of(X::LEN.max(1) as f64);
    simd.vectorize(Run(|| {
        for (x, dy) in x.iter().zip(dy) {
            let (x, dy) = (x.flat(), dy.flat_mut());
            let [mean, r] = statistics(x, epsilon);
            let [sum, product] = gradient_sums(gamma, x, dy, [mean, r]).map(|sum| sum * part);
            let learned = gamma.iter().zip(&mut *d_gamma).zip(&mut *d_beta);
            for ((dy, x), ((gamma, d_gamma), d_beta)) in dy.iter_mut().zip(x).zip(learned) {
                let normal = (*x - mean) * r;
                *d_gamma += *dy * normal;
                *d_beta += *dy;
                *dy = r * (*dy * *gamma - sum - normal * product);
            }
        }
    }));
}
