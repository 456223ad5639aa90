//! A network's first convolution where it has few output channels: vectors go along the rows of the picture.
//!
//! ```text
//! rows[o, j] = max_p f(scale[o] · Σ_{c, u, v} x[c, i + p·s + u·d, j·s′ + v] · w[u, v, c, o] + shift[o])      for the rows p of a window
//! y[j, o] = max_q rows[o, j·t + q]                                                                   for its columns q
//! ```
//!
//! Of 6 channels in pixels, half of AVX-512's lanes have nothing to do and a quarter of the rest; of 16, each multiply-add waits for a broadcast of its own. With
//! a stride of two, rows are copied as their even and their odd columns, so that each tap reads a run. With max-pooling behind it the maximum over the rows of a
//! window is taken where the sums are, so that one row of each channel is all that is stored; without, windows are of one output.
//! Without a factor, which may be below 0, summand and activation come behind that maximum. In training, where the places of maxima are wanted too, rows are activated, brought into pixels and
//! pooled as others are: that has the bits of inference, up to the sign of zero, wherever the activation is monotone as it is computed, as ReLU is.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{ConvSpec, has_padding};
use crate::kernels::simd::{Kernel, ONE_BY_ONE, Simd, evens_and_odds, interleave, pair_by_pair};
use crate::kernels::stage::{Stage, Wants};
use crate::kernels::store::{Affine, first};
use crate::kernels::vectors::{self, load, load_at_least, store};
use crate::kernels::window::exceeds;
use crate::shape::{Conv, Pool};

/// Output channels at a time: with two vectors of each, 16 of 32 registers. More fill vectors by themselves, but for [`SINGLE`].
const FEW: usize = 8;

/// Output channels of which a pixel is one vector of AVX-512.
const SINGLE: usize = 16;

/// Outputs of a row that it takes: a vector of AVX-512.
const WIDE: usize = 16;

/// Whether it is done, where vectors have enough [`lanes`] and the activation, before pooling, is monotone: training has others in a step of their own. Where a
/// window has all rows, inference has the pooling in a step of its own.
pub(super) const fn fits(conv: &Conv, planes: bool, pool: Option<Pool>, wants: Wants) -> bool {
    let [_, stride] = conv.stride;
    let few = match pool {
        Some(pool) => pool.output().h > 1 && !matches!(wants, Wants::Rows) && conv.out_channels <= FEW && stride == 1,
        None => (conv.out_channels == FEW || conv.out_channels == SINGLE) && conv.input.c <= 4 && stride <= 2,
    };
    let in_planes = planes || conv.input.c == 1;
    few && in_planes && conv.groups == 1 && conv.dilation[1] == 1 && conv.output().w >= WIDE && !ONE_BY_ONE
}

/// Lanes of an instruction set that it takes: without pooling those that a pixel fills at the most.
pub(super) const fn lanes(pool: Option<Pool>) -> usize {
    if pool.is_some() { 8 } else { SINGLE }
}

/// Rows of outputs for which rows of the picture are copied together, where nothing is pooled: they share what their kernels do.
const TOGETHER: usize = 4;

/// The pooling, or windows of rows that are stored one by one.
pub(super) const fn windows(conv: &Conv, pool: Option<Pool>) -> Pool {
    let rows = conv.output().h;
    match pool {
        Some(pool) => pool,
        None => Pool::new(conv.output(), [if rows < TOGETHER { rows } else { TOGETHER }, 1]),
    }
}

/// Rows of the padded input that a row of windows reads.
const fn rows(conv: &Conv, pool: &Pool) -> usize {
    (pool.kernel[0] - 1) * conv.stride[0] + (conv.kernel[0] - 1) * conv.dilation[0] + 1
}

/// Whether they are copied: with zeros around them, even columns before odd ones.
const fn copies(conv: &Conv) -> bool {
    has_padding(conv) || conv.stride[1] > 1
}

/// Elements from the even columns of a copied row to the odd ones.
const fn half(conv: &Conv) -> usize {
    conv.padded()[1].div_ceil(2)
}

/// Elements of a row.
const fn row_len(conv: &Conv) -> usize {
    if conv.stride[1] > 1 { 2 * half(conv) } else { conv.padded()[1] }
}

/// Elements of the copy; where there is none, rows are read where they lie.
const fn copy_len(conv: &Conv, pool: &Pool) -> usize {
    if copies(conv) { conv.input.c * rows(conv, pool) * row_len(conv) } else { 0 }
}

