//! Element-wise steps, softmax, and the way from planes to pixels and back: what stands by itself, not behind a convolution or a linear layer.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::channels::{lanes, load, store};
use crate::kernels::simd::{Run, Simd};
use crate::kernels::stage::scale_by_derivative;
use crate::kernels::vectors::{self, by_vectors};
use crate::plain::Plain;
use crate::shape::Shape;

/// `y[i] ← f(x[i])`.
pub fn forward<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, act: A, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.flat().iter().zip(y.flat_mut()) {
                *y = act.apply(*x);
            }
        }
    }));
}

/// `y[i] ← f(y[i])`.
pub fn forward_in_place<T: Scalar, S: Simd<T>, A: Activation<T>, Y: Plain<T>>(simd: S, act: A, y: &mut [Y]) {
    simd.vectorize(Run(|| {
        for y in y {
            let y = y.flat_mut().as_mut_ptr();
            by_vectors!(Y::LEN, |i, lanes| {
                let y = y.wrapping_add(i);
                // SAFETY: these are among the elements of y.
                unsafe { vectors::store(simd, y, act.vector(simd, vectors::load(simd, y, lanes)), lanes) };
            });
        }
    }));
}

/// `dy[i] ← dy[i] ⊙ f′`, from the output `y` where `f` is monotone, from the input otherwise.
pub fn backward_in_place<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, act: A, kept: &[X], dy: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (kept, dy) in kept.iter().zip(dy) {
            scale_by_derivative(simd, act, kept.flat(), dy.flat_mut(), &mut []);
        }
    }));
}

/// `y[i] ← x[i]`, in another shape of the same length.
pub fn copy<T: Scalar, X: Plain<T>, Y: Plain<T>>(x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == Y::LEN) };
    for (x, y) in x.iter().zip(y) {
        y.flat_mut().copy_from_slice(x.flat());
    }
}

/// `y[i] ← f(x[i] + skip[i])`.
pub fn add_forward<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, R: Plain<T>, Y: Plain<T>>(
    simd: S, act: A, x: &[X], skip: &[R], y: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN && R::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for ((x, skip), y) in x.iter().zip(skip).zip(y) {
            for ((x, skip), y) in x.flat().iter().zip(skip.flat()).zip(y.flat_mut()) {
                *y = act.apply(*x + *skip);
            }
        }
    }));
}

/// `y[i] ← f(y[i] + skip[i])`.
pub fn add_forward_in_place<T: Scalar, S: Simd<T>, A: Activation<T>, R: Plain<T>, Y: Plain<T>>(
    simd: S, act: A, skip: &[R], y: &mut [Y],
) {
    const { assert!(R::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (skip, y) in skip.iter().zip(y) {
            for (skip, y) in skip.flat().iter().zip(y.flat_mut()) {
                *y = act.apply(*y + *skip);
            }
        }
    }));
}

/// `dx[i] += dy[i]`: where a map goes two ways, its gradient comes from both.
pub fn accumulate<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, dx: &mut [X], dy: &[Y]) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            for (dx, dy) in dx.flat_mut().iter_mut().zip(dy.flat()) {
                *dx += *dy;
            }
        }
    }));
}

/// `y[i] ← x[i]` from planes, `[C][H][W]`, to pixels, `[H][W][C]`.
pub fn to_pixels<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, shape: Shape, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            transpose(simd, shape.c, shape.h.saturating_mul(shape.w), x.flat(), y.flat_mut());
        }
    }));
}

/// `y[i] ← x[i]` from pixels, `[H][W][C]`, to planes, `[C][H][W]`.
pub fn to_planes<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, shape: Shape, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            transpose(simd, shape.h.saturating_mul(shape.w), shape.c, x.flat(), y.flat_mut());
        }
    }));
}

/// `y[j][i] ← x[i][j]`, `x: [rows][columns]`. Nothing is done where the lengths are not that.
#[inline(always)]
pub(super) fn transpose<T: Scalar, S: Simd<T>>(simd: S, rows: usize, columns: usize, x: &[T], y: &mut [T]) {
    if rows.checked_mul(columns) != Some(x.len()) || y.len() != x.len() {
        return;
    }
    if rows == 1 || columns == 1 {
        return y.copy_from_slice(x);
    }
    transpose_into(simd, rows, columns, x, y, rows);
}

