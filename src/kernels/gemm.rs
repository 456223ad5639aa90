//! Products of matrices in rows: `C[n × O] = A[n × K] · B[K × O]`, for linear layers and pointwise convolutions.
//!
//! B lies as the micro-kernel reads it, so nothing is packed. A panel of columns is used for all rows of A before the next one; where K is long it is cut,
//! so that a panel's piece stays in the second-level cache, and the sums wait in C.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::epilogue::{AddTo, Epilogue, Store};
use crate::kernels::simd::Simd;
use crate::kernels::tile::{
    self, AnyHeight, Broadcast, Columns, Height, Lines, Product, Rows, VECTORS, Walk, equal_rows,
};

/// The sides of a matrix known to the compiler.
pub trait MatrixSpec: Copy {
    /// K: its rows.
    const ROWS: usize;
    /// O: its columns.
    const COLUMNS: usize;
}

/// A matrix of these sides, by the lengths of two plain types.
pub struct Sides<T, X, Y>(pub PhantomData<(T, X, Y)>);

impl<T, X, Y> Clone for Sides<T, X, Y> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, X, Y> Copy for Sides<T, X, Y> {}

impl<T, X: crate::plain::Plain<T>, Y: crate::plain::Plain<T>> MatrixSpec for Sides<T, X, Y> {
    const ROWS: usize = X::LEN;
    const COLUMNS: usize = Y::LEN;
}

/// The rows of a matrix as the rows of a product: those of dW.
struct Down<M>(PhantomData<M>);

impl<M: MatrixSpec> Height for Down<M> {
    const ROWS: usize = M::ROWS;
}

/// Steps of K in a piece: 512 rows of a panel of 32 f32 are 64 KiB, and 64 rows of A beside them 128 KiB.
const DEPTH: usize = 512;

/// Vectors of a part of a row of B when there are fewer rows of A than a tile wants: 8, so that a multiply-add need not wait for the one before (4 cycles at two a cycle); of 16 registers
/// whose multiply-adds read B themselves, all but the broadcast's, or as many as are whole lines of the cache where there is more than one part. B is read in long runs so. (With AVX2, and
/// with what `tile` asks for ahead, 400 inputs and 120 outputs take 0.65 of the time of 8 and 7 vectors, 4,096 and 4,096 take 0.54.)
const fn flat_vectors<T: Scalar, S: Simd<T>>(columns: usize) -> usize {
    const MOST: usize = 15;
    let vectors = columns.div_ceil(S::LANES);
    if S::REGISTERS > MOST + 1 || !S::FUSES || vectors == 0 {
        8
    } else if vectors <= MOST {
        vectors
    } else {
        equal_rows(vectors, MOST - 1).next_multiple_of(2)
    }
}

/// Rows of A below which B is read for each of them anew, in long runs.
const FEW: usize = 4;

/// `C[n × O] ← epilogue(A[n × K] · B[K × O])`; rows of A, B and C lie one after the other.
///
/// # Safety
/// A, B and C have these elements, and the epilogue's operands one for each channel or element of C.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
pub unsafe fn product<T: Scalar, S: Simd<T>, M: MatrixSpec, E: Epilogue<T>>(
    simd: S, spec: M, n: usize, a: *const T, b: *const T, c: *mut T, epilogue: E,
) {
    // SAFETY: the caller's.
    unsafe {
        if const { M::COLUMNS <= <S::Half as Simd<T>>::LANES } {
            pieces::<T, S::Half, M, E>(simd.half(), spec, n, a, b, c, epilogue);
        } else {
            pieces::<T, S, M, E>(simd, spec, n, a, b, c, epilogue);
        }
    }
}