/// Elements of workspace: that copy, and a row of each output channel.
pub(super) const fn work(conv: &Conv, pool: Option<Pool>) -> usize {
    copy_len(conv, &windows(conv, pool)) + conv.out_channels * conv.output().w
}

/// What all images share.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a, T, A> {
    pub(super) pool: Pool,
    /// `[KH][KW][C][OC]`.
    pub(super) weights: *const T,
    /// `[OC]`, or nothing where the step has no factors.
    pub(super) scale: &'a [T],
    /// `[OC]`, or nothing.
    pub(super) shift: &'a [T],
    pub(super) act: A,
}

/// One image.
///
/// It panics if the workspace is shorter than [`work`], and a row of windows more where the stage wants places, unless the compiler knows that it is not.
///
/// # Safety
/// `x`, the weights and `y` have the lengths of the convolution and of the pooling; scale an element for each output channel where `F` scales, and shift one, or none.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, stage and workspace of one step")]
pub(super) unsafe fn image<T: Scalar, S: Simd<T>, C: ConvSpec, F: Affine<T>, A: Activation<T>, P: Stage<T>>(
    simd: S, _: C, operands: Operands<'_, T, A>, x: &[T], stage: &mut P, image: usize, y: &mut [T], work: &mut [T],
) {
    let (conv, Operands { pool, weights, scale, shift, act }) = (const { &C::CONV }, operands);
    let pool = &pool;
    let (channels, width, output) = (conv.out_channels, conv.output().w, pool.output());
    let (copy, work) = work.split_at_mut(copy_len(conv, pool));
    let (best, pixels) = work.split_at_mut(channels * width);
    // The border; rows write between.
    copy.fill(T::zero());
    let best = best.as_mut_ptr();
    // The rows that they read are inside the padded input, `best` has a row for each channel, y a pixel for each window.
    macro_rules! of_channels {
        ($pools:literal, $line:expr, $columns:expr) => {
            of_channels!(@ $pools, Lines { line: $line, columns: $columns }; 1 2 3 4 5 6 7 8 16)
        };
        (@ $pools:literal, $lines:expr; $($n:literal)*) => {
            match const { C::CONV.out_channels } {
                $($n => simd.outline::<Lines<_, _, F, _, $n, { if $n > FEW { FEW } else { $n } }, $pools>>($lines),)*
                _ => {}
            }
        };
    }
    // The rows of the map from `$first` on, of which the first one is number `$p`.
    macro_rules! line {
        ($first:expr, $p:expr) => {{
            let top = $first * conv.stride[0];
            let (x, plane) = if const { copies(&C::CONV) } {
                (copy.as_ptr(), rows(conv, pool) * row_len(conv))
            } else {
                (x.as_ptr().wrapping_add(top * conv.input.w), conv.input.h * conv.input.w)
            };
            Line {
                spec: PhantomData::<(C, F)>,
                x: x.wrapping_add($p * conv.stride[0] * row_len(conv)),
                rows: pool.kernel[0],
                plane,
                weights,
                scale: first(scale),
                shift: first(shift),
                act,
                best,
            }
        }};
    }
    let row_of = |y: *mut T, pixel: usize| Columns { kernel: 1, stride: 1, count: width, y, pixel };
    if const { P::POOL.is_none() } {
        // Elements of a pixel that leaves the step, and of them before the first one.
        let (pixel, before) = match const { C::SLICE } {
            Some(slice) => (slice.total, slice.first),
            None => (channels, 0),
        };
        let (all, count) = (conv.output().h, pool.kernel[0]);
        for next in (0..all).step_by(count.max(1)) {
            // The last rows may be some of those before, again.
            let row = next.min(all - count);
            copy_rows(simd, conv, rows(conv, pool), row * conv.stride[0], x, copy);
            for p in 0..count {
                let y = y.as_mut_ptr().wrapping_add((row + p) * width * pixel + before);
                of_channels!(false, line!(row, p), row_of(y, pixel));
            }
        }
        return;
    }
    for (r, y) in y.chunks_exact_mut((output.w * channels).max(1)).enumerate() {
        let row = r * pool.stride[0];
        copy_rows(simd, conv, rows(conv, pool), row * conv.stride[0], x, copy);
        if const { matches!(P::WANTS, Wants::Places) } {
            let pixels = &mut pixels[..pool.kernel[0] * width * channels];
            for (p, pixels) in pixels.chunks_exact_mut((width * channels).max(1)).enumerate() {
                of_channels!(false, line!(row, p), row_of(pixels.as_mut_ptr(), channels));
            }
            stage.row(simd, image, r, pixels, y);
        } else {
            let [kernel, stride] = [pool.kernel[1], pool.stride[1]];
            let columns = Columns { kernel, stride, count: output.w, y: y.as_mut_ptr(), pixel: channels };
            of_channels!(true, line!(row, 0), columns);
        }
    }
}

