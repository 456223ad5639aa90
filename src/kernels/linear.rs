//! Fully-connected layers over a micro-batch of `n` inputs, so that the weights are read once for all of them.
//!
//! With `X: [n, I]`, `W: [I, O]`, `Y: [n, O]` in rows:
//! - forward: `Y ← act(X · W + b)`;
//! - backward: `dZ ← dY ⊙ act′`, `dW += Xᵀ · dZ`, `db += Σ dZ`, `dXᵀ ← W · dZᵀ`: vectors lie along the micro-batch, so that W is read as it lies and
//!   only the gradients, which are smaller, are transposed.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::epilogue::Store;
use crate::kernels::gemm::{self, MatrixSpec, Sides};
use crate::kernels::map::{transpose, transpose_into};
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::stage::scale_by_derivative;
use crate::kernels::store::Fused;
use crate::kernels::sums::add_rows;
use crate::kernels::tile::{Broadcast, Height, Rows, Walk};
use crate::kernels::work::Work;
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
    simd.outline(Forward { x, weight, bias, act, y });
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
        let epilogue = Fused::new(&[], self.bias.flat(), core::ptr::null(), self.act);
        let (x, w) = (self.x.as_ptr().cast::<T>(), self.weight.flat().as_ptr());
        let y = self.y.as_mut_ptr().cast::<T>();
        // SAFETY: x and y have n items of I and O elements, one after the other; W has I rows of O, b O (asserted above).
        unsafe { gemm::product(simd, Sides::<T, X, Y>(PhantomData), n, x, w, y, epilogue) }
    }
}

/// Inputs whose gradients are transposed together: four tiles of 14.
const ROWS: usize = 56;

/// Vectors of gradients taken together.
const BATCH: usize = 64;

/// The inputs of a block as the rows of a product.
struct Block<M>(PhantomData<M>);

impl<M: MatrixSpec> Height for Block<M> {
    const ROWS: usize = if M::ROWS < ROWS { M::ROWS } else { ROWS };
}

/// Elements of workspace for the backward pass: dZᵀ, and a block of dXᵀ.
pub const fn backward_work(inputs: usize, outputs: usize) -> usize {
    BATCH * (outputs + if inputs < ROWS { inputs } else { ROWS })
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
    simd.outline(Backward::<DX, _, _, _, _, _, _, _> { x, weight, act, y, dy, dw, db, dx, work });
}

/// [`backward`] as a kernel.
///
/// It panics if the workspace is shorter than [`backward_work`], unless the compiler knows that it is not.
pub struct Backward<'a, const DX: bool, A, X, W, B, Y, D, K: ?Sized> {
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
    pub work: &'a mut K,
}

impl<const DX: bool, T, A, X, W, B, Y, D, K> Kernel<T> for Backward<'_, DX, A, X, W, B, Y, D, K>
where
    T: Scalar,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    D: Plain<T>,
    K: Work<T> + ?Sized,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        const { assert!(W::LEN == X::LEN * Y::LEN && (B::LEN == Y::LEN || B::LEN == 0) && D::LEN == Y::LEN) };
        let work = self.work.elements();
        assert!(work.len() >= const { backward_work(X::LEN, Y::LEN) });
        let n = self.x.len().min(self.y.len()).min(self.dy.len());
        if n == 0 {
            // Pointers to rows of an empty micro-batch would lie outside of it.
            return;
        }
        let dy = &mut self.dy[..n];
        for (dy, y) in dy.iter_mut().zip(self.y) {
            scale_by_derivative(simd, self.act, y.flat(), dy.flat_mut(), &mut []);
        }
        let (dz, x) = (dy.as_ptr().cast::<T>(), self.x.as_ptr().cast::<T>());
        // SAFETY: dZ and X are n rows of O and I elements; dW has I rows of O, db O elements or none.
        unsafe {
            if const { B::LEN > 0 } {
                add_rows(simd, dz, n, self.db.flat_mut());
            }
            gemm::add_weights::<T, S, Sides<T, X, Y>>(simd, n, x, dz, self.dw.flat_mut().as_mut_ptr());
        }
        if DX {
            let n = n.min(self.dx.len());
            let (w, dx) = (self.weight.flat(), self.dx.as_mut_ptr().cast::<T>());
            // SAFETY: dX has n rows of I elements; W has I rows of O, dZ n rows of O.
            unsafe {
                if !T::product(n, Y::LEN, X::LEN, dz, w.as_ptr(), dx) {
                    let dx = core::slice::from_raw_parts_mut(dx, n * X::LEN);
                    let dz = core::slice::from_raw_parts(dz, n * Y::LEN);
                    backward_inputs::<T, S, Sides<T, X, Y>>(simd, dz, w, work, dx);
                }
            }
        }
    }
}

/// `dXᵀ ← W · dZᵀ`, a block of inputs at a time, and from there to `dX`. `dz: [n, O]`, `w: [I, O]`, `dx: [n, I]`.
#[inline(always)]
fn backward_inputs<T: Scalar, S: Simd<T>, M: MatrixSpec>(simd: S, dz: &[T], w: &[T], work: &mut [T], dx: &mut [T]) {
    let (inputs, outputs) = (M::ROWS, M::COLUMNS);
    let (dzt, block) = work.split_at_mut(BATCH * outputs);
    for (dz, dx) in dz.chunks(BATCH * outputs).zip(dx.chunks_mut(BATCH * inputs)) {
        let n = dz.len() / outputs;
        let dzt = &mut dzt[..dz.len()];
        transpose(simd, n, outputs, dz, dzt);
        let mut i = 0;
        for w in w.chunks(ROWS * outputs) {
            let height = w.len() / outputs;
            let walk = Walk { count: [1, 1, outputs], a: [0, 0, 1], b: [0, 0, n as isize] };
            let (Some(dxt), Some(dx)) = (block.get_mut(..height * n), dx.get_mut(i..)) else { return };
            let (a, c) = (w.as_ptr(), dxt.as_mut_ptr());
            let rows = Rows { a, a_step: outputs as isize, c, at: 0, at_step: n, n: height };
            // SAFETY: this block of W has `height` rows of `outputs` elements, dZᵀ `outputs` rows of `n`, dXᵀ `height` rows of `n`.
            unsafe {
                gemm::columns::<T, S, _, Broadcast, Block<M>>(simd, rows.into(), dzt.as_ptr(), n, 0, walk, Store)
            };
            transpose_into(simd, height, n, dxt, dx, inputs);
            i += height;
        }
    }
}
