//! Convolution, backward: the same micro-kernel.
//!
//! With `dz` the gradient with respect to the convolution's sums, `[OH][OW][OC]`:
//! - `dW[u, v, c, o] += Σ_{i, j} x[i·s + u·d − before, j·s′ + v·d′ − before′, c] · dz[i, j, o]`: rows of the product are input
//!   channels, and the sum goes over the outputs for which a tap lies inside;
//! - `db[o] += Σ_{i, j} dz[i, j, o]`;
//! - `dx` is a correlation of dz with the kernels, input and output channels exchanged, for each phase of the stride:
//!   inputs that lie alike to the outputs' grid are reached by the same taps.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{self, ConvSpec, Method, forward_correlation, is_depthwise};
use crate::kernels::correlate::{Axis, Correlation, CorrelationSpec, correlate};
use crate::kernels::gemm;
use crate::kernels::map::transpose;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::space::Space;
use crate::kernels::stage::StageBackward;
use crate::kernels::sums::add_rows;
use crate::kernels::tile::{AddTo, AnyHeight, Broadcast, Depthwise, Height, Rows, Store, Walk};
use crate::kernels::winograd::Tiles;
use crate::kernels::work::Work;
use crate::kernels::{depthwise, pointwise, pooled, winograd};
use crate::plain::{Plain, elements, elements_mut};
use crate::shape::{Conv, Pool};

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { if a == 0 { 1 } else { a } } else { gcd(b, a % b) }
}

/// One phase of one axis of dx: inputs `phase + s · i`. `dz`, `w`, `dx`: elements from one output, tap, input to the next.
///
/// Tap u reaches input `phase + s · i` from output `(phase + s · i + before − u · d) / s` where that is whole: for the
/// taps `u₀ + (s / g) · t` with `g = gcd(s, d)`. They are walked backwards, so that the outputs come in order.
#[inline(always)]
const fn phase_axis(conv: &Conv, axis: usize, phase: usize, dz: usize, w: usize, dx: usize) -> Axis {
    let (inputs, outputs) = if axis == 0 { (conv.input.h, conv.output().h) } else { (conv.input.w, conv.output().w) };
    let (s, d, before, taps) = (conv.stride[axis], conv.dilation[axis], conv.padding[2 * axis], conv.kernel[axis]);
    let step = s / gcd(s, d);
    let mut first = 0;
    while first < taps && first < step && !(phase + before + s * d * step - first * d).is_multiple_of(s) {
        first += 1;
    }
    let count = if first < taps && first < step { (taps - first).div_ceil(step) } else { 0 };
    let last = if count == 0 { 0 } else { first + (count - 1) * step };
    // Input phase + s · i meets output i + shift at tap `last`.
    let shift = ((phase + before) as isize - (last * d) as isize) / s as isize;
    Axis {
        outputs: if inputs > phase { (inputs - phase).div_ceil(s) } else { 0 },
        inputs: outputs,
        taps: count,
        stride: 1,
        dilation: d * step / s,
        before: -shift,
        x: dz,
        w_first: last * w,
        w: -((step * w) as isize),
        y_first: phase * dx,
        y: s * dx,
    }
}

/// The two axes of a phase.
#[inline(always)]
pub(super) const fn phase_axes(conv: &Conv, phase: [usize; 2]) -> [Axis; 2] {
    let (ic, oc, ow) = (conv.input.c, conv.out_channels, conv.output().w);
    // Rows and columns of the kernels: [KH][KW][OC / groups][IC], or as they are for a depthwise convolution.
    let column = if is_depthwise(conv) { oc } else { conv.group_outputs() * ic };
    [
        phase_axis(conv, 0, phase[0], ow * oc, conv.kernel[1] * column, conv.input.w * ic),
        phase_axis(conv, 1, phase[1], oc, column, ic),
    ]
}

/// Whether there are phases that no tap reaches: their gradients are zeros.
const fn has_idle_phases(conv: &Conv) -> bool {
    let mut axis = 0;
    while axis < 2 {
        let mut phase = 0;
        while phase < conv.stride[axis] {
            if phase_axis(conv, axis, phase, 1, 1, 1).taps == 0 {
                return true;
            }
            phase += 1;
        }
        axis += 1;
    }
    false
}

