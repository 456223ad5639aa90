//! Batch normalisation as part of the layer before it: what `#[folded(Name)]` makes of a trained network.
//!
//! At inference `batch_norm` multiplies each channel with `f = γ / √(σ² + ε)` and adds `β − μ·f`. Behind a layer that yields `W·x + b` that is
//! `(f·W)·x + (b − μ)·f + β`: the same layer with other weights (Jacob et al. 2018, arXiv:1712.05877, section 3.2).

use crate::layers::{BatchNorm, Statistics};
use crate::plain::Plain;
use crate::scalar::Scalar;

/// The factor of a channel, and the layer's bias behind it. `bias`: before it.
fn channel<const C: usize, T: Scalar>(
    norm: &BatchNorm<C, T>, statistics: &Statistics<C, T>, epsilon: f64, channel: usize, bias: T,
) -> [T; 2] {
    let of = |values: &[T; C]| values.get(channel).copied().unwrap_or_default();
    let factor = of(&norm.weight) / (of(&statistics.variance) + T::of(epsilon)).sqrt();
    [factor, (bias - of(&statistics.mean)) * factor + of(&norm.bias)]
}

/// `W' ← f·W`, `b' ← (b − μ)·f + β`. Of `weight`, as of all weights, the outputs are the fastest; `bias` may be empty.
pub fn into_layer<const C: usize, T: Scalar>(
    weight: &impl Plain<T>, bias: &impl Plain<T>, norm: &BatchNorm<C, T>, statistics: &Statistics<C, T>, epsilon: f64,
    to_weight: &mut impl Plain<T>, to_bias: &mut [T; C],
) {
    let mut factors = [T::one(); C];
    let biases = bias.flat().iter().copied().chain(core::iter::repeat(T::zero()));
    for (index, ((factor, to), bias)) in factors.iter_mut().zip(to_bias).zip(biases).enumerate() {
        [*factor, *to] = channel(norm, statistics, epsilon, index, bias);
    }
    for ((to, from), factor) in to_weight.flat_mut().iter_mut().zip(weight.flat()).zip(factors.iter().cycle()) {
        *to = *from * *factor;
    }
}

/// A normalisation that no layer can take: as a convolution of each channel by itself, of one weight.
pub fn alone<const C: usize, T: Scalar>(
    norm: &BatchNorm<C, T>, statistics: &Statistics<C, T>, epsilon: f64, to_weight: &mut impl Plain<T>,
    to_bias: &mut [T; C],
) {
    into_layer(&[T::one(); C], &[] as &[T; 0], norm, statistics, epsilon, to_weight, to_bias);
}

/// A layer that stays as it is.
pub fn copy<T: Scalar, L: Plain<T>>(from: &L, to: &mut L) {
    to.flat_mut().copy_from_slice(from.flat());
}
