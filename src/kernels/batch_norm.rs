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
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::tile::{load, store};
use crate::plain::Plain;

/// Channels of a layer whose maps and memory have these lengths; anything else does not compile.
const fn channels(norm: usize, x: usize, y: usize, other: usize) -> usize {
    assert!(norm > 0 && norm.is_multiple_of(2) && other == norm && x == y && x.is_multiple_of(norm / 2));
    norm / 2
}

/// `$body` for one [`Panel`] after the other, with the token of its vectors: half ones where these hold all channels.
///
/// It is written out for full vectors and for a rest, so that the compiler knows which they are.
macro_rules! each_panel {
    ($token:expr, $channels:expr, |$simd:ident, $panel:ident| $body:expr) => {{
        let (token, channels) = ($token, $channels);
        if channels <= <S::Half as Simd<T>>::LANES {
            let ($simd, $panel) = (token.half(), Panel { first: 0, lanes: channels, channels });
            $body
        } else {
            let mut first = 0;
            while first + S::LANES <= channels {
                let ($simd, $panel) = (token, Panel { first, lanes: S::LANES, channels });
                $body;
                first += S::LANES;
            }
            if first < channels {
                let ($simd, $panel) = (token, Panel { first, lanes: channels - first, channels });
                $body
            }
        }
    }};
}

/// Sums over pixels that run side by side: an addition takes four cycles, and need not wait for the one before.
const LINES: usize = 4;

/// The sums of `$n` vectors over `$pixels` pixels `$p`.
///
/// Not a function that takes a closure: that would not be sure to become part of the function that has the instructions enabled.
macro_rules! sums {
    ($simd:expr, $pixels:expr, $n:literal, |$p:ident| $summands:expr) => {{
        let mut lines = [[$simd.splat(T::zero()); $n]; LINES];
        let mut $p = 0;
        while $p < $pixels {
            for line in &mut lines {
                if $p < $pixels {
                    let summands: [_; $n] = $summands;
                    for i in 0..$n {
                        line[i] = $simd.add(line[i], summands[i]);
                    }
                    $p += 1;
                }
            }
        }
        let [mut sums, b, c, d] = lines;
        for i in 0..$n {
            sums[i] = $simd.add($simd.add(sums[i], b[i]), $simd.add(c[i], d[i]));
        }
        sums
    }};
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
    simd.vectorize(ForwardTape { channels, norm, epsilon: T::of(epsilon), act, x, y, kept });
}

struct ForwardTape<'a, T, A, X, Y> {
    channels: usize,
    norm: &'a [T],
    epsilon: T,
    act: A,
    x: &'a [X],
    y: &'a mut [Y],
    kept: &'a mut [T],
}

impl<T: Scalar, A: Activation<T>, X: Plain<T>, Y: Plain<T>> Kernel<T> for ForwardTape<'_, T, A, X, Y> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { channels, norm, epsilon, act, x, y, kept } = self;
        let count = T::of((x.len() * (X::LEN / channels)) as f64);
        each_panel!(simd, channels, |simd, panel| {
            // SAFETY: the panel's channels are below `channels`; norm and kept have that twice, maps are whole pixels of them.
            unsafe {
                let (mean, squares) = panel.moments(simd, x);
                let r = each_lane(simd, squares, |squares| (squares / count + epsilon).sqrt().recip());
                panel.put(simd, kept, 0, mean);
                panel.put(simd, kept, 1, r);
                panel.scale(simd, norm, mean, r, act, x, y);
            }
        });
    }
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
    simd.vectorize(Forward { channels, norm, statistics, epsilon: T::of(epsilon), act, x, y });
}

struct Forward<'a, T, A, X, Y> {
    channels: usize,
    norm: &'a [T],
    statistics: &'a [T],
    epsilon: T,
    act: A,
    x: &'a [X],
    y: &'a mut [Y],
}

impl<T: Scalar, A: Activation<T>, X: Plain<T>, Y: Plain<T>> Kernel<T> for Forward<'_, T, A, X, Y> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { channels, norm, statistics, epsilon, act, x, y } = self;
        each_panel!(simd, channels, |simd, panel| {
            // SAFETY: as in `ForwardTape`.
            unsafe {
                let (mean, variance) = (panel.get(simd, statistics, 0), panel.get(simd, statistics, 1));
                let r = each_lane(simd, variance, |variance| (variance + epsilon).sqrt().recip());
                panel.scale(simd, norm, mean, r, act, x, y);
            }
        });
    }
}

