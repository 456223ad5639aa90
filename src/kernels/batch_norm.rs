//! Batch normalisation (Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate shift").
//!
//! Each channel is shifted and scaled to mean 0 and variance 1, then to what was learned:
//!
//! ```text
//! y = f(γ · x̂ + β),   x̂ = (x − μ) · r,   r = 1 / √(σ² + ε)
//! ```
//!
//! In training μ and σ² are those of the channel in all `m` pixels of the micro-batch (σ² divided by m); at inference
//! they are running averages of what training saw, of the unbiased variance (divided by m − 1). Both are PyTorch's `BatchNorm2d`. Backward, with
//! `d = dy · f′(y)` and sums over the m pixels:
//!
//! ```text
//! dβ = Σ d,   dγ = Σ d · x̂,   dx = γ · r · (d − dβ / m − x̂ · dγ / m)
//! ```
//!
//! Maps lie in pixels order, `[H][W][C]`; a vector is one of a pixel alone. Memory of a layer: γ then β, of its statistics: means then
//! variances, of what training keeps: μ then r; each `[C]`.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::channels::{each_vector, lanes, load, store};
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;

/// Channels of a layer whose maps and memory have these lengths; anything else does not compile.
const fn channels(norm: usize, x: usize, y: usize, other: usize) -> usize {
    assert!(norm > 0 && norm.is_multiple_of(2) && other == norm && x == y && x.is_multiple_of(norm / 2));
    norm / 2
}

/// `y[i] ← f(γ · (x[i] − μ) · r + β)` with the statistics of this micro-batch, which are left in `kept`: μ, then r.
///
/// Nothing is done for no images.
pub fn forward_tape<T, S, A, N, X, Y, K>(simd: S, norm: &N, epsilon: f64, act: A, x: &[X], y: &mut [Y], kept: &mut K)
where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    N: Plain<T>,
    X: Plain<T>,
    Y: Plain<T>,
    K: Plain<T>,
{
    let channels = const { channels(N::LEN, X::LEN, Y::LEN, K::LEN) };
    let images = x.len().min(y.len());
    if images == 0 {
        return;
    }
    let (norm, kept, x) = (norm.flat(), kept.flat_mut(), &x[..images]);
    simd.vectorize(Run(|| {
        each_vector!(S::LANES, channels, channels, |c, L| {
            // SAFETY: c + L ≤ channels, and norm and kept have twice as many elements.
            unsafe {
                let (mean, squares) = moments::<T, X, L>(x, c, channels);
                let count = T::of((images * (X::LEN / channels)) as f64);
                let r = lanes(|i| (squares[i] / count + T::of(epsilon)).sqrt().recip());
                store::<T, L>(kept, c, mean);
                store::<T, L>(kept, channels + c, r);
                scale::<T, A, X, Y, L>(act, load(norm, c), load(norm, channels + c), mean, r, x, y, c, channels);
            }
        });
    }));
}

/// As [`forward_tape`] with given statistics: inference, where it is not part of a convolution.
pub fn forward<T, S, A, N, Q, X, Y>(simd: S, norm: &N, statistics: &Q, epsilon: f64, act: A, x: &[X], y: &mut [Y])
where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    N: Plain<T>,
    Q: Plain<T>,
    X: Plain<T>,
    Y: Plain<T>,
{
    let channels = const { channels(N::LEN, X::LEN, Y::LEN, Q::LEN) };
    let (norm, statistics) = (norm.flat(), statistics.flat());
    simd.vectorize(Run(|| {
        each_vector!(S::LANES, channels, channels, |c, L| {
            // SAFETY: c + L ≤ channels, and norm and statistics have twice as many elements.
            unsafe {
                let variance: [T; L] = load(statistics, channels + c);
                let r = lanes(|i| (variance[i] + T::of(epsilon)).sqrt().recip());
                let mean = load(statistics, c);
                scale::<T, A, X, Y, L>(act, load(norm, c), load(norm, channels + c), mean, r, x, y, c, channels);
            }
        });
    }));
}

