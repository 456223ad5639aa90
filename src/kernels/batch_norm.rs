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
//! Both halves of training go over some images at a time, so that what is summed is near since it was written, and what is written is near
//! when the next step reads it: [`moments`] … [`settle`], [`normalise`] …; and backward [`backward_sums`] … [`backward_settle`], [`backward_in_place`] ….
//!
//! Maps lie in pixels order, `[H][W][C]`; a vector is one of a pixel alone. Memory of a layer: γ then β, of its statistics: means then
//! variances, of what training keeps: μ, r, and the unbiased variance; each `[C]`.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::simd::{Kernel, Simd, lane_by_lane};
use crate::kernels::vectors::{load, store};
use crate::plain::Plain;

/// Channels of a layer whose maps have these lengths and whose memory is `rows` rows of `memory` elements in all; anything else does not compile.
const fn channels(x: usize, y: usize, memory: usize, rows: usize) -> usize {
    assert!(memory > 0 && memory.is_multiple_of(rows) && x == y && x.is_multiple_of(memory / rows));
    memory / rows
}

/// Rows of what training keeps.
pub const KEPT: usize = 3;

/// `$body` for one [`Panel`] after the other, with the token of its vectors: half ones where these hold all channels. In the body `NV` is how many vectors the panel is.
///
/// It is written out for several full vectors, for one, and for a rest, so that the compiler knows which they are. Several, because pixels of many channels
/// are far apart: a walk over one vector of each would touch one line of the cache here and one there, and no processor fetches those before they are asked for.
macro_rules! each_panel {
    ($token:expr, $channels:expr, |$simd:ident, $panel:ident| $body:expr) => {{
        let (token, channels) = ($token, const { $channels });
        if const { $channels <= <S::Half as Simd<T>>::LANES } {
            const NV: usize = 1;
            let ($simd, $panel) = (token.half(), Panel::<NV> { first: 0, lanes: channels, channels });
            $body
        } else {
            let mut first = 0;
            if const { $channels >= WIDE * S::LANES } {
                const NV: usize = WIDE;
                while first + NV * S::LANES <= channels {
                    let ($simd, $panel) = (token, Panel::<NV> { first, lanes: S::LANES, channels });
                    $body;
                    first += NV * S::LANES;
                }
            }
            const NV: usize = 1;
            if const { !$channels.is_multiple_of(WIDE * S::LANES) } {
                while first + S::LANES <= channels {
                    let ($simd, $panel) = (token, Panel::<NV> { first, lanes: S::LANES, channels });
                    $body;
                    first += S::LANES;
                }
            }
            if const { !$channels.is_multiple_of(S::LANES) } {
                let ($simd, $panel) = (token, Panel::<NV> { first, lanes: channels - first, channels });
                $body
            }
        }
    }};
}

/// Vectors of a wide panel: three sums of each, and what they are of, stay in registers.
const WIDE: usize = 4;

/// Sums of a vector over pixels that run side by side: an addition takes four cycles, and need not wait for the one before.
const LINES: usize = 4;

/// `$n` sums of a panel over `$pixels` pixels `$p`, to whose `$line` the body adds those of one pixel; lines are side by side where the panel is one vector.
///
/// Not a function that takes a closure: that would not be sure to become part of the function that has the instructions enabled.
macro_rules! sums {
    ($simd:expr, $pixels:expr, $n:literal, |$p:ident, $line:ident| $add:expr) => {{
        let mut lines = [[[$simd.splat(T::zero()); NV]; $n]; LINES];
        let used = if NV == 1 { LINES } else { 1 };
        let mut $p = 0;
        while $p < $pixels {
            for $line in lines.iter_mut().take(used) {
                if $p < $pixels {
                    $add;
                    $p += 1;
                }
            }
        }
        let [mut sums, b, c, d] = lines;
        if NV == 1 {
            for i in 0..$n {
                sums[i][0] = $simd.add($simd.add(sums[i][0], b[i][0]), $simd.add(c[i][0], d[i][0]));
            }
        }
        sums
    }};
}

/// `$value` for each vector `$v` of a panel.
macro_rules! each_vector {
    ($simd:expr, |$v:ident| $value:expr) => {{
        let mut vectors = [$simd.splat(T::zero()); NV];
        for $v in 0..NV {
            vectors[$v] = $value;
        }
        vectors
    }};
}

