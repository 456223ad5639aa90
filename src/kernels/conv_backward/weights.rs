//! dW: rows of the products are input channels, and the sums go over the outputs for which a tap lies inside.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::conv::{ConvSpec, Dense, Separate, forward_correlation, is_depthwise};
use crate::kernels::correlate::Axis;
use crate::kernels::epilogue::AddTo;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{Broadcast, Depthwise, Height, Lines, Rows, Walk};
use crate::kernels::winograd::weights::Sums;
use crate::kernels::{depthwise, gemm, winograd};
use crate::shape::Conv;

/// Whether dW reads a padded copy of the input, in pixels: where the input lies in planes, and where its channels are fewer than a tile has rows, but the
/// taps of a kernel row would make one product without padding.
pub(super) const fn pads(conv: &Conv, planes: bool) -> bool {
    const FEW: usize = 12;
    planes || conv.input.c < FEW && is_run(&padded(conv)) && !is_run(conv)
}

/// Whether dW goes by Winograd's tiles.
const fn is_tiled(conv: &Conv, planes: bool) -> bool {
    !planes && winograd::weights::fits(conv)
}

/// The sides of Winograd's tiles and kernels, where dW goes by them. `pool`: one whose maxima have places.
#[cfg(test)]
pub(in crate::kernels) fn weights_tile(
    conv: &Conv, planes: bool, pool: Option<crate::shape::Pool>,
) -> Option<[usize; 2]> {
    let is_tiled = is_tiled(conv, planes) && !crate::kernels::pooled::fits(conv, pool);
    is_tiled.then(|| [winograd::largest_tile(conv), conv.kernel[0]])
}

/// Elements that it borrows of the thread's [`Space`](crate::kernels::space::Space).
pub(super) const fn space_len(conv: &Conv, planes: bool) -> usize {
    if is_tiled(conv, planes) { winograd::weights::elements(conv) } else { 0 }
}

/// The sums of dW over the tiles of all images, in [`space_len`] elements, where it goes by tiles.
#[inline(always)]
pub(super) fn sums<T: Scalar, C: ConvSpec>(space: &mut [T]) -> Option<Sums<'_, T, Dense<C>>> {
    if const { is_tiled(&C::CONV, C::PLANES) } { Some(Sums::new(space)) } else { None }
}

/// The convolution of a padded input.
pub(in crate::kernels) const fn padded(conv: &Conv) -> Conv {
    let [h, w] = conv.padded();
    Conv { input: crate::shape::Shape::new(conv.input.c, h, w), padding: [0; 4], ..*conv }
}

/// Elements for that copy.
pub(super) const fn padded_len(conv: &Conv, planes: bool) -> usize {
    if pads(conv, planes) { padded(conv).input.len() } else { 0 }
}

/// A convolution as one of padded pixels.
#[derive(Clone, Copy)]
pub(super) struct Padded<C>(PhantomData<fn() -> C>);

impl<C: ConvSpec> ConvSpec for Padded<C> {
    const CONV: Conv = padded(&C::CONV);
    const PLANES: bool = false;
}

/// `padded ← x`, from planes or pixels to pixels, without the border: its zeros stay from image to image.
#[inline(always)]
pub(in crate::kernels) fn pad<T: Scalar>(conv: &Conv, planes: bool, x: &[T], padded: &mut [T]) {
    /// Planes that are read together: what is written between elements of others would not become vectors.
    const TOGETHER: usize = 4;
    let (c, h, w) = (conv.input.c, conv.input.h, conv.input.w);
    let (top, left, width) = (conv.padding[0], conv.padding[2], conv.padded()[1]);
    for row in 0..h {
        let Some(to) = padded.get_mut(((top + row) * width + left) * c..) else { return };
        if !planes {
            for (to, from) in to.iter_mut().zip(x.iter().skip(row * w * c).take(w * c)) {
                *to = *from;
            }
            continue;
        }
        for first in (0..c).step_by(TOGETHER) {
            let count = TOGETHER.min(c - first);
            let rows: [&[T]; TOGETHER] = core::array::from_fn(|k| {
                let at = ((first + k.min(count - 1)) * h + row) * w;
                x.get(at..at + w).unwrap_or_default()
            });
            if rows.iter().any(|row| row.len() < w) {
                return;
            }
            for (j, pixel) in to.chunks_exact_mut(c).take(w).enumerate() {
                for k in 0..count {
                    pixel[first + k] = rows[k][j];
                }
            }
        }
    }
}

