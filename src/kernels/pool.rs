//! Pooling as a step of its own: any window, stride, padding and rounding, on maps in pixels order, `[H][W][C]`.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::activation::Identity;
use crate::kernels::channels::{each_vector, lanes, load, store};
use crate::kernels::simd::{Run, Simd};
use crate::kernels::stage::{PoolSpec, place_bytes};
use crate::kernels::window::{self, Keep, NoPlaces, Recall, Spread, Window, are_apart, row_len};
use crate::plain::Plain;
use crate::shape::Pool;

/// The inputs of one window along one axis: the first place in the window that lies inside, and the input range.
#[inline(always)]
fn inside(pool: &Pool, axis: usize, at: usize) -> (usize, Range<usize>) {
    let (input, before) = (if axis == 0 { pool.input.h } else { pool.input.w }, pool.padding[2 * axis]);
    let start = at * pool.stride[axis];
    let first = before.saturating_sub(start).min(pool.kernel[axis]);
    let begin = (start + first).saturating_sub(before).min(input);
    let end = (start + pool.kernel[axis]).saturating_sub(before).clamp(begin, input);
    (first, begin..end)
}

/// What the average over a window is divided by along one axis: its length with the padding, without what `ceil` lets
/// stand out behind it (PyTorch's rule with `count_include_pad`).
#[inline(always)]
fn divisor(pool: &Pool, axis: usize, at: usize) -> usize {
    let input = if axis == 0 { pool.input.h } else { pool.input.w };
    let end = input + pool.padding[2 * axis] + pool.padding[2 * axis + 1];
    pool.kernel[axis].min(end - at * pool.stride[axis])
}

/// All windows of a map, with the row and column of their result.
#[inline(always)]
fn windows(pool: &Pool) -> impl Iterator<Item = (usize, usize, Window)> {
    let (pool, out) = (*pool, pool.output());
    (0..out.h).flat_map(move |r| {
        (0..out.w).map(move |s| {
            let ((u, rows), (v, columns)) = (inside(&pool, 0, r), inside(&pool, 1, s));
            let x = (rows.start * pool.input.w + columns.start) * pool.input.c;
            let y = (r * out.w + s) * pool.input.c;
            (r, s, Window { size: [rows.len(), columns.len()], first: [u, v], x, y })
        })
    })
}

/// The rows of windows that are apart: their number, and the map from there on.
#[inline(always)]
fn rows<'a, T>(pool: &Pool, x: &'a [T]) -> impl Iterator<Item = (usize, &'a [T])> {
    let pitch = pool.stride[0] * pool.input.w * pool.input.c;
    (0..pool.output().h).filter_map(move |r| Some((r, x.get(r * pitch..)?)))
}

/// `y[i] ← max over each window of x[i]`; NaN counts as larger than any number.
pub fn max_forward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, spec: P, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            max_image(simd, spec, x.flat(), y.flat_mut(), NoPlaces);
        }
    }));
}

/// As [`max_forward`], and `index[i] ←` the places of the maxima in their windows, for the backward pass.
pub fn max_forward_indexed<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>, I: Plain<u8>>(
    simd: S, spec: P, x: &[X], y: &mut [Y], index: &mut [I],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    simd.vectorize(Run(|| {
        for ((x, y), index) in x.iter().zip(y).zip(index) {
            let (x, y) = (x.flat(), y.flat_mut());
            if const { place_bytes(&P::POOL, I::LEN) } == 1 {
                max_image(simd, spec, x, y, index.flat_mut().as_chunks_mut::<1>().0);
            } else {
                max_image(simd, spec, x, y, index.flat_mut().as_chunks_mut::<2>().0);
            }
        }
    }));
}