/// The statistics of a micro-batch, some images after the others: in `kept` stand the mean and the sum of the squared distances from it of the `before` images before
/// these, and then of these too. [`settle`] ends it.
pub fn moments<T, S, X, K>(simd: S, x: &[X], before: usize, kept: &mut K)
where
    T: Scalar,
    S: Simd<T>,
    X: Plain<T>,
    K: Plain<T>,
{
    const { channels(X::LEN, X::LEN, K::LEN, KEPT) };
    if x.is_empty() {
        return;
    }
    simd.vectorize(Moments { x, before, kept });
}

struct Moments<'a, X, K> {
    x: &'a [X],
    before: usize,
    kept: &'a mut K,
}

impl<T: Scalar, X: Plain<T>, K: Plain<T>> Kernel<T> for Moments<'_, X, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { x, before, kept } = self;
        let kept = kept.flat_mut();
        each_panel!(simd, K::LEN / KEPT, |simd, panel| {
            // SAFETY: the panel's channels are those of a pixel; kept has rows of them, maps are whole pixels of them.
            unsafe {
                let so_far = match before {
                    0 => [[simd.splat(T::zero()); NV]; 2],
                    _ => [panel.get(simd, kept, 0), panel.get(simd, kept, 1)],
                };
                let [mean, squares] = panel.moments(simd, x, before, so_far);
                panel.put(simd, kept, 0, mean);
                panel.put(simd, kept, 1, squares);
            }
        });
    }
}

/// What [`moments`] has left of `images · pixels` pixels becomes what [`normalise`] reads, and the unbiased variance. Nothing is done for no pixels.
pub fn settle<T: Scalar, K: Plain<T>>(epsilon: f64, images: usize, pixels: usize, kept: &mut K) {
    let count = images.saturating_mul(pixels);
    if count == 0 {
        return;
    }
    // Of one pixel there is no unbiased variance; it is taken as 0.
    let unbiased = T::of(count.saturating_sub(1).max(1) as f64);
    let (count, epsilon) = (T::of(count as f64), T::of(epsilon));
    let (_, rest) = kept.flat_mut().split_at_mut(const { K::LEN / KEPT });
    let (r, variance) = rest.split_at_mut(const { K::LEN / KEPT });
    for (r, variance) in r.iter_mut().zip(variance) {
        *variance = *r / unbiased;
        *r = (*r / count + epsilon).sqrt().recip();
    }
}

/// `y[i] ← f(γ · (x[i] − μ) · r + β)` with the statistics of the micro-batch, of which these are some images.
pub fn normalise<T, S, A, N, X, Y, K>(simd: S, norm: &N, act: A, x: &[X], y: &mut [Y], kept: &K)
where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    N: Plain<T>,
    X: Plain<T>,
    Y: Plain<T>,
    K: Plain<T>,
{
    const { assert!(channels(X::LEN, Y::LEN, N::LEN, 2) == channels(X::LEN, Y::LEN, K::LEN, KEPT)) };
    simd.vectorize(Normalise { norm, act, x, y, kept });
}

struct Normalise<'a, N, A, X, Y, K> {
    norm: &'a N,
    act: A,
    x: &'a [X],
    y: &'a mut [Y],
    kept: &'a K,
}

impl<T: Scalar, N: Plain<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>, K: Plain<T>> Kernel<T>
    for Normalise<'_, N, A, X, Y, K>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { norm, act, x, y, kept } = self;
        let (norm, kept) = (norm.flat(), kept.flat());
        each_panel!(simd, N::LEN / 2, |simd, panel| {
            // SAFETY: as in `Moments`; norm is two of each channel.
            unsafe {
                let (mean, r) = (panel.get(simd, kept, 0), panel.get(simd, kept, 1));
                panel.scale(simd, norm, mean, r, act, x, y);
            }
        });
    }
}

/// As [`normalise`] with given statistics: inference, where it is not part of a convolution.
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
    const { assert!(channels(X::LEN, Y::LEN, N::LEN, 2) == channels(X::LEN, Y::LEN, Q::LEN, 2)) };
    simd.vectorize(Forward { norm, statistics, epsilon: T::of(epsilon), act, x, y });
}

struct Forward<'a, T, N, Q, A, X, Y> {
    norm: &'a N,
    statistics: &'a Q,
    epsilon: T,
    act: A,
    x: &'a [X],
    y: &'a mut [Y],
}