/// Whether the taps of a kernel row are one product: all of them lie inside for all outputs, side by side.
const fn is_run(conv: &Conv) -> bool {
    conv.padding[2] == 0 && conv.padding[3] == 0 && conv.dilation[1] == 1 && conv.groups == 1
}

/// Whether all kernel rows lie inside for all outputs: their products are then lines of one call.
const fn is_block(conv: &Conv) -> bool {
    conv.padding[0] == 0 && conv.padding[1] == 0
}

/// The rows of such a product.
struct TapRows<C>(PhantomData<C>);

impl<C: ConvSpec> Height for TapRows<C> {
    const ROWS: usize = if is_run(&C::CONV) { C::CONV.kernel[1] * C::CONV.input.c } else { C::CONV.group_inputs() };
}

/// The taps of a kernel row as rows of a product: those of a depthwise convolution.
struct TapRow<C>(PhantomData<C>);

impl<C: ConvSpec> Height for TapRow<C> {
    const ROWS: usize = C::CONV.kernel[1];
}

/// `dW += Xᵀ · dZ` for one image.
///
/// # Safety
/// `x`, `dz` and `dw` have the convolution's lengths.
#[inline(always)]
pub(super) unsafe fn add<T: Scalar, S: Simd<T>, C: ConvSpec>(simd: S, x: *const T, dz: *const T, dw: *mut T) {
    // SAFETY: the caller's.
    unsafe {
        if const { is_depthwise(&C::CONV) && !S::ONE_BY_ONE } {
            depthwise::add_weights(simd, Separate::<C>(PhantomData), x, dz, dw);
        } else if const { is_depthwise(&C::CONV) } {
            depthwise_weights::<T, S, C>(simd, x, dz, dw);
        } else {
            dense_weights::<T, S, C>(simd, x, dz, dw);
        }
    }
}

/// The walk over outputs of these rows and columns.
#[inline(always)]
const fn outputs_walk(row: &Axis, column: &Axis, rows: usize, columns: usize) -> Walk {
    Walk {
        count: [1, rows, columns],
        a: [0, (row.stride * row.x) as isize, (column.stride * column.x) as isize],
        b: [0, row.y as isize, column.y as isize],
    }
}

/// Rows of outputs whose sums are added at a time: as many as have 128 outputs, or one, in equal parts. What each tile reads, a panel of their gradients and the pixels of some
/// input channels, then stays in the first-level cache, though pixels of many channels share few of its places. (With AVX2, 64 channels of 56 × 56 all at once took 1.5 times as
/// long as 256 columns at a time, and these 1.05 times as long as 128; 32 channels of 16 × 16 took 1.17 times as long with 256.)
const fn rows_at_a_time([row, column]: &[Axis; 2]) -> usize {
    const PIXELS: usize = 128;
    let most = PIXELS / if column.outputs == 0 { 1 } else { column.outputs };
    let most = if most == 0 { 1 } else { most };
    let parts = row.outputs.div_ceil(most);
    if parts == 0 { 1 } else { row.outputs.div_ceil(parts) }
}

