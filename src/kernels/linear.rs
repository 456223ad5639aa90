//! Fully-connected layers over a micro-batch of `n` inputs, so that the weights are read once for all of them.
//!
//! With `X: [n, I]`, `W: [I, O]`, `Y: [n, O]` in rows:
//! - forward: `Y ← act(X · W + b)`;
//! - backward: `dZ ← dY ⊙ act′`, `dW += Xᵀ · dZ`, `db += Σ dZ`, `dX ← dZ · Wᵀ`, for which W is transposed a panel at a time.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::conv::Fused;
use crate::kernels::gemm::{self, MatrixSpec, Sides};
use crate::kernels::map::transpose;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::stage::scale_by_derivative;
use crate::kernels::sums::add_rows;
use crate::kernels::tile::{AddTo, AnyHeight, Broadcast, Rows, Store, Walk};
use crate::plain::Plain;

/// `y[i] ← act(x[i] · W + b)`. `weight: [I, O]`, `bias: [O]` or empty.
#[inline(always)]
pub fn forward<T, S, A, X, W, B, Y>(simd: S, x: &[X], weight: &W, bias: &B, act: A, y: &mut [Y])
where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    simd.vectorize(Forward { x, weight, bias, act, y });
}

/// [`forward`] as a kernel.
pub struct Forward<'a, A, X, W, B, Y> {
    /// The vectors that arrive.
    pub x: &'a [X],
    /// `[I, O]`.
    pub weight: &'a W,
    /// `[O]`, or empty.
    pub bias: &'a B,
    /// The activation.
    pub act: A,
    /// What leaves the layer.
    pub y: &'a mut [Y],
}

impl<T, A, X, W, B, Y> Kernel<T> for Forward<'_, A, X, W, B, Y>
where
    T: Scalar,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        const { assert!(W::LEN == X::LEN * Y::LEN && (B::LEN == Y::LEN || B::LEN == 0)) };
        let n = self.x.len().min(self.y.len());
        let epilogue = Fused::new(&[], self.bias.flat(), &[], self.act);
        let (x, w) = (self.x.as_ptr().cast::<T>(), self.weight.flat().as_ptr());
        let y = self.y.as_mut_ptr().cast::<T>();
        // SAFETY: x and y have n items of I and O elements, one after the other; W has I rows of O, b O (asserted above).
        unsafe { gemm::product(simd, Sides::<T, X, Y>(PhantomData), n, x, w, y, epilogue) }
    }
}

/// Inputs of a panel of Wᵀ: two vectors of the widest instruction set.
const PANEL: usize = 32;

/// Elements of workspace for the backward pass: a panel of Wᵀ.
pub const fn backward_work(inputs: usize, outputs: usize) -> usize {
    outputs * if inputs < PANEL { inputs } else { PANEL }
}

/// `dw += …`, `db += …`, and with `DX` `dx[i] ← …`; `dy` is overwritten. `y`: what left the layer.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, gradients and workspace of one step")]
pub fn backward<const DX: bool, T, S, A, X, W, B, Y, D, K>(
    simd: S, x: &[X], weight: &W, act: A, y: &[Y], dy: &mut [D], dw: &mut W, db: &mut B, dx: &mut [X], work: &mut K,
) where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    D: Plain<T>,
    K: Plain<T>,
{
    const { assert!(K::LEN >= backward_work(X::LEN, Y::LEN)) };
    simd.vectorize(Backward::<DX, _, _, _, _, _, _, _> { x, weight, act, y, dy, dw, db, dx, work: work.flat_mut() });
}

/// [`backward`] as a kernel, with a workspace whose length only the caller knows.
///
/// It panics if that is shorter than [`backward_work`].
pub struct Backward<'a, const DX: bool, T, A, X, W, B, Y, D> {
    /// The vectors that arrive.
    pub x: &'a [X],
    /// `[I, O]`.
    pub weight: &'a W,
    /// The activation.
    pub act: A,
    /// What leaves the layer.
    pub y: &'a [Y],
    /// The gradient of what left; overwritten.
    pub dy: &'a mut [D],
    /// Is added to.
    pub dw: &'a mut W,
    /// Is added to.
    pub db: &'a mut B,
    /// Is written with `DX`.
    pub dx: &'a mut [X],
    /// Workspace.
    pub work: &'a mut [T],
}

