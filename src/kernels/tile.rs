//! The two micro-kernels. Everything that multiplies goes through one of them.
//!
//! - [`block`]: `C[MR × N] ← A[MR × K] · B[K × N]`. A column of A is broadcast, a row of B is loaded as vectors: the form for wide C.
//! - [`dots`]: `C[MR × NR] += A[MR × P] · B[NR × P]ᵀ`. Both are loaded as vectors along P, and summed across the lanes at
//!   the end: the form for a long P, where both operands already lie along it.
//!
//! B is never written out where its rows are regular: [`Taps`] tells where each row begins. For a convolution of
//! stride 1 the rows of the im2col matrix are views of the padded input, shifted by the tap ("wide rows").
//!
//! There is no closure in this file: a closure would be a function without the instruction set enabled, and the vector
//! instructions in it would stay calls.

use crate::Scalar;
use crate::kernels::simd::Simd;

/// Where the rows of a matrix begin: row `(c, u, v)` lies `c · stride[0] + u · stride[1] + v · stride[2]` elements on.
///
/// For a kernel over a feature map, `(c, u, v)` is a tap: an input channel, a kernel row and a kernel column.
#[derive(Clone, Copy, Debug)]
pub struct Taps {
    /// Input channels, kernel rows, kernel columns.
    pub count: [usize; 3],
    /// Elements from one to the next: a plane of the map, `dilation` rows, `dilation` columns.
    pub stride: [usize; 3],
}

impl Taps {
    /// The rows of a matrix in memory, `stride` elements apart.
    pub const fn rows(count: usize, stride: usize) -> Self {
        Taps { count: [1, 1, count], stride: [0, 0, stride] }
    }

    /// Where row `k` begins.
    #[inline(always)]
    pub const fn offset(self, k: usize) -> usize {
        let (c, u, v) = (k / (self.count[1] * self.count[2]), k / self.count[2] % self.count[1], k % self.count[2]);
        c * self.stride[0] + u * self.stride[1] + v * self.stride[2]
    }
}

/// The tile of [`block`]: `MR × NV` accumulators, `NV` vectors of B and one broadcast element of A fill the registers.
///
/// 32 registers: 8 × 3 + 3 + 1 = 28; 16 registers: 4 × 3 + 3 + 1 = 16. Three vectors a row make three multiply-adds for
/// each broadcast, so that loads stay below what two load ports deliver.
pub const fn block_rows(registers: usize) -> usize {
    if registers >= 32 { 8 } else { 4 }
}

/// Vectors in a row of the tile of [`block`].
pub const BLOCK_VECTORS: usize = 3;

/// Rows of A in a tile of [`dots`]: 4 × 6 + 6 + 1 = 31 of 32 registers, 3 × 3 + 3 + 1 = 13 of 16.
pub const fn dot_rows(registers: usize) -> usize {
    if registers >= 32 { 4 } else { 3 }
}

/// Rows of B in a tile of [`dots`].
pub const fn dot_columns(registers: usize) -> usize {
    if registers >= 32 { 6 } else { 3 }
}

/// A matrix for broadcasting: element `(i, k)` lies at `i · row + k · column`.
#[derive(Clone, Copy)]
pub struct Broadcast<T> {
    /// Element (0, 0).
    pub first: *const T,
    /// Elements from one row to the next.
    pub row: usize,
    /// Elements from one column to the next.
    pub column: usize,
}

impl<T> Broadcast<T> {
    /// The same matrix from row `i` on.
    ///
    /// # Safety
    /// Row `i` lies in the matrix or directly behind its end.
    #[inline(always)]
    pub unsafe fn from_row(self, i: usize) -> Self {
        // SAFETY: the caller's.
        Broadcast { first: unsafe { self.first.add(i * self.row) }, ..self }
    }
}

/// `C[MR × n] ← A[MR × K] · B[K × n]`, or `C += A · B` with `ADD`; rows of C lie `c_row` apart.
///
/// # Safety
/// For all `i < MR`, `k` of the walk, `j < n`: `a` can be read at `(i, k)`, `b` at `offset(k) + j`, and `c` written (with `ADD`: and read) at `i · c_row + j`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product and their strides")]
pub unsafe fn block<T: Scalar, S: Simd<T>, const MR: usize, const ADD: bool>(
    simd: S, a: Broadcast<T>, b: *const T, taps: Taps, c: *mut T, c_row: usize, n: usize,
) {
    let full = BLOCK_VECTORS * S::LANES;
    let mut j = 0;
    while j + full <= n {
        // SAFETY: columns j..j + full are below n, so all reads and writes are the caller's.
        unsafe { tile::<T, S, MR, BLOCK_VECTORS, ADD>(simd, a, b.add(j), taps, c.add(j), c_row, S::LANES) };
        j += full;
    }
    let rest = n - j;
    if rest > 0 {
        let last = (rest - 1) % S::LANES + 1;
        // SAFETY: the last vector is cut to `last` lanes, so columns j..n are touched, the caller's.
        unsafe {
            let (b, c) = (b.add(j), c.add(j));
            match rest.div_ceil(S::LANES) {
                1 => tile::<T, S, MR, 1, ADD>(simd, a, b, taps, c, c_row, last),
                2 => tile::<T, S, MR, 2, ADD>(simd, a, b, taps, c, c_row, last),
                _ => tile::<T, S, MR, 3, ADD>(simd, a, b, taps, c, c_row, last),
            }
        }
    }
}