#[inline(always)]
fn max_image<T: Scalar, S: Simd<T>, P: PoolSpec, K: Keep>(simd: S, spec: P, x: &[T], y: &mut [T], mut places: K) {
    let pool = const { &P::POOL };
    if const { are_apart(&P::POOL) } {
        for (r, x) in rows(pool, x) {
            window::max_row(simd, spec, x, r * row_len(pool), y, &mut places);
        }
    } else {
        for (_, _, window) in windows(pool) {
            window::max(simd, spec, window, x, y, &mut places);
        }
    }
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each output's gradient goes to the place of its maximum.
pub fn max_backward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>, I: Plain<u8>>(
    simd: S, spec: P, dy: &[Y], index: &[I], dx: &mut [X],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    simd.vectorize(Run(|| {
        for ((dx, dy), index) in dx.iter_mut().zip(dy).zip(index) {
            let (dx, dy) = (dx.flat_mut(), dy.flat());
            if const { place_bytes(&P::POOL, I::LEN) } == 1 {
                let places = index.flat().as_chunks::<1>().0;
                spread(simd, spec, dy, places, |_, _| T::one(), dx);
            } else {
                let places = index.flat().as_chunks::<2>().0;
                spread(simd, spec, dy, places, |_, _| T::one(), dx);
            }
        }
    }));
}

/// `dx ←` the gradient of each output, divided by `divisor(row, column)`, spread over its window.
#[inline(always)]
fn spread<T: Scalar, S: Simd<T>, P: PoolSpec, R: Recall + Copy>(
    simd: S, spec: P, dy: &[T], places: R, divisor: impl Fn(usize, usize) -> T, dx: &mut [T],
) {
    // The identity's derivative reads no output.
    let with = |divisor: T| Spread { act: Identity, y: dy, dy, divisor, places };
    if const { are_apart(&P::POOL) } {
        // All windows are whole.
        return with(divisor(0, 0)).write(simd, spec, dx);
    }
    dx.fill(T::zero());
    for (r, s, window) in windows(const { &P::POOL }) {
        with(divisor(r, s)).add(simd, spec, window, dx);
    }
}

/// `y[i] ← mean over each window of x[i]`, padding counted as zeros.
pub fn avg_forward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, spec: P, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    let pool = const { &P::POOL };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            if const { are_apart(&P::POOL) } {
                let divisor = T::of((pool.kernel[0] * pool.kernel[1]) as f64);
                for (r, x) in rows(pool, x) {
                    window::mean_row(simd, spec, divisor, x, r * row_len(pool), y);
                }
            } else {
                for (r, s, window) in windows(pool) {
                    let divisor = T::of((divisor(pool, 0, r) * divisor(pool, 1, s)) as f64);
                    window::mean(simd, spec, window, divisor, x, y);
                }
            }
        }
    }));
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each output's gradient is spread evenly over its window.
pub fn avg_backward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, spec: P, dy: &[Y], dx: &mut [X],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    let pool = const { &P::POOL };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            let divisor = |r, s| T::of((divisor(pool, 0, r) * divisor(pool, 1, s)) as f64);
            spread(simd, spec, dy.flat(), NoPlaces, divisor, dx.flat_mut());
        }
    }));
}

/// `y[i][c] ← mean of channel c`. The channels are as many as `Y` has elements.
pub fn global_avg_forward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN > 0 && Y::LEN > 0 && X::LEN.is_multiple_of(Y::LEN)) };
    simd.vectorize(Run(|| {
        let (channels, pixels) = const { (Y::LEN, X::LEN / Y::LEN) };
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            each_vector!(S::LANES, Y::LEN, channels, |c, L| {
                // SAFETY: x has `pixels` times the channels, y has the channels; c + L ≤ channels.
                unsafe {
                    let sum = sum::<T, L>(x, c, channels, pixels);
                    store(y, c, lanes::<T, L>(|i| sum[i] / T::of(pixels as f64)));
                }
            });
        }
    }));
}

/// The sums of channels `c..c + L` over all pixels.
///
/// # Safety
/// `x.len() ≥ pixels · channels`, and `c + L ≤ channels`.
#[inline(always)]
unsafe fn sum<T: Scalar, const L: usize>(x: &[T], c: usize, channels: usize, pixels: usize) -> [T; L] {
    // Four sums side by side, as an addition takes four cycles.
    const SIDE_BY_SIDE: usize = 4;
    let mut sums = [[T::zero(); L]; SIDE_BY_SIDE];
    let mut p = 0;
    while p + SIDE_BY_SIDE <= pixels {
        for (k, sum) in sums.iter_mut().enumerate() {
            // SAFETY: p + k < pixels, so the pixel's channels are in x.
            let x: [T; L] = unsafe { load(x, (p + k) * channels + c) };
            *sum = lanes(|i| sum[i] + x[i]);
        }
        p += SIDE_BY_SIDE;
    }
    while p < pixels {
        // SAFETY: as above.
        let x: [T; L] = unsafe { load(x, p * channels + c) };
        sums[0] = lanes(|i| sums[0][i] + x[i]);
        p += 1;
    }
    lanes(|i| (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]))
}

/// `dx[i] ← dy[i][c] / (H · W)` in each channel.
pub fn global_avg_backward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, dy: &[Y], dx: &mut [X]) {
    const { assert!(X::LEN > 0 && Y::LEN > 0 && X::LEN.is_multiple_of(Y::LEN)) };
    simd.vectorize(Run(|| {
        let (channels, pixels) = const { (Y::LEN, X::LEN / Y::LEN) };
        for (dx, dy) in dx.iter_mut().zip(dy) {
            let (dx, dy) = (dx.flat_mut(), dy.flat());
            each_vector!(S::LANES, Y::LEN, channels, |c, L| {
                // SAFETY: dx has `pixels` times the channels, dy has the channels; c + L ≤ channels, p < pixels.
                unsafe {
                    let dy: [T; L] = load(dy, c);
                    let share: [T; L] = lanes(|i| dy[i] / T::of(pixels as f64));
                    for p in 0..pixels {
                        store(dx, p * channels + c, share);
                    }
                }
            });
        }
    }));
}