/// # Safety
/// As for [`product`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
unsafe fn pieces<T: Scalar, S: Simd<T>, M: MatrixSpec, E: Epilogue<T>>(
    simd: S, spec: M, n: usize, a: *const T, b: *const T, c: *mut T, epilogue: E,
) {
    // SAFETY: the caller's; pieces lie inside K.
    unsafe {
        if const { S::ONE_BY_ONE } || n < FEW {
            for i in 0..n {
                flat::<T, S, M, E>(simd, spec, i, a, b, c, epilogue);
            }
        } else if const { M::ROWS < 2 * DEPTH } {
            panels::<T, S, M, E>(simd, spec, n, a, b, 0, M::ROWS, c, epilogue);
        } else {
            panels::<T, S, M, Store>(simd, spec, n, a, b, 0, DEPTH, c, Store);
            let mut k = DEPTH;
            while k + DEPTH < M::ROWS {
                panels::<T, S, M, AddTo<T>>(simd, spec, n, a, b, k, DEPTH, c, AddTo(c));
                k += DEPTH;
            }
            panels::<T, S, M, Last<T, E>>(simd, spec, n, a, b, k, M::ROWS - k, c, Last { sums: c, epilogue });
        }
    }
}

/// The last piece of a sum that waits in the output, and then the epilogue.
#[derive(Clone, Copy)]
struct Last<T, E> {
    sums: *const T,
    epilogue: E,
}

impl<T: Scalar, E: Epilogue<T>> Epilogue<T> for Last<T, E> {
    type Channels<S: Simd<T>> = E::Channels<S>;

    #[inline(always)]
    unsafe fn channels<S: Simd<T>>(self, simd: S, channel: usize, lanes: usize) -> E::Channels<S> {
        // SAFETY: the caller's.
        unsafe { self.epilogue.channels(simd, channel, lanes) }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, simd: S, channels: E::Channels<S>, sum: S::V, at: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's.
        unsafe {
            let sum = AddTo(self.sums).finish(simd, (), sum, at, lanes);
            self.epilogue.finish(simd, channels, sum, at, lanes)
        }
    }
}

/// Steps `k..k + depth` of the product, panel by panel.
///
/// # Safety
/// As for [`product`], and `k + depth ≤ K`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
unsafe fn panels<T: Scalar, S: Simd<T>, M: MatrixSpec, E: Epilogue<T>>(
    simd: S, _: M, n: usize, a: *const T, b: *const T, k: usize, depth: usize, c: *mut T, epilogue: E,
) {
    let walk = Walk { count: [1, 1, depth], a: [0, 0, 1], b: [0, 0, M::COLUMNS as isize] };
    // SAFETY: row k of B, column k of A are inside.
    unsafe {
        let (a, b) = (a.add(k), b.add(k * M::COLUMNS));
        let rows = Rows { a, a_step: M::ROWS as isize, c, at: 0, at_step: M::COLUMNS, n };
        each_panel::<T, S, E, Broadcast, AnyHeight>(simd, rows.into(), b, M::COLUMNS, 0, walk, epilogue);
    }
}

/// `dW[I × O] += Xᵀ · dZ`, with X: `[n, I]` and dZ: `[n, O]`: rows of the product are inputs, and the sum goes over the n rows.
///
/// # Safety
/// X, dZ and dW have these elements.
#[inline(always)]
pub unsafe fn add_weights<T: Scalar, S: Simd<T>, M: MatrixSpec>(
    simd: S, n: usize, x: *const T, dz: *const T, dw: *mut T,
) {
    let (inputs, outputs) = const { (M::ROWS, M::COLUMNS) };
    let walk = Walk { count: [1, 1, n], a: [0, 0, inputs as isize], b: [0, 0, outputs as isize] };
    let rows = Rows { a: x, a_step: 1, c: dw, at: 0, at_step: outputs, n: inputs };
    // SAFETY: the caller's.
    unsafe { columns::<T, S, _, Broadcast, Down<M>>(simd, rows.into(), dz, outputs, 0, walk, AddTo(dw.cast_const())) }
}

/// `C[n × O] ← epilogue(A · B)` for any rows and walk: panels of two vectors, and the rest. `channel`: C's first column.
///
/// # Safety
/// As for [`tile::lines`], with rows of B of `outputs` elements.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
pub unsafe fn columns<T: Scalar, S: Simd<T>, E: Epilogue<T>, D: Product, H: Height>(
    simd: S, lines: Lines<T>, b: *const T, outputs: usize, channel: usize, walk: Walk, epilogue: E,
) {
    // SAFETY: the caller's.
    unsafe {
        if outputs <= <S::Half as Simd<T>>::LANES {
            each_panel::<T, S::Half, E, D, H>(simd.half(), lines, b, outputs, channel, walk, epilogue);
        } else {
            each_panel::<T, S, E, D, H>(simd, lines, b, outputs, channel, walk, epilogue);
        }
    }
}

