//! dX: a correlation of dz with the kernels, input and output channels exchanged, for each phase of the stride.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::conv::{ConvSpec, Method, is_depthwise};
use crate::kernels::correlate::{Axis, Correlation, CorrelationSpec, correlate};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::input_gradient::InputGradient;
use crate::kernels::map::transpose;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{AnyHeight, Broadcast, BroadcastOnce, Depthwise, Height};
use crate::kernels::vectors::store;
use crate::kernels::winograd::{self, Tiles};
use crate::shape::Conv;

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
pub(in crate::kernels) const fn phase_axes(conv: &Conv, phase: [usize; 2]) -> [Axis; 2] {
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

/// Whether there is more than one phase.
const fn has_phases(conv: &Conv) -> bool {
    conv.stride[0] > 1 || conv.stride[1] > 1
}

/// Whether the first of several phases of each axis alone has taps, and as many inputs as the others: each of its inputs is the first pixel of a block as large as the stride,
/// and nothing reaches the others. That is dx of a shortcut with kernels of 1 × 1.
const fn is_sparse(conv: &Conv) -> bool {
    let mut axis = 0;
    while axis < 2 {
        let inputs = if axis == 0 { conv.input.h } else { conv.input.w };
        if phase_axis(conv, axis, 0, 1, 1, 1).taps == 0 || !inputs.is_multiple_of(conv.stride[axis]) {
            return false;
        }
        let mut phase = 1;
        while phase < conv.stride[axis] {
            if phase_axis(conv, axis, phase, 1, 1, 1).taps > 0 {
                return false;
            }
            phase += 1;
        }
        axis += 1;
    }
    has_phases(conv)
}

/// The sums of a [sparse](is_sparse) dx as they are, and zeros for the other pixels of their blocks. Written beside the sums they take next to no time; before them, a quarter of it.
struct WithZeros<T, C>(*mut T, PhantomData<C>);

impl<T, C> Clone for WithZeros<T, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, C> Copy for WithZeros<T, C> {}

impl<T: Scalar, C: ConvSpec> Epilogue<T> for WithZeros<T, C> {
    type Channels<S: Simd<T>> = ();

    #[inline(always)]
    unsafe fn channels<S: Simd<T>>(self, _: S, _: usize, _: usize) {}

    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, simd: S, (): (), sum: S::V, at: usize, lanes: usize) -> S::V {
        let (pixel, row) = const { (C::CONV.input.c, C::CONV.input.w * C::CONV.input.c) };
        for i in 0..const { C::CONV.stride[0] } {
            for j in 0..const { C::CONV.stride[1] } {
                if i + j > 0 {
                    // SAFETY: the pixels of the block lie inside dx.
                    unsafe { store(simd, self.0.add(at + i * row + j * pixel), simd.splat(T::zero()), lanes) };
                }
            }
        }
        sum
    }
}

