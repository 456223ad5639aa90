//! A correlation of a map with kernels: the loops that forward passes and input gradients of convolutions share.
//!
//! ```text
//! y[i, j, o] = Σ_{u, v, c} x[i·s + u·d − before, j·s′ + v·d′ − before′, c] · w[u, v, c, o]      where x is inside
//! ```
//!
//! Padding is never computed with: outputs whose taps fall outside form classes along each axis ([`Axis::class`]), and each class sums the taps
//! that it has. All strides are free, so the map may lie in pixels or in planes, and one phase of a strided
//! convolution's input gradient is a correlation too.

use core::marker::PhantomData;
use core::ops::Range;

use crate::Scalar;
use crate::kernels::depthwise;
use crate::kernels::epilogue::Epilogue;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{AnyHeight, Columns, Height, Lines, Product, Rows, VECTORS, Walk, lines};

/// One axis: output `i` reads, at tap `t`, input `i · stride + t · dilation − before`.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// Outputs.
    pub outputs: usize,
    /// Inputs.
    pub inputs: usize,
    /// Taps.
    pub taps: usize,
    /// Inputs from one output to the next.
    pub stride: usize,
    /// Inputs from one tap to the next.
    pub dilation: usize,
    /// How far the first tap of the first output lies before the first input.
    pub before: isize,
    /// Elements of x from one input to the next.
    pub x: usize,
    /// Elements of w from the first kernel row (column) to that of the first tap.
    pub w_first: usize,
    /// Elements of w from one tap to the next.
    pub w: isize,
    /// Elements of y from the first row (column) to the first output.
    pub y_first: usize,
    /// Elements of y from one output to the next.
    pub y: usize,
}

/// Neighbouring outputs that have the same taps.
#[derive(Clone, Debug)]
pub struct Class {
    /// The outputs.
    pub outputs: Range<usize>,
    /// The taps that lie inside.
    pub taps: Range<usize>,
}

impl Axis {
    /// The taps of output `i` that lie inside.
    #[inline(always)]
    pub const fn taps(&self, i: usize) -> Range<usize> {
        let d = if self.dilation == 0 { 1 } else { self.dilation as isize };
        let first = (i * self.stride) as isize - self.before;
        // first + t · d ≥ 0 from `begin` on, first + t · d < inputs below `end`.
        let begin = if first >= 0 { 0 } else { (-first + d - 1) / d };
        let room = self.inputs as isize - first;
        let end = if room <= 0 { 0 } else { (room + d - 1) / d };
        let taps = self.taps as isize;
        let end = if end > taps { taps } else { end };
        let begin = if begin > end { end } else { begin };
        begin as usize..end as usize
    }

    /// The class of output `i`, within `outputs`.
    #[inline(always)]
    pub const fn class(&self, i: usize, outputs: &Range<usize>) -> Class {
        let taps = self.taps(i);
        if taps.start == 0 && taps.end == self.taps && self.taps > 0 {
            // All of them: as far as the last one is inside.
            let end = self.outputs_of(self.taps - 1).end;
            return Class { outputs: i..if end < outputs.end { end } else { outputs.end }, taps };
        }
        let mut end = i + 1;
        while end < outputs.end {
            let next = self.taps(end);
            if next.start != taps.start || next.end != taps.end {
                break;
            }
            end += 1;
        }
        Class { outputs: i..end, taps }
    }

    /// The outputs that tap `t` reads inside the input.
    #[inline(always)]
    pub const fn outputs_of(&self, t: usize) -> Range<usize> {
        let s = if self.stride == 0 { 1 } else { self.stride as isize };
        let shift = (t * self.dilation) as isize - self.before;
        // i · s + shift ≥ 0 from `begin` on, i · s + shift < inputs below `end`.
        let begin = if shift >= 0 { 0 } else { (-shift + s - 1) / s };
        let room = self.inputs as isize - shift;
        let end = if room <= 0 { 0 } else { (room + s - 1) / s };
        let outputs = self.outputs as isize;
        let end = if end > outputs { outputs } else { end };
        let begin = if begin > end { end } else { begin };
        begin as usize..end as usize
    }

    /// The outputs that have all taps.
    #[inline(always)]
    pub const fn full(&self) -> Range<usize> {
        if self.taps == 0 {
            return 0..self.outputs;
        }
        let (first, last) = (self.outputs_of(0), self.outputs_of(self.taps - 1));
        let end = if last.end < first.end { last.end } else { first.end };
        let begin = if last.start > first.start { last.start } else { first.start };
        if begin < end { begin..end } else { self.outputs..self.outputs }
    }

    /// Where tap `t` of output `i` lies in x. (It may lie outside; then it is not read.)
    #[inline(always)]
    pub const fn at(&self, i: usize, t: usize) -> isize {
        ((i * self.stride + t * self.dilation) as isize - self.before) * self.x as isize
    }
}

