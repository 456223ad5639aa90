//! Layer normalisation.

use core::slice::{from_mut, from_ref};

use bytemuck::Zeroable;

use crate::kernels::simd::Portable;
use crate::kernels::{layer_norm, map};
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// What layer normalisation learns of a map of `C × H × W`: γ, called `weight`, and β, called `bias` (Ba, Kiros and Hinton 2016), one of each for
/// every element. In a network it is `layer_norm`.
///
/// They lie as maps do inside a network. Files have PyTorch's order, `[C, H, W]`: see [`MemoryOrder`](crate::MemoryOrder).
///
/// ```
/// use tenonet::prelude::*;
///
/// let norm = LayerNorm::<2, 1, 1>::new();
/// assert_eq!(norm.forward(0.0, &Tensor([[[5.0]], [[7.0]]])), Tensor([[[-1.0]], [[1.0]]]));
/// ```
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm<const C: usize, const H: usize, const W: usize, T = f32> {
    /// γ, `[H][W][C]`.
    pub weight: [[[T; C]; W]; H],
    /// β, `[H][W][C]`.
    pub bias: [[[T; C]; W]; H],
}

// SAFETY: repr(C) of two nested arrays of T: all T, no padding.
#[allow(unsafe_code, reason = "marks the layer as plain data")]
unsafe impl<const C: usize, const H: usize, const W: usize, T: Scalar> Plain<T> for LayerNorm<C, H, W, T> {}
// SAFETY: arrays of T, for which zeroed memory is valid.
#[allow(unsafe_code, reason = "marks the layer as plain data")]
unsafe impl<const C: usize, const H: usize, const W: usize, T: Scalar> Zeroable for LayerNorm<C, H, W, T> {}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> LayerNorm<C, H, W, T> {
    /// As training begins: γ = 1, β = 0.
    pub fn new() -> Self {
        LayerNorm { weight: [[[T::one(); C]; W]; H], bias: [[[T::zero(); C]; W]; H] }
    }

    /// All elements zero: a gradient to add to.
    pub fn zeros() -> Self {
        plain::zeroed()
    }

    /// `y = γ ⊙ (x − μ) / √(σ² + epsilon) + β`, with mean and variance of all elements of `x`.
    pub fn forward(&self, epsilon: f64, x: &Tensor<C, H, W, T>) -> Tensor<C, H, W, T> {
        const { assert!(C * H * W > 0, "LayerNorm: a map without elements has no mean") };
        let (mut pixels, mut y) = (Tensor::<C, H, W, T>::zeros(), Tensor::zeros());
        map::to_pixels(Portable, Shape::new(C, H, W), from_ref(x), from_mut(&mut y));
        layer_norm::forward(Portable, self, epsilon, from_ref(&y), from_mut(&mut pixels));
        map::to_planes(Portable, Shape::new(C, H, W), from_ref(&pixels), from_mut(&mut y));
        y
    }

    /// From `x` and the gradient `dy` of a loss with respect to the output: adds the gradient with respect to γ and β to `grad`, and yields the
    /// one with respect to `x`.
    pub fn backward(
        &self, epsilon: f64, x: &Tensor<C, H, W, T>, dy: &Tensor<C, H, W, T>, grad: &mut Self,
    ) -> Tensor<C, H, W, T> {
        let (mut x_pixels, mut d) = (Tensor::<C, H, W, T>::zeros(), Tensor::<C, H, W, T>::zeros());
        map::to_pixels(Portable, Shape::new(C, H, W), from_ref(x), from_mut(&mut x_pixels));
        map::to_pixels(Portable, Shape::new(C, H, W), from_ref(dy), from_mut(&mut d));
        layer_norm::backward_in_place(Portable, self, epsilon, from_ref(&x_pixels), from_mut(&mut d), grad);
        map::to_planes(Portable, Shape::new(C, H, W), from_ref(&d), from_mut(&mut x_pixels));
        x_pixels
    }
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Default for LayerNorm<C, H, W, T> {
    fn default() -> Self {
        Self::new()
    }
}