/// `copy ← count` rows of each plane from row `first` of the padded input on, without their border; nothing where they are read where they lie.
#[inline(always)]
fn copy_rows<T: Scalar, S: Simd<T>>(simd: S, conv: &Conv, count: usize, first: usize, x: &[T], copy: &mut [T]) {
    if copy.is_empty() {
        return;
    }
    let (h, w, top, left) = (conv.input.h, conv.input.w, conv.padding[0], conv.padding[2]);
    let halves = conv.stride[1] > 1;
    let planes = copy.chunks_exact_mut((count * row_len(conv)).max(1));
    for (plane, copy) in x.chunks_exact((h * w).max(1)).zip(planes) {
        for (row, to) in copy.chunks_exact_mut(row_len(conv).max(1)).enumerate() {
            let at = (first + row).checked_sub(top).filter(|row| *row < h);
            let to = to.as_mut_ptr();
            // SAFETY: row `at` of the plane has w elements, and `to` as many behind the first `left`, or half of them in each of its halves.
            unsafe {
                // Not a closure: that would be compiled without the instructions of the function around it.
                macro_rules! part {
                    ($j:expr) => {
                        match at {
                            Some(row) if $j < w => {
                                let at = row * w + $j;
                                load_at_least(
                                    simd,
                                    plane.as_ptr().add(at),
                                    (w - $j).min(S::LANES),
                                    at + S::LANES <= plane.len(),
                                )
                            }
                            _ => simd.splat(T::zero()),
                        }
                    };
                }
                if halves {
                    // An even column becomes an odd one where an odd number of zeros is before it.
                    let (even, odd) =
                        (left % 2 * half(conv) + left / 2, (left + 1) % 2 * half(conv) + left.div_ceil(2));
                    for j in (0..w).step_by(2 * S::LANES) {
                        let [evens, odds] = evens_and_odds(simd, part!(j), part!(j + S::LANES));
                        let rest = (w - j).min(2 * S::LANES);
                        store(simd, to.add(even + j / 2), evens, rest.div_ceil(2));
                        store(simd, to.add(odd + j / 2), odds, rest / 2);
                    }
                } else {
                    for j in (0..w).step_by(S::LANES) {
                        store(simd, to.add(left + j), part!(j), (w - j).min(S::LANES));
                    }
                }
            }
        }
    }
}

/// The maximum of some rows of the convolution's map, of all output channels.
#[derive(Clone, Copy)]
struct Line<T, C, F, A> {
    /// The convolution, and what becomes of its sums.
    spec: PhantomData<(C, F)>,
    /// The first row that it reads, of the first plane.
    x: *const T,
    /// Rows of the map.
    rows: usize,
    /// Elements from one plane to the next.
    plane: usize,
    /// `[KH][KW][C][OC]`.
    weights: *const T,
    /// `[OC]`, or null where `F` does not scale.
    scale: *const T,
    /// `[OC]`, or null.
    shift: *const T,
    act: A,
    /// `[OC][W]`.
    best: *mut T,
}

/// What becomes of its columns.
#[derive(Clone, Copy)]
struct Columns<T> {
    /// Of a window.
    kernel: usize,
    /// From one window to the next.
    stride: usize,
    /// Windows.
    count: usize,
    /// Their maxima: pixels of the output channels.
    y: *mut T,
    /// Elements from one pixel to the next.
    pixel: usize,
}

impl<T> Columns<T> {
    /// Whether they are taken in pairs, which happens in registers.
    #[inline(always)]
    fn in_pairs(&self) -> bool {
        self.kernel == 2 && self.stride == 2
    }
}

/// [`Line`] and [`Columns`] of `ALL` output channels, `OC` at a time. With `POOLS` of all rows, otherwise of the first.
///
/// Whoever makes one promises that the rows can be read, `best` and y written, and that the windows are columns of the row.
struct Lines<T, C, F, A, const ALL: usize, const OC: usize, const POOLS: bool> {
    line: Line<T, C, F, A>,
    columns: Columns<T>,
}

