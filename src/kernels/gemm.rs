//! Blocked matrix products over the two micro-kernels of [`tile`](super::tile).
//!
//! Nothing is packed: A is broadcast element by element, so any strides do, and B is read along its rows, which the
//! callers lay out that way. The blocks are rows of A by the micro-kernel's height; columns run in the micro-kernel.

use crate::Scalar;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{self, Broadcast, Taps};

/// `C[m × n] ← A[m × K] · B[K × n]` (`ADD`: `+=`).
///
/// Rows of A go in blocks of the tile's height, then 4, 2 and 1: `m` may be known only at run time (a micro-batch).
///
/// # Safety
/// As for [`tile::block`], with `m` rows of A and C.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product and their strides")]
pub unsafe fn product<T: Scalar, S: Simd<T>, const ADD: bool>(
    simd: S, m: usize, a: Broadcast<T>, b: *const T, taps: Taps, c: *mut T, c_row: usize, n: usize,
) {
    let mut i = 0;
    macro_rules! blocks {
        ($mr:literal) => {
            while m - i >= $mr {
                // SAFETY: rows i..i + $mr are below m, the caller's.
                unsafe { tile::block::<T, S, $mr, ADD>(simd, a.from_row(i), b, taps, c.add(i * c_row), c_row, n) };
                i += $mr;
            }
        };
    }
    if const { tile::block_rows(S::REGISTERS) == 8 } {
        blocks!(8);
    }
    blocks!(4);
    blocks!(2);
    blocks!(1);
}

/// `C[i][j] += Σ_p A[i][p] · B[j][p]`, `A: [m × n]`, `B: [K × n]`, element `(i, j)` of C at `i · c_row + j`.
///
/// The sum over p is cut into blocks, so that the tile's rows stay in the first-level cache while they are used again.
///
/// # Safety
/// For all `i < m`, `p < n`, `k < K`: A can be read at `i · a_row + p`, B at `taps.offset(k) + p`, C read and written at `i · c_row + k`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product and their strides")]
pub unsafe fn dot_product<T: Scalar, S: Simd<T>>(
    simd: S, m: usize, a: *const T, a_row: usize, b: *const T, taps: Taps, n: usize, c: *mut T, c_row: usize,
) {
    // 4 + 6 rows of 512 elements are 20 KiB of f32: they fit a first-level cache of 32 KiB.
    const DEPTH: usize = 512;
    let mut p = 0;
    while p < n {
        let depth = if n - p < 2 * DEPTH { n - p } else { DEPTH };
        // SAFETY: columns p..p + depth are below n, the caller's.
        unsafe {
            let (a, b) = (a.add(p), b.add(p));
            match const { (tile::dot_rows(S::REGISTERS), tile::dot_columns(S::REGISTERS)) } {
                (4, 6) => dot_block::<T, S, 4, 6>(simd, m, a, a_row, b, taps, depth, c, c_row),
                _ => dot_block::<T, S, 3, 3>(simd, m, a, a_row, b, taps, depth, c, c_row),
            }
        }
        p += depth;
    }
}

/// # Safety
/// As for [`dot_product`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product and their strides")]
unsafe fn dot_block<T: Scalar, S: Simd<T>, const MR: usize, const NR: usize>(
    simd: S, m: usize, a: *const T, a_row: usize, b: *const T, taps: Taps, n: usize, c: *mut T, c_row: usize,
) {
    let (mut k, count) = (0, taps.count[0] * taps.count[1] * taps.count[2]);
    // The rows of B outside: they are the larger operand (weights), and are read once.
    while k < count {
        let width = if count - k < NR { count - k } else { NR };
        // SAFETY: rows k..k + width of B and all rows of A and C are the caller's.
        unsafe {
            if width == NR {
                let mut rows = [b; NR];
                for j in 0..NR {
                    rows[j] = b.add(taps.offset(k + j));
                }
                dot_rows::<T, S, MR, NR>(simd, m, a, a_row, rows, n, c.add(k), c_row);
            } else {
                for j in k..k + width {
                    dot_rows::<T, S, MR, 1>(simd, m, a, a_row, [b.add(taps.offset(j))], n, c.add(j), c_row);
                }
            }
        }
        k += width;
    }
}

/// # Safety
/// As for [`dot_product`], for `NR` rows of B.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product and their strides")]
unsafe fn dot_rows<T: Scalar, S: Simd<T>, const MR: usize, const NR: usize>(
    simd: S, m: usize, a: *const T, a_row: usize, b: [*const T; NR], n: usize, c: *mut T, c_row: usize,
) {
    let mut i = 0;
    // SAFETY: rows below m are the caller's.
    unsafe {
        while i + MR <= m {
            tile::dots::<T, S, MR, NR>(simd, a.add(i * a_row), a_row, b, n, c.add(i * c_row), c_row, 1);
            i += MR;
        }
        while i < m {
            tile::dots::<T, S, 1, NR>(simd, a.add(i * a_row), a_row, b, n, c.add(i * c_row), c_row, 1);
            i += 1;
        }
    }
}
