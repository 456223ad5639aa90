//! Upsampling of a map, `[H][W][C]`, by whole factors: nearest neighbours or bilinear, and its transpose.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;
use crate::shape::{Axis, Between, Upsample, UpsampleMode};

/// An upsampling known to the compiler.
pub trait UpsampleSpec: Copy + Send + Sync {
    /// Its numbers.
    const UPSAMPLE: Upsample;
}

/// Whether nothing is interpolated.
const fn repeats(upsample: &Upsample) -> bool {
    matches!(upsample.mode, UpsampleMode::Nearest)
}

/// The elements of pixel (h, w).
#[inline(always)]
const fn pixel(upsample: &Upsample, h: usize, w: usize) -> Range<usize> {
    let (first, channels) = ((h * upsample.input.w + w) * upsample.input.c, upsample.input.c);
    first..first + channels
}

/// The shares of two neighbours.
#[inline(always)]
fn shares<T: Scalar>(between: &Between) -> [T; 2] {
    let second = between.share as f64 / between.of as f64;
    [T::of(1.0 - second), T::of(second)]
}

/// The four pixels that a pixel of the output lies between, and their shares.
#[inline(always)]
fn corners<T: Scalar>(upsample: &Upsample, rows: &Between, columns: &Between) -> [(Range<usize>, T); 4] {
    let ([top, bottom], [left, right]) = (shares::<T>(rows), shares::<T>(columns));
    [
        (pixel(upsample, rows.first, columns.first), top * left),
        (pixel(upsample, rows.first, columns.second), top * right),
        (pixel(upsample, rows.second, columns.first), bottom * left),
        (pixel(upsample, rows.second, columns.second), bottom * right),
    ]
}

/// `y[i] ← x[i]`, larger.
pub fn forward<T: Scalar, S: Simd<T>, U: UpsampleSpec, X: Plain<T>, Y: Plain<T>>(simd: S, _: U, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == U::UPSAMPLE.input.len() && Y::LEN == U::UPSAMPLE.output().len()) };
    let upsample = const { &U::UPSAMPLE };
    let (channels, width) = const { (U::UPSAMPLE.input.c, U::UPSAMPLE.output().w) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            for (r, y) in y.chunks_exact_mut((width * channels).max(1)).enumerate() {
                let rows = upsample.between(Axis::Height, r);
                for (s, y) in y.chunks_exact_mut(channels.max(1)).enumerate() {
                    let columns = upsample.between(Axis::Width, s);
                    if const { repeats(&U::UPSAMPLE) } {
                        let Some(x) = x.get(pixel(upsample, rows.first, columns.first)) else { return };
                        for (y, x) in y.iter_mut().zip(x) {
                            *y = *x;
                        }
                        continue;
                    }
                    let [(a, of_a), (b, of_b), (c, of_c), (d, of_d)] = corners::<T>(upsample, &rows, &columns);
                    let (Some(a), Some(b), Some(c), Some(d)) = (x.get(a), x.get(b), x.get(c), x.get(d)) else { return };
                    for ((((y, a), b), c), d) in y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                        *y = (*a * of_a + *b * of_b) + (*c * of_c + *d * of_d);
                    }
                }
            }
        }
    }));
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each element gets its shares of the gradients around it.
pub fn backward<T: Scalar, S: Simd<T>, U: UpsampleSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, _: U, dy: &[Y], dx: &mut [X],
) {
    const { assert!(X::LEN == U::UPSAMPLE.input.len() && Y::LEN == U::UPSAMPLE.output().len()) };
    let upsample = const { &U::UPSAMPLE };
    let (channels, width) = const { (U::UPSAMPLE.input.c, U::UPSAMPLE.output().w) };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            let (dx, dy) = (dx.flat_mut(), dy.flat());
            dx.fill(T::zero());
            for (r, dy) in dy.chunks_exact((width * channels).max(1)).enumerate() {
                let rows = upsample.between(Axis::Height, r);
                for (s, dy) in dy.chunks_exact(channels.max(1)).enumerate() {
                    let columns = upsample.between(Axis::Width, s);
                    if const { repeats(&U::UPSAMPLE) } {
                        add(pixel(upsample, rows.first, columns.first), T::one(), dy, dx);
                        continue;
                    }
                    for (at, share) in corners::<T>(upsample, &rows, &columns) {
                        add(at, share, dy, dx);
                    }
                }
            }
        }
    }));
}

/// `dx[at] += share · dy`.
#[inline(always)]
fn add<T: Scalar>(at: Range<usize>, share: T, dy: &[T], dx: &mut [T]) {
    let Some(dx) = dx.get_mut(at) else { return };
    for (dx, dy) in dx.iter_mut().zip(dy) {
        *dx += share * *dy;
    }
}