impl<T: Scalar, N: Plain<T>, Q: Plain<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>> Kernel<T>
    for Forward<'_, T, N, Q, A, X, Y>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { norm, statistics, epsilon, act, x, y } = self;
        let (norm, statistics) = (norm.flat(), statistics.flat());
        each_panel!(simd, N::LEN / 2, |simd, panel| {
            // SAFETY: as in `Moments`; norm and statistics are two of each channel.
            unsafe {
                let (mean, variance) = (panel.get(simd, statistics, 0), panel.get(simd, statistics, 1));
                let r = each_vector!(simd, |v| {
                    lane_by_lane(simd, variance[v], |variance| (variance + epsilon).sqrt().recip())
                });
                panel.scale(simd, norm, mean, r, act, x, y);
            }
        });
    }
}

/// The first half of backward, some images after the others: `dy[i]` becomes `d`, and `sums` holds `Σ d` and `Σ d · (x − μ)` over the `before` images before
/// these, and then over these too. [`backward_settle`] ends it.
///
/// `kept` is what [`settle`] left, `y` what [`normalise`] did. The activation is monotone: its derivative is taken from `y`.
#[allow(clippy::too_many_arguments, reason = "operands and sums of one step")]
pub fn backward_sums<T, S, A, X, Y, D, K, U>(
    simd: S, act: A, x: &[X], y: &[Y], dy: &mut [D], kept: &K, before: usize, sums: &mut U,
) where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    X: Plain<T>,
    Y: Plain<T>,
    D: Plain<T>,
    K: Plain<T>,
    U: Plain<T>,
{
    const { assert!(A::MONOTONE, "batch_norm: what is not monotone has no derivative in its output") };
    const { assert!(D::LEN == Y::LEN && U::LEN >= 2 * channels(X::LEN, Y::LEN, K::LEN, KEPT)) };
    simd.vectorize(BackwardSums { act, x, y, dy, kept, before, sums: sums.flat_mut() });
}

struct BackwardSums<'a, T, A, X, Y, D, K> {
    act: A,
    x: &'a [X],
    y: &'a [Y],
    dy: &'a mut [D],
    kept: &'a K,
    before: usize,
    sums: &'a mut [T],
}

impl<T: Scalar, A: Activation<T>, X: Plain<T>, Y: Plain<T>, D: Plain<T>, K: Plain<T>> Kernel<T>
    for BackwardSums<'_, T, A, X, Y, D, K>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { act, x, y, dy, kept, before, sums: totals } = self;
        let (kept, pixels) = (kept.flat(), const { KEPT * X::LEN / K::LEN });
        each_panel!(simd, K::LEN / KEPT, |simd, panel| {
            // SAFETY: as in `Moments`; the sums are two of each channel.
            unsafe {
                let mean = panel.get(simd, kept, 0);
                let mut so_far = match before {
                    0 => [[simd.splat(T::zero()); NV]; 2],
                    _ => [panel.get(simd, totals, 0), panel.get(simd, totals, 1)],
                };
                for ((x, y), dy) in x.iter().zip(y).zip(dy.iter_mut()) {
                    let (x, y, dy) = (x.flat(), y.flat(), dy.flat_mut());
                    let sums = sums!(simd, pixels, 2, |p, line| {
                        let (d, y, x) = (panel.get(simd, dy, p), panel.get(simd, y, p), panel.get(simd, x, p));
                        let d = each_vector!(simd, |v| act.vector_backward(simd, y[v], d[v]));
                        panel.put(simd, dy, p, d);
                        for v in 0..NV {
                            line[0][v] = simd.add(line[0][v], d[v]);
                            line[1][v] = simd.mul_add(d[v], simd.sub(x[v], mean[v]), line[1][v]);
                        }
                    });
                    for (total, sum) in so_far.iter_mut().zip(sums) {
                        *total = each_vector!(simd, |v| simd.add(total[v], sum[v]));
                    }
                }
                for (i, total) in so_far.into_iter().enumerate() {
                    panel.put(simd, totals, i, total);
                }
            }
        });
    }
}

