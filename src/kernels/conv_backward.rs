//! Convolution, backward: the same micro-kernel.
//!
//! With `dz` the gradient with respect to the convolution's sums, `[OH][OW][OC]`:
//! - `dW[u, v, c, o] += Σ_{i, j} x[i·s + u·d − before, j·s′ + v·d′ − before′, c] · dz[i, j, o]`: rows of the product are input
//!   channels, and the sum goes over the outputs for which a tap lies inside;
//! - `db[o] += Σ_{i, j} dz[i, j, o]`;
//! - `dx` is a correlation of dz with the kernels, input and output channels exchanged, for each phase of the stride:
//!   inputs that lie alike to the outputs' grid are reached by the same taps.

mod input;
mod weights;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{self, ConvSpec};
use crate::kernels::input_gradient::InputGradient;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::space::Space;
use crate::kernels::stage::StageBackward;
use crate::kernels::work::Work;
use crate::kernels::{pointwise, pooled};
use crate::plain::{Plain, elements};
use crate::shape::{Conv, Pool};
use input::turned_len;
pub(super) use input::{exchange, input_correlation, phase_axes};
use weights::{Padded, padded_len, pads};
pub(super) use weights::{pad, padded};
#[cfg(test)]
pub(super) use {input::winograd_tile, weights::weights_tile};

/// Elements for the gradient of the map before pooling.
const fn dz_len(conv: &Conv, pool: Option<Pool>) -> usize {
    if pool.is_some() { conv.output().len() } else { 0 }
}

/// Elements of workspace for the backward pass.
pub const fn backward_work(conv: &Conv, planes: bool, pool: Option<Pool>) -> usize {
    let own = dz_len(conv, pool) + padded_len(conv, planes) + turned_len(conv, planes);
    // Which of them it is hangs on the instruction set.
    let by_windows = if pooled::fits(conv, pool) { pooled::work(conv, planes) } else { 0 };
    if own > by_windows { own } else { by_windows }
}

/// `dw += …`, `db += …`, and dX to where `dx` says, from what left the fused step (`y`) and its gradient (`dy`, overwritten).
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, gradients and workspace of one step")]
pub fn backward<T, S, C, A, P, X, W, B, Y, D, K>(
    simd: S, spec: C, x: &[X], weight: &W, act: A, stage: P, y: &[Y], dy: &mut [Y], dw: &mut W, db: &mut B, dx: D,
    work: &mut K,
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
    D: InputGradient<T>,
    K: Plain<T>,
{
    const { assert!(K::LEN >= backward_work(&C::CONV, C::PLANES, P::POOL)) };
    simd.outline(Backward { spec, x, weight, act, stage, y, dy, dw, db, dx, work });
}

/// [`backward`] as a kernel.
///
/// It panics if the workspace is shorter than [`backward_work`], unless the compiler knows that it is not.
pub struct Backward<'a, C, A, P, X, W, B, Y, D, K: ?Sized> {
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
    /// Where the gradient of the maps that arrived goes.
    pub dx: D,
    /// Workspace.
    pub work: &'a mut K,
}