/// The numbers of dx, for phase 0.
pub(in crate::kernels) const fn input_correlation(conv: &Conv) -> Correlation {
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
/// dx of a [sparse](is_sparse) convolution.
struct SparseInput<C>(PhantomData<C>);

macro_rules! input_spec {
    ($name:ident, $product:ty, phases $phases:expr) => {
        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<C> Copy for $name<C> {}
        impl<C: ConvSpec> CorrelationSpec for $name<C> {
            const CORRELATION: Correlation = input_correlation(&C::CONV);
            type Product = $product;
            const PHASES: bool = $phases;
        }
    };
}

input_spec!(Input, Broadcast, phases has_phases(&C::CONV));
input_spec!(SeparateInput, Depthwise, phases has_phases(&C::CONV));
input_spec!(SparseInput, BroadcastOnce, phases false);

/// Elements for the kernels with input and output channels exchanged, which all images of a micro-batch use.
pub(super) const fn turned_len(conv: &Conv, planes: bool) -> usize {
    if planes || is_depthwise(conv) { 0 } else { conv.out_channels * conv.taps() }
}

/// Whether dx goes by Winograd's tiles.
const fn is_tiled(conv: &Conv, planes: bool) -> bool {
    !planes && winograd::fits(conv) && conv.input.h >= 4 && conv.input.w >= 4
}

/// What Winograd's workspace of dx hangs on.
const fn winograd_size(conv: &Conv) -> winograd::Size {
    let (taps, inputs, outputs, input) = (conv.kernel[0], conv.out_channels, conv.input.c, conv.input);
    winograd::Size { taps, inputs, outputs, rows: input.h, all_rows: input.h, columns: input.w }
}

/// The sides of Winograd's tiles and kernels, where dx goes by them.
#[cfg(test)]
pub(in crate::kernels) fn winograd_tile(conv: &Conv, planes: bool) -> Option<[usize; 2]> {
    is_tiled(conv, planes).then(|| [winograd_size(conv).tile(), conv.kernel[0]])
}

/// Elements that it borrows of the thread's [`Space`].
pub(super) const fn space_len(conv: &Conv, planes: bool) -> usize {
    if is_tiled(conv, planes) { winograd_size(conv).elements() } else { 0 }
}

/// `turned[u][v][o][c] ← weight[u][v][c][o]` within each group: `[KH][KW][OC / groups][IC]`.
#[inline(always)]
pub(in crate::kernels) fn exchange<T: Scalar, S: Simd<T>>(simd: S, conv: &Conv, weight: &[T], turned: &mut [T]) {
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

/// All rows of the input.
struct InputRows<C>(PhantomData<C>);

impl<C: ConvSpec> Height for InputRows<C> {
    const ROWS: usize = C::CONV.input.h;
}

/// The kernels as dX reads them: exchanged in `turned`, and for Winograd's tiles transformed in the space, or as they are.
///
/// # Safety
/// `w` has the convolution's length, `turned` and the space have [`turned_len`] and [`space_len`].
#[inline(always)]
pub(super) unsafe fn method<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, w: &[T], turned: &mut [T], space: &mut [T],
) -> Method<T> {
    if !turned.is_empty() {
        exchange(simd, const { &C::CONV }, w, turned);
    }
    let weights = if const { is_depthwise(&C::CONV) } { w.as_ptr() } else { turned.as_ptr() };
    let tiles = if const { is_tiled(&C::CONV, C::PLANES) } {
        let spec = Input::<C>(PhantomData);
        // SAFETY: the exchanged kernels have the correlation's taps and channels.
        unsafe { winograd::transform_kernels::<_, _, _, InputRows<C>>(simd, spec, weights, space) }
    } else {
        Tiles::NONE
    };
    Method { weights, tiles }
}

/// `dx ←`, or with `D::ADDS` `dx +=`, the correlation of dz with the exchanged kernels, phase by phase.
///
/// # Safety
/// `dz`, the kernels and `dx` have the convolution's lengths.
#[inline(always)]
pub(super) unsafe fn gradient<T: Scalar, S: Simd<T>, C: ConvSpec, D: InputGradient<T>>(
    simd: S, dz: *const T, method: &Method<T>, dx: *mut T,
) {
    let (conv, w) = (const { &C::CONV }, method.weights);
    if const { is_tiled(&C::CONV, C::PLANES) } {
        let (spec, rows) = (Input::<C>(PhantomData), 0..conv.input.h);
        // SAFETY: the caller's; with stride 1 there is one phase.
        unsafe {
            winograd::correlate::<_, _, _, _, InputRows<C>>(simd, spec, dz, method.tiles, dx, rows, D::sums(dx));
        }
        return;
    }
    if const { is_sparse(&C::CONV) && !is_depthwise(&C::CONV) } {
        let (spec, axes) = (SparseInput::<C>(PhantomData), phase_axes(conv, [0, 0]));
        let rows = 0..axes[0].outputs;
        // SAFETY: the caller's; blocks lie inside dx, and together they are all of it.
        unsafe {
            if D::ADDS {
                correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, w, dx, rows, D::sums(dx));
            } else {
                let epilogue = WithZeros::<T, C>(dx, PhantomData);
                correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, w, dx, rows, epilogue);
            }
        }
        return;
    }
    if const { has_idle_phases(&C::CONV) && !D::ADDS } {
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
                        correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, w, dx, rows, D::sums(dx));
                    } else {
                        let spec = Input::<C>(PhantomData);
                        correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, w, dx, rows, D::sums(dx));
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
