//! Padding as a layer of its own: rows and columns of zeros, of a reflection or of the edges around a map, `[H][W][C]`.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;
use crate::shape::{Axis, Pad};

/// A padding known to the compiler.
pub trait PadSpec: Copy + Send + Sync {
    /// Its numbers.
    const PAD: Pad;
}

/// The columns of a padded row that are the input's.
const fn inside(pad: &Pad) -> Range<usize> {
    pad.padding[2]..pad.padding[2] + pad.input.w
}

/// The columns of a padded row beside those, with the input's columns that they show.
#[inline(always)]
fn beside(pad: &Pad) -> impl Iterator<Item = (usize, Option<usize>)> {
    let (pad, inside, width) = (*pad, inside(pad), pad.output().w);
    (0..inside.start).chain(inside.end..width).map(move |s| (s, pad.source(Axis::Width, s)))
}

/// The channels of a row's pixel.
#[inline(always)]
fn pixel(pad: &Pad, at: usize) -> Range<usize> {
    at * pad.input.c..(at + 1) * pad.input.c
}

/// `y[i] ← x[i]`, padded.
pub fn forward<T: Scalar, S: Simd<T>, P: PadSpec, X: Plain<T>, Y: Plain<T>>(simd: S, _: P, x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == P::PAD.input.len() && Y::LEN == P::PAD.output().len()) };
    let pad = const { &P::PAD };
    let (row, padded_row) = const { (P::PAD.input.w * P::PAD.input.c, P::PAD.output().w * P::PAD.input.c) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            for (r, y) in y.chunks_exact_mut(padded_row.max(1)).enumerate() {
                let from = pad.source(Axis::Height, r).and_then(|h| x.get(h * row..(h + 1) * row));
                match from {
                    Some(x) => forward_row(pad, x, y),
                    None => y.fill(T::zero()),
                }
            }
        }
    }));
}

#[inline(always)]
fn forward_row<T: Scalar>(pad: &Pad, x: &[T], y: &mut [T]) {
    let all = inside(pad);
    if let Some(y) = y.get_mut(all.start * pad.input.c..all.end * pad.input.c) {
        copy(x, y);
    }
    for (s, from) in beside(pad) {
        let Some(y) = y.get_mut(pixel(pad, s)) else { return };
        match from.and_then(|w| x.get(pixel(pad, w))) {
            Some(x) => copy(x, y),
            None => y.fill(T::zero()),
        }
    }
}

#[inline(always)]
fn copy<T: Copy>(x: &[T], y: &mut [T]) {
    for (x, y) in x.iter().zip(y) {
        *y = *x;
    }
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each element gets the sum over the places where it is shown.
pub fn backward<T: Scalar, S: Simd<T>, P: PadSpec, X: Plain<T>, Y: Plain<T>>(simd: S, _: P, dy: &[Y], dx: &mut [X]) {
    const { assert!(X::LEN == P::PAD.input.len() && Y::LEN == P::PAD.output().len()) };
    let pad = const { &P::PAD };
    let (row, padded_row) = const { (P::PAD.input.w * P::PAD.input.c, P::PAD.output().w * P::PAD.input.c) };
    simd.vectorize(Run(|| {
        for (dx, dy) in dx.iter_mut().zip(dy) {
            let (dx, dy) = (dx.flat_mut(), dy.flat());
            dx.fill(T::zero());
            for (r, dy) in dy.chunks_exact(padded_row.max(1)).enumerate() {
                let to = pad.source(Axis::Height, r).and_then(|h| dx.get_mut(h * row..(h + 1) * row));
                if let Some(dx) = to {
                    backward_row(pad, dy, dx);
                }
            }
        }
    }));
}

#[inline(always)]
fn backward_row<T: Scalar>(pad: &Pad, dy: &[T], dx: &mut [T]) {
    let all = inside(pad);
    if let Some(dy) = dy.get(all.start * pad.input.c..all.end * pad.input.c) {
        add(dy, dx);
    }
    for (s, to) in beside(pad) {
        if let (Some(dy), Some(dx)) = (dy.get(pixel(pad, s)), to.and_then(|w| dx.get_mut(pixel(pad, w)))) {
            add(dy, dx);
        }
    }
}

#[inline(always)]
fn add<T: Scalar>(dy: &[T], dx: &mut [T]) {
    for (dy, dx) in dy.iter().zip(dx) {
        *dx += *dy;
    }
}
