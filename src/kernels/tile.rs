//! The micro-kernel. Everything that multiplies goes through it.
//!
//! `C[P × NV vectors] = A[P × K] · B[K × NV vectors]`: an element of A is broadcast, a row of B is loaded as vectors, and
//! the tile of C stays in registers while [`Walk`] leads both operands along K. Neither is copied or packed: rows of A are
//! pixels of a map (or, for dW, channels of it) at any strides, rows of B are weights (or, for dW, gradients) that already lie
//! along the output channels. [`line`] covers a row of C with tiles, and an [`Epilogue`] says what becomes of the sums.
//!
//! There is no closure in this file: a closure would be a function without the instruction set enabled, and the vector
//! instructions in it would stay calls.

use crate::Scalar;
use crate::kernels::simd::Simd;

/// How a product walks along K: three loops, the outermost first, each with its count and the elements that one turn
/// moves A and B by.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Turns.
    pub count: [usize; 3],
    /// Elements of A.
    pub a: [isize; 3],
    /// Elements of B.
    pub b: [isize; 3],
}

/// Vectors in a row of the tile: two, so that one broadcast makes two multiply-adds, and 12 rows of them (24 of 32
/// registers) or 6 (12 of 16) leave room for two of B and the broadcast.
pub const VECTORS: usize = 2;

/// How rows of A and B meet.
pub trait Product: Copy {
    /// Whether A is vectors along the channels, as B is, and not elements that meet a whole row of B.
    const DEPTHWISE: bool;
}

/// `C[p] += a[p] · b`: an element of A times a row of B.
#[derive(Clone, Copy)]
pub struct Broadcast;

impl Product for Broadcast {
    const DEPTHWISE: bool = false;
}

/// `C[p] += a[p] ⊙ b`: channel by channel.
#[derive(Clone, Copy)]
pub struct Depthwise;

impl Product for Depthwise {
    const DEPTHWISE: bool = true;
}

/// What becomes of a tile's sums on their way to memory.
pub trait Epilogue<T: Scalar>: Copy {
    /// The vector to store for the sum of `lanes` channels from `channel` on, which goes to element `at` of the output.
    ///
    /// # Safety
    /// What the epilogue points to can be read at these channels and elements.
    unsafe fn finish<S: Simd<T>>(self, simd: S, sum: S::V, channel: usize, at: usize, lanes: usize) -> S::V;
}

/// The sums as they are.
#[derive(Clone, Copy)]
pub struct Store;

impl<T: Scalar> Epilogue<T> for Store {
    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, _: S, sum: S::V, _: usize, _: usize, _: usize) -> S::V {
        sum
    }
}

/// The sums, added to what lies in the output.
#[derive(Clone, Copy)]
pub struct AddTo<T>(pub *const T);

impl<T: Scalar> Epilogue<T> for AddTo<T> {
    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, simd: S, sum: S::V, _: usize, at: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's.
        simd.add(unsafe { load(simd, self.0.add(at), lanes) }, sum)
    }
}

/// A vector, or its first `lanes` lanes.
///
/// # Safety
/// `lanes ≤ LANES` elements can be read.
#[inline(always)]
pub unsafe fn load<T: Scalar, S: Simd<T>>(simd: S, from: *const T, lanes: usize) -> S::V {
    // SAFETY: the caller's.
    unsafe { if lanes < S::LANES { simd.load_first(from, lanes) } else { simd.load(from) } }
}

/// Stores a vector, or its first `lanes` lanes.
///
/// # Safety
/// `lanes ≤ LANES` elements can be written.
#[inline(always)]
pub unsafe fn store<T: Scalar, S: Simd<T>>(simd: S, to: *mut T, v: S::V, lanes: usize) {
    // SAFETY: the caller's.
    unsafe { if lanes < S::LANES { simd.store_first(to, v, lanes) } else { simd.store(to, v) } }
}

/// Lanes of vector `v` of `NV`, the last of which has `last`.
#[inline(always)]
const fn lanes(v: usize, nv: usize, last: usize, full: usize) -> usize {
    if v + 1 == nv { last } else { full }
}

/// Rows of A, and where their products go.
pub struct Rows<T> {
    /// The first row's first element.
    pub a: *const T,
    /// Elements from one row of A to the next.
    pub a_step: isize,
    /// The output.
    pub c: *mut T,
    /// The first row's first element in the output, without the channel.
    pub at: usize,
    /// Elements from one row of the output to the next.
    pub at_step: usize,
    /// Rows.
    pub n: usize,
}