/// [`add`] tap by tap: rows of the product are the input channels of a tap, or of a whole kernel row.
///
/// # Safety
/// As for [`add`].
#[inline(always)]
unsafe fn dense_weights<T: Scalar, S: Simd<T>, C: ConvSpec>(simd: S, x: *const T, dz: *const T, dw: *mut T) {
    let conv = const { &C::CONV };
    let [row, column] = const { forward_correlation(&C::CONV, false).axes };
    let (ic, group_oc, oc) = const { (C::CONV.group_inputs(), C::CONV.group_outputs(), C::CONV.out_channels) };
    // Without padding along the rows all taps of a kernel row are inside for all outputs: their channels are rows of one product.
    let (taps, n) = if const { is_run(&C::CONV) } { (1, column.taps * ic) } else { (column.taps, ic) };
    let (products, count) = if const { is_block(&C::CONV) } { (1, row.taps) } else { (row.taps, 1) };
    let many = const { rows_at_a_time(&forward_correlation(&C::CONV, false).axes) };
    for top in (0..row.outputs).step_by(many) {
        for u in 0..products {
            let of_tap = row.outputs_of(u);
            let rows = of_tap.start.max(top)..of_tap.end.min(top + many);
            for v in 0..taps {
                let columns = column.outputs_of(v);
                if rows.is_empty() || columns.is_empty() {
                    continue;
                }
                let (i, j) = (rows.start, columns.start);
                let walk = outputs_walk(&row, &column, rows.len(), columns.len());
                let at = u * row.w as usize + v * column.w as usize;
                for group in 0..conv.groups {
                    // SAFETY: the outputs are some of those for which the tap lies inside x, and where kernel rows are lines all of them do; dW has a row of OC for each row of A.
                    unsafe {
                        let a = x.offset(row.at(i, u) + column.at(j, v)).add(group * ic);
                        let b = dz.add(i * row.y + j * column.y + group * group_oc);
                        let lines = Lines {
                            first: Rows { a, a_step: 1, c: dw, at, at_step: oc, n },
                            count,
                            a_step: (row.dilation * row.x) as isize,
                            b_step: 0,
                            at_step: row.w as usize,
                        };
                        let (first, epilogue) = (group * group_oc, AddTo(dw.cast_const()));
                        gemm::columns::<T, S, _, Broadcast, TapRows<C>>(
                            simd, lines, b, group_oc, first, walk, epilogue,
                        );
                    }
                }
            }
        }
    }
}

/// [`add`] where numbers are computed one at a time, kernel row by kernel row: rows of the product are its taps, over the columns of outputs for which all of them lie
/// inside, so that dz is loaded once for them; then each tap by itself over the columns that it has beside those.
///
/// # Safety
/// As for [`add`].
#[inline(always)]
unsafe fn depthwise_weights<T: Scalar, S: Simd<T>, C: ConvSpec>(simd: S, x: *const T, dz: *const T, dw: *mut T) {
    let [row, column] = const { forward_correlation(&C::CONV, false).axes };
    let channels = const { C::CONV.out_channels };
    let (mut begin, mut end) = (0, column.outputs);
    for v in 0..column.taps {
        let columns = column.outputs_of(v);
        (begin, end) = (begin.max(columns.start), end.min(columns.end));
    }
    if begin >= end {
        // No such columns: each tap has all of its own before them.
        (begin, end) = (column.outputs, column.outputs);
    }
    for u in 0..row.taps {
        let rows = row.outputs_of(u);
        // The common part, then before and behind it for each tap.
        for part in 0..=2 * column.taps {
            let (v, columns, n) = match part.checked_sub(1) {
                None => (0, begin..end, column.taps),
                Some(part) => {
                    let columns = column.outputs_of(part / 2);
                    let beside = if part % 2 == 0 {
                        columns.start..columns.end.min(begin)
                    } else {
                        columns.start.max(end)..columns.end
                    };
                    (part / 2, beside, 1)
                }
            };
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let (i, j) = (rows.start, columns.start);
            let walk = outputs_walk(&row, &column, rows.len(), columns.len());
            // SAFETY: the outputs are those for which the taps lie inside x; dW has a row of channels for each tap.
            unsafe {
                let a = x.offset(row.at(i, u) + column.at(j, v));
                let b = dz.add(i * row.y + j * column.y);
                let rows = Rows {
                    a,
                    a_step: (column.dilation * column.x) as isize,
                    c: dw,
                    at: u * row.w as usize + v * column.w as usize,
                    at_step: column.w as usize,
                    n,
                };
                gemm::columns::<T, S, _, Depthwise, TapRow<C>>(
                    simd,
                    rows.into(),
                    b,
                    channels,
                    0,
                    walk,
                    AddTo(dw.cast_const()),
                );
            }
        }
    }
}