impl<T, C, F, A, const ALL: usize, const OC: usize, const POOLS: bool> Kernel<T> for Lines<T, C, F, A, ALL, OC, POOLS>
where
    T: Scalar,
    C: ConvSpec,
    F: Affine<T>,
    A: Activation<T>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { mut line, columns } = self;
        if !POOLS {
            line.rows = 1;
        }
        let pairs = POOLS && columns.in_pairs();
        let width = const { C::CONV.output().w };
        // An odd last column is in no pair.
        let end = if pairs { const { C::CONV.output().w / 2 * 2 } } else { width };
        // SAFETY: the maker's promise.
        unsafe {
            // Where the width has as many, all vectors are whole: the last ones of a row begin earlier, and some of their columns have been computed before.
            macro_rules! block {
                ($first:expr, $j:ident, $nv:literal) => {{
                    let (all, before) = ($nv * S::LANES, ($nv - 1) * S::LANES);
                    if const { $nv * S::LANES <= C::CONV.output().w / 2 * 2 } {
                        block::<T, S, C, F, A, OC, $nv>(simd, line, $first, $j.min(end - all), S::LANES, pairs);
                    } else {
                        let last = (end - $j - before).min(S::LANES);
                        block::<T, S, C, F, A, OC, $nv>(simd, line, $first, $j, last, pairs);
                    }
                    $j += all;
                }};
            }
            for first in (0..ALL).step_by(OC) {
                let mut j = 0;
                // Two vectors of each channel beside two of x and the broadcast.
                if const { 2 * OC + 3 <= S::REGISTERS } {
                    while j + S::LANES < end {
                        block!(first, j, 2);
                    }
                }
                while j < end {
                    block!(first, j, 1);
                }
            }
            if const { !POOLS && ALL.is_power_of_two() && ALL <= S::LANES } && columns.pixel == ALL {
                return to_pixels::<T, S, ALL>(simd, line.best, width, columns.y);
            }
            if columns.kernel > 1 && !pairs {
                for o in 0..ALL {
                    max_of_neighbours(simd, columns.kernel, line.best.add(o * width), width);
                }
            }
            let stride = if pairs { 1 } else { columns.stride };
            for j in 0..columns.count {
                let (y, best) = (columns.y.add(j * columns.pixel), line.best.add(j * stride));
                for o in 0..ALL {
                    *y.add(o) = *best.add(o * width);
                }
            }
        }
    }
}

/// `y[j][o] ← best[o][j]`, for a power of two of channels that a vector holds: as often as that power, what lies in the first half of the vectors is interleaved with
/// what lies in the second.
///
/// # Safety
/// `best` has `OC` rows of `width` elements, y as many.
#[inline(always)]
unsafe fn to_pixels<T: Scalar, S: Simd<T>, const OC: usize>(simd: S, best: *const T, width: usize, y: *mut T) {
    for j in (0..width).step_by(S::LANES) {
        let columns = (width - j).min(S::LANES);
        let mut vectors = [simd.splat(T::zero()); OC];
        for o in 0..OC {
            // SAFETY: the caller's.
            vectors[o] = unsafe { load(simd, best.wrapping_add(o * width + j), columns) };
        }
        let mut round = 1;
        while round < OC {
            let before = vectors;
            for o in 0..OC / 2 {
                [vectors[2 * o], vectors[2 * o + 1]] = interleave(simd, before[o], before[o + OC / 2]);
            }
            round *= 2;
        }
        for o in 0..OC {
            let lanes = (columns * OC).saturating_sub(o * S::LANES).min(S::LANES);
            // SAFETY: the caller's.
            unsafe { store(simd, y.wrapping_add(j * OC + o * S::LANES), vectors[o], lanes) };
        }
    }
}

/// `NV` vectors from column `j` on, of which the last has `last` lanes; or with `pairs` the maxima of pairs of columns, from `j / 2` on. Of the `OC` channels from
/// `from` on.
///
/// # Safety
/// As for [`Lines`].
#[inline(always)]
unsafe fn block<
    T: Scalar,
    S: Simd<T>,
    C: ConvSpec,
    F: Affine<T>,
    A: Activation<T>,
    const OC: usize,
    const NV: usize,
