//! Transposed convolution, forward and backward: a convolution's machine the other way round.
//!
//! Forward is what a convolution does to its input's gradient, phase by phase of the stride ([`conv_backward`](super::conv_backward)); the
//! gradient of its own input is that convolution's forward pass, and that of the weights sums the same products:
//!
//! - `y[i·s + u·d − before, j·s′ + v·d′ − before′, o] = b[o] + Σ_{u, v, c} x[i, j, c] · w[u, v, c, o]`;
//! - `dW[u, v, c, o] += Σ_{i, j} x[i, j, c] · dz[i·s + u·d − before, j·s′ + v·d′ − before′, o]`;
//! - `dx[i, j, c] = Σ_{u, v, o} dz[i·s + u·d − before, …, o] · w[u, v, c, o]`, for which input and output channels of the kernels are exchanged.
//!
//! Maps lie in pixels, `[H][W][C]`. Weights are `[KH][KW][IC / groups][OC]`, as a convolution's are: what the forward pass reads as it lies.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::concat::{Slice, holds, within};
use crate::kernels::conv::{forward_correlation, is_depthwise};
use crate::kernels::conv_backward::{exchange, input_correlation, phase_axes};
use crate::kernels::correlate::{Axis, Correlation, CorrelationSpec, correlate};
use crate::kernels::epilogue::AddTo;
use crate::kernels::gemm;
use crate::kernels::input_gradient::InputGradient;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::stage::scale_by_derivative;
use crate::kernels::store::Fused;
use crate::kernels::tile::{AnyHeight, Broadcast, Depthwise, Height, Rows, Walk};
use crate::kernels::work::Work;
use crate::plain::Plain;
use crate::shape::{Conv, ConvTranspose};

/// A transposed convolution known to the compiler.
pub trait ConvTransposeSpec: Copy + Send + Sync {
    /// Its numbers.
    const TRANSPOSED: ConvTranspose;
    /// The slice of a joined map that its output is, where it has no map of its own.
    const SLICE: Option<Slice> = None;
}

/// Whether operands of these lengths are those of a transposed convolution without faults, or of one into a slice.
const fn operands_fit(
    conv: &ConvTranspose, slice: Option<Slice>, x: usize, weight: usize, bias: usize, y: usize,
) -> bool {
    conv.faults().is_empty()
        && !conv.input.is_empty()
        && x == conv.input.len()
        && weight == conv.weights()
        && bias == conv.biases()
        && holds(slice, conv.output(), y)
}

/// Whether each channel has one kernel of its own.
const fn is_separate(conv: &ConvTranspose) -> bool {
    is_depthwise(&conv.across())
}

/// The axes of a phase of the forward pass. The convolution across may have more outputs than there are inputs here: those that are not there are not
/// read.
#[inline(always)]
const fn forward_axes(conv: &ConvTranspose, phase: [usize; 2]) -> [Axis; 2] {
    let [rows, columns] = phase_axes(&conv.across(), phase);
    [
        Axis { inputs: conv.input.h, x: conv.input.w * conv.input.c, ..rows },
        Axis { inputs: conv.input.w, x: conv.input.c, ..columns },
    ]
}

/// The axes of the convolution across, whose outputs are the inputs here.
#[inline(always)]
const fn across_axes(conv: &ConvTranspose) -> [Axis; 2] {
    let [rows, columns] = forward_correlation(&conv.across(), false).axes;
    [
        Axis { outputs: conv.input.h, y: conv.input.w * conv.input.c, ..rows },
        Axis { outputs: conv.input.w, y: conv.input.c, ..columns },
    ]
}

/// A forward pass.
struct Spread<C>(PhantomData<C>);
/// A forward pass whose channels do not see each other.
struct SeparateSpread<C>(PhantomData<C>);
/// The gradient of the input.
struct Gather<C>(PhantomData<C>);
/// The gradient of the input where channels do not see each other.
struct SeparateGather<C>(PhantomData<C>);

macro_rules! spec {
    ($name:ident, $product:ty, $numbers:ident, phases $phases:literal) => {
        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<C> Copy for $name<C> {}
        impl<C: ConvTransposeSpec> CorrelationSpec for $name<C> {
            const CORRELATION: Correlation = $numbers(&C::TRANSPOSED);
            type Product = $product;
            const PHASES: bool = $phases && (C::TRANSPOSED.stride[0] > 1 || C::TRANSPOSED.stride[1] > 1);
        }
    };
}

const fn forward_numbers(conv: &ConvTranspose) -> Correlation {
    Correlation { axes: forward_axes(conv, [0, 0]), ..input_correlation(&conv.across()) }
}

const fn backward_numbers(conv: &ConvTranspose) -> Correlation {
    Correlation { axes: across_axes(conv), ..forward_correlation(&conv.across(), false) }
}