/// `y[j · stride + i] ← x[i][j]`, `x: [rows][columns]`. Nothing is done where the slices are too short or `stride < rows`.
#[inline(always)]
pub(super) fn transpose_into<T: Scalar, S: Simd<T>>(
    simd: S, rows: usize, columns: usize, x: &[T], y: &mut [T], stride: usize,
) {
    // A block of 16 × 16 fills the lines of the cache that it writes, whose addresses may be powers of two apart: without it
    // 256 × 256 elements took ten times as long.
    const SIDE: usize = 16;
    let last = columns.checked_sub(1).and_then(|columns| columns.checked_mul(stride)?.checked_add(rows));
    let fits = rows.checked_mul(columns).is_some_and(|len| len <= x.len()) && last.is_some_and(|end| end <= y.len());
    if !fits || stride < rows {
        return;
    }
    for top in (0..rows).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            // SAFETY: the block ends with the rows and columns, and both slices have been measured above.
            unsafe {
                let (bottom, right) = ((top + SIDE).min(rows), (left + SIDE).min(columns));
                transpose_block(simd, top..bottom, left..right, columns, x, y, stride);
            }
        }
    }
}

/// [`transpose_into`] of some rows and columns.
///
/// # Safety
/// The ranges are not empty, row `i.end − 1` of x has its `columns`, and y an element `i.end − 1` in its row `j.end − 1`.
#[inline(always)]
unsafe fn transpose_block<T: Scalar, S: Simd<T>>(
    simd: S, i: Range<usize>, j: Range<usize>, columns: usize, x: &[T], y: &mut [T], stride: usize,
) {
    // By 4 × 4, turned in registers, and what is left one by one. (8 × 8 took half as long again with AVX2 and AVX-512.) Pointers are opaque, so that each block stays by
    // itself: of loops over them the compiler makes scattered stores with AVX-512, which take a dozen cycles and more for eight elements.
    const B: usize = 4;
    let (whole_i, whole_j) = (i.start + i.len() / B * B, j.start + j.len() / B * B);
    // SAFETY: the caller's.
    unsafe {
        for i in (i.start..whole_i).step_by(B) {
            for j in (j.start..whole_j).step_by(B) {
                let from = simd.opaque(x.as_ptr().add(i * columns + j));
                let x = core::slice::from_raw_parts(from, (B - 1) * columns + B);
                let block: [[T; B]; B] = lanes(|k| load(x, k * columns));
                for k in 0..B {
                    store::<T, B>(y, (j + k) * stride + i, lanes(|l| block[l][k]));
                }
            }
        }
        for i in i {
            for j in if i < whole_i { whole_j } else { j.start }..j.end {
                *y.get_unchecked_mut(j * stride + i) = *simd.opaque(x.as_ptr().add(i * columns + j));
            }
        }
    }
}

/// `y[c] ← exp(x[c]) / Σ_k exp(x[k])` over the `channels` of each pixel.
///
/// The largest logit is subtracted first, so that nothing overflows.
pub fn softmax_forward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, channels: usize, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            y.flat_mut().copy_from_slice(x.flat());
            softmax_image(channels, y.flat_mut());
        }
    }));
}

/// [`softmax_forward`] where it stands.
pub fn softmax_forward_in_place<T: Scalar, S: Simd<T>, Y: Plain<T>>(simd: S, channels: usize, y: &mut [Y]) {
    simd.vectorize(Run(|| {
        for y in y {
            softmax_image(channels, y.flat_mut());
        }
    }));
}

#[inline(always)]
fn softmax_image<T: Scalar>(channels: usize, y: &mut [T]) {
    for y in y.chunks_exact_mut(channels.max(1)) {
        let largest = y.iter().copied().fold(T::neg_infinity(), T::max);
        let mut sum = T::zero();
        for y in y.iter_mut() {
            *y = (*y - largest).exp();
            sum += *y;
        }
        for y in y {
            *y /= sum;
        }
    }
}

/// `dy[c] ← y[c] · (dy[c] − Σ_k dy[k] · y[k])` over the channels of each pixel.
pub fn softmax_backward_in_place<T: Scalar, S: Simd<T>, Y: Plain<T>, D: Plain<T>>(
    simd: S, channels: usize, y: &[Y], dy: &mut [D],
) {
    const { assert!(Y::LEN == D::LEN) };
    simd.vectorize(Run(|| {
        for (y, dy) in y.iter().zip(dy) {
            let channels = channels.max(1);
            for (y, dy) in y.flat().chunks_exact(channels).zip(dy.flat_mut().chunks_exact_mut(channels)) {
                let dot: T = y.iter().zip(dy.iter()).map(|(y, dy)| *y * *dy).sum();
                for (y, dy) in y.iter().zip(dy) {
                    *dy = *y * (*dy - dot);
                }
            }
        }
    }));
}