/// One tile of [`block`]: `NV` vectors a row, the last of them with `last` lanes.
///
/// # Safety
/// As for [`block`], with `n = (NV − 1) · LANES + last`, `1 ≤ last ≤ LANES`.
#[inline(always)]
unsafe fn tile<T: Scalar, S: Simd<T>, const MR: usize, const NV: usize, const ADD: bool>(
    simd: S, a: Broadcast<T>, b: *const T, taps: Taps, c: *mut T, c_row: usize, last: usize,
) {
    let mut acc = [[simd.splat(T::zero()); NV]; MR];
    let mut a_k = a.first;
    for plane in 0..taps.count[0] {
        for row in 0..taps.count[1] {
            for tap in 0..taps.count[2] {
                // SAFETY: the caller's conditions; `a_k` is column k of A, vector v begins at column v · LANES of row k
                // of B, and the last one has `last` lanes.
                unsafe {
                    let b_k = b.add(plane * taps.stride[0] + row * taps.stride[1] + tap * taps.stride[2]);
                    let mut b = [simd.splat(T::zero()); NV];
                    for v in 0..NV {
                        b[v] = load::<T, S, NV>(simd, b_k, v, last);
                    }
                    for i in 0..MR {
                        let a = simd.splat(*a_k.add(i * a.row));
                        for v in 0..NV {
                            acc[i][v] = simd.mul_add(a, b[v], acc[i][v]);
                        }
                    }
                }
                // `wrapping`: behind the last column the pointer may leave the matrix; it is not read there.
                a_k = a_k.wrapping_add(a.column);
            }
        }
    }
    for i in 0..MR {
        for v in 0..NV {
            // SAFETY: as above, rows of C lie `c_row` apart.
            unsafe {
                let row = c.add(i * c_row);
                let mut sum = acc[i][v];
                if ADD {
                    sum = simd.add(load::<T, S, NV>(simd, row, v, last), sum);
                }
                if v + 1 == NV && last < S::LANES {
                    simd.store_first(row.add(v * S::LANES), sum, last);
                } else {
                    simd.store(row.add(v * S::LANES), sum);
                }
            }
        }
    }
}

/// Vector `v` of a row of `NV` vectors, the last of which has `last` lanes.
///
/// # Safety
/// The row can be read.
#[inline(always)]
unsafe fn load<T: Scalar, S: Simd<T>, const NV: usize>(simd: S, row: *const T, v: usize, last: usize) -> S::V {
    // SAFETY: the vector lies in the row, the caller's.
    unsafe {
        if v + 1 == NV && last < S::LANES {
            simd.load_first(row.add(v * S::LANES), last)
        } else {
            simd.load(row.add(v * S::LANES))
        }
    }
}

/// `Σ x`, in a fixed order.
///
/// Four vectors of partial sums: an addition takes four cycles, and need not wait for the one before.
#[inline(always)]
pub fn sum<T: Scalar, S: Simd<T>>(simd: S, x: &[T]) -> T {
    const VECTORS: usize = 4;
    let mut acc = [simd.splat(T::zero()); VECTORS];
    let mut chunks = x.chunks_exact(VECTORS * S::LANES);
    for chunk in &mut chunks {
        for v in 0..VECTORS {
            // SAFETY: the chunk has VECTORS vectors of LANES elements.
            acc[v] = simd.add(acc[v], unsafe { simd.load(chunk.as_ptr().add(v * S::LANES)) });
        }
    }
    for rest in chunks.remainder().chunks(S::LANES) {
        // SAFETY: a chunk has at most LANES elements.
        acc[0] = simd.add(acc[0], unsafe { simd.load_first(rest.as_ptr(), rest.len()) });
    }
    simd.sum(simd.add(simd.add(acc[0], acc[2]), simd.add(acc[1], acc[3])))
}

/// `C[i][j] += Σ_p A[i][p] · B[j][p]` for a tile of `MR × NR`; rows of A lie `a_row` apart, row `j` of B at `b[j]`, element `(i, j)` of C at `i · c_row + j · c_column`.
///
/// # Safety
/// For all `i < MR`, `j < NR`, `p < n`: A and B can be read and C read and written there.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product and their strides")]
pub unsafe fn dots<T: Scalar, S: Simd<T>, const MR: usize, const NR: usize>(
    simd: S, a: *const T, a_row: usize, b: [*const T; NR], n: usize, c: *mut T, c_row: usize, c_column: usize,
) {
    let mut acc = [[simd.splat(T::zero()); NR]; MR];
    let mut p = 0;
    while p < n {
        let lanes = if n - p < S::LANES { n - p } else { S::LANES };
        // SAFETY: p + lanes ≤ n, so the reads are the caller's.
        unsafe {
            let mut v = [simd.splat(T::zero()); NR];
            for j in 0..NR {
                v[j] = load::<T, S, 1>(simd, b[j].add(p), 0, lanes);
            }
            for i in 0..MR {
                let a = load::<T, S, 1>(simd, a.add(i * a_row + p), 0, lanes);
                for j in 0..NR {
                    acc[i][j] = simd.mul_add(a, v[j], acc[i][j]);
                }
            }
        }
        p += S::LANES;
    }
    for i in 0..MR {
        for j in 0..NR {
            // SAFETY: element (i, j) of C is the caller's.
            unsafe { *c.add(i * c_row + j * c_column) += simd.sum(acc[i][j]) };
        }
    }
}