/// `dy[i]` becomes `dx[i]`; γ's and β's gradients are added to `d_norm`, and `share · images · (mean, unbiased variance)` to
/// `d_statistics`: over the micro-batches of a batch, with `share` one part of its images, that sums to their mean.
///
/// `kept` is what [`forward_tape`] left (ε is in it), `y` its output. The activation is monotone: its derivative is taken from `y`.
#[allow(clippy::too_many_arguments, reason = "operands and gradients of one step")]
pub fn backward_in_place<T, S, A, N, Q, X, Y, K>(
    simd: S, norm: &N, _epsilon: f64, act: A, x: &[X], y: &[Y], dy: &mut [Y], kept: &K, d_norm: &mut N,
    d_statistics: &mut Q, share: T,
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
    const { assert!(A::MONOTONE, "batch_norm: what is not monotone has no derivative in its output") };
    let channels = const { channels(N::LEN, X::LEN, Y::LEN, K::LEN) };
    const { assert!(Q::LEN == N::LEN) };
    let (norm, kept) = (norm.flat(), kept.flat());
    let (d_norm, d_statistics) = (d_norm.flat_mut(), d_statistics.flat_mut());
    simd.vectorize(Backward { channels, norm, act, x, y, dy, kept, d_norm, d_statistics, share });
}

struct Backward<'a, T, A, X, Y> {
    channels: usize,
    norm: &'a [T],
    act: A,
    x: &'a [X],
    y: &'a [Y],
    dy: &'a mut [Y],
    kept: &'a [T],
    d_norm: &'a mut [T],
    d_statistics: &'a mut [T],
    share: T,
}

impl<T: Scalar, A: Activation<T>, X: Plain<T>, Y: Plain<T>> Kernel<T> for Backward<'_, T, A, X, Y> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { channels, norm, act, x, y, dy, kept, d_norm, d_statistics, share } = self;
        let images = x.len().min(y.len()).min(dy.len());
        let pixels = X::LEN / channels;
        let count = images * pixels;
        let part = T::one() / T::of(count.max(1) as f64);
        let weight = share * T::of(images as f64);
        // Of one pixel there is no unbiased variance; it is taken as 0.
        let unbiased = T::of(count.saturating_sub(1).max(1) as f64);
        each_panel!(simd, channels, |simd, panel| {
            // SAFETY: as in `ForwardTape`; d_norm and d_statistics have twice as many elements as there are channels.
            unsafe {
                let (mean, r) = (panel.get(simd, kept, 0), panel.get(simd, kept, 1));
                let mut totals = [simd.splat(T::zero()); 3];
                for ((x, y), dy) in x.iter().zip(y).zip(dy.iter_mut()) {
                    let (x, y, dy) = (x.flat(), y.flat(), dy.flat_mut());
                    let sums = sums!(simd, pixels, 3, |p| {
                        let d = panel.get(simd, dy, p);
                        let d = times_derivative(simd, act, panel.get(simd, y, p), d);
                        panel.put(simd, dy, p, d);
                        let centred = simd.sub(panel.get(simd, x, p), mean);
                        [d, simd.mul(d, centred), simd.mul(centred, centred)]
                    });
                    for (total, sum) in totals.iter_mut().zip(sums) {
                        *total = simd.add(*total, sum);
                    }
                }
                let [d_beta, centred, squares] = totals;
                let d_gamma = simd.mul(centred, r);
                // dx = scale · (d − shift − (x − μ) · slope)
                let scale = simd.mul(panel.get(simd, norm, 0), r);
                let shift = simd.mul(d_beta, simd.splat(part));
                let slope = simd.mul(simd.mul(d_gamma, r), simd.splat(part));
                for (x, dy) in x.iter().zip(dy.iter_mut()).take(images) {
                    let (x, dy) = (x.flat(), dy.flat_mut());
                    for p in 0..pixels {
                        let centred = simd.sub(panel.get(simd, x, p), mean);
                        let d = simd.sub(simd.sub(panel.get(simd, dy, p), shift), simd.mul(centred, slope));
                        panel.put(simd, dy, p, simd.mul(d, scale));
                    }
                }
                panel.add(simd, d_norm, 0, d_gamma);
                panel.add(simd, d_norm, 1, d_beta);
                panel.add(simd, d_statistics, 0, simd.mul(mean, simd.splat(weight)));
                panel.add(simd, d_statistics, 1, simd.mul(squares, simd.splat(weight / unbiased)));
            }
        });
    }
}

/// Neighbouring channels, a vector of them at most.
#[derive(Clone, Copy)]
struct Panel {
    first: usize,
    lanes: usize,
    /// Of a pixel.
    channels: usize,
}

impl Panel {
    /// Its channels of pixel `p`.
    ///
    /// # Safety
    /// `x` has `p + 1` pixels.
    #[inline(always)]
    unsafe fn get<T: Scalar, S: Simd<T>>(self, simd: S, x: &[T], p: usize) -> S::V {
        debug_assert!((p + 1) * self.channels <= x.len());
        // SAFETY: the caller's, as first + lanes ≤ channels.
        unsafe { load(simd, x.as_ptr().add(p * self.channels + self.first), self.lanes) }
    }

