//! Without instructions of our own.

use super::{Kernel, Simd};
use crate::Scalar;

/// No vector instructions of our own: lanes as an array, which the compiler may put into whatever registers it has.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// Whether the target computes one number at a time. Lanes would then be registers that are missing elsewhere, and their edges, the parts of a
/// vector, code for nothing: LeNet-5's inference is 136 KB for Cortex-M4F with four lanes.
pub const ONE_BY_ONE: bool = !cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_feature = "neon",
    target_feature = "simd128"
));

/// 4 are a register of SSE2, NEON or wasm's simd128, in f32.
const PORTABLE_LANES: usize = if ONE_BY_ONE { 1 } else { 4 };

/// Registers for floating-point numbers: 32 on Cortex-M4F and M7F. Without any, numbers are in memory, and a large tile is but a long one.
const PORTABLE_REGISTERS: usize = match (ONE_BY_ONE, cfg!(target_abi = "eabihf")) {
    (false, _) => 16,
    (true, true) => 32,
    (true, false) => 16,
};

// SAFETY: 1 or 4 lanes.
unsafe impl<T: Scalar> Simd<T> for Portable {
    type V = [T; PORTABLE_LANES];
    type Half = Self;
    const LANES: usize = PORTABLE_LANES;
    const REGISTERS: usize = PORTABLE_REGISTERS;
    const ONE_BY_ONE: bool = ONE_BY_ONE;
    const MASKS: bool = false;
    const NAME: &'static str = "portable";

    #[inline(always)]
    fn vectorize<K: Kernel<T>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(never)]
    fn outline<K: Kernel<T>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, value: T) -> Self::V {
        [value; PORTABLE_LANES]
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn half(self) -> Self {
        self
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn where_positive(self, of: Self::V, v: Self::V) -> Self::V {
        core::array::from_fn(|i| if of[i] > T::zero() { v[i] } else { T::zero() })
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] * b[i])
    }

    // Not `mul_add`: without the instruction that is a library call that emulates the single rounding.
    #[inline(always)]
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn sum(self, a: Self::V) -> T {
        match a.as_slice() {
            [a, b, c, d] => (*a + *c) + (*b + *d),
            lanes => lanes.iter().copied().sum(),
        }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const T) -> Self::V {
        // SAFETY: the caller lets LANES elements be read; an array of T has the alignment of T.
        unsafe { *from.cast() }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const T, n: usize) -> Self::V {
        let mut v = [T::zero(); PORTABLE_LANES];
        for (i, lane) in v.iter_mut().enumerate().take(n) {
            // SAFETY: i < n, and the caller lets n elements be read.
            *lane = unsafe { *from.add(i) };
        }
        v
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T, v: Self::V) {
        // SAFETY: the caller lets LANES elements be written; an array of T has the alignment of T.
        unsafe { *to.cast() = v }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, v: Self::V, n: usize) {
        for (i, lane) in v.iter().enumerate().take(n) {
            // SAFETY: i < n, and the caller lets n elements be written.
            unsafe { *to.add(i) = *lane }
        }
    }
}
