//! Fully-connected layers over a micro-batch of `n` inputs, so that the weights are read once for all of them.
//!
//! With `X: [n, I]`, `W: [O, I]`, `Y: [n, O]` in rows:
//! - forward: `Y ← act(X · Wᵀ + b)`, both along I;
//! - backward: `dZ ← dY ⊙ act′`, `dW += dZᵀ · X`, `db += Σ dZ`, `dX ← dZ · W`, all along the rows of X and W.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::gemm;
use crate::kernels::host::HostGemm;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::stage::scale_by_derivative;
use crate::kernels::tile::{Broadcast, Taps};
use crate::plain::Plain;

/// `y[i] ← act(W · x[i] + b)`. `weight: [O, I]`, `bias: [O]` or empty.
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
    /// `[O, I]`.
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
        let y = &mut self.y[..n];
        for y in y.iter_mut() {
            if B::LEN == 0 {
                y.flat_mut().fill(T::zero());
            } else {
                y.flat_mut().copy_from_slice(self.bias.flat());
            }
        }
        // SAFETY: x and y have n items of I and O elements, one after the other; W has O rows of I (asserted above).
        unsafe {
            let rows = Taps::rows(Y::LEN, X::LEN);
            let (x, w) = (self.x.as_ptr().cast::<T>(), self.weight.flat().as_ptr());
            gemm::dot_product(simd, n, x, X::LEN, w, rows, X::LEN, y.as_mut_ptr().cast::<T>(), Y::LEN);
        }
        for y in y {
            for y in y.flat_mut() {
                *y = self.act.apply(*y);
            }
        }
    }
}

/// `dw += …`, `db += …`, and with `DX` `dx[i] ← …`; `dy` is overwritten. `y`: what left the layer.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and gradients of one step")]
pub fn backward<const DX: bool, T, S, A, X, W, B, Y>(
    simd: S, x: &[X], weight: &W, act: A, y: &[Y], dy: &mut [Y], dw: &mut W, db: &mut B, dx: &mut [X],
) where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    simd.vectorize(Backward::<DX, _, _, _, _, _> { x, weight, act, y, dy, dw, db, dx });
}

/// [`backward`] as a kernel.
pub struct Backward<'a, const DX: bool, A, X, W, B, Y> {
    /// The vectors that arrive.
    pub x: &'a [X],
    /// `[O, I]`.
    pub weight: &'a W,
    /// The activation.
    pub act: A,
    /// What leaves the layer.
    pub y: &'a [Y],
    /// The gradient of what left; overwritten.
    pub dy: &'a mut [Y],
    /// Is added to.
    pub dw: &'a mut W,
    /// Is added to.
    pub db: &'a mut B,
    /// Is written with `DX`.
    pub dx: &'a mut [X],
}

impl<const DX: bool, T, A, X, W, B, Y> Kernel<T> for Backward<'_, DX, A, X, W, B, Y>
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
        let n = self.x.len().min(self.y.len()).min(self.dy.len());
        if n == 0 {
            // Pointers to rows of an empty micro-batch would lie outside of it.
            return;
        }
        let dy = &mut self.dy[..n];
        for (dy, y) in dy.iter_mut().zip(self.y) {
            scale_by_derivative(self.act, y.flat(), dy.flat_mut());
            for (db, dy) in self.db.flat_mut().iter_mut().zip(dy.flat()) {
                *db += *dy;
            }
        }
        let (dz, x) = (dy.as_ptr().cast::<T>(), self.x.as_ptr().cast::<T>());
        // SAFETY: dZ and X are n rows of O and I elements; dW has O rows of I.
        unsafe {
            let a = Broadcast { first: dz, row: 1, column: Y::LEN };
            let rows = Taps::rows(n, X::LEN);
            let dw = self.dw.flat_mut().as_mut_ptr();
            gemm::product::<T, S, true>(simd, Y::LEN, a, x, rows, dw, X::LEN, X::LEN);
        }
        if DX {
            let n = n.min(self.dx.len());
            // SAFETY: dX has n rows of I elements; W has O rows of I, dZ n rows of O.
            unsafe {
                let a = Broadcast { first: dz, row: Y::LEN, column: 1 };
                let rows = Taps::rows(Y::LEN, X::LEN);
                let (w, dx) = (self.weight.flat().as_ptr(), self.dx.as_mut_ptr().cast::<T>());
                if T::wins(n, Y::LEN, X::LEN) {
                    <T as HostGemm>::product(n, Y::LEN, X::LEN, a, w, dx);
                } else {
                    gemm::product::<T, S, false>(simd, n, a, w, rows, dx, X::LEN, X::LEN);
                }
            }
        }
    }
}