spec!(Spread, Broadcast, forward_numbers, phases true);
spec!(SeparateSpread, Depthwise, forward_numbers, phases true);
spec!(Gather, Broadcast, backward_numbers, phases false);
spec!(SeparateGather, Depthwise, backward_numbers, phases false);

/// `y[i] ← act(transposed convolution of x[i] with weight + bias)` for the images of a micro-batch.
#[inline(always)]
pub fn forward<T, S, C, A, X, W, B, Y>(simd: S, spec: C, x: &[X], weight: &W, bias: &B, act: A, y: &mut [Y])
where
    T: Scalar,
    S: Simd<T>,
    C: ConvTransposeSpec,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    simd.outline(Forward { spec, x, weight, bias, act, y });
}

/// [`forward`] as a kernel.
pub struct Forward<'a, C, A, X, W, B, Y> {
    /// The transposed convolution.
    pub spec: C,
    /// The maps that arrive.
    pub x: &'a [X],
    /// `[KH][KW][IC / groups][OC]`.
    pub weight: &'a W,
    /// `[OC]`, or empty.
    pub bias: &'a B,
    /// The activation.
    pub act: A,
    /// What leaves the layer: its map, or the joined map of which it is a slice.
    pub y: &'a mut [Y],
}

impl<T, C, A, X, W, B, Y> Kernel<T> for Forward<'_, C, A, X, W, B, Y>
where
    T: Scalar,
    C: ConvTransposeSpec,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        // Known when compiling, and gone from the code. It is not an error there, for the layers have told it in better words.
        assert!(const { operands_fit(&C::TRANSPOSED, C::SLICE, X::LEN, W::LEN, B::LEN, Y::LEN) });
        let conv = const { &C::TRANSPOSED };
        let (weight, epilogue) =
            (self.weight.flat().as_ptr(), Fused::new(&[], self.bias.flat(), core::ptr::null(), self.act));
        for (x, y) in self.x.iter().zip(self.y) {
            let (x, y) = (x.flat().as_ptr(), y.flat_mut().as_mut_ptr());
            for i in 0..conv.stride[0] {
                for j in 0..conv.stride[1] {
                    let axes = within(const { C::SLICE }, forward_axes(conv, [i, j]));
                    let rows = 0..axes[0].outputs;
                    // SAFETY: the lengths were asserted above, that of y as the map's own or as the joined map's; the phases together are all
                    // outputs, and taps that would read beside the input are left out.
                    unsafe {
                        if const { is_separate(&C::TRANSPOSED) } {
                            let spec = SeparateSpread::<C>(PhantomData);
                            correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, x, weight, y, rows, epilogue);
                        } else {
                            correlate::<_, _, _, _, AnyHeight>(
                                simd,
                                Spread::<C>(PhantomData),
                                axes,
                                x,
                                weight,
                                y,
                                rows,
                                epilogue,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Elements of workspace for the backward pass: the kernels with input and output channels exchanged.
pub const fn backward_work(conv: &ConvTranspose) -> usize {
    if is_separate(conv) { 0 } else { conv.weights() }
}

/// `dw += …`, `db += …`, and dX to where `dx` says, from what left the layer (`y`) and its gradient (`dy`, overwritten).
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, gradients and workspace of one step")]
pub fn backward<T, S, C, A, X, W, B, Y, D, K>(
    simd: S, spec: C, x: &[X], weight: &W, act: A, y: &[Y], dy: &mut [Y], dw: &mut W, db: &mut B, dx: D, work: &mut K,
) where
    T: Scalar,
    S: Simd<T>,
    C: ConvTransposeSpec,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    D: InputGradient<T>,
    K: Plain<T>,
{
    const { assert!(K::LEN >= backward_work(&C::TRANSPOSED)) };
    simd.outline(Backward { spec, x, weight, act, y, dy, dw, db, dx, work });
}

/// [`backward`] as a kernel.
///
/// It panics if the workspace is shorter than [`backward_work`], unless the compiler knows that it is not.
pub struct Backward<'a, C, A, X, W, B, Y, D, K: ?Sized> {
    /// The transposed convolution.
    pub spec: C,
    /// The maps that arrived.
    pub x: &'a [X],
    /// `[KH][KW][IC / groups][OC]`.
    pub weight: &'a W,
    /// The activation.
    pub act: A,
    /// What left the layer.
    pub y: &'a [Y],
    /// Its gradient; overwritten.
    pub dy: &'a mut [Y],
    /// Is added to.
    pub dw: &'a mut W,
    /// Is added to.
    pub db: &'a mut B,
    /// Where the gradient of the maps that arrived goes.
    pub dx: D,
    /// Workspace.
    pub work: &'a mut K,
}

impl<T, C, A, X, W, B, Y, D, K> Kernel<T> for Backward<'_, C, A, X, W, B, Y, D, K>
where
    T: Scalar,
    C: ConvTransposeSpec,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    D: InputGradient<T>,
    K: Work<T> + ?Sized,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        // Known when compiling, and gone from the code; see the forward pass.
        assert!(const { operands_fit(&C::TRANSPOSED, None, X::LEN, W::LEN, B::LEN, Y::LEN) });
        assert!(const { !D::WANTED || D::LEN == X::LEN });
        let work = self.work.elements();
        assert!(work.len() >= const { backward_work(&C::TRANSPOSED) });
        let conv = const { &C::TRANSPOSED };
        let (turned, _) = work.split_at_mut(const { backward_work(&C::TRANSPOSED) });
        let w = self.weight.flat();
        if D::WANTED && !turned.is_empty() {
            // As if they were those of a convolution from the same inputs to the same outputs.
            let along = Conv { input: conv.input, out_channels: conv.out_channels, ..conv.across() };
            exchange(simd, &along, w, turned);
        }
        let weights = if const { is_separate(&C::TRANSPOSED) } { w.as_ptr() } else { turned.as_ptr() };
        for (image, ((x, y), dy)) in self.x.iter().zip(self.y).zip(self.dy).enumerate() {
            let dz = dy.flat_mut();
            scale_by_derivative(simd, self.act, y.flat(), dz, self.db.flat_mut());
            let (x, dz) = (x.flat().as_ptr(), dz.as_ptr());
            // SAFETY: the lengths were asserted above.
            unsafe {
                weight_gradient::<T, S, C>(simd, x, dz, self.dw.flat_mut().as_mut_ptr());
                let dx = self.dx.inputs(image..image + 1);
                if !dx.is_empty() {
                    let (dx, axes, rows) = (dx.as_mut_ptr(), across_axes(conv), 0..conv.input.h);
                    let sums = D::sums(dx);
                    if const { is_separate(&C::TRANSPOSED) } {
                        let spec = SeparateGather::<C>(PhantomData);
                        correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, weights, dx, rows, sums);
                    } else {
                        let spec = Gather::<C>(PhantomData);
                        correlate::<_, _, _, _, AnyHeight>(simd, spec, axes, dz, weights, dx, rows, sums);
                    }
                }
            }
        }
    }
}

/// The rows of the weights' gradient for one tap.
struct TapRows<C>(PhantomData<C>);

impl<C: ConvTransposeSpec> Height for TapRows<C> {
    const ROWS: usize = if is_separate(&C::TRANSPOSED) { 1 } else { C::TRANSPOSED.group_inputs() };
}

/// `dW += Xᵀ · dZ` for one image, tap by tap: rows of the product are the input channels of a group, columns its outputs, and the sum goes over
/// the inputs that the tap spreads inside the output.
///
/// # Safety
/// `x`, `dz` and `dw` have the lengths of the transposed convolution.
#[inline(always)]
unsafe fn weight_gradient<T: Scalar, S: Simd<T>, C: ConvTransposeSpec>(simd: S, x: *const T, dz: *const T, dw: *mut T) {
    let conv = const { &C::TRANSPOSED };
    let [row, column] = const { across_axes(&C::TRANSPOSED) };
    let (inputs, outputs, oc) = (conv.group_inputs(), conv.group_outputs(), conv.out_channels);
    for u in 0..row.taps {
        let rows = row.outputs_of(u);
        for v in 0..column.taps {
            let columns = column.outputs_of(v);
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let (i, j) = (rows.start, columns.start);
            let walk = Walk {
                count: [1, rows.len(), columns.len()],
                a: [0, row.y as isize, column.y as isize],
                b: [0, (row.stride * row.x) as isize, (column.stride * column.x) as isize],
            };
            let at = (u * conv.kernel[1] + v) * inputs * oc;
            // SAFETY: the inputs are those that the tap spreads inside dz; dW has a row of OC for each tap and input of a group.
            unsafe {
                let (x, dz) = (x.add(i * row.y + j * column.y), dz.offset(row.at(i, u) + column.at(j, v)));
                let epilogue = AddTo(dw.cast_const());
                if const { is_separate(&C::TRANSPOSED) } {
                    let rows = Rows { a: x, a_step: 0, c: dw, at, at_step: oc, n: 1 };
                    gemm::columns::<T, S, _, Depthwise, TapRows<C>>(simd, rows.into(), dz, oc, 0, walk, epilogue);
                    continue;
                }
                for group in 0..conv.groups {
                    let rows = Rows { a: x.add(group * inputs), a_step: 1, c: dw, at, at_step: oc, n: inputs };
                    let (b, first) = (dz.add(group * outputs), group * outputs);
                    gemm::columns::<T, S, _, Broadcast, TapRows<C>>(
                        simd,
                        rows.into(),
                        b,
                        outputs,
                        first,
                        walk,
                        epilogue,
                    );
                }
            }
        }
    }
}