/// Columns of B: `NV` vectors of which the last has `last` lanes.
pub struct Columns<T> {
    /// The first row's first element of these columns.
    pub b: *const T,
    /// Their number, for the epilogue.
    pub channel: usize,
    /// Lanes of the last vector.
    pub last: usize,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Rows<T> {}

impl<T> Clone for Columns<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Columns<T> {}

/// `C[n × NV vectors] = A · B`, or with [`Depthwise`] `Σ_k A_k ⊙ B_k`, where A is vectors along the channels too; in tiles as high as the registers allow and then 8, 4, 2 and 1.
///
/// # Safety
/// For all rows, steps of the walk and columns: A and B can be read, the output written, the epilogue's operands read.
#[inline(always)]
pub unsafe fn line<T: Scalar, S: Simd<T>, E: Epilogue<T>, D: Product, const NV: usize>(
    simd: S, rows: Rows<T>, columns: Columns<T>, walk: Walk, epilogue: E,
) {
    let mut i = 0;
    macro_rules! blocks {
        ($p:literal) => {
            while rows.n - i >= $p {
                // SAFETY: rows i..i + $p are below n, the caller's.
                unsafe { tile::<T, S, E, D, $p, NV>(simd, rows, i, columns, walk, epilogue) };
                i += $p;
            }
        };
    }
    if const { S::REGISTERS >= 32 && NV == 1 } {
        blocks!(16);
    }
    if const { S::REGISTERS >= 32 && NV > 1 || S::REGISTERS < 32 && NV == 1 } {
        blocks!(12);
    }
    if const { S::REGISTERS >= 32 } {
        blocks!(8);
    } else {
        blocks!(6);
    }
    blocks!(4);
    blocks!(2);
    blocks!(1);
}

/// One tile of [`line`]: rows `i..i + P`.
///
/// # Safety
/// As for [`line`].
#[inline(always)]
pub unsafe fn tile<T: Scalar, S: Simd<T>, E: Epilogue<T>, D: Product, const P: usize, const NV: usize>(
    simd: S, rows: Rows<T>, i: usize, columns: Columns<T>, walk: Walk, epilogue: E,
) {
    let mut acc = [[simd.splat(T::zero()); NV]; P];
    // `wrapping`: behind the last step a pointer may leave its operand; it is not read there.
    let (mut a0, mut b0) = (rows.a.wrapping_offset(i as isize * rows.a_step), columns.b);
    for _ in 0..walk.count[0] {
        let (mut a1, mut b1) = (a0, b0);
        for _ in 0..walk.count[1] {
            let (mut a2, mut b2) = (a1, b1);
            for _ in 0..walk.count[2] {
                // SAFETY: the caller's: a2 is this step in row i, b2 this step's row of B.
                unsafe {
                    let mut b = [simd.splat(T::zero()); NV];
                    for v in 0..NV {
                        b[v] = load(simd, b2.add(v * S::LANES), lanes(v, NV, columns.last, S::LANES));
                    }
                    for p in 0..P {
                        let a = a2.offset(p as isize * rows.a_step);
                        if const { D::DEPTHWISE } {
                            for v in 0..NV {
                                let a = load(simd, a.add(v * S::LANES), lanes(v, NV, columns.last, S::LANES));
                                acc[p][v] = simd.mul_add(a, b[v], acc[p][v]);
                            }
                        } else {
                            let a = simd.splat(*a);
                            for v in 0..NV {
                                acc[p][v] = simd.mul_add(a, b[v], acc[p][v]);
                            }
                        }
                    }
                }
                (a2, b2) = (a2.wrapping_offset(walk.a[2]), b2.wrapping_offset(walk.b[2]));
            }
            (a1, b1) = (a1.wrapping_offset(walk.a[1]), b1.wrapping_offset(walk.b[1]));
        }
        (a0, b0) = (a0.wrapping_offset(walk.a[0]), b0.wrapping_offset(walk.b[0]));
    }
    for p in 0..P {
        for v in 0..NV {
            let lanes = lanes(v, NV, columns.last, S::LANES);
            let channel = columns.channel + v * S::LANES;
            let at = rows.at + (i + p) * rows.at_step + channel;
            // SAFETY: the caller's.
            unsafe {
                let sum = epilogue.finish(simd, acc[p][v], channel, at, lanes);
                store(simd, rows.c.add(at), sum, lanes);
            }
        }
    }
}
