//! Batch normalisation.

use bytemuck::Zeroable;

use crate::plain::Plain;
use crate::scalar::Scalar;

/// The parameters of a batch normalisation of `C` channels: `y = weight · (x − mean) / √(variance + ε) + bias`.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm<const C: usize, T = f32> {
    /// γ, `[C]`.
    pub weight: [T; C],
    /// β, `[C]`.
    pub bias: [T; C],
}

/// The running statistics of a batch normalisation of `C` channels.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics<const C: usize, T = f32> {
    /// `[C]`.
    pub mean: [T; C],
    /// `[C]`.
    pub variance: [T; C],
}

macro_rules! plain {
    ($name:ident) => {
        // SAFETY: repr(C) of two arrays of T: all T, no padding.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<const C: usize, T: Scalar> Plain<T> for $name<C, T> {}
        // SAFETY: arrays of T, for which zeroed memory is valid.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<const C: usize, T: Scalar> Zeroable for $name<C, T> {}
    };
}

plain!(BatchNorm);
plain!(Statistics);