/// The numbers of dx, for phase 0.
pub(super) const fn input_correlation(conv: &Conv) -> Correlation {
    let depthwise = is_depthwise(conv);
    Correlation {
        axes: phase_axes(conv, [0, 0]),
        inputs: conv.group_outputs(),
        outputs: if depthwise { conv.input.c } else { conv.group_inputs() },
        groups: if depthwise { 1 } else { conv.groups },
        x_channel: 1,
        w_channel: conv.input.c,
        w_group: conv.group_inputs(),
    }
}

/// dx of a convolution.
struct Input<C>(PhantomData<C>);
/// dx of a depthwise convolution.
struct SeparateInput<C>(PhantomData<C>);

macro_rules! input_spec {
    ($name:ident, $product:ty) => {
        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<C> Copy for $name<C> {}
        impl<C: ConvSpec> CorrelationSpec for $name<C> {
            const CORRELATION: Correlation = input_correlation(&C::CONV);
            type Product = $product;
            const PHASES: bool = C::CONV.stride[0] > 1 || C::CONV.stride[1] > 1;
        }
    };
}

input_spec!(Input, Broadcast);
input_spec!(SeparateInput, Depthwise);

/// Elements for the kernels with input and output channels exchanged, which all images of a micro-batch use.
const fn turned_len(conv: &Conv, planes: bool) -> usize {
    if planes || is_depthwise(conv) { 0 } else { conv.out_channels * conv.taps() }
}

/// Elements for the gradient of the map before pooling.
const fn dz_len(conv: &Conv, pool: Option<Pool>) -> usize {
    if pool.is_some() { conv.output().len() } else { 0 }
}

/// Whether dW reads a padded copy of the input, in pixels: where the input lies in planes, and where its channels are fewer than a tile has rows, but the
/// taps of a kernel row would make one product without padding.
const fn pads(conv: &Conv, planes: bool) -> bool {
    const FEW: usize = 12;
    planes || conv.input.c < FEW && is_run(&padded(conv)) && !is_run(conv)
}

/// The convolution of a padded input.
pub(super) const fn padded(conv: &Conv) -> Conv {
    let [h, w] = conv.padded();
    Conv { input: crate::shape::Shape::new(conv.input.c, h, w), padding: [0; 4], ..*conv }
}

/// Elements for that copy.
const fn padded_len(conv: &Conv, planes: bool) -> usize {
    if pads(conv, planes) { padded(conv).input.len() } else { 0 }
}

/// Whether dx goes by Winograd's tiles.
const fn is_tiled(conv: &Conv, planes: bool) -> bool {
    !planes && winograd::fits(conv) && conv.input.h >= 4 && conv.input.w >= 4
}

/// What Winograd's workspace of dx hangs on.
const fn winograd_size(conv: &Conv) -> winograd::Size {
    let (inputs, outputs, input) = (conv.out_channels, conv.input.c, conv.input);
    winograd::Size { inputs, outputs, rows: input.h, all_rows: input.h, columns: input.w }
}

/// The side of Winograd's tiles, where dx goes by them.
#[cfg(test)]
pub(super) fn winograd_tile(conv: &Conv, planes: bool) -> Option<usize> {
    is_tiled(conv, planes).then(|| winograd_size(conv).tile())
}

/// Elements that the backward pass borrows of the thread's [`Space`].
const fn backward_space(conv: &Conv, planes: bool) -> usize {
    if is_tiled(conv, planes) { winograd_size(conv).len() } else { 0 }
}

/// Elements of workspace for the backward pass.
pub const fn backward_work(conv: &Conv, planes: bool, pool: Option<Pool>) -> usize {
    let own = dz_len(conv, pool) + padded_len(conv, planes) + turned_len(conv, planes);
    // Which of them it is hangs on the instruction set.
    let by_windows = if pooled::fits(conv, pool) { pooled::work(conv, planes) } else { 0 };
    if own > by_windows { own } else { by_windows }
}

/// `dw += …`, `db += …`, and with `DX` `dx[i] ← …`, from what left the fused step (`y`) and its gradient (`dy`, overwritten).
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, gradients and workspace of one step")]
pub fn backward<const DX: bool, T, S, C, A, P, X, W, B, Y, K>(
    simd: S, spec: C, x: &[X], weight: &W, act: A, stage: P, y: &[Y], dy: &mut [Y], dw: &mut W, db: &mut B,
    dx: &mut [X], work: &mut K,
) where
    T: Scalar,
    S: Simd<T>,
    C: ConvSpec,
    A: Activation<T>,
    P: StageBackward<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    K: Plain<T>,
{
    const { assert!(K::LEN >= backward_work(&C::CONV, C::PLANES, P::POOL)) };
    simd.outline(Backward::<DX, _, _, _, _, _, _, _, _> { spec, x, weight, act, stage, y, dy, dw, db, dx, work });
}