/// Between the halves of backward, of `images · pixels` pixels: γ's and β's gradients are added to `d_norm`, and `share · images · (mean, unbiased variance)` to
/// `d_statistics`: over the micro-batches of a batch, with `share` one part of its images, that sums to their mean.
///
/// What [`backward_sums`] has left becomes the numbers of `dx = a · d + b + c · (x − μ)`, in this order; [`backward_in_place`] reads them. Nothing is done for no pixels.
#[allow(clippy::too_many_arguments, reason = "operands and gradients of one step")]
pub fn backward_settle<T, N, Q, K, U>(
    norm: &N, images: usize, pixels: usize, kept: &K, sums: &mut U, d_norm: &mut N, d_statistics: &mut Q, share: T,
) where
    T: Scalar,
    N: Plain<T>,
    Q: Plain<T>,
    K: Plain<T>,
    U: Plain<T>,
{
    const { assert!(Q::LEN == N::LEN && 2 * K::LEN == KEPT * N::LEN && 2 * U::LEN >= 3 * N::LEN) };
    let channels = const { N::LEN / 2 };
    let count = images.saturating_mul(pixels);
    if count == 0 {
        return;
    }
    let part = T::one() / T::of(count as f64);
    let weight = share * T::of(images as f64);
    let (mean, rest) = kept.flat().split_at(channels);
    let (r, variance) = rest.split_at(channels);
    let (d_gamma, d_beta) = d_norm.flat_mut().split_at_mut(channels);
    let (d_mean, d_variance) = d_statistics.flat_mut().split_at_mut(channels);
    let (first, rest) = sums.flat_mut().split_at_mut(channels);
    let (second, third) = rest.split_at_mut(channels);
    for ((d_mean, d_variance), (mean, variance)) in d_mean.iter_mut().zip(d_variance).zip(mean.iter().zip(variance)) {
        *d_mean += *mean * weight;
        *d_variance += *variance * weight;
    }
    let sums = first.iter_mut().zip(second).zip(third);
    let learned = d_gamma.iter_mut().zip(d_beta).zip(norm.flat());
    for ((sums, learned), r) in sums.zip(learned).zip(r) {
        let (((first, second), third), ((d_gamma, d_beta), gamma)) = (sums, learned);
        let (sum, centred) = (*first, *second);
        let own = centred * *r;
        *d_gamma += own;
        *d_beta += sum;
        let scale = *gamma * *r;
        (*first, *second, *third) = (scale, -(scale * sum * part), -(scale * own * *r * part));
    }
}

/// The second half of backward: `d` becomes `dx`, with the numbers that [`backward_settle`] left.
pub fn backward_in_place<T, S, X, D, K, U>(simd: S, x: &[X], d: &mut [D], kept: &K, numbers: &U)
where
    T: Scalar,
    S: Simd<T>,
    X: Plain<T>,
    D: Plain<T>,
    K: Plain<T>,
    U: Plain<T>,
{
    const { assert!(U::LEN >= 3 * channels(X::LEN, D::LEN, K::LEN, KEPT)) };
    simd.vectorize(Backward { x, d, kept, numbers: numbers.flat() });
}

struct Backward<'a, T, X, D, K> {
    x: &'a [X],
    d: &'a mut [D],
    kept: &'a K,
    numbers: &'a [T],
}

impl<T: Scalar, X: Plain<T>, D: Plain<T>, K: Plain<T>> Kernel<T> for Backward<'_, T, X, D, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { x, d, kept, numbers } = self;
        let (kept, pixels) = (kept.flat(), const { KEPT * X::LEN / K::LEN });
        each_panel!(simd, K::LEN / KEPT, |simd, panel| {
            // SAFETY: as in `Moments`; the numbers are three of each channel.
            unsafe {
                let mean = panel.get(simd, kept, 0);
                let [a, b, c] = [panel.get(simd, numbers, 0), panel.get(simd, numbers, 1), panel.get(simd, numbers, 2)];
                for (x, dx) in x.iter().zip(d.iter_mut()) {
                    let (x, dx) = (x.flat(), dx.flat_mut());
                    for p in 0..pixels {
                        let (x, d) = (panel.get(simd, x, p), panel.get(simd, dx, p));
                        let dz = each_vector!(simd, |v| {
                            simd.mul_add(simd.sub(x[v], mean[v]), c[v], simd.mul_add(d[v], a[v], b[v]))
                        });
                        panel.put(simd, dx, p, dz);
                    }
                }
            }
        });
    }
}

/// Neighbouring channels: `NV` full vectors, or a vector of them at most.
#[derive(Clone, Copy)]
struct Panel<const NV: usize> {
    first: usize,
    /// Of each vector.
    lanes: usize,
    /// Of a pixel.
    channels: usize,
}

impl<const NV: usize> Panel<NV> {
    /// Its channels of pixel `p`.
    ///
    /// # Safety
    /// `x` has `p + 1` pixels.
    #[inline(always)]
    unsafe fn get<T: Scalar, S: Simd<T>>(self, simd: S, x: &[T], p: usize) -> [S::V; NV] {
        debug_assert!((p + 1) * self.channels <= x.len());
        let at = x.as_ptr().wrapping_add(p * self.channels + self.first);
        // SAFETY: the caller's, as first + NV · lanes ≤ channels.
        each_vector!(simd, |v| unsafe { load(simd, at.add(v * S::LANES), self.lanes) })
    }

