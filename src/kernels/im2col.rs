//! The input of a convolution, laid out for the product: a padded copy, or the im2col matrix.
//!
//! Layouts, for output rows `rows` of one group of `channels` input channels:
//! - padded band: `[channels][(rows − 1) · stride + extent][padded width]`, zeros where the padding is;
//! - im2col matrix: `[channels · kernel height · kernel width][rows · output width]`, row `(c, u, v)` holding the input
//!   that tap `(c, u, v)` sees at each output.

use core::ops::Range;

use crate::Scalar;
use crate::shape::Conv;

/// Copies what output rows `rows` see of `x` (channels `channels` of `[C, H, W]`) into a padded band.
#[inline(always)]
pub fn pad_rows<T: Scalar>(conv: &Conv, x: &[T], channels: Range<usize>, rows: Range<usize>, band: &mut [T]) {
    let (h, w) = (conv.input.h, conv.input.w);
    let ([top, _, left, _], [_, padded_w]) = (conv.padding, conv.padded());
    let band_h = (rows.len() - 1) * conv.stride[0] + conv.extent()[0];
    let first = rows.start * conv.stride[0];
    let planes = x.chunks_exact(h * w).skip(channels.start).take(channels.len());
    for (plane, band) in planes.zip(band.chunks_exact_mut((band_h * padded_w).max(1))) {
        for (r, to) in band.chunks_exact_mut(padded_w).enumerate() {
            // Row r of the band is row first + r of the padded input.
            let from = (first + r).wrapping_sub(top);
            match plane.get(from.wrapping_mul(w)..).filter(|_| from < h).and_then(|rest| rest.get(..w)) {
                Some(from) => {
                    let (before, rest) = to.split_at_mut(left);
                    let (inside, after) = rest.split_at_mut(w);
                    before.fill(T::zero());
                    inside.copy_from_slice(from);
                    after.fill(T::zero());
                }
                None => to.fill(T::zero()),
            }
        }
    }
}

/// The output columns of a row for which tap column `v` reads inside the input, and the input column of the first one.
#[inline(always)]
fn inside(conv: &Conv, v: usize, ow: usize) -> (Range<usize>, usize) {
    let (left, stride, shift) = (conv.padding[2], conv.stride[1], v * conv.dilation[1]);
    // s · stride + shift − left ≥ 0 from `begin` on, and < W up to `end`.
    let begin = if shift >= left { 0 } else { (left - shift).div_ceil(stride) };
    let end = if conv.input.w + left > shift { (conv.input.w + left - shift).div_ceil(stride) } else { 0 };
    let begin = begin.min(ow);
    (begin..end.clamp(begin, ow), (begin * stride + shift).saturating_sub(left))
}

/// Calls `f(row of the matrix's part for one output row, output columns, input plane offset and first column)` for each tap and output row.
#[inline(always)]
fn each_run(
    conv: &Conv, channels: Range<usize>, rows: Range<usize>, mut f: impl FnMut(usize, Option<(Range<usize>, usize)>),
) {
    let (h, w, ow) = (conv.input.h, conv.input.w, conv.output().w);
    let mut at = 0;
    for c in channels {
        for u in 0..conv.kernel[0] {
            for v in 0..conv.kernel[1] {
                let (columns, first) = inside(conv, v, ow);
                for r in rows.clone() {
                    let y = (r * conv.stride[0] + u * conv.dilation[0]).wrapping_sub(conv.padding[0]);
                    f(at, (y < h).then(|| (columns.clone(), (c * h + y) * w + first)));
                    at += ow;
                }
            }
        }
    }
}

/// `matrix ← im2col(x)` for the given channels and output rows.
#[inline(always)]
pub fn im2col<T: Scalar>(conv: &Conv, x: &[T], channels: Range<usize>, rows: Range<usize>, matrix: &mut [T]) {
    let (ow, stride) = (conv.output().w, conv.stride[1]);
    each_run(conv, channels, rows, |at, run| {
        let Some(to) = matrix.get_mut(at..at + ow) else { return };
        to.fill(T::zero());
        if let Some((columns, first)) = run
            && let (Some(to), Some(from)) = (to.get_mut(columns), x.get(first..))
        {
            for (to, from) in to.iter_mut().zip(from.iter().step_by(stride)) {
                *to = *from;
            }
        }
    });
}

/// `x += col2im(matrix)`: the transpose of [`im2col`], each entry added to the input that it came from.
#[inline(always)]
pub fn col2im<T: Scalar>(conv: &Conv, matrix: &[T], channels: Range<usize>, rows: Range<usize>, x: &mut [T]) {
    let (ow, stride) = (conv.output().w, conv.stride[1]);
    each_run(conv, channels, rows, |at, run| {
        if let Some((columns, first)) = run
            && let (Some(from), Some(to)) =
                (matrix.get(at..at + ow).and_then(|row| row.get(columns)), x.get_mut(first..))
        {
            for (to, from) in to.iter_mut().step_by(stride).zip(from) {
                *to += *from;
            }
        }
    });
}
