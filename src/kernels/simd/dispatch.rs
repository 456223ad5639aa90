//! The choice of an instruction set: what the machine has, or without `std` what the program is compiled for.

use super::{Kernel, Simd};
use crate::Scalar;

/// An instruction set, as it is found out at run time.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Portable,
    Avx2,
    Avx512,
}

/// What the machine has, or less where the environment variable `TENONET_SIMD` (`portable`, `avx2`, `avx512`) says so.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn level() -> Level {
    static LEVEL: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *LEVEL.get_or_init(|| {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        let found = if avx512 {
            Level::Avx512
        } else if avx2 {
            Level::Avx2
        } else {
            Level::Portable
        };
        let wanted = match std::env::var("TENONET_SIMD").as_deref() {
            Ok("portable") => Level::Portable,
            Ok("avx2") => Level::Avx2,
            _ => Level::Avx512,
        };
        if wanted < found { wanted } else { found }
    })
}

/// Without `std` the processor cannot be asked: the instructions are those that the whole program is compiled for.
#[cfg(all(not(feature = "std"), target_arch = "x86_64", target_feature = "avx512f", target_feature = "avx512vl"))]
fn compiled_for() -> super::Avx512 {
    // SAFETY: the whole program is compiled for AVX-512 F and VL, which imply AVX2 and FMA.
    unsafe { super::Avx512::new() }
}

/// Without `std` the processor cannot be asked: the instructions are those that the whole program is compiled for.
#[cfg(all(
    not(feature = "std"),
    target_arch = "x86_64",
    target_feature = "avx2",
    target_feature = "fma",
    not(all(target_feature = "avx512f", target_feature = "avx512vl"))
))]
fn compiled_for() -> super::Avx2 {
    // SAFETY: the whole program is compiled for AVX2 and FMA.
    unsafe { super::Avx2::new() }
}

/// Without instructions of our own.
#[cfg(any(
    not(target_arch = "x86_64"),
    all(
        not(feature = "std"),
        not(all(target_feature = "avx2", target_feature = "fma")),
        not(all(target_feature = "avx512f", target_feature = "avx512vl"))
    )
))]
fn compiled_for() -> super::Portable {
    super::Portable
}

macro_rules! dispatch {
    ($name:ident, $t:ty) => {
        /// Runs a kernel with the best instruction set of the machine.
        #[inline]
        pub fn $name<K: Kernel<$t>>(kernel: K) -> K::Output {
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            match level() {
                // SAFETY: `level` found the features on this machine.
                Level::Avx512 => Simd::<$t>::vectorize(unsafe { super::Avx512::new() }, kernel),
                // SAFETY: `level` found the features on this machine.
                Level::Avx2 => Simd::<$t>::vectorize(unsafe { super::Avx2::new() }, kernel),
                Level::Portable => Simd::<$t>::vectorize(super::Portable, kernel),
            }
            #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
            Simd::<$t>::vectorize(compiled_for(), kernel)
        }
    };
}

dispatch!(dispatch_f32, f32);
dispatch!(dispatch_f64, f64);

/// The name of the instruction set that kernels run with: `avx512`, `avx2` or `portable`.
pub fn name() -> &'static str {
    struct Name;
    impl<T: Scalar> Kernel<T> for Name {
        type Output = &'static str;
        #[inline(always)]
        fn run<S: Simd<T>>(self, _: S) -> &'static str {
            S::NAME
        }
    }
    dispatch_f32(Name)
}
