//! Convolution of each channel by itself: all taps of some neighbouring outputs of a row at a time, vector by vector of channels.
//!
//! ```text
//! y[i, j, o] = Σ_{u, v} x[i·s + u·d − before, j·s′ + v·d′ − before′, o] · w[u, v, o]      where x is inside
//! dw[u, v, o] += Σ_{i, j} x[i·s + u·d − before, j·s′ + v·d′ − before′, o] · dz[i, j, o]
//! ```
//!
//! A vector of channels makes its whole map before the next. Rows of outputs are cut into equal parts, each of which shares what it reads; at the ends of a row
//! the compiler knows which taps lie outside.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::correlate::{Axis, CorrelationSpec, tap};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{each, equal_rows};
use crate::kernels::vectors::{load, store};

/// The outputs of a part: as many as cut a row into equal parts. 8 sums (of 16 registers 4) hide the latency of a multiply-add, and leave room for what
/// three taps read. Of phases, rows may be shorter than the first one's by one.
const fn part<C: CorrelationSpec>(registers: usize) -> usize {
    let outputs = C::CORRELATION.axes[1].outputs;
    let outputs = if C::PHASES && outputs > 1 { outputs - 1 } else { outputs };
    equal_rows(outputs, if registers >= 32 { 8 } else { 4 })
}

/// `$body` with `$p` outputs, a literal, for the parts of a row: `$j` is the first output, `$inside` whether all of their taps are known to lie inside, `$done` how
/// many of them are of the part before as well.
macro_rules! each_part {
    ($column:expr, |$j:ident, $p:ident, $inside:ident, $done:ident| $body:expr) => {
        each_part!(@ $column, $j, $p, $inside, $done, $body; 1 2 3 4 5 6 7 8)
    };
    (@ $column:expr, $j:ident, $p:ident, $inside:ident, $done:ident, $body:expr; $($number:literal)*) => {
        match const { part::<C>(S::REGISTERS) } {
            $($number => {
                const $p: usize = $number;
                let (outputs, full) = ($column.outputs, $column.full());
                if outputs >= $p {
                    {
                        const $inside: bool = false;
                        let ($j, $done) = (0, 0);
                        $body
                    }
                    let mut next = $p;
                    while next + $p < outputs {
                        let ($j, $done) = (next, 0);
                        if full.start <= next && next + $p <= full.end {
                            const $inside: bool = true;
                            $body
                        } else {
                            const $inside: bool = false;
                            $body
                        }
                        next += $p;
                    }
                    if outputs > $p {
                        const $inside: bool = false;
                        let ($j, $done) = (outputs - $p, outputs.next_multiple_of($p) - outputs);
                        $body
                    }
                }
            })*
            _ => {}
        }
    };
}

/// `$body` for the token and the lanes of each vector of channels, which begins at channel `$o`.
macro_rules! each_vector {
    ($token:expr, $channels:expr, |$simd:ident, $o:ident, $lanes:ident| $body:expr) => {{
        if const { $channels <= <S::Half as Simd<T>>::LANES } {
            let ($simd, $o, $lanes) = ($token.half(), 0, const { $channels });
            $body
        } else {
            let mut $o = 0;
            while $o + S::LANES <= const { $channels } {
                let ($simd, $lanes) = ($token, S::LANES);
                $body;
                $o += S::LANES;
            }
            if const { !$channels.is_multiple_of(S::LANES) } {
                let ($simd, $lanes) = ($token, const { $channels % S::LANES });
                $body
            }
        }
    }};
}

/// As [`correlate`](crate::kernels::correlate::correlate), where channels do not see each other.
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one correlation")]
pub(super) unsafe fn correlate<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>>(
    simd: S, _: C, axes: [Axis; 2], x: *const T, w: *const T, y: *mut T, rows: Range<usize>, epilogue: E,
) {
    each_vector!(simd, C::CORRELATION.outputs, |simd, o, lanes| {
        let map = Map { axes, x: x.wrapping_add(o), w: w.wrapping_add(o), y, channel: o, lanes, epilogue };
        for i in rows.clone() {
            // SAFETY: the caller's.
            unsafe { map.row::<_, C>(simd, i, i - rows.start) };
        }
    });
}

/// The map of some channels.
struct Map<T, E> {
    axes: [Axis; 2],
    /// From the first channel on, as w.
    x: *const T,
    w: *const T,
    y: *mut T,
    channel: usize,
    lanes: usize,
    epilogue: E,
}

impl<T: Scalar, E: Epilogue<T>> Map<T, E> {
    /// Row `i` of the outputs, into row `to` of y.
    ///
    /// # Safety
    /// As for [`correlate`].
    #[inline(always)]
    unsafe fn row<S: Simd<T>, C: CorrelationSpec>(&self, simd: S, i: usize, to: usize) {
        let column = &self.axes[1];
        each_part!(column, |j, P, INSIDE, done| {
            // SAFETY: the caller's.
            unsafe { self.outputs::<S, P, INSIDE>(simd, i, to, j, done) }
        });
    }

