//! Convolution, backward: the same product machine.
//!
//! With `dz` the gradient with respect to the convolution's sums, `[OC, OH · OW]`:
//! - `dW += dz · im2col(x)ᵀ`, both along the output positions ([`dot_product`](gemm::dot_product));
//! - `db += Σ dz` over each channel's map;
//! - `dx = col2im(Wᵀ · dz)`. With stride 1 that is a convolution of the padded `dz` with the kernels turned by 180° and
//!   input and output channels exchanged, computed as in the forward pass; otherwise the matrix is written out, band by band.

use crate::Scalar;
use crate::kernels::activation::{Activation, Identity};
use crate::kernels::conv::{self, ConvSpec, Layout};
use crate::kernels::gemm;
use crate::kernels::im2col;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::stage::{NoPool, StageBackward};
use crate::kernels::tile::{self, Broadcast, Taps};
use crate::plain::Plain;
use crate::shape::{Conv, Pool, Shape};

/// Columns of a band for dW: long sums, because a tile's lanes are added up once a band.
const DW_COLUMNS: usize = 1024;

/// Columns of a band of `Wᵀ · dz` for dx.
const DX_COLUMNS: usize = 256;

/// The convolution that computes dx from dz, for stride 1.
#[derive(Clone, Copy)]
struct Transposed<C>(C);

/// Padding before and after an axis that makes the full correlation: `extent − 1 − padding`.
const fn full(conv: &Conv) -> [usize; 4] {
    let [h, w] = conv.extent();
    let [top, bottom, left, right] = conv.padding;
    [
        (h - 1).saturating_sub(top),
        (h - 1).saturating_sub(bottom),
        (w - 1).saturating_sub(left),
        (w - 1).saturating_sub(right),
    ]
}

/// Whether dx is computed as a convolution: stride 1, and no more padding than the kernel reaches over the edge.
const fn is_direct(conv: &Conv) -> bool {
    let [h, w] = conv.extent();
    let [top, bottom, left, right] = conv.padding;
    conv.stride[0] == 1 && conv.stride[1] == 1 && top < h && bottom < h && left < w && right < w
}

/// The numbers of [`Transposed`].
const fn transposed(conv: &Conv) -> Conv {
    let out = conv.output();
    Conv {
        input: Shape::new(conv.out_channels, out.h, out.w),
        out_channels: conv.input.c,
        kernel: conv.kernel,
        stride: [1; 2],
        padding: full(conv),
        dilation: conv.dilation,
        groups: conv.groups,
        bias: false,
    }
}

impl<C: ConvSpec> ConvSpec for Transposed<C> {
    const CONV: Conv = transposed(&C::CONV);
}

const fn dw_layout(conv: &Conv) -> Layout {
    Layout::new(conv, 1, DW_COLUMNS)
}

/// Elements of dz in the pitch of the padded input, for one group and band; none where they already are.
const fn wide_dz(conv: &Conv) -> usize {
    let layout = dw_layout(conv);
    if layout.pitch == conv.output().w { 0 } else { conv.group_outputs() * layout.rows * layout.pitch }
}

/// Rows of a band of `Wᵀ · dz`.
const fn dx_rows(conv: &Conv) -> usize {
    let out = conv.output();
    conv::band_rows(DX_COLUMNS, out.w, 1, out.h)
}

/// Elements for the turned kernels, which all images of a micro-batch use.
const fn turned_len(conv: &Conv) -> usize {
    if is_direct(conv) { conv.out_channels * conv.taps() } else { 0 }
}

/// Elements for dx of one image: a forward pass's workspace, or a band of the matrix.
const fn dx_work(conv: &Conv) -> usize {
    if is_direct(conv) {
        conv::forward_work(&transposed(conv), None)
    } else {
        conv.taps() * dx_rows(conv) * conv.output().w
    }
}