>(
    simd: S, line: Line<T, C, F, A>, from: usize, j: usize, last: usize, pairs: bool,
) {
    let (planes, [kh, kw], all) = const { (C::CONV.input.c, C::CONV.kernel, C::CONV.out_channels) };
    // From one row of the map, and of the kernel, to the next.
    let [next, row] = const { [C::CONV.stride[0] * row_len(&C::CONV), C::CONV.dilation[0] * row_len(&C::CONV)] };
    // What is stored of a sum, or of the largest one where no factor turns their order round.
    macro_rules! stored {
        ($channel:expr, $sum:expr) => {{
            let mut sum = $sum;
            // SAFETY: the caller's.
            unsafe {
                if F::SCALES {
                    sum = simd.mul(sum, simd.splat(*line.scale.add($channel)));
                }
                if !line.shift.is_null() {
                    sum = simd.add(sum, simd.splat(*line.shift.add($channel)));
                }
            }
            line.act.vector(simd, sum)
        }};
    }
    let mut best = [[simd.splat(T::zero()); NV]; OC];
    for p in 0..line.rows {
        let mut sums = [[simd.splat(T::zero()); NV]; OC];
        for c in 0..planes {
            for u in 0..kh {
                let x = line.x.wrapping_add(p * next + c * line.plane + u * row + j);
                let mut w = line.weights.wrapping_add((u * kw * planes + c) * all + from);
                for v in 0..kw {
                    let x = x.wrapping_add(if const { C::CONV.stride[1] > 1 } {
                        v % 2 * const { half(&C::CONV) } + v / 2
                    } else {
                        v
                    });
                    let mut vectors = [simd.splat(T::zero()); NV];
                    // SAFETY: the caller's.
                    unsafe {
                        for (n, vector) in vectors.iter_mut().enumerate() {
                            let at = x.wrapping_add(n * S::LANES);
                            *vector = load(simd, at, vectors::lanes(n, NV, last, S::LANES));
                        }
                        for (o, sums) in sums.iter_mut().enumerate() {
                            let w = simd.splat(*w.add(o));
                            for (sum, x) in sums.iter_mut().zip(vectors) {
                                *sum = simd.mul_add(x, w, *sum);
                            }
                        }
                    }
                    w = w.wrapping_add(planes * all);
                }
            }
        }
        // Indices, for iterators over two arrays are not unrolled, and what they yield lies in memory.
        for o in 0..OC {
            for n in 0..NV {
                let value = if F::SCALES { stored!(from + o, sums[o][n]) } else { sums[o][n] };
                best[o][n] = if p == 0 { value } else { larger(simd, best[o][n], value) };
            }
        }
    }
    for o in 0..OC {
        let to = line.best.wrapping_add((from + o) * C::CONV.output().w);
        macro_rules! put {
            ($at:expr, $best:expr, $lanes:expr) => {{
                let value = if F::SCALES { $best } else { stored!(from + o, $best) };
                // SAFETY: the caller's.
                unsafe { store(simd, to.wrapping_add($at), value, $lanes) };
            }};
        }
        if pairs {
            let behind = if NV > 1 { best[o][NV - 1] } else { simd.splat(T::zero()) };
            let [evens, odds] = evens_and_odds(simd, best[o][0], behind);
            put!(j / 2, larger(simd, evens, odds), ((NV - 1) * S::LANES + last) / 2);
        } else {
            for n in 0..NV {
                put!(j + n * S::LANES, best[o][n], vectors::lanes(n, NV, last, S::LANES));
            }
        }
    }
}

/// `row[j] ← max_q row[j + q]` over `count` neighbours, as far as there are such.
///
/// # Safety
/// The row has `width` elements.
#[inline(always)]
unsafe fn max_of_neighbours<T: Scalar, S: Simd<T>>(simd: S, count: usize, row: *mut T, width: usize) {
    for j in (0..width).step_by(S::LANES) {
        let (rest, at) = (width - j, row.wrapping_add(j));
        // SAFETY: `rest` elements from j on; where fewer than the lanes are left, what is beside them is not stored, or is no window's first column.
        unsafe {
            let mut best = load(simd, at, rest.min(S::LANES));
            for q in 1..count.min(rest) {
                best = larger(simd, best, load(simd, at.add(q), (rest - q).min(S::LANES)));
            }
            store(simd, at, best, rest.min(S::LANES));
        }
    }
}

/// The larger one in each lane, NaN before any number.
#[inline(always)]
fn larger<T: Scalar, S: Simd<T>>(simd: S, best: S::V, value: S::V) -> S::V {
    pair_by_pair(simd, best, value, |best, value| if exceeds(value, best) { value } else { best })
}
