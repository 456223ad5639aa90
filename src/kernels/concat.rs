//! Branches joined along the channels, and the gradient on its way back into them.
//!
//! Maps lie in pixels order, `[H][W][C]`, so the channels of a branch are a slice of each pixel of the joined map: `CHANNELS` of its `TOTAL`, from
//! `FIRST` on. The three are constants, so that the compiler moves a pixel's slice in vectors and needs no loop for few channels; a flat vector
//! is one pixel, whose slice is copied in one piece.

use crate::Scalar;
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;

/// Whether maps of these lengths are a branch and the joined map.
const fn fits(channels: usize, first: usize, total: usize, branch: usize, joined: usize) -> bool {
    channels > 0
        && first + channels <= total
        && branch.is_multiple_of(channels)
        && joined.is_multiple_of(total)
        && branch / channels == joined / total
}

/// `y[i][p][FIRST + c] ← x[i][p][c]` in each pixel `p`: a branch is put into the joined map.
pub fn join<
    const CHANNELS: usize,
    const FIRST: usize,
    const TOTAL: usize,
    T: Scalar,
    S: Simd<T>,
    X: Plain<T>,
    Y: Plain<T>,
>(
    simd: S, x: &[X], y: &mut [Y],
) {
    const { assert!(fits(CHANNELS, FIRST, TOTAL, X::LEN, Y::LEN)) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.flat().chunks_exact(CHANNELS).zip(y.flat_mut().chunks_exact_mut(TOTAL)) {
                y[FIRST..FIRST + CHANNELS].copy_from_slice(x);
            }
        }
    }));
}

/// `dx[i][p][c] ← dy[i][p][FIRST + c]`: the branch's part of the gradient.
pub fn split<
    const CHANNELS: usize,
    const FIRST: usize,
    const TOTAL: usize,
    T: Scalar,
    S: Simd<T>,
    X: Plain<T>,
    Y: Plain<T>,
>(
    simd: S, dy: &[Y], dx: &mut [X],
) {
    const { assert!(fits(CHANNELS, FIRST, TOTAL, X::LEN, Y::LEN)) };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            for (dx, dy) in dx.flat_mut().chunks_exact_mut(CHANNELS).zip(dy.flat().chunks_exact(TOTAL)) {
                dx.copy_from_slice(&dy[FIRST..FIRST + CHANNELS]);
            }
        }
    }));
}

/// `dx[i][p][c] += dy[i][p][FIRST + c]`: as [`split`], where others read the branch too.
pub fn split_add<
    const CHANNELS: usize,
    const FIRST: usize,
    const TOTAL: usize,
    T: Scalar,
    S: Simd<T>,
    X: Plain<T>,
    Y: Plain<T>,
>(
    simd: S, dy: &[Y], dx: &mut [X],
) {
    const { assert!(fits(CHANNELS, FIRST, TOTAL, X::LEN, Y::LEN)) };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            for (dx, dy) in dx.flat_mut().chunks_exact_mut(CHANNELS).zip(dy.flat().chunks_exact(TOTAL)) {
                for (dx, dy) in dx.iter_mut().zip(&dy[FIRST..FIRST + CHANNELS]) {
                    *dx += *dy;
                }
            }
        }
    }));
}
