//! The element type of tensors: `f32`, and `f64` for checks of gradients.

use core::fmt::{Debug, Display};
use core::iter::Sum;

use crate::kernels::host::HostGemm;
use crate::kernels::simd::Kernel;
use crate::plain::Plain;

/// An element of a tensor: `f32` or `f64`.
///
/// Arithmetic comes from num-traits. What this trait adds is the choice of the instruction set ([`Scalar::dispatch`]),
/// made once for a network's call.
pub trait Scalar:
    num_traits::Float
    + num_traits::NumAssign
    + bytemuck::Pod
    + Plain<Self>
    + HostGemm
    + Sum
    + Default
    + Debug
    + Display
    + Send
    + Sync
{
    /// The name of the type in weight files: `F32`, `F64`.
    const DTYPE: &'static str;

    /// The nearest value of this type.
    fn of(value: f64) -> Self;

    /// The same value in double precision.
    fn as_f64(self) -> f64;

    /// Runs a kernel with the best instruction set of the machine.
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output;
}

impl Scalar for f32 {
    const DTYPE: &'static str = "F32";

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn as_f64(self) -> f64 {
        self as f64
    }

    #[inline(always)]
    fn dispatch<K: Kernel<f32>>(kernel: K) -> K::Output {
        crate::kernels::simd::dispatch_f32(kernel)
    }
}

impl Scalar for f64 {
    const DTYPE: &'static str = "F64";

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn as_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn dispatch<K: Kernel<f64>>(kernel: K) -> K::Output {
        crate::kernels::simd::dispatch_f64(kernel)
    }
}
