//! A factor or a summand for each channel.

use bytemuck::Zeroable;

use super::Layer;
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// A factor for each of `C` channels: `y[c][h][w] = weight[c] · x[c][h][w]`.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Scale<const C: usize, T = f32> {
    /// `[C]`.
    pub weight: [T; C],
}

/// A summand for each of `C` channels: `y[c][h][w] = x[c][h][w] + bias[c]`.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Bias<const C: usize, T = f32> {
    /// `[C]`.
    pub bias: [T; C],
}

macro_rules! vector {
    ($name:ident, $field:ident, $begin:ident, $begin_doc:literal) => {
        // SAFETY: repr(C) of one array of T: all T, no padding.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<const C: usize, T: Scalar> Plain<T> for $name<C, T> {}
        // SAFETY: an array of T, for which zeroed memory is valid.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<const C: usize, T: Scalar> Zeroable for $name<C, T> {}

        impl<const C: usize, T: Scalar> $name<C, T> {
            #[doc = $begin_doc]
            pub fn new() -> Self {
                $name { $field: [T::$begin(); C] }
            }

            /// All elements zero: a gradient to add to.
            pub fn zeros() -> Self {
                plain::zeroed()
            }
        }

        impl<const C: usize, T: Scalar> Default for $name<C, T> {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

vector!(Scale, weight, one, "As training begins: 1 everywhere.");
vector!(Bias, bias, zero, "As training begins: 0 everywhere.");

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, H, W, T>>
    for Scale<C, T>
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, H, W, T> {
        let mut y = *x;
        for (plane, weight) in y.0.iter_mut().zip(&self.weight) {
            plane.as_flattened_mut().iter_mut().for_each(|y| *y *= *weight);
        }
        y
    }

    fn backward(
        &self, x: &Tensor<C, H, W, T>, _: &Tensor<C, H, W, T>, dy: &Tensor<C, H, W, T>, grad: &mut Self,
    ) -> Tensor<C, H, W, T> {
        for ((x, dy), grad) in x.0.iter().zip(&dy.0).zip(&mut grad.weight) {
            *grad += x.as_flattened().iter().zip(dy.as_flattened()).map(|(x, dy)| *x * *dy).sum();
        }
        self.forward(dy)
    }
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, H, W, T>>
    for Bias<C, T>
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, H, W, T> {
        let mut y = *x;
        for (plane, bias) in y.0.iter_mut().zip(&self.bias) {
            plane.as_flattened_mut().iter_mut().for_each(|y| *y += *bias);
        }
        y
    }

    fn backward(
        &self, _: &Tensor<C, H, W, T>, _: &Tensor<C, H, W, T>, dy: &Tensor<C, H, W, T>, grad: &mut Self,
    ) -> Tensor<C, H, W, T> {
        for (dy, grad) in dy.0.iter().zip(&mut grad.bias) {
            *grad += dy.as_flattened().iter().copied().sum();
        }
        *dy
    }
}