/// [`backward`] as a kernel.
///
/// It panics if the workspace is shorter than [`backward_work`], unless the compiler knows that it is not.
pub struct Backward<'a, const DX: bool, C, A, P, X, W, B, Y, K: ?Sized> {
    /// The convolution.
    pub spec: C,
    /// The maps that arrived.
    pub x: &'a [X],
    /// `[KH][KW][IC / groups][OC]`.
    pub weight: &'a W,
    /// The activation.
    pub act: A,
    /// What followed.
    pub stage: P,
    /// What left the step.
    pub y: &'a [Y],
    /// Its gradient; overwritten.
    pub dy: &'a mut [Y],
    /// Is added to.
    pub dw: &'a mut W,
    /// Is added to.
    pub db: &'a mut B,
    /// Is written with `DX`.
    pub dx: &'a mut [X],
    /// Workspace.
    pub work: &'a mut K,
}

impl<const DX: bool, T, C, A, P, X, W, B, Y, K> Kernel<T> for Backward<'_, DX, C, A, P, X, W, B, Y, K>
where
    T: Scalar,
    C: ConvSpec,
    A: Activation<T>,
    P: StageBackward<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    K: Work<T> + ?Sized,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        // Known when compiling, and gone from the code; see the forward pass.
        assert!(const { conv::operands_fit(&C::CONV, P::POOL, None, X::LEN, W::LEN, B::LEN, Y::LEN) });
        assert!(const { !(DX && C::PLANES) });
        let work = self.work.elements();
        assert!(work.len() >= const { backward_work(&C::CONV, C::PLANES, P::POOL) });
        if const { P::PLACES && pooled::fits(&C::CONV, P::POOL) } {
            let (w, dw, db) = (self.weight.flat(), self.dw.flat_mut(), self.db.flat_mut());
            let (spec, stage) = (self.spec, &self.stage);
            // SAFETY: the lengths were asserted above.
            unsafe {
                pooled::backward::<DX, _, _, _, _, _, _, _>(
                    simd, spec, self.x, w, self.act, stage, self.y, self.dy, dw, db, self.dx, work,
                );
            }
            return;
        }
        let conv = const { &C::CONV };
        let len = const { C::CONV.output().len() };
        let (dz, work) = work.split_at_mut(const { dz_len(&C::CONV, P::POOL) });
        let (padded, work) = work.split_at_mut(const { padded_len(&C::CONV, C::PLANES) });
        let (turned, _) = work.split_at_mut(const { turned_len(&C::CONV, C::PLANES) });
        let w = self.weight.flat();
        if DX && !turned.is_empty() {
            exchange(simd, conv, w, turned);
        }
        let kernels = if const { is_depthwise(&C::CONV) } { w.as_ptr() } else { turned.as_ptr() };
        let mut space = Space::borrow::<T>(if DX { const { backward_space(&C::CONV, C::PLANES) } } else { 0 });
        let tiles = if DX && const { is_tiled(&C::CONV, C::PLANES) } {
            let (spec, space) = (Input::<C>(PhantomData), space.elements());
            // SAFETY: the exchanged kernels have the correlation's taps and channels.
            unsafe { winograd::transform_kernels::<_, _, _, InputRows<C>>(simd, spec, kernels, space) }
        } else {
            Tiles::NONE
        };
        let method = Method { weights: kernels, tiles };
        let dw = self.dw.flat_mut().as_mut_ptr();
        if const { conv::takes_pixels(&C::CONV, C::PLANES, P::POOL) } {
            let many = const { conv::images_at_a_time(&C::CONV, C::PLANES, P::POOL) };
            let mut dx = self.dx.chunks_mut(many);
            let values = self.x.chunks(many).zip(self.y.chunks(many));
            for ((x, y), dy) in values.zip(self.dy.chunks_mut(many)) {
                let images = x.len().min(y.len()).min(dy.len());
                for (y, dy) in y.iter().zip(dy.iter_mut()) {
                    self.stage.backward(simd, 0, self.act, y.flat(), dy.flat_mut(), &mut []);
                }
                let (x, dz) = (elements(x).as_ptr(), elements(dy).as_ptr());
                // SAFETY: the lengths were asserted above, and that of dy, without pooling, is the map's; chunks are not empty.
                unsafe {
                    if const { B::LEN > 0 } {
                        let pixels = images * (len / conv.out_channels);
                        add_rows(simd, dz, pixels, conv.out_channels, self.db.flat_mut());
                    }
                    pointwise::weights::<T, S, C>(simd, images, x, dz, dw);
                    if DX && let Some(dx) = dx.next() {
                        let images = images.min(dx.len());
                        pointwise::input::<T, S, C>(simd, images, dz, method.weights, elements_mut(dx).as_mut_ptr());
                    }
                }
            }
            return;
        }
        padded.fill(T::zero());
        let mut dx = self.dx.iter_mut();
        for (image, ((x, y), dy)) in self.x.iter().zip(self.y).zip(self.dy).enumerate() {
            let dz = self.stage.backward(simd, image, self.act, y.flat(), dy.flat_mut(), dz);
            // A stage is safe to write: what the products below read does not hang on it.
            let Some(dz) = dz.get(..len) else { return };
            // SAFETY: the lengths were asserted above; `dz` is as long as the convolution's map.
            unsafe {
                if const { B::LEN > 0 } {
                    add_rows(simd, dz.as_ptr(), len / conv.out_channels, conv.out_channels, self.db.flat_mut());
                }
                if const { pads(&C::CONV, C::PLANES) } {
                    pad(conv, C::PLANES, x.flat(), padded);
                    weights::<T, S, Padded<C>>(simd, padded.as_ptr(), dz.as_ptr(), dw);
                } else {
                    weights::<T, S, C>(simd, x.flat().as_ptr(), dz.as_ptr(), dw);
                }
                if DX && let Some(dx) = dx.next() {
                    input::<T, S, C>(simd, dz.as_ptr(), method, dx.flat_mut().as_mut_ptr());
                }
            }
        }
    }
}