/// Elements of workspace for the backward pass.
pub const fn backward_work(conv: &Conv, pool: Option<Pool>) -> usize {
    let dz = if pool.is_some() { conv.output().len() } else { 0 };
    let dw = dw_layout(conv).input + wide_dz(conv);
    let dx = dx_work(conv);
    dz + turned_len(conv) + conv::max(dw, dx)
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
    const { assert!(K::LEN >= backward_work(&C::CONV, P::POOL)) };
    let work = work.flat_mut();
    simd.vectorize(Backward::<DX, _, _, _, _, _, _, _, _> { spec, x, weight, act, stage, y, dy, dw, db, dx, work });
}

/// [`backward`] as a kernel, with a workspace whose length only the caller knows.
///
/// It panics if that is shorter than [`backward_work`].
pub struct Backward<'a, const DX: bool, T, C, A, P, X, W, B, Y> {
    /// The convolution.
    pub spec: C,
    /// The maps that arrived.
    pub x: &'a [X],
    /// `[OC, taps]`.
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
    pub work: &'a mut [T],
}

impl<const DX: bool, T, C, A, P, X, W, B, Y> Kernel<T> for Backward<'_, DX, T, C, A, P, X, W, B, Y>
where
    T: Scalar,
    C: ConvSpec,
    A: Activation<T>,
    P: StageBackward<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        // Known when compiling, and gone from the code; see the forward pass.
        assert!(const { conv::operands_fit(&C::CONV, P::POOL, X::LEN, W::LEN, B::LEN, Y::LEN) });
        assert!(self.work.len() >= const { backward_work(&C::CONV, P::POOL) });
        let conv = const { &C::CONV };
        let out = const { C::CONV.output() };
        let plane = out.h * out.w;
        let dz_len = const { if P::POOL.is_some() { C::CONV.output().len() } else { 0 } };
        let (dz, work) = self.work.split_at_mut(dz_len);
        let (turned, work) = work.split_at_mut(const { turned_len(&C::CONV) });
        if DX && !turned.is_empty() {
            turn(conv, self.weight.flat(), turned);
        }
        let mut dx = self.dx.iter_mut();
        for (image, ((x, y), dy)) in self.x.iter().zip(self.y).zip(self.dy).enumerate() {
            let dz = self.stage.backward(image, self.act, y.flat(), dy.flat_mut(), dz);
            // A stage is safe to write: what the products below read does not hang on it.
            let Some(dz) = dz.get(..out.len()) else { return };
            for (db, dz) in self.db.flat_mut().iter_mut().zip(dz.chunks_exact(plane)) {
                *db += tile::sum(simd, dz);
            }
            // SAFETY: the lengths were asserted above; `dz` is as long as the convolution's map.
            unsafe { backward_params(simd, self.spec, x.flat(), dz, self.dw.flat_mut(), work) };
            if DX && let Some(dx) = dx.next() {
                // SAFETY: as above.
                unsafe {
                    if const { is_direct(&C::CONV) } {
                        backward_input_direct(simd, self.spec, turned, dz, dx.flat_mut(), work);
                    } else {
                        backward_input_columns(simd, self.spec, self.weight.flat(), dz, dx.flat_mut(), work);
                    }
                }
            }
        }
    }
}

/// `dW += dz · im2col(x)ᵀ`, `dW: [OC, taps]`, for one image.
///
/// # Safety
/// The slices have the lengths of `x`, the convolution's map, the weights, and what [`backward_work`] counts.
#[inline(always)]
unsafe fn backward_params<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, _: C, x: &[T], dz: &[T], dw: &mut [T], work: &mut [T],
) {
    let conv = const { &C::CONV };
    let layout = const { &dw_layout(&C::CONV) };
    let (oc, taps, out) = const { (C::CONV.group_outputs(), C::CONV.taps(), C::CONV.output()) };
    let plane = out.h * out.w;
    let (buffer, wide) = work.split_at_mut(layout.input);
    for group in 0..conv.groups {
        let mut row = 0;
        while row < out.h {
            let rows = row..conv::min(row + layout.rows, out.h);
            let count = rows.len();
            let b = conv::columns(conv, layout, x, group, rows, buffer);
            let first = group * oc * plane + row * out.w;
            let (a, a_row) = if layout.pitch == out.w {
                (dz.as_ptr().wrapping_add(first), plane)
            } else {
                // dz in the input's pitch, zeros where the wide rows hold garbage.
                let width = count * layout.pitch;
                for (to, from) in
                    wide.chunks_exact_mut(width.max(1)).zip(dz.chunks_exact(plane).skip(group * oc)).take(oc)
                {
                    for (to, from) in to.chunks_exact_mut(layout.pitch).zip(from.chunks_exact(out.w).skip(row)) {
                        let (inside, garbage) = to.split_at_mut(out.w);
                        inside.copy_from_slice(from);
                        garbage.fill(T::zero());
                    }
                }
                (wide.as_ptr(), width)
            };
            // SAFETY: A has `oc` rows of n columns at `a` (a plane's rows of the band, or `wide`); B is as `columns` says;
            // dw has OC · taps elements, and this group's begin at group · oc · taps.
            unsafe {
                let c = dw.as_mut_ptr().add(group * oc * taps);
                gemm::dot_product(simd, oc, a, a_row, b.first, b.taps, b.n, c, taps);
            }
            row += layout.rows;
        }
    }
}