/// The numbers of a correlation; those of one group of channels.
#[derive(Clone, Copy, Debug)]
pub struct Correlation {
    /// Rows and columns.
    pub axes: [Axis; 2],
    /// Input channels of a group, all of which an output sums.
    pub inputs: usize,
    /// Output channels of a group.
    pub outputs: usize,
    /// Groups.
    pub groups: usize,
    /// Elements of x from one input channel to the next: 1 in pixels, a plane in planes.
    pub x_channel: usize,
    /// Elements of w from one input channel to the next.
    pub w_channel: usize,
    /// Elements of w from one group to the next. The output channel's step is 1.
    pub w_group: usize,
}

/// Elements of w from the first kernel row and column to tap `(u, v)` of the axes.
#[inline(always)]
pub const fn tap([row, column]: &[Axis; 2], u: usize, v: usize) -> isize {
    (row.w_first + column.w_first) as isize + u as isize * row.w + v as isize * column.w
}

impl Correlation {
    /// The walk over some of the taps and all channels.
    #[inline(always)]
    const fn walk(&self, axes: &[Axis; 2], rows: &Range<usize>, columns: &Range<usize>) -> Walk {
        let [row, column] = *axes;
        let (kh, kw) = (rows.end - rows.start, columns.end - columns.start);
        let row_step = ((row.dilation * row.x) as isize, row.w);
        let column_step = ((column.dilation * column.x) as isize, column.w);
        let channel_step = (self.x_channel as isize, self.w_channel as isize);
        if self.x_channel > 1 {
            // Planes: the channels outside, along the rows inside.
            Walk {
                count: [self.inputs, kh, kw],
                a: [channel_step.0, row_step.0, column_step.0],
                b: [channel_step.1, row_step.1, column_step.1],
            }
        } else if column_step.0 == self.inputs as isize && column_step.1 == self.inputs as isize * channel_step.1 {
            // The taps of a kernel row lie one after the other in both: one long run.
            Walk {
                count: [1, kh, kw * self.inputs],
                a: [0, row_step.0, channel_step.0],
                b: [0, row_step.1, channel_step.1],
            }
        } else {
            Walk {
                count: [kh, kw, self.inputs],
                a: [row_step.0, column_step.0, channel_step.0],
                b: [row_step.1, column_step.1, channel_step.1],
            }
        }
    }
}

/// A correlation known to the compiler.
pub trait CorrelationSpec: Copy {
    /// Its numbers.
    const CORRELATION: Correlation;
    /// [`Broadcast`](crate::kernels::tile::Broadcast), or [`Depthwise`](crate::kernels::tile::Depthwise): `y[…, o] = Σ x[…, o] · w[…, o]`. Then there is
    /// one group of `outputs` channels, of which each has one input.
    type Product: Product;
    /// Whether it is one of several phases, of which each has other edges.
    const PHASES: bool = false;
}

/// Whether there are columns of outputs that miss taps, as far as is known. Without them lines always go along the rows.
const fn has_edges<C: CorrelationSpec>() -> bool {
    let columns = &C::CORRELATION.axes[1];
    C::PHASES || inner(columns) < columns.outputs
}

/// How many outputs along an axis have all taps.
const fn inner(axis: &Axis) -> usize {
    let full = axis.full();
    full.end - full.start
}

/// The outputs of a row that have all taps: the usual length of a line along it.
struct Across<C>(PhantomData<C>);

impl<C: CorrelationSpec> Height for Across<C> {
    const ROWS: usize = if C::PHASES { AnyHeight::ROWS } else { inner(&C::CORRELATION.axes[1]) };
}

/// The outputs of a column that have all taps, of `R` rows at a time: the usual length of a line down it.
struct Down<C, R>(PhantomData<(C, R)>);

impl<C: CorrelationSpec, R: Height> Height for Down<C, R> {
    const ROWS: usize = {
        let inner = if C::PHASES { AnyHeight::ROWS } else { inner(&C::CORRELATION.axes[0]) };
        if R::ROWS < inner { R::ROWS } else { inner }
    };
}

/// `y ← epilogue(correlation of x and w)` for output rows `rows`; `y` begins at the first of them.
///
/// `axes`: those of the specification, or a phase of them, whose steps are the same. `R`: as many rows as are computed at a time, as far as is known.
///
/// # Safety
/// `x`, `w` and `y` can be read and written at all places that [`Correlation`] with these axes names, and so can the epilogue's operands.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one correlation")]
pub unsafe fn correlate<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>, R: Height>(
    simd: S, spec: C, axes: [Axis; 2], x: *const T, w: *const T, y: *mut T, rows: Range<usize>, epilogue: E,
) {
    // SAFETY: the caller's.
    unsafe {
        // One number at a time, the micro-kernel's loops serve here too: code counts there, and vectors of channels are none.
        if const { C::Product::DEPTHWISE && !S::ONE_BY_ONE } {
            depthwise::correlate::<T, S, C, E>(simd, spec, axes, x, w, y, rows, epilogue);
        } else if const { C::CORRELATION.outputs <= <S::Half as Simd<T>>::LANES } {
            panels::<T, S::Half, C, E, R>(simd.half(), spec, axes, x, w, y, rows, epilogue);
        } else {
            panels::<T, S, C, E, R>(simd, spec, axes, x, w, y, rows, epilogue);
        }
    }
}