    /// `P` outputs from (i, j) on, of which the first that are done are not stored again: the epilogue may read what lay there before.
    ///
    /// # Safety
    /// As for [`correlate`].
    #[inline(always)]
    unsafe fn outputs<S: Simd<T>, const P: usize, const INSIDE: bool>(
        &self, simd: S, i: usize, to: usize, j: usize, done: usize,
    ) {
        let [row, column] = &self.axes;
        let rows = row.taps(i);
        let next = column.stride * column.x;
        let mut x = self.x.wrapping_offset(row.at(i, rows.start) + column.at(j, 0));
        let mut w = self.w.wrapping_offset(tap(&self.axes, rows.start, 0));
        let mut sums = [simd.splat(T::zero()); P];
        for _ in rows {
            for v in 0..column.taps {
                // SAFETY: the caller's: what is read lies inside.
                unsafe {
                    let x = x.wrapping_add(v * column.dilation * column.x);
                    let w = load(simd, w.wrapping_offset(v as isize * column.w), self.lanes);
                    each!(p < P => if INSIDE || column.taps(j + p).contains(&v) {
                        sums[p] = simd.mul_add(load(simd, x.wrapping_add(p * next), self.lanes), w, sums[p]);
                    });
                }
            }
            (x, w) = (x.wrapping_add(row.dilation * row.x), w.wrapping_offset(row.w));
        }
        let at = row.y_first + to * row.y + column.y_first + j * column.y + self.channel;
        // SAFETY: the caller's.
        let channels = unsafe { self.epilogue.channels(simd, self.channel, self.lanes) };
        each!(p < P => if p >= done {
            let at = at + p * column.y;
            // SAFETY: the caller's.
            unsafe {
                let sum = self.epilogue.finish(simd, channels, sums[p], at, self.lanes);
                store(simd, self.y.wrapping_add(at), sum, self.lanes);
            }
        });
    }
}

/// Taps whose sums lie in registers: a kernel of 3 × 3.
const TAPS: usize = 9;

/// Rows and columns of a kernel, whose columns these are, at a time.
const fn taps_at_a_time(column: &Axis) -> [usize; 2] {
    match column.taps {
        0 => [TAPS, 1],
        taps if taps < TAPS => [TAPS / taps, taps],
        _ => [1, TAPS],
    }
}

/// `dw += …` of one image, where dz lies like the correlation's y.
///
/// # Safety
/// As for [`correlate`], with dz for y, and dw for w, which is written.
#[inline(always)]
pub(super) unsafe fn add_weights<T: Scalar, S: Simd<T>, C: CorrelationSpec>(
    simd: S, _: C, x: *const T, dz: *const T, dw: *mut T,
) {
    let [row, column] = const { &C::CORRELATION.axes };
    let [down, across] = const { taps_at_a_time(&C::CORRELATION.axes[1]) };
    each_vector!(simd, C::CORRELATION.outputs, |simd, o, lanes| {
        for top in (0..row.taps).step_by(down) {
            for left in (0..column.taps).step_by(across) {
                let taps = Taps { rows: top..row.taps.min(top + down), columns: left..column.taps.min(left + across) };
                let (x, dz) = (x.wrapping_add(o), dz.wrapping_add(o));
                let mut sums = [simd.splat(T::zero()); TAPS];
                for i in 0..row.outputs {
                    each_part!(column, |j, P, INSIDE, done| {
                        // SAFETY: the caller's.
                        unsafe { add_part::<T, _, C, P, INSIDE>(simd, &taps, x, dz, [i, j], done, lanes, &mut sums) }
                    });
                }
                each!(t < TAPS => {
                    let (u, v) = (top + t / across, left + t % across);
                    if u < taps.rows.end && v < taps.columns.end {
                        let at = dw.wrapping_offset(tap(&C::CORRELATION.axes, u, v)).wrapping_add(o);
                        // SAFETY: the caller's.
                        unsafe { store(simd, at, simd.add(load(simd, at.cast_const(), lanes), sums[t]), lanes) };
                    }
                });
            }
        }
    });
}

/// Some taps of a kernel.
struct Taps {
    rows: Range<usize>,
    columns: Range<usize>,
}

/// What `P` outputs from (i, j) on, but the first that are done, add to the sums of these taps.
///
/// # Safety
/// As for [`add_weights`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, their place and the sums of one part")]
unsafe fn add_part<T: Scalar, S: Simd<T>, C: CorrelationSpec, const P: usize, const INSIDE: bool>(
    simd: S, taps: &Taps, x: *const T, dz: *const T, [i, j]: [usize; 2], done: usize, lanes: usize,
    sums: &mut [S::V; TAPS],
) {
    let [row, column] = const { &C::CORRELATION.axes };
    let ([_, across], inside) = (const { taps_at_a_time(&C::CORRELATION.axes[1]) }, row.taps(i));
    let mut gradients = [simd.splat(T::zero()); P];
    each!(p < P => {
        // SAFETY: the caller's.
        gradients[p] = unsafe { load(simd, dz.wrapping_add(i * row.y + (j + p) * column.y), lanes) };
    });
    let x = x.wrapping_offset(row.at(i, 0) + column.at(j, 0));
    each!(t < TAPS => {
        let (u, v) = (taps.rows.start + t / across, taps.columns.start + t % across);
        if u < taps.rows.end && v < taps.columns.end && inside.contains(&u) {
            let x = x.wrapping_add(u * row.dilation * row.x + v * column.dilation * column.x);
            each!(p < P => if p >= done && (INSIDE || column.taps(j + p).contains(&v)) {
                // SAFETY: the caller's: this tap lies inside.
                let x = unsafe { load(simd, x.wrapping_add(p * column.stride * column.x), lanes) };
                sums[t] = simd.mul_add(x, gradients[p], sums[t]);
            });
        }
    });
}