/// `dx ← conv(dz, turned kernels)`, for one image.
///
/// # Safety
/// As for [`backward_params`].
#[inline(always)]
unsafe fn backward_input_direct<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, spec: C, turned: &[T], dz: &[T], dx: &mut [T], work: &mut [T],
) {
    // SAFETY: `dz` is the transposed convolution's input, `turned` its weights, `work` what `dx_work` counts for it.
    unsafe { conv::forward_image(simd, Transposed(spec), 0, dz, turned, &[], Identity, &mut NoPool, dx, work) }
}

/// `turned[c][o][KH − 1 − u][KW − 1 − v] ← weight[o][c][u][v]` within each group: the weights of [`Transposed`].
#[inline(always)]
fn turn<T: Scalar>(conv: &Conv, weight: &[T], turned: &mut [T]) {
    let (ic, oc, taps) = (conv.group_inputs(), conv.group_outputs(), conv.taps());
    let kernel = conv.kernel[0] * conv.kernel[1];
    for (turned, weight) in turned.chunks_exact_mut(oc * taps).zip(weight.chunks_exact(oc * taps)) {
        for (c, turned) in turned.chunks_exact_mut(oc * kernel).take(ic).enumerate() {
            for (turned, weight) in turned.chunks_exact_mut(kernel).zip(weight.chunks_exact(taps)) {
                for (to, from) in turned.iter_mut().zip(weight.iter().skip(c * kernel).take(kernel).rev()) {
                    *to = *from;
                }
            }
        }
    }
}

/// `dx ← col2im(Wᵀ · dz)` with the matrix written out, band by band, for one image.
///
/// # Safety
/// As for [`backward_params`].
#[inline(always)]
unsafe fn backward_input_columns<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, _: C, weight: &[T], dz: &[T], dx: &mut [T], matrix: &mut [T],
) {
    let conv = const { &C::CONV };
    let (ic, oc, taps, out) =
        const { (C::CONV.group_inputs(), C::CONV.group_outputs(), C::CONV.taps(), C::CONV.output()) };
    let plane = out.h * out.w;
    let band = const { dx_rows(&C::CONV) };
    dx.fill(T::zero());
    for group in 0..conv.groups {
        let mut row = 0;
        while row < out.h {
            let rows = row..conv::min(row + band, out.h);
            let n = rows.len() * out.w;
            // SAFETY: A is Wᵀ of this group, element (tap, o) at o · taps + tap; B its planes of dz from `row` on; the
            // matrix has taps rows of n columns.
            unsafe {
                let a = Broadcast { first: weight.as_ptr().add(group * oc * taps), row: 1, column: taps };
                let b = dz.as_ptr().add(group * oc * plane + row * out.w);
                let rows = Taps::rows(oc, plane);
                gemm::product::<T, S, false>(simd, taps, a, b, rows, matrix.as_mut_ptr(), n, n);
            }
            im2col::col2im(conv, matrix, group * ic..(group + 1) * ic, rows, dx);
            row += band;
        }
    }
}