/// `dy[i]` becomes `dx[i]`; γ's and β's gradients are added to `d_norm`, and `share · images · (mean, unbiased variance)` to
/// `d_statistics`: over the micro-batches of a batch, with `share` one part of its images, that sums to their mean.
///
/// `kept` is what [`forward_tape`] left, `y` its output. The activation is monotone: its derivative is taken from `y`.
#[allow(clippy::too_many_arguments, reason = "operands and gradients of one step")]
pub fn backward_in_place<T, S, A, N, Q, X, Y, K>(
    simd: S, norm: &N, act: A, x: &[X], y: &[Y], dy: &mut [Y], kept: &K, d_norm: &mut N, d_statistics: &mut Q, share: T,
) where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    N: Plain<T>,
    Q: Plain<T>,
    X: Plain<T>,
    Y: Plain<T>,
    K: Plain<T>,
{
    const { assert!(A::MONOTONE, "batch_norm: the derivative of an activation that is not monotone is not in its output") };
    let channels = const { channels(N::LEN, X::LEN, Y::LEN, K::LEN) };
    const { assert!(Q::LEN == N::LEN) };
    let images = x.len().min(y.len()).min(dy.len());
    let count = images * (X::LEN / channels);
    let (norm, kept, d_norm, d_statistics) = (norm.flat(), kept.flat(), d_norm.flat_mut(), d_statistics.flat_mut());
    simd.vectorize(Run(|| {
        each_vector!(S::LANES, channels, channels, |c, L| {
            // SAFETY: c + L ≤ channels; maps are whole pixels of so many elements, the others have twice as many.
            unsafe {
                let (mean, r): ([T; L], [T; L]) = (load(kept, c), load(kept, channels + c));
                let [mut d_beta, mut d_gamma, mut squares] = [[T::zero(); L]; 3];
                for ((x, y), dy) in x.iter().zip(y).zip(dy.iter_mut()) {
                    let (x, y, dy) = (x.flat(), y.flat(), dy.flat_mut());
                    let [b, g, s] = sums::<T, L, 3>(const { X::LEN / (N::LEN / 2) }, |p| {
                        let at = p * channels + c;
                        let (x, y, from): ([T; L], [T; L], [T; L]) = (load(x, at), load(y, at), load(dy, at));
                        let d: [T; L] = lanes(|i| from[i] * act.derivative(y[i]));
                        store(dy, at, d);
                        let centred: [T; L] = lanes(|i| x[i] - mean[i]);
                        [d, lanes(|i| d[i] * centred[i]), lanes(|i| centred[i] * centred[i])]
                    });
                    for i in 0..L {
                        d_beta[i] += b[i];
                        d_gamma[i] += g[i] * r[i];
                        squares[i] += s[i];
                    }
                }
                // dx = scale · (d − shift − (x − μ) · slope)
                let m = T::of(count as f64);
                let gamma: [T; L] = load(norm, c);
                let scale: [T; L] = lanes(|i| gamma[i] * r[i]);
                let shift: [T; L] = lanes(|i| d_beta[i] / m);
                let slope: [T; L] = lanes(|i| d_gamma[i] * r[i] / m);
                for (x, dy) in x.iter().zip(dy.iter_mut()).take(images) {
                    let (x, dy) = (x.flat(), dy.flat_mut());
                    for p in 0..const { X::LEN / (N::LEN / 2) } {
                        let at = p * channels + c;
                        let (x, d): ([T; L], [T; L]) = (load(x, at), load(dy, at));
                        store::<T, L>(dy, at, lanes(|i| scale[i] * (d[i] - shift[i] - (x[i] - mean[i]) * slope[i])));
                    }
                }
                let weight = share * T::of(images as f64);
                let unbiased = T::of(count.saturating_sub(1).max(1) as f64);
                add::<T, L>(d_norm, c, d_gamma);
                add::<T, L>(d_norm, channels + c, d_beta);
                add::<T, L>(d_statistics, c, lanes(|i| weight * mean[i]));
                add::<T, L>(d_statistics, channels + c, lanes(|i| weight * squares[i] / unbiased));
            }
        });
    }));
}