/// # Safety
/// As for [`columns`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
unsafe fn each_panel<T: Scalar, S: Simd<T>, E: Epilogue<T>, D: Product, H: Height>(
    simd: S, lines: Lines<T>, b: *const T, outputs: usize, channel: usize, walk: Walk, epilogue: E,
) {
    let mut o = 0;
    // SAFETY: columns o.. are inside. The channels of a depthwise panel are those of A too.
    unsafe {
        while o + VECTORS * S::LANES <= outputs {
            let (panel, columns) = panel::<T, D>(lines, b, o, channel, S::LANES);
            tile::lines::<T, S, E, D, H, VECTORS>(simd, panel, columns, walk, epilogue);
            o += VECTORS * S::LANES;
        }
        let rest = outputs - o;
        if rest > S::LANES {
            let (panel, columns) = panel::<T, D>(lines, b, o, channel, rest - S::LANES);
            tile::lines::<T, S, E, D, H, VECTORS>(simd, panel, columns, walk, epilogue);
        } else if rest > 0 {
            let (panel, columns) = panel::<T, D>(lines, b, o, channel, rest);
            tile::lines::<T, S, E, D, H, 1>(simd, panel, columns, walk, epilogue);
        }
    }
}

/// The operands of the panel that begins at column `o`.
///
/// # Safety
/// Column `o` is inside.
#[inline(always)]
unsafe fn panel<T, D: Product>(
    lines: Lines<T>, b: *const T, o: usize, channel: usize, last: usize,
) -> (Lines<T>, Columns<T>) {
    // SAFETY: the caller's.
    unsafe {
        let a = if const { D::DEPTHWISE } { lines.first.a.add(o) } else { lines.first.a };
        (Lines { first: Rows { a, ..lines.first }, ..lines }, Columns { b: b.add(o), channel: channel + o, last })
    }
}

/// Row `i` alone, in parts ([`flat_vectors`]).
///
/// # Safety
/// As for [`product`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
unsafe fn flat<T: Scalar, S: Simd<T>, M: MatrixSpec, E: Epilogue<T>>(
    simd: S, _: M, i: usize, a: *const T, b: *const T, c: *mut T, epilogue: E,
) {
    let walk = Walk { count: [1, 1, M::ROWS], a: [0, 0, 1], b: [0, 0, M::COLUMNS as isize] };
    let rows = Rows {
        a: a.wrapping_add(i * M::ROWS),
        a_step: M::ROWS as isize,
        c,
        at: i * M::COLUMNS,
        at_step: M::COLUMNS,
        n: 1,
    };
    macro_rules! product {
        ($o:expr, $last:expr, $vectors:expr; $($nv:literal)*) => {
            match const { $vectors } {
                $($nv => {
                    let columns = Columns { b: b.add($o), channel: $o, last: $last };
                    tile::tile::<T, S, E, 1, $nv>(simd, rows, columns, walk, epilogue);
                })*
                _ => {}
            }
        };
        ($o:expr, $last:expr, $vectors:expr) => { product!($o, $last, $vectors; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    }
    let width = const { flat_vectors::<T, S>(M::COLUMNS) * S::LANES };
    let mut o = 0;
    // SAFETY: columns o.. are inside.
    unsafe {
        while o + width <= M::COLUMNS {
            product!(o, S::LANES, flat_vectors::<T, S>(M::COLUMNS));
            o += width;
        }
        // What is left of the row: nothing, where it has only whole parts.
        let last = const { last_lanes(M::COLUMNS, S::LANES) };
        product!(o, last, (M::COLUMNS % (flat_vectors::<T, S>(M::COLUMNS) * S::LANES)).div_ceil(S::LANES));
    }
}

/// Lanes of the last vector of a row.
const fn last_lanes(columns: usize, lanes: usize) -> usize {
    if columns == 0 { 0 } else { (columns - 1) % lanes + 1 }
}
