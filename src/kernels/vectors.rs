//! Vectors at the end of a row, of which there may be fewer lanes than a register has.

use crate::Scalar;
use crate::kernels::simd::Simd;

/// A vector, or its first `lanes` lanes.
///
/// # Safety
/// `lanes ≤ LANES` elements can be read.
#[inline(always)]
pub(super) unsafe fn load<T: Scalar, S: Simd<T>>(simd: S, from: *const T, lanes: usize) -> S::V {
    // SAFETY: the caller's.
    unsafe { if lanes < S::LANES { simd.load_first(from, lanes) } else { simd.load(from) } }
}

/// A vector whose first `lanes` lanes are loaded. The others may be what lies there if `whole` says that it can be read, and are zeros if not: those are loaded by masks,
/// which on some processors cost a dozen multiply-adds (with AVX2 on AMD's first Zen, LeNet-5's training step of 64 takes 3.9 ms without masks, and 5.6 with them).
///
/// # Safety
/// `lanes ≤ LANES` elements can be read, and with `whole` a vector.
#[inline(always)]
pub(super) unsafe fn load_at_least<T: Scalar, S: Simd<T>>(simd: S, from: *const T, lanes: usize, whole: bool) -> S::V {
    // SAFETY: the caller's.
    unsafe { if const { !S::MASKS } && whole { simd.load(from) } else { load(simd, from, lanes) } }
}

/// Stores a vector, or its first `lanes` lanes.
///
/// # Safety
/// `lanes ≤ LANES` elements can be written.
#[inline(always)]
pub(super) unsafe fn store<T: Scalar, S: Simd<T>>(simd: S, to: *mut T, v: S::V, lanes: usize) {
    // SAFETY: the caller's.
    unsafe { if lanes < S::LANES { simd.store_first(to, v, lanes) } else { simd.store(to, v) } }
}

/// `$body` for each vector of `S` of `$n` elements: from element `$i` on, and so many `$lanes`.
macro_rules! by_vectors {
    ($n:expr, |$i:ident, $lanes:ident| $body:expr) => {{
        let (n, mut $i) = ($n, 0);
        while $i + S::LANES <= n {
            let $lanes = S::LANES;
            $body;
            $i += S::LANES;
        }
        if $i < n {
            let $lanes = n - $i;
            $body
        }
    }};
}
pub(super) use by_vectors;

/// Lanes of vector `v` of `NV`, the last of which has `last`.
#[inline(always)]
pub(super) const fn lanes(v: usize, nv: usize, last: usize, full: usize) -> usize {
    if v + 1 == nv { last } else { full }
}
