//! Element-wise steps, and softmax: what stands by itself, not behind a convolution or a linear layer.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::simd::{Run, Simd};
use crate::kernels::stage::scale_by_derivative;
use crate::plain::Plain;

/// `y[i] ← f(x[i])`.
pub fn forward<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, act: A, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.flat().iter().zip(y.flat_mut()) {
                *y = act.apply(*x);
            }
        }
    }));
}

/// `y[i] ← f(y[i])`.
pub fn forward_in_place<T: Scalar, S: Simd<T>, A: Activation<T>, Y: Plain<T>>(simd: S, act: A, y: &mut [Y]) {
    simd.vectorize(Run(|| {
        for y in y {
            for y in y.flat_mut() {
                *y = act.apply(*y);
            }
        }
    }));
}

/// `dy[i] ← dy[i] ⊙ f′`, from the output `y` where `f` is monotone, from the input otherwise.
pub fn backward_in_place<T: Scalar, S: Simd<T>, A: Activation<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, act: A, kept: &[X], dy: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (kept, dy) in kept.iter().zip(dy) {
            scale_by_derivative(act, kept.flat(), dy.flat_mut());
        }
    }));
}

/// `y[i] ← x[i]`, in another shape of the same length.
pub fn copy<T: Scalar, X: Plain<T>, Y: Plain<T>>(x: &[X], y: &mut [Y]) {
    const { assert!(X::LEN == Y::LEN) };
    for (x, y) in x.iter().zip(y) {
        y.flat_mut().copy_from_slice(x.flat());
    }
}

/// `y[c] ← exp(x[c]) / Σ_k exp(x[k])` over the `channels` at each place of the map.
///
/// The largest logit is subtracted first, so that nothing overflows.
pub fn softmax_forward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, channels: usize, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            y.flat_mut().copy_from_slice(x.flat());
            softmax_image(channels, y.flat_mut());
        }
    }));
}

/// [`softmax_forward`] where it stands.
pub fn softmax_forward_in_place<T: Scalar, S: Simd<T>, Y: Plain<T>>(simd: S, channels: usize, y: &mut [Y]) {
    simd.vectorize(Run(|| {
        for y in y {
            softmax_image(channels, y.flat_mut());
        }
    }));
}

/// Elements of one channel's plane.
const fn plane(len: usize, channels: usize) -> usize {
    match len.checked_div(channels) {
        Some(plane) => plane,
        None => 0,
    }
}

#[inline(always)]
fn softmax_image<T: Scalar>(channels: usize, y: &mut [T]) {
    let plane = plane(y.len(), channels);
    for place in 0..plane {
        let largest = y.iter().skip(place).step_by(plane).copied().fold(T::neg_infinity(), T::max);
        let mut sum = T::zero();
        for y in y.iter_mut().skip(place).step_by(plane) {
            *y = (*y - largest).exp();
            sum += *y;
        }
        for y in y.iter_mut().skip(place).step_by(plane) {
            *y /= sum;
        }
    }
}

/// `dy[c] ← y[c] · (dy[c] − Σ_k dy[k] · y[k])` over the channels at each place.
pub fn softmax_backward_in_place<T: Scalar, S: Simd<T>, Y: Plain<T>, D: Plain<T>>(
    simd: S, channels: usize, y: &[Y], dy: &mut [D],
) {
    const { assert!(Y::LEN == D::LEN) };
    simd.vectorize(Run(|| {
        for (y, dy) in y.iter().zip(dy) {
            let (y, dy) = (y.flat(), dy.flat_mut());
            let plane = plane(y.len(), channels);
            for place in 0..plane {
                let pairs = y.iter().skip(place).step_by(plane).zip(dy.iter().skip(place).step_by(plane));
                let dot: T = pairs.map(|(y, dy)| *y * *dy).sum();
                let channel = y.iter().skip(place).step_by(plane);
                for (y, dy) in channel.zip(dy.iter_mut().skip(place).step_by(plane)) {
                    *dy = *y * (*dy - dot);
                }
            }
        }
    }));
}
