//! The fully-connected layer.

use bytemuck::Zeroable;

use super::{Layer, with_work};
use crate::kernels::activation::Identity;
use crate::kernels::linear;
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// `y = x · weight + bias` from `IN` to `OUT` features; `BIASES` is `OUT`, or 0 for no bias.
///
/// The outputs are last because the kernels read weights as vectors along them. Files have them first, as PyTorch has:
/// see [`MemoryOrder`](crate::MemoryOrder).
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Linear<const IN: usize, const OUT: usize, T = f32, const BIASES: usize = OUT> {
    /// `[IN][OUT]`.
    pub weight: [[T; OUT]; IN],
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

impl<const IN: usize, const OUT: usize, T: Scalar, const BIASES: usize> Layer<Tensor<IN, 1, 1, T>, Tensor<OUT, 1, 1, T>>
    for Linear<IN, OUT, T, BIASES>
{
    fn forward(&self, x: &Tensor<IN, 1, 1, T>) -> Tensor<OUT, 1, 1, T> {
        const { assert!(BIASES == OUT || BIASES == 0, "Linear: BIASES must be OUT or 0") };
        let mut y = Tensor::zeros();
        T::dispatch(linear::Forward {
            x: core::slice::from_ref(x),
            weight: &self.weight,
            bias: &self.bias,
            act: Identity,
            y: core::slice::from_mut(&mut y),
        });
        y
    }

    fn backward(
        &self, x: &Tensor<IN, 1, 1, T>, y: &Tensor<OUT, 1, 1, T>, dy: &Tensor<OUT, 1, 1, T>, grad: &mut Self,
    ) -> Tensor<IN, 1, 1, T> {
        let mut dx = Tensor::zeros();
        with_work!(
            linear::backward_work(IN, OUT),
            T,
            |work| {
                let mut dy = *dy;
                T::dispatch(linear::Backward::<true, _, _, _, _, _, _, _> {
                    x: core::slice::from_ref(x),
                    weight: &self.weight,
                    act: Identity,
                    y: core::slice::from_ref(y),
                    dy: core::slice::from_mut(&mut dy),
                    dw: &mut grad.weight,
                    db: &mut grad.bias,
                    dx: core::slice::from_mut(&mut dx),
                    work,
                });
            },
            {
                use crate::kernels::reference::linear_backward;
                let (weight, dw) = (self.weight.as_flattened(), grad.weight.as_flattened_mut());
                linear_backward(x.as_slice(), weight, dy.as_slice(), dw, &mut grad.bias, dx.as_mut_slice());
            }
        );
        dx
    }
}