    /// Its channels of pixel `p` become `values`.
    ///
    /// # Safety
    /// `x` has `p + 1` pixels.
    #[inline(always)]
    unsafe fn put<T: Scalar, S: Simd<T>>(self, simd: S, x: &mut [T], p: usize, values: [S::V; NV]) {
        debug_assert!((p + 1) * self.channels <= x.len());
        let at = x.as_mut_ptr().wrapping_add(p * self.channels + self.first);
        for (v, value) in values.into_iter().enumerate() {
            // SAFETY: the caller's, as first + NV · lanes ≤ channels.
            unsafe { store(simd, at.add(v * S::LANES), value, self.lanes) }
        }
    }

    /// `y ← f((x − μ) · r · γ + β)`. (Not `x · scale + shift`: where the mean is far from 0, that would cancel.)
    ///
    /// # Safety
    /// Maps are whole pixels, and norm is two.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "operands of one step")]
    unsafe fn scale<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>>(
        self, simd: S, norm: &[T], mean: [S::V; NV], r: [S::V; NV], act: A, x: &[X], y: &mut [Y],
    ) {
        // SAFETY: the caller's.
        let (gamma, beta) = unsafe { (self.get(simd, norm, 0), self.get(simd, norm, 1)) };
        let scale = each_vector!(simd, |v| simd.mul(gamma[v], r[v]));
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            for p in 0..X::LEN / self.channels {
                // SAFETY: the caller's.
                unsafe {
                    let x = self.get(simd, x, p);
                    let z = each_vector!(simd, |v| {
                        let z = simd.mul_add(simd.sub(x[v], mean[v]), scale[v], beta[v]);
                        act.vector(simd, z)
                    });
                    self.put(simd, y, p, z);
                }
            }
        }
    }

    /// Mean over all pixels, and the sum of the squared distances from it: those of `before` images, with these after them.
    ///
    /// Image by image, about the mean of those before it (of the first: about its own), which the sum of the distances from it corrects; images are
    /// combined as samples of different means (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance"). However far the images'
    /// means are apart, what cancels is no larger than what stands between them.
    ///
    /// # Safety
    /// Maps are whole pixels.
    #[inline(always)]
    unsafe fn moments<T: Scalar, S: Simd<T>, X: Plain<T>>(
        self, simd: S, x: &[X], before: usize, so_far: [[S::V; NV]; 2],
    ) -> [[S::V; NV]; 2] {
        let pixels = X::LEN / self.channels;
        let count = T::of(pixels as f64);
        let (part, minus_part) = (simd.splat(T::one() / count), simd.splat(-T::one() / count));
        let [mut mean, mut squares] = so_far;
        for (image, x) in x.iter().enumerate() {
            let x = x.flat();
            // SAFETY: the caller's.
            // So many images before this one, and its weight in the mean of them all.
            let image = before + image;
            let (before, weight) = (T::of(image as f64), T::one() / T::of((image + 1) as f64));
            if image == 0 {
                let [sum] = sums!(simd, pixels, 1, |p, line| {
                    // SAFETY: the caller's.
                    let x = unsafe { self.get(simd, x, p) };
                    line[0] = each_vector!(simd, |v| simd.add(line[0][v], x[v]));
                });
                mean = each_vector!(simd, |v| simd.mul(sum[v], part));
            }
            let [rest, around] = sums!(simd, pixels, 2, |p, line| {
                // SAFETY: the caller's.
                let x = unsafe { self.get(simd, x, p) };
                for v in 0..NV {
                    let d = simd.sub(x[v], mean[v]);
                    line[0][v] = simd.add(line[0][v], d);
                    line[1][v] = simd.mul_add(d, d, line[1][v]);
                }
            });
            for v in 0..NV {
                let apart = simd.mul(rest[v], part);
                let own_squares = simd.mul_add(simd.mul(rest[v], rest[v]), minus_part, around[v]);
                mean[v] = simd.mul_add(apart, simd.splat(weight), mean[v]);
                let between = simd.mul(simd.mul(apart, apart), simd.splat(count * before * weight));
                squares[v] = simd.add(squares[v], simd.add(own_squares, between));
            }
        }
        [mean, squares]
    }
}