    /// Its channels of pixel `p` become `v`.
    ///
    /// # Safety
    /// `x` has `p + 1` pixels.
    #[inline(always)]
    unsafe fn put<T: Scalar, S: Simd<T>>(self, simd: S, x: &mut [T], p: usize, v: S::V) {
        debug_assert!((p + 1) * self.channels <= x.len());
        // SAFETY: the caller's, as first + lanes ≤ channels.
        unsafe { store(simd, x.as_mut_ptr().add(p * self.channels + self.first), v, self.lanes) }
    }

    /// `v` is added to its channels of pixel `p`.
    ///
    /// # Safety
    /// `x` has `p + 1` pixels.
    #[inline(always)]
    unsafe fn add<T: Scalar, S: Simd<T>>(self, simd: S, x: &mut [T], p: usize, v: S::V) {
        // SAFETY: the caller's.
        unsafe { self.put(simd, x, p, simd.add(self.get(simd, x, p), v)) }
    }

    /// `y ← f((x − μ) · r · γ + β)`. (Not `x · scale + shift`: where the mean is far from 0, that would cancel.)
    ///
    /// # Safety
    /// Maps are whole pixels, and norm is two.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "operands of one step")]
    unsafe fn scale<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>>(
        self, simd: S, norm: &[T], mean: S::V, r: S::V, act: A, x: &[X], y: &mut [Y],
    ) {
        // SAFETY: the caller's.
        let (gamma, beta) = unsafe { (self.get(simd, norm, 0), self.get(simd, norm, 1)) };
        let scale = simd.mul(gamma, r);
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            for p in 0..X::LEN / self.channels {
                // SAFETY: the caller's.
                unsafe {
                    let z = simd.mul_add(simd.sub(self.get(simd, x, p), mean), scale, beta);
                    self.put(simd, y, p, act.vector(simd, z));
                }
            }
        }
    }

    /// Mean over all pixels, and the sum of the squared distances from it.
    ///
    /// Image by image, in two passes while it is near: its mean, then distances from that, whose sum corrects the rounding of the mean;
    /// images are combined as samples of different means (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance").
    ///
    /// # Safety
    /// Maps are whole pixels.
    #[inline(always)]
    unsafe fn moments<T: Scalar, S: Simd<T>, X: Plain<T>>(self, simd: S, x: &[X]) -> (S::V, S::V) {
        let pixels = X::LEN / self.channels;
        let count = T::of(pixels as f64);
        let (part, minus_part) = (simd.splat(T::one() / count), simd.splat(-T::one() / count));
        let [mut mean, mut squares] = [simd.splat(T::zero()); 2];
        for (image, x) in x.iter().enumerate() {
            let x = x.flat();
            // SAFETY: the caller's.
            let [sum] = sums!(simd, pixels, 1, |p| [unsafe { self.get(simd, x, p) }]);
            let about = simd.mul(sum, part);
            let [rest, around] = sums!(simd, pixels, 2, |p| {
                // SAFETY: the caller's.
                let d = simd.sub(unsafe { self.get(simd, x, p) }, about);
                [d, simd.mul(d, d)]
            });
            let own_mean = simd.mul_add(rest, part, about);
            let own_squares = simd.mul_add(simd.mul(rest, rest), minus_part, around);
            // So many images before this one, and its weight in the mean of them all.
            let (before, weight) = (T::of(image as f64), T::one() / T::of((image + 1) as f64));
            let apart = simd.sub(own_mean, mean);
            mean = simd.mul_add(apart, simd.splat(weight), mean);
            let between = simd.mul(simd.mul(apart, apart), simd.splat(count * before * weight));
            squares = simd.add(squares, simd.add(own_squares, between));
        }
        (mean, squares)
    }
}

/// `f` of each lane.
#[inline(always)]
fn each_lane<T: Scalar, S: Simd<T>>(simd: S, v: S::V, f: impl Fn(T) -> T) -> S::V {
    let mut lanes = [T::zero(); 64];
    // SAFETY: a vector has at most 64 lanes, by the contract of `Simd`.
    unsafe {
        simd.store(lanes.as_mut_ptr(), v);
        for lane in lanes.iter_mut().take(S::LANES) {
            *lane = f(*lane);
        }
        simd.load(lanes.as_ptr())
    }
}

/// `d · f′(y)` in each lane.
#[inline(always)]
fn times_derivative<T: Scalar, S: Simd<T>, A: Activation<T>>(simd: S, act: A, y: S::V, d: S::V) -> S::V {
    let factor = each_lane(simd, y, |y| act.derivative(y));
    simd.mul(d, factor)
}