/// `y ← f((x − μ) · r · γ + β)` for channels `c..c + L`. (Not `x · scale + shift`: with a mean far from 0 that would cancel.)
///
/// # Safety
/// `c + L ≤ channels`, and maps are whole pixels.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands of one step")]
unsafe fn scale<T: Scalar, A: Activation<T>, X: Plain<T>, Y: Plain<T>, const L: usize>(
    act: A, gamma: [T; L], beta: [T; L], mean: [T; L], r: [T; L], x: &[X], y: &mut [Y], c: usize, channels: usize,
) {
    let scale: [T; L] = lanes(|i| gamma[i] * r[i]);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x.flat(), y.flat_mut());
        for p in 0..X::LEN / channels {
            let at = p * channels + c;
            // SAFETY: pixel p is inside, and c + L ≤ channels.
            unsafe {
                let x: [T; L] = load(x, at);
                store::<T, L>(y, at, lanes(|i| act.apply((x[i] - mean[i]) * scale[i] + beta[i])));
            }
        }
    }
}

/// Mean of channels `c..c + L` over all pixels, and the sum of the squared distances from it.
///
/// Image by image, in two passes while it is near: its mean, then distances from that, whose sum corrects the rounding of the mean;
/// images are combined as samples of different means (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance").
///
/// # Safety
/// `c + L ≤ channels`, and maps are whole pixels.
#[inline(always)]
unsafe fn moments<T: Scalar, X: Plain<T>, const L: usize>(x: &[X], c: usize, channels: usize) -> ([T; L], [T; L]) {
    let pixels = X::LEN / channels;
    let count = T::of(pixels as f64);
    let (mut mean, mut squares) = ([T::zero(); L], [T::zero(); L]);
    for (image, x) in x.iter().enumerate() {
        let x = x.flat();
        // SAFETY: pixel p is inside, and c + L ≤ channels.
        let [sum] = sums::<T, L, 1>(pixels, |p| [unsafe { load(x, p * channels + c) }]);
        let first: [T; L] = lanes(|i| sum[i] / count);
        let [rest, about] = sums::<T, L, 2>(pixels, |p| {
            // SAFETY: as above.
            let x: [T; L] = unsafe { load(x, p * channels + c) };
            let d: [T; L] = lanes(|i| x[i] - first[i]);
            [d, lanes(|i| d[i] * d[i])]
        });
        // So many images before: the weights of their mean and of this one's.
        let (before, new) = (T::of(image as f64), T::one() / T::of((image + 1) as f64));
        for i in 0..L {
            let own = first[i] + rest[i] / count;
            let own_squares = about[i] - rest[i] * rest[i] / count;
            let apart = own - mean[i];
            mean[i] += apart * new;
            squares[i] += own_squares + apart * apart * (count * before * new);
        }
    }
    (mean, squares)
}

/// Sums of `N` vectors over pixels; four sums side by side, as an addition takes four cycles.
#[inline(always)]
fn sums<T: Scalar, const L: usize, const N: usize>(
    pixels: usize, mut f: impl FnMut(usize) -> [[T; L]; N],
) -> [[T; L]; N] {
    const SIDE_BY_SIDE: usize = 4;
    let mut sums = [[[T::zero(); L]; N]; SIDE_BY_SIDE];
    let mut p = 0;
    while p < pixels {
        for sums in &mut sums {
            if p < pixels {
                let summands = f(p);
                for n in 0..N {
                    for i in 0..L {
                        sums[n][i] += summands[n][i];
                    }
                }
                p += 1;
            }
        }
    }
    let [a, b, c, d] = sums;
    lanes(|n| lanes(|i| (a[n][i] + b[n][i]) + (c[n][i] + d[n][i])))
}

/// `x[at..at + L] += values`.
///
/// # Safety
/// `at + L ≤ x.len()`.
#[inline(always)]
unsafe fn add<T: Scalar, const L: usize>(x: &mut [T], at: usize, values: [T; L]) {
    // SAFETY: the caller's.
    unsafe {
        let sum: [T; L] = load(x, at);
        store::<T, L>(x, at, lanes(|i| sum[i] + values[i]));
    }
}
