//! Pooling as a step of its own: any window, stride, padding and rounding.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::simd::{Run, Simd};
use crate::kernels::stage::{PoolSpec, exceeds, place_bytes, places, put_places};
use crate::plain::Plain;
use crate::shape::Pool;

/// The inputs of one window along one axis: the first place in the window that lies inside, and the input range.
#[inline(always)]
fn window(pool: &Pool, axis: usize, at: usize) -> (usize, Range<usize>) {
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

/// `y ← f(index, row, column, the channel's input plane)` for each output.
#[inline(always)]
fn each_output<'a, T>(pool: &Pool, x: &'a [T], y: &mut [T], mut f: impl FnMut(usize, usize, usize, &'a [T]) -> T) {
    let out = pool.output();
    let (plane, out_plane) = ((pool.input.h * pool.input.w).max(1), (out.h * out.w).max(1));
    let mut at = 0;
    for (plane, y) in x.chunks_exact(plane).zip(y.chunks_exact_mut(out_plane)) {
        for (r, y) in y.chunks_exact_mut(out.w.max(1)).enumerate() {
            for (s, y) in y.iter_mut().enumerate() {
                *y = f(at, r, s, plane);
                at += 1;
            }
        }
    }
}

/// The inputs of one window, row by row.
#[inline(always)]
fn window_rows<'a, T>(
    pool: &Pool, plane: &'a [T], rows: Range<usize>, columns: Range<usize>,
) -> impl Iterator<Item = &'a [T]> {
    let rows = plane.chunks_exact(pool.input.w.max(1)).skip(rows.start).take(rows.len());
    rows.filter_map(move |row| row.get(columns.clone()))
}

/// `y[i] ← max over each window of x[i]`; NaN counts as larger than any number.
pub fn max_forward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, pool: P, x: &[X], y: &mut [Y],
) {
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            max_image(pool, x, y, |_, _| ());
        }
    }));
}

/// As [`max_forward`], and `index[i] ←` the places of the maxima in their windows, for the backward pass.
pub fn max_forward_indexed<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>, I: Plain<u8>>(
    simd: S, pool: P, x: &[X], y: &mut [Y], index: &mut [I],
) {
    simd.vectorize(Run(|| {
        for ((x, y), index) in x.iter().zip(y).zip(index) {
            let (index, bytes) = (index.flat_mut(), const { place_bytes(&P::POOL, I::LEN) });
            max_image(pool, x, y, |at, place| put_places(index, at, bytes, &[place as u32]));
        }
    }));
}

#[inline(always)]
fn max_image<T: Scalar, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(
    _: P, x: &X, y: &mut Y, mut place: impl FnMut(usize, usize),
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    let pool = const { &P::POOL };
    each_output(pool, x.flat(), y.flat_mut(), |at, r, s, plane| {
        let ((u, rows), (v, columns)) = (window(pool, 0, r), window(pool, 1, s));
        let (mut best, mut best_place) = (T::neg_infinity(), u * pool.kernel[1] + v);
        for (u, row) in (u..).zip(window_rows(pool, plane, rows, columns)) {
            for (v, value) in (v..).zip(row) {
                if exceeds(*value, best) {
                    (best, best_place) = (*value, u * pool.kernel[1] + v);
                }
            }
        }
        place(at, best_place);
        best
    });
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each output's gradient goes to the place of its maximum.
pub fn max_backward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>, I: Plain<u8>>(
    simd: S, _: P, dy: &[Y], index: &[I], dx: &mut [X],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    let pool = const { &P::POOL };
    simd.vectorize(Run(|| {
        for ((dx, dy), index) in dx.iter_mut().zip(dy).zip(index) {
            let (dx, out) = (dx.flat_mut(), const { P::POOL.output() });
            dx.fill(T::zero());
            let places = places(index.flat(), const { place_bytes(&P::POOL, I::LEN) });
            for (at, (dy, place)) in dy.flat().iter().zip(places).enumerate() {
                // `max(1)`: a side of 0, which there is not, would have a panic path.
                let (h, w) = (out.h.max(1), out.w.max(1));
                let (c, r, s) = (at / (h * w), at / w % h, at % w);
                let row = (r * pool.stride[0] + place / pool.kernel[1].max(1)).wrapping_sub(pool.padding[0]);
                let column = (s * pool.stride[1] + place % pool.kernel[1].max(1)).wrapping_sub(pool.padding[2]);
                let x = (c * pool.input.h).wrapping_add(row).wrapping_mul(pool.input.w).wrapping_add(column);
                if let Some(dx) = dx.get_mut(x) {
                    *dx += *dy;
                }
            }
        }
    }));
}

/// `y[i] ← mean over each window of x[i]`, padding counted as zeros.
pub fn avg_forward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(simd: S, _: P, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    let pool = const { &P::POOL };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            each_output(pool, x.flat(), y.flat_mut(), |_, r, s, plane| {
                let ((_, rows), (_, columns)) = (window(pool, 0, r), window(pool, 1, s));
                let sum: T = window_rows(pool, plane, rows, columns).flatten().copied().sum();
                sum / T::of((divisor(pool, 0, r) * divisor(pool, 1, s)) as f64)
            });
        }
    }));
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each output's gradient is spread evenly over its window.
pub fn avg_backward<T: Scalar, S: Simd<T>, P: PoolSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, _: P, dy: &[Y], dx: &mut [X],
) {
    const { assert!(X::LEN == P::POOL.input.len() && Y::LEN == P::POOL.output().len()) };
    let pool = const { &P::POOL };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            let out = const { P::POOL.output() };
            let dx = dx.flat_mut();
            dx.fill(T::zero());
            let planes = dx.chunks_exact_mut((pool.input.h * pool.input.w).max(1));
            for (dx, dy) in planes.zip(dy.flat().chunks_exact((out.h * out.w).max(1))) {
                for (at, dy) in dy.iter().enumerate() {
                    let (r, s) = (at / out.w.max(1), at % out.w.max(1));
                    let ((_, rows), (_, columns)) = (window(pool, 0, r), window(pool, 1, s));
                    let share = *dy / T::of((divisor(pool, 0, r) * divisor(pool, 1, s)) as f64);
                    for row in dx.chunks_exact_mut(pool.input.w.max(1)).skip(rows.start).take(rows.len()) {
                        for dx in row.get_mut(columns.clone()).into_iter().flatten() {
                            *dx += share;
                        }
                    }
                }
            }
        }
    }));
}

/// `y[i][c] ← mean of channel c`. The channels are as many as `Y` has elements.
pub fn global_avg_forward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN > 0 && Y::LEN > 0 && X::LEN.is_multiple_of(Y::LEN)) };
    simd.vectorize(Run(|| {
        let plane = const { X::LEN / Y::LEN };
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.flat().chunks_exact(plane).zip(y.flat_mut()) {
                *y = x.iter().copied().sum::<T>() / T::of(plane as f64);
            }
        }
    }));
}

/// `dx[i] ← dy[i][c] / (H · W)` in each channel.
pub fn global_avg_backward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, dy: &[Y], dx: &mut [X]) {
    const { assert!(X::LEN > 0 && Y::LEN > 0 && X::LEN.is_multiple_of(Y::LEN)) };
    simd.vectorize(Run(|| {
        let plane = const { X::LEN / Y::LEN };
        for (dx, dy) in dx.iter_mut().zip(dy) {
            for (dx, dy) in dx.flat_mut().chunks_exact_mut(plane).zip(dy.flat()) {
                dx.fill(*dy / T::of(plane as f64));
            }
        }
    }));
}