/// All groups, and of each all panels of output channels: as many of two vectors as there are, and the rest.
///
/// A panel of the weights is read for all pixels before the next, so that it stays in the first- or second-level cache.
///
/// # Safety
/// As for [`correlate`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one correlation")]
unsafe fn panels<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>, R: Height>(
    simd: S, spec: C, axes: [Axis; 2], x: *const T, w: *const T, y: *mut T, rows: Range<usize>, epilogue: E,
) {
    let it = const { &C::CORRELATION };
    let wide = const { C::CORRELATION.outputs / (VECTORS * S::LANES) };
    let rest = const { C::CORRELATION.outputs % (VECTORS * S::LANES) };
    for group in 0..it.groups {
        let first = group * it.outputs;
        // SAFETY: groups lie one after the other in x's channels, in w and in y's channels.
        unsafe {
            let (x, w) = (x.add(group * it.inputs * it.x_channel), w.add(group * it.w_group));
            // The channels of a depthwise panel are those of x too.
            let own = |o: usize| if const { C::Product::DEPTHWISE } { x.add(o) } else { x };
            for panel in 0..wide {
                let o = panel * VECTORS * S::LANES;
                let columns = Columns { b: w.add(o), channel: first + o, last: S::LANES };
                regions::<T, S, C, E, R, VECTORS>(simd, spec, axes, own(o), columns, y, &rows, epilogue);
            }
            let o = wide * VECTORS * S::LANES;
            if rest > S::LANES {
                let columns = Columns { b: w.add(o), channel: first + o, last: rest - S::LANES };
                regions::<T, S, C, E, R, VECTORS>(simd, spec, axes, own(o), columns, y, &rows, epilogue);
            } else if rest > 0 {
                let columns = Columns { b: w.add(o), channel: first + o, last: rest };
                regions::<T, S, C, E, R, 1>(simd, spec, axes, own(o), columns, y, &rows, epilogue);
            }
        }
    }
}

/// All outputs of one panel: rectangles of outputs that have the same taps, along their longer side.
///
/// # Safety
/// As for [`correlate`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one correlation")]
unsafe fn regions<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>, R: Height, const NV: usize>(
    simd: S, _: C, axes: [Axis; 2], x: *const T, columns: Columns<T>, y: *mut T, rows: &Range<usize>, epilogue: E,
) {
    let it = const { &C::CORRELATION };
    let [row, column] = axes;
    let all = 0..column.outputs;
    let mut i = rows.start;
    while i < rows.end {
        let of_rows = row.class(i, rows);
        let mut j = 0;
        while j < column.outputs {
            let of_columns = column.class(j, &all);
            let (height, width) = (of_rows.outputs.end - i, of_columns.outputs.end - j);
            let walk = it.walk(&axes, &of_rows.taps, &of_columns.taps);
            let x = x.wrapping_offset(row.at(i, of_rows.taps.start) + column.at(j, of_columns.taps.start));
            let b = columns.b.wrapping_offset(tap(&axes, of_rows.taps.start, of_columns.taps.start));
            let columns = Columns { b, ..columns };
            let at = row.y_first + (i - rows.start) * row.y + column.y_first + j * column.y;
            let (row_step, column_step) = (row.stride * row.x, column.stride * column.x);
            // SAFETY: taps of the classes lie inside x for all their outputs, which are the caller's.
            unsafe {
                if const { has_edges::<C>() } && height > width {
                    let first = Rows { a: x, a_step: row_step as isize, c: y, at, at_step: row.y, n: height };
                    let all = Lines { first, count: width, a_step: column_step as isize, b_step: 0, at_step: column.y };
                    lines::<T, S, E, C::Product, Down<C, R>, NV>(simd, all, columns, walk, epilogue);
                } else {
                    let first = Rows { a: x, a_step: column_step as isize, c: y, at, at_step: column.y, n: width };
                    let all = Lines { first, count: height, a_step: row_step as isize, b_step: 0, at_step: row.y };
                    lines::<T, S, E, C::Product, Across<C>, NV>(simd, all, columns, walk, epilogue);
                }
            }
            j = of_columns.outputs.end;
        }
        i = of_rows.outputs.end;
    }
}