/// A convolution as one of padded pixels.
#[derive(Clone, Copy)]
struct Padded<C>(PhantomData<fn() -> C>);

impl<C: ConvSpec> ConvSpec for Padded<C> {
    const CONV: Conv = padded(&C::CONV);
    const PLANES: bool = false;
}

/// `padded ← x`, from planes or pixels to pixels, without the border: its zeros stay from image to image.
#[inline(always)]
pub(super) fn pad<T: Scalar>(conv: &Conv, planes: bool, x: &[T], padded: &mut [T]) {
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

/// `turned[u][v][o][c] ← weight[u][v][c][o]` within each group: `[KH][KW][OC / groups][IC]`.
#[inline(always)]
pub(super) fn exchange<T: Scalar, S: Simd<T>>(simd: S, conv: &Conv, weight: &[T], turned: &mut [T]) {
    let (ic, oc, inputs, outputs) = (conv.group_inputs(), conv.group_outputs(), conv.input.c, conv.out_channels);
    let taps = weight.chunks_exact((ic * outputs).max(1)).zip(turned.chunks_exact_mut((oc * inputs).max(1)));
    for (weight, turned) in taps {
        if conv.groups == 1 {
            transpose(simd, ic, oc, weight, turned);
            continue;
        }
        for (c, row) in weight.chunks_exact(outputs.max(1)).enumerate() {
            for (group, outputs) in row.chunks_exact(oc).enumerate() {
                let to = turned.iter_mut().skip(group * ic + c).step_by(inputs.max(1));
                for (to, from) in to.zip(outputs) {
                    *to = *from;
                }
            }
        }
    }
}

/// Whether the taps of a kernel row are one product: all of them lie inside for all outputs, side by side.
const fn is_run(conv: &Conv) -> bool {
    conv.padding[2] == 0 && conv.padding[3] == 0 && conv.dilation[1] == 1 && conv.groups == 1
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
unsafe fn weights<T: Scalar, S: Simd<T>, C: ConvSpec>(simd: S, x: *const T, dz: *const T, dw: *mut T) {
    // SAFETY: the caller's.
    unsafe {
        if const { is_depthwise(&C::CONV) && !S::ONE_BY_ONE } {
            depthwise::add_weights(simd, conv::Separate::<C>(PhantomData), x, dz, dw);
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

/// [`weights`] tap by tap: rows of the product are the input channels of a tap, or of a whole kernel row.
///
/// # Safety
/// As for [`weights`].
#[inline(always)]
unsafe fn dense_weights<T: Scalar, S: Simd<T>, C: ConvSpec>(simd: S, x: *const T, dz: *const T, dw: *mut T) {
    let conv = const { &C::CONV };
    let [row, column] = const { forward_correlation(&C::CONV, false).axes };
    let (ic, group_oc, oc) = const { (C::CONV.group_inputs(), C::CONV.group_outputs(), C::CONV.out_channels) };
    // Without padding along the rows all taps of a kernel row are inside for all outputs: their channels are rows of one product.
    let (taps, n) = if const { is_run(&C::CONV) } { (1, column.taps * ic) } else { (column.taps, ic) };
    for u in 0..row.taps {
        let rows = row.outputs_of(u);
        for v in 0..taps {
            let columns = column.outputs_of(v);
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let (i, j) = (rows.start, columns.start);
            let walk = outputs_walk(&row, &column, rows.len(), columns.len());
            let at = u * row.w as usize + v * column.w as usize;
            for group in 0..conv.groups {
                // SAFETY: the outputs are those for which the tap lies inside x; dW has a row of OC for each row of A.
                unsafe {
                    let a = x.offset(row.at(i, u) + column.at(j, v)).add(group * ic);
                    let b = dz.add(i * row.y + j * column.y + group * group_oc);
                    let rows = Rows { a, a_step: 1, c: dw, at, at_step: oc, n };
                    let (first, epilogue) = (group * group_oc, AddTo(dw.cast_const()));
                    gemm::columns::<T, S, _, Broadcast, TapRows<C>>(simd, rows, b, group_oc, first, walk, epilogue);
                }
            }
        }
    }
}

/// [`weights`] where numbers are computed one at a time, kernel row by kernel row: rows of the product are its taps, over the columns of outputs for which all of them lie
/// inside, so that dz is loaded once for them; then each tap by itself over the columns that it has beside those.
///
/// # Safety
/// As for [`weights`].
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
                    rows,
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

/// All rows of the input.
struct InputRows<C>(PhantomData<C>);

impl<C: ConvSpec> Height for InputRows<C> {
    const ROWS: usize = C::CONV.input.h;
}

/// `dx ←` the correlation of dz with the exchanged kernels, phase by phase.
///
/// # Safety
/// `dz`, the kernels and `dx` have the convolution's lengths.
#[inline(always)]
unsafe fn input<T: Scalar, S: Simd<T>, C: ConvSpec>(simd: S, dz: *const T, method: Method<T>, dx: *mut T) {
    let (conv, w) = (const { &C::CONV }, method.weights);
    if const { is_tiled(&C::CONV, C::PLANES) } {
        let (spec, rows) = (Input::<C>(PhantomData), 0..conv.input.h);
        // SAFETY: the caller's; with stride 1 there is one phase.
        unsafe {
            winograd::correlate::<_, _, _, _, InputRows<C>>(simd, spec, dz, method.tiles, dx, rows, Store);
        }
        return;
    }
    if const { has_idle_phases(&C::CONV) } {
        // SAFETY: dx has the input's length.
        unsafe { core::slice::from_raw_parts_mut(dx, conv.input.len()) }.fill(T::zero());
    }
    macro_rules! phase {
        ($i:expr, $j:expr) => {{
            let axes = phase_axes(conv, [$i, $j]);
            let rows = 0..axes[0].outputs;
            if axes[0].taps > 0 && axes[1].taps > 0 {
                // SAFETY: the caller's; the phases together are all inputs.
                unsafe {
                    if const { is_depthwise(&C::CONV) } {
                        let spec = SeparateInput::<C>(PhantomData);
                        correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, w, dx, rows, Store);
                    } else {
                        let spec = Input::<C>(PhantomData);
                        correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, w, dx, rows, Store);
                    }
                }
            }
        }};
    }
    if const { is_depthwise(&C::CONV) && !S::ONE_BY_ONE && C::CONV.stride[0] == 2 && C::CONV.stride[1] == 2 } {
        // Written out, so that the compiler knows the ends of each phase's rows.
        phase!(0, 0);
        phase!(0, 1);
        phase!(1, 0);
        phase!(1, 1);
        return;
    }
    for i in 0..conv.stride[0] {
        for j in 0..conv.stride[1] {
            phase!(i, j);
        }
    }
}
