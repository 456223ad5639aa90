//! Batch normalisation: what it learns, and the running averages that inference uses.

use bytemuck::Zeroable;

use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// What batch normalisation learns of `C` channels: γ, called `weight`, and β, called `bias` (Ioffe and Szegedy 2015).
///
/// In a network it is `batch_norm`, and the [`Statistics`] are found in training. Written by hand it is for inference:
///
/// ```
/// use tenonet::prelude::*;
///
/// let norm = BatchNorm { weight: [2.0, 1.0], bias: [0.0, -1.0] };
/// let statistics = Statistics { mean: [5.0, 0.0], variance: [4.0, 1.0] };
/// let x: Tensor<2, 1, 3> = Tensor([[[3.0, 5.0, 7.0]], [[-1.0, 0.0, 1.0]]]);
/// let y = norm.forward(&statistics, 0.0, &x);
/// assert_eq!(y, Tensor([[[-2.0, 0.0, 2.0]], [[-2.0, -1.0, 0.0]]]));
/// ```
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm<const C: usize, T = f32> {
    /// γ, `[C]`.
    pub weight: [T; C],
    /// β, `[C]`.
    pub bias: [T; C],
}

/// The running averages of what training saw in `C` channels.
///
/// They are part of a network, of its files and checkpoints, but are no parameters: no optimizer changes them, but
/// [`Network::update_statistics`](crate::Network::update_statistics) after each of its steps. The variance is the unbiased one, as in PyTorch.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics<const C: usize, T = f32> {
    /// `[C]`.
    pub mean: [T; C],
    /// `[C]`.
    pub variance: [T; C],
}

macro_rules! two_vectors {
    ($name:ident) => {
        // SAFETY: repr(C) of two arrays of T: all T, no padding.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<const C: usize, T: Scalar> Plain<T> for $name<C, T> {}
        // SAFETY: arrays of T, for which zeroed memory is valid.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<const C: usize, T: Scalar> Zeroable for $name<C, T> {}

        impl<const C: usize, T: Scalar> $name<C, T> {
            /// All elements zero: a gradient to add to.
            pub fn zeros() -> Self {
                plain::zeroed()
            }
        }
    };
}

two_vectors!(BatchNorm);
two_vectors!(Statistics);

impl<const C: usize, T: Scalar> BatchNorm<C, T> {
    /// As training begins: γ = 1, β = 0.
    pub fn new() -> Self {
        BatchNorm { weight: [T::one(); C], bias: [T::zero(); C] }
    }

    /// Inference: `y = γ · (x − mean) / √(variance + epsilon) + β` in each channel.
    pub fn forward<const H: usize, const W: usize>(
        &self, statistics: &Statistics<C, T>, epsilon: f64, x: &Tensor<C, H, W, T>,
    ) -> Tensor<C, H, W, T> {
        let mut y = *x;
        let learned = self.weight.iter().zip(&self.bias);
        let seen = statistics.mean.iter().zip(&statistics.variance);
        for ((plane, (gamma, beta)), (mean, variance)) in y.0.iter_mut().zip(learned).zip(seen) {
            let scale = *gamma * (*variance + T::of(epsilon)).sqrt().recip();
            for y in plane.as_flattened_mut() {
                *y = (*y - *mean) * scale + *beta;
            }
        }
        y
    }
}

impl<const C: usize, T: Scalar> Statistics<C, T> {
    /// As training begins: mean 0, variance 1.
    pub fn new() -> Self {
        Statistics { mean: [T::zero(); C], variance: [T::one(); C] }
    }
}

impl<const C: usize, T: Scalar> Default for BatchNorm<C, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const C: usize, T: Scalar> Default for Statistics<C, T> {
    fn default() -> Self {
        Self::new()
    }
}