impl<T, C, A, P, X, W, B, Y, D, K> Kernel<T> for Backward<'_, C, A, P, X, W, B, Y, D, K>
where
    T: Scalar,
    C: ConvSpec,
    A: Activation<T>,
    P: StageBackward<T>,
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
        assert!(const { conv::operands_fit(&C::CONV, P::POOL, None, X::LEN, W::LEN, B::LEN, Y::LEN) });
        assert!(const { !D::WANTED || !C::PLANES && D::LEN == X::LEN });
        let work = self.work.elements();
        assert!(work.len() >= const { backward_work(&C::CONV, C::PLANES, P::POOL) });
        if const { P::PLACES && pooled::fits(&C::CONV, P::POOL) } {
            let (w, dw, db) = (self.weight.flat(), self.dw.flat_mut(), self.db.flat_mut());
            let (spec, stage) = (self.spec, &self.stage);
            // SAFETY: the lengths were asserted above.
            unsafe {
                pooled::backward(simd, spec, self.x, w, self.act, stage, self.y, self.dy, dw, db, self.dx, work);
            }
            return;
        }
        let conv = const { &C::CONV };
        let len = const { C::CONV.output().len() };
        let (dz, work) = work.split_at_mut(const { dz_len(&C::CONV, P::POOL) });
        let (padded, work) = work.split_at_mut(const { padded_len(&C::CONV, C::PLANES) });
        let (turned, _) = work.split_at_mut(const { turned_len(&C::CONV, C::PLANES) });
        let w = self.weight.flat();
        let for_dx = if D::WANTED { const { input::space_len(&C::CONV, C::PLANES) } } else { 0 };
        let mut space = Space::borrow::<T>(for_dx + const { weights::space_len(&C::CONV, C::PLANES) });
        let (for_dx, for_dw) = space.elements().split_at_mut(for_dx);
        // SAFETY: the weights have the convolution's length, `turned` and the space were cut to theirs.
        let method = D::WANTED.then(|| unsafe { input::method::<T, S, C>(simd, w, turned, for_dx) });
        let (dw, db) = (self.dw.flat_mut().as_mut_ptr(), self.db.flat_mut());
        if const { conv::takes_pixels(&C::CONV, C::PLANES, P::POOL) } {
            let many = const { pointwise::images_at_a_time(&C::CONV) };
            let values = self.x.chunks(many).zip(self.y.chunks(many));
            for (part, ((x, y), dy)) in values.zip(self.dy.chunks_mut(many)).enumerate() {
                let images = x.len().min(y.len()).min(dy.len());
                for (y, dy) in y.iter().zip(dy.iter_mut()).take(images) {
                    self.stage.backward(simd, 0, self.act, y.flat(), dy.flat_mut(), &mut [], db);
                }
                let (x, dz) = (elements(x).as_ptr(), elements(dy).as_ptr());
                let dx = self.dx.inputs(part * many..part * many + images);
                // SAFETY: the lengths were asserted above, and that of dy, without pooling, is the map's; chunks are not empty. dX is as many maps, or none.
                unsafe {
                    pointwise::weights::<T, S, C>(simd, images, x, dz, dw);
                    if let Some(method) = &method
                        && !dx.is_empty()
                    {
                        let (w, dx) = (method.weights, dx.as_mut_ptr());
                        pointwise::input::<T, S, C, _>(simd, images, dz, w, dx, D::sums(dx));
                    }
                }
            }
            return;
        }
        padded.fill(T::zero());
        let mut sums = weights::sums::<T, C>(for_dw);
        for (image, ((x, y), dy)) in self.x.iter().zip(self.y).zip(self.dy).enumerate() {
            let dz = self.stage.backward(simd, image, self.act, y.flat(), dy.flat_mut(), dz, db);
            // A stage is safe to write: what the products below read does not hang on it.
            let Some(dz) = dz.get(..len) else { return };
            // SAFETY: the lengths were asserted above; `dz` is as long as the convolution's map, dX as the input, or empty.
            unsafe {
                if let Some(sums) = &mut sums {
                    sums.add(simd, x.flat().as_ptr(), dz.as_ptr());
                } else if const { pads(&C::CONV, C::PLANES) } {
                    pad(conv, C::PLANES, x.flat(), padded);
                    weights::add::<T, S, Padded<C>>(simd, padded.as_ptr(), dz.as_ptr(), dw);
                } else {
                    weights::add::<T, S, C>(simd, x.flat().as_ptr(), dz.as_ptr(), dw);
                }
                let dx = self.dx.inputs(image..image + 1);
                if let Some(method) = &method
                    && !dx.is_empty()
                {
                    input::gradient::<T, S, C, D>(simd, dz.as_ptr(), method, dx.as_mut_ptr());
                }
            }
        }
        if let Some(sums) = sums {
            // SAFETY: dW has the convolution's length.
            unsafe { sums.finish(simd, dw) };
        }
    }
}
