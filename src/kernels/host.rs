//! The host's matrix product for large layers: `matrixmultiply`, which packs its operands and blocks for every cache.
//!
//! It is the yardstick of [`gemm`](super::gemm), and takes over where B is a matrix in memory far larger than the caches, turned, and is used by a
//! few dozen rows of A. Measured on one AVX-512 core, `C[m × 4096] = A[m × 4096] · B[4096 × 4096]ᵀ`: 41 GFLOP/s against 36 for `m = 64`, and about the same,
//! 53 against 54, for `m = 128`. For the products of convolutions it is the slower one (`benches/gemm.rs`).

/// A general matrix product of the host.
///
/// It allocates its packing buffers, so the core without `std` has none.
pub trait HostGemm: Sized {
    /// `C[m × n] ← A[m × k] · Bᵀ` with `B: [n × k]`, all in rows, if there is such a product here and it wins; yields whether it did.
    ///
    /// # Safety
    /// A can be read at `m · k` elements, B at `n · k`, C written at `m · n`.
    unsafe fn product(m: usize, k: usize, n: usize, a: *const Self, b: *const Self, c: *mut Self) -> bool;
}

/// Whether the host's product wins: B above 2²² elements (16 MiB of f32) streams from memory; 64 rows repay its packing.
#[cfg(feature = "std")]
fn wins(m: usize, k: usize, n: usize) -> bool {
    m >= 64 && k.saturating_mul(n) >= 1 << 22
}

macro_rules! host_gemm {
    ($t:ty, $gemm:path) => {
        impl HostGemm for $t {
            #[cfg(feature = "std")]
            unsafe fn product(m: usize, k: usize, n: usize, a: *const $t, b: *const $t, c: *mut $t) -> bool {
                if !wins(m, k, n) {
                    return false;
                }
                // Strides of real slices fit an isize: no allocation is larger.
                let [depth, width] = [k, n].map(|stride| stride as isize);
                // SAFETY: the caller's, with these strides.
                unsafe { $gemm(m, k, n, 1.0, a, depth, 1, b, 1, depth, 0.0, c, width, 1) }
                true
            }

            #[cfg(not(feature = "std"))]
            unsafe fn product(_: usize, _: usize, _: usize, _: *const $t, _: *const $t, _: *mut $t) -> bool {
                false
            }
        }
    };
}

host_gemm!(f32, matrixmultiply::sgemm);
host_gemm!(f64, matrixmultiply::dgemm);
