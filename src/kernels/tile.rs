//! The two micro-kernels. Everything that multiplies goes through one of them.
//!
//! - [`block`]: `C[MR × N] ← A[MR × K] · B[K × N]`. A column of A is broadcast, a row of B is loaded as vectors: the form for wide C.
//! - [`dots`]: `C[MR × NR] += A[MR × P] · B[NR × P]ᵀ`. Both are loaded as vectors along P, and summed across the lanes at
//!   the end: the form for a long P, where both operands already lie along it.
//!
//! B is never written out where its rows are regular: a [`Walk`] yields where each row begins. For a convolution of
//! stride 1 the rows of the im2col matrix are views of the padded input, shifted by the tap ("wide rows").

use crate::Scalar;
use crate::kernels::simd::Simd;

/// Where the rows of a matrix begin, as offsets in elements from its first one.
pub trait Walk: Copy {
    /// Calls `f` with the offset of each row, in order.
    fn walk(self, f: impl FnMut(usize));

    /// The offset of row `k`.
    fn offset(self, k: usize) -> usize;
}

/// Rows at a fixed distance: a matrix in memory.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Rows.
    pub count: usize,
    /// Elements from one to the next.
    pub stride: usize,
}

impl Walk for Rows {
    #[inline(always)]
    fn walk(self, mut f: impl FnMut(usize)) {
        for k in 0..self.count {
            f(k * self.stride);
        }
    }

    #[inline(always)]
    fn offset(self, k: usize) -> usize {
        k * self.stride
    }
}

/// The taps of a kernel over a feature map: row `(c, u, v)` of the im2col matrix begins `c · plane + u · row + v · tap` elements on.
#[derive(Clone, Copy, Debug)]
pub struct Taps {
    /// Input channels, kernel rows, kernel columns.
    pub count: [usize; 3],
    /// Elements from one to the next: a plane of the map, `dilation` rows, `dilation` columns.
    pub stride: [usize; 3],
}

impl Walk for Taps {
    #[inline(always)]
    fn walk(self, mut f: impl FnMut(usize)) {
        for c in 0..self.count[0] {
            for u in 0..self.count[1] {
                for v in 0..self.count[2] {
                    f(c * self.stride[0] + u * self.stride[1] + v * self.stride[2]);
                }
            }
        }
    }

    #[inline(always)]
    fn offset(self, k: usize) -> usize {
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
pub unsafe fn block<T: Scalar, S: Simd<T>, W: Walk, const MR: usize, const ADD: bool>(
    simd: S, a: Broadcast<T>, b: *const T, walk: W, c: *mut T, c_row: usize, n: usize,
) {
    let full = BLOCK_VECTORS * S::LANES;
    let mut j = 0;
    while j + full <= n {
        // SAFETY: columns j..j + full are below n, so all reads and writes are the caller's.
        unsafe { tile::<T, S, W, MR, BLOCK_VECTORS, ADD>(simd, a, b.add(j), walk, c.add(j), c_row, S::LANES) };
        j += full;
    }
    let rest = n - j;
    if rest > 0 {
        let last = (rest - 1) % S::LANES + 1;
        // SAFETY: the last vector is cut to `last` lanes, so columns j..n are touched, the caller's.
        unsafe {
            let (b, c) = (b.add(j), c.add(j));
            match rest.div_ceil(S::LANES) {
                1 => tile::<T, S, W, MR, 1, ADD>(simd, a, b, walk, c, c_row, last),
                2 => tile::<T, S, W, MR, 2, ADD>(simd, a, b, walk, c, c_row, last),
                _ => tile::<T, S, W, MR, 3, ADD>(simd, a, b, walk, c, c_row, last),
            }
        }
    }
}

/// One tile of [`block`]: `NV` vectors a row, the last of them with `last` lanes.
///
/// # Safety
/// As for [`block`], with `n = (NV − 1) · LANES + last`, `1 ≤ last ≤ LANES`.
#[inline(always)]
unsafe fn tile<T: Scalar, S: Simd<T>, W: Walk, const MR: usize, const NV: usize, const ADD: bool>(
    simd: S, a: Broadcast<T>, b: *const T, walk: W, c: *mut T, c_row: usize, last: usize,
) {
    // SAFETY (of all pointers): the caller's conditions; vector v begins at column v · LANES and the last has `last` lanes.
    let load = |from: *const T, v: usize| unsafe {
        if v + 1 == NV && last < S::LANES {
            simd.load_first(from.add(v * S::LANES), last)
        } else {
            simd.load(from.add(v * S::LANES))
        }
    };
    let mut acc = [[simd.splat(T::zero()); NV]; MR];
    let mut a_k = a.first;
    walk.walk(|offset| {
        // SAFETY: as above; `a_k` is column k of A.
        unsafe {
            let row = b.add(offset);
            let b: [S::V; NV] = core::array::from_fn(|v| load(row, v));
            for i in 0..MR {
                let a = simd.splat(*a_k.add(i * a.row));
                for v in 0..NV {
                    acc[i][v] = simd.mul_add(a, b[v], acc[i][v]);
                }
            }
            // `wrapping`: behind the last column the pointer may leave the matrix; it is not read there.
            a_k = a_k.wrapping_add(a.column);
        }
    });
    for i in 0..MR {
        for v in 0..NV {
            // SAFETY: as above, rows of C lie `c_row` apart.
            unsafe {
                let to = c.add(i * c_row + v * S::LANES);
                let mut sum = acc[i][v];
                if ADD {
                    sum = simd.add(load(c.add(i * c_row), v), sum);
                }
                if v + 1 == NV && last < S::LANES {
                    simd.store_first(to, sum, last);
                } else {
                    simd.store(to, sum);
                }
            }
        }
    }
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
    let mut step = |p: usize, lanes: usize| {
        // SAFETY: p + lanes ≤ n, so the reads are the caller's.
        unsafe {
            let load = |from: *const T| {
                if lanes < S::LANES { simd.load_first(from.add(p), lanes) } else { simd.load(from.add(p)) }
            };
            let b: [S::V; NR] = core::array::from_fn(|j| load(b[j]));
            for i in 0..MR {
                let a = load(a.add(i * a_row));
                for j in 0..NR {
                    acc[i][j] = simd.mul_add(a, b[j], acc[i][j]);
                }
            }
        }
    };
    let mut p = 0;
    while p + S::LANES <= n {
        step(p, S::LANES);
        p += S::LANES;
    }
    if p < n {
        step(p, n - p);
    }
    for i in 0..MR {
        for j in 0..NR {
            // SAFETY: element (i, j) of C is the caller's.
            unsafe { *c.add(i * c_row + j * c_column) += simd.sum(acc[i][j]) };
        }
    }
}
