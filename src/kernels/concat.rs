//! Branches joined along the channels, and the gradient on its way back into them.
//!
//! Maps lie in pixels order, `[H][W][C]`, so the channels of a branch are a slice of each pixel of the joined map: `CHANNELS` of its `TOTAL`, from
//! `FIRST` on. The three are constants, so that the compiler moves a pixel's slice in vectors and needs no loop for few channels; a flat vector
//! is one pixel, whose slice is copied in one piece.
//!
//! A convolution that ends a branch needs no copy: as a [`Branch`] it stores its pixels where they belong (`Slice::axes`).

use crate::Scalar;
use crate::kernels::conv::ConvSpec;
use crate::kernels::conv_transpose::ConvTransposeSpec;
use crate::kernels::correlate::Axis;
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;
use crate::shape::{Conv, ConvTranspose, Shape};

/// A branch's slice of each pixel of the joined map.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Channels of the branch.
    pub channels: usize,
    /// The first of them in the joined map.
    pub first: usize,
    /// Channels of the joined map.
    pub total: usize,
}

impl Slice {
    /// Whether maps of these lengths are a branch and the joined map.
    pub(super) const fn fits(&self, branch: usize, joined: usize) -> bool {
        self.channels > 0
            && self.first + self.channels <= self.total
            && branch.is_multiple_of(self.channels)
            && joined.is_multiple_of(self.total)
            && branch / self.channels == joined / self.total
    }

    /// The axes that write a branch's map, as those that write the slice: `y[i, j, c]` is element `(i · W + j) · total + first + c`.
    #[inline(always)]
    pub(super) const fn axes(&self, [rows, columns]: [Axis; 2]) -> [Axis; 2] {
        let (rows, columns) = (self.axis(rows), self.axis(columns));
        [rows, Axis { y_first: self.first + columns.y_first, ..columns }]
    }

    /// One of them: steps are whole pixels, of `total` elements for `channels`.
    #[inline(always)]
    const fn axis(&self, axis: Axis) -> Axis {
        Axis { y_first: axis.y_first / self.channels * self.total, y: axis.y / self.channels * self.total, ..axis }
    }
}

/// Where the output of a convolution lies: its axes, in a map of its own or in its slice of another.
#[inline(always)]
pub(super) const fn within(slice: Option<Slice>, axes: [Axis; 2]) -> [Axis; 2] {
    match slice {
        Some(slice) => slice.axes(axes),
        None => axes,
    }
}

/// Whether a map of `y` elements is this output, or the joined map of which it is a slice.
pub(super) const fn holds(slice: Option<Slice>, output: Shape, y: usize) -> bool {
    match slice {
        Some(slice) => slice.channels == output.c && slice.fits(output.len(), y),
        None => output.len() == y,
    }
}

/// A convolution that ends a branch, at inference: what it writes is its slice of the joined map.
#[derive(Clone, Copy, Debug)]
pub struct Branch<const CHANNELS: usize, const FIRST: usize, const TOTAL: usize, C>(pub C);

impl<const CHANNELS: usize, const FIRST: usize, const TOTAL: usize, C: ConvSpec> ConvSpec
    for Branch<CHANNELS, FIRST, TOTAL, C>
{
    const CONV: Conv = C::CONV;
    const PLANES: bool = C::PLANES;
    const SLICE: Option<Slice> = Some(Slice { channels: CHANNELS, first: FIRST, total: TOTAL });
}

impl<const CHANNELS: usize, const FIRST: usize, const TOTAL: usize, C: ConvTransposeSpec> ConvTransposeSpec
    for Branch<CHANNELS, FIRST, TOTAL, C>
{
    const TRANSPOSED: ConvTranspose = C::TRANSPOSED;
    const SLICE: Option<Slice> = Some(Slice { channels: CHANNELS, first: FIRST, total: TOTAL });
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
    const { assert!(Slice { channels: CHANNELS, first: FIRST, total: TOTAL }.fits(X::LEN, Y::LEN)) };
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
    const { assert!(Slice { channels: CHANNELS, first: FIRST, total: TOTAL }.fits(X::LEN, Y::LEN)) };
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
    const { assert!(Slice { channels: CHANNELS, first: FIRST, total: TOTAL }.fits(X::LEN, Y::LEN)) };
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
