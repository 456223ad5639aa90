//! The host's matrix product for large layers: `matrixmultiply`, which packs its operands and blocks for every cache.
//!
//! It is the yardstick of [`gemm`](super::gemm), and takes over where B is a matrix in memory far larger than the caches
//! and is used by many rows of A: there packing pays. Measured on one AVX-512 core, `C[m × 4096] = A[m × 4096] · B[4096 × 4096]`:
//! 65 GFLOP/s against 21 for `m = 64`, 79 against 21 for `m = 128`; but 36 against 67 for `m = 16`, and it is the slower one for all
//! shapes of convolutions that were tried (`[64 × 576] · [576 × 784]`: 93 against 108). `benches/gemm.rs` repeats this.

use crate::kernels::tile::Broadcast;

/// A general matrix product of the host.
///
/// It allocates its packing buffers, so the core without `std` has none.
pub trait HostGemm: Sized {
    /// Whether there is one, and it wins for `C[m × n] = A[m × k] · B[k × n]`.
    fn wins(m: usize, k: usize, n: usize) -> bool {
        // B above 2²² elements (16 MiB of f32) streams from memory; 64 rows repay its packing.
        cfg!(feature = "std") && m >= 64 && k.saturating_mul(n) >= 1 << 22
    }

    /// `C[m × n] ← A[m × k] · B[k × n]`, rows of B and C one after the other.
    ///
    /// # Safety
    /// A can be read at all `(i, k)`, B has `k · n` elements to read, C `m · n` to write.
    unsafe fn product(m: usize, k: usize, n: usize, a: Broadcast<Self>, b: *const Self, c: *mut Self);
}

macro_rules! host_gemm {
    ($t:ty, $gemm:path) => {
        impl HostGemm for $t {
            #[cfg(feature = "std")]
            unsafe fn product(m: usize, k: usize, n: usize, a: Broadcast<$t>, b: *const $t, c: *mut $t) {
                // Strides of real slices fit an isize: no allocation is larger.
                let [row, column, width] = [a.row, a.column, n].map(|stride| stride as isize);
                // SAFETY: the caller's, with these strides.
                unsafe { $gemm(m, k, n, 1.0, a.first, row, column, b, width, 1, 0.0, c, width, 1) }
            }

            #[cfg(not(feature = "std"))]
            unsafe fn product(m: usize, k: usize, n: usize, a: Broadcast<$t>, b: *const $t, c: *mut $t) {
                use crate::kernels::{gemm, simd::Portable, tile::Taps};
                // SAFETY: the caller's. Never called, for `wins` says no.
                unsafe { gemm::product::<$t, _, false>(Portable, m, a, b, Taps::rows(k, n), c, n, n) }
            }
        }
    };
}

host_gemm!(f32, matrixmultiply::sgemm);
host_gemm!(f64, matrixmultiply::dgemm);
