//! The fully-connected layer.

use bytemuck::Zeroable;

use super::Layer;
use crate::kernels::activation::Identity;
use crate::kernels::linear;
use crate::kernels::simd::{Kernel, Simd};
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// `y = weight · x + bias` from `IN` to `OUT` features; `BIASES` is `OUT`, or 0 for no bias.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Linear<const IN: usize, const OUT: usize, T = f32, const BIASES: usize = OUT> {
    /// `[OUT][IN]`.
    pub weight: [[T; IN]; OUT],
    /// `[OUT]`, or empty.
    pub bias: [T; BIASES],
}

// SAFETY: repr(C) of two arrays of T: all T, no padding.
#[allow(unsafe_code, reason = "marks the layer as plain data")]
unsafe impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Plain<T> for Linear<IN, OUT, T, BIASES> {}
// SAFETY: arrays of T, for which zeroed memory is valid.
#[allow(unsafe_code, reason = "marks the layer as plain data")]
unsafe impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Zeroable for Linear<IN, OUT, T, BIASES> {}

impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Linear<IN, OUT, T, BIASES> {
    /// All parameters zero: a gradient to add to.
    pub fn zeros() -> Self {
        plain::zeroed()
    }

    /// He's normal initialisation, biases zero. By value: for large layers, see `network!`.
    #[cfg(feature = "std")]
    pub fn init<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        let mut layer = Self::zeros();
        let role = crate::info::Role::Weight { fan_in: IN, fan_out: OUT };
        crate::init::Init::default().fill_tensor(role, layer.weight.flat_mut(), rng);
        layer
    }
}

struct Forward<'a, L, X, Y>(&'a L, &'a X, &'a mut Y);

impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Kernel<T>
    for Forward<'_, Linear<IN, OUT, T, BIASES>, Tensor<IN, 1, 1, T>, Tensor<OUT, 1, 1, T>>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let (x, y) = (core::slice::from_ref(self.1), core::slice::from_mut(self.2));
        linear::forward(simd, x, &self.0.weight, &self.0.bias, Identity, y);
    }
}

struct Backward<'a, L, X, Y> {
    layer: &'a L,
    x: &'a X,
    y: &'a Y,
    dy: &'a mut Y,
    grad: &'a mut L,
    dx: &'a mut X,
}

impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Kernel<T>
    for Backward<'_, Linear<IN, OUT, T, BIASES>, Tensor<IN, 1, 1, T>, Tensor<OUT, 1, 1, T>>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { layer, x, y, dy, grad, dx } = self;
        linear::backward::<true, _, _, _, _, _, _, _>(
            simd,
            core::slice::from_ref(x),
            &layer.weight,
            Identity,
            core::slice::from_ref(y),
            core::slice::from_mut(dy),
            &mut grad.weight,
            &mut grad.bias,
            core::slice::from_mut(dx),
        );
    }
}

impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Layer<Tensor<IN, 1, 1, T>, Tensor<OUT, 1, 1, T>>
    for Linear<IN, OUT, T, BIASES>
{
    fn forward(&self, x: &Tensor<IN, 1, 1, T>) -> Tensor<OUT, 1, 1, T> {
        const { assert!(BIASES == OUT || BIASES == 0, "Linear: BIASES must be OUT or 0") };
        let mut y = Tensor::zeros();
        T::dispatch(Forward(self, x, &mut y));
        y
    }

    fn backward(
        &self, x: &Tensor<IN, 1, 1, T>, y: &Tensor<OUT, 1, 1, T>, dy: &Tensor<OUT, 1, 1, T>, grad: &mut Self,
    ) -> Tensor<IN, 1, 1, T> {
        let (mut dx, mut dy) = (Tensor::zeros(), *dy);
        T::dispatch(Backward { layer: self, x, y, dy: &mut dy, grad, dx: &mut dx });
        dx
    }
}