impl<const DX: bool, T, A, X, W, B, Y, D> Kernel<T> for Backward<'_, DX, T, A, X, W, B, Y, D>
where
    T: Scalar,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    D: Plain<T>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        const { assert!(W::LEN == X::LEN * Y::LEN && (B::LEN == Y::LEN || B::LEN == 0) && D::LEN == Y::LEN) };
        assert!(self.work.len() >= const { backward_work(X::LEN, Y::LEN) });
        let n = self.x.len().min(self.y.len()).min(self.dy.len());
        if n == 0 {
            // Pointers to rows of an empty micro-batch would lie outside of it.
            return;
        }
        let dy = &mut self.dy[..n];
        for (dy, y) in dy.iter_mut().zip(self.y) {
            scale_by_derivative(self.act, y.flat(), dy.flat_mut());
        }
        let (dz, x) = (dy.as_ptr().cast::<T>(), self.x.as_ptr().cast::<T>());
        // SAFETY: dZ and X are n rows of O and I elements; dW has I rows of O, db O elements or none.
        unsafe {
            if const { B::LEN > 0 } {
                add_rows(simd, dz, n, Y::LEN, self.db.flat_mut());
            }
            backward_weights::<T, S, Sides<T, X, Y>>(simd, n, x, X::LEN, dz, Y::LEN, self.dw.flat_mut().as_mut_ptr());
        }
        if DX {
            let n = n.min(self.dx.len());
            let (w, dx) = (self.weight.flat(), self.dx.as_mut_ptr().cast::<T>());
            // SAFETY: dX has n rows of I elements; W has I rows of O, dZ n rows of O.
            unsafe {
                if !T::product(n, Y::LEN, X::LEN, dz, w.as_ptr(), dx) {
                    backward_inputs::<T, S>(simd, n, dz, w, X::LEN, Y::LEN, self.work, dx);
                }
            }
        }
    }
}

/// `dW += Xᵀ · dZ`: rows of the product are inputs, the sum goes over the micro-batch.
///
/// # Safety
/// X has n rows of `inputs` elements, dZ of `outputs`; dW has `inputs` rows of `outputs`.
#[inline(always)]
unsafe fn backward_weights<T: Scalar, S: Simd<T>, M: MatrixSpec>(
    simd: S, n: usize, x: *const T, inputs: usize, dz: *const T, outputs: usize, dw: *mut T,
) {
    let walk = Walk { count: [1, 1, n], a: [0, 0, inputs as isize], b: [0, 0, outputs as isize] };
    let rows = Rows { a: x, a_step: 1, c: dw, at: 0, at_step: outputs, n: inputs };
    // SAFETY: the caller's.
    unsafe {
        gemm::columns::<T, S, _, Broadcast, gemm::Down<M>>(simd, rows, dz, outputs, 0, walk, AddTo(dw.cast_const()))
    }
}

/// `dX ← dZ · Wᵀ`, a panel of inputs at a time.
///
/// # Safety
/// dZ has n rows of `outputs` elements, dX of `inputs`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and workspace of one product")]
unsafe fn backward_inputs<T: Scalar, S: Simd<T>>(
    simd: S, n: usize, dz: *const T, w: &[T], inputs: usize, outputs: usize, work: &mut [T], dx: *mut T,
) {
    let mut i = 0;
    for rows in w.chunks(PANEL * outputs) {
        let width = rows.len() / outputs;
        let Some(panel) = work.get_mut(..rows.len()) else { return };
        transpose(simd, width, outputs, rows, panel);
        let walk = Walk { count: [1, 1, outputs], a: [0, 0, 1], b: [0, 0, width as isize] };
        let rows = Rows { a: dz, a_step: outputs as isize, c: dx, at: 0, at_step: inputs, n };
        // SAFETY: the panel has `outputs` rows of `width` elements; columns i..i + width of dX are inside.
        unsafe { gemm::columns::<T, S, _, Broadcast, AnyHeight>(simd, rows, panel.as_ptr(), width, i, walk, Store) };
        i += width;
    }
}
