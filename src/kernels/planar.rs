//! A network's first convolution where it has few output channels, with max-pooling behind it: vectors go along the rows of the picture.
//!
//! ```text
//! rows[o, j] = max_p f(scale[o] · Σ_{c, u, v} x[c, i + p·s + u·d, j + v] · w[u, v, c, o] + shift[o])      for the rows p of a window
//! y[j, o] = max_q rows[o, j·t + q]                                                               for its columns q
//! ```
//!
//! Of 6 channels in pixels, half of AVX-512's lanes have nothing to do and a quarter of the rest; rows of 28 outputs leave an eighth. The maximum over the
//! rows of a window is taken where the sums are, so that one row of each channel is all that is stored.
//! In training, where the places of maxima are wanted too, rows are brought into pixels and pooled as others are: its outputs have the bits of inference.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{ConvSpec, first, has_padding};
use crate::kernels::simd::{Kernel, ONE_BY_ONE, Simd, evens_and_odds, pair_by_pair};
use crate::kernels::stage::{Stage, Wants};
use crate::kernels::tile::{load, store};
use crate::kernels::window::exceeds;
use crate::shape::{Conv, Pool};

/// Output channels for which it is done; more fill vectors by themselves.
const FEW: usize = 8;

/// Outputs of a row that it takes: a vector of AVX-512.
const WIDE: usize = 16;

/// Lanes of an instruction set that it takes.
pub(super) const LANES: usize = 8;

/// Whether it is done, where vectors have enough [`LANES`] and the activation is monotone: training has others in a step of their own. Where a window has all
/// rows, inference has the pooling in a step of its own.
pub(super) const fn fits(conv: &Conv, planes: bool, pool: Option<Pool>, wants: Wants) -> bool {
    let several = match pool {
        Some(pool) => pool.output().h > 1,
        None => false,
    };
    let in_planes = planes || conv.input.c == 1;
    let along = conv.groups == 1 && conv.stride[1] == 1 && conv.dilation[1] == 1;
    let few = conv.out_channels <= FEW && conv.output().w >= WIDE;
    several && !matches!(wants, Wants::Rows) && in_planes && along && few && !ONE_BY_ONE
}

/// Rows of the padded input that a row of windows reads.
const fn rows(conv: &Conv, pool: &Pool) -> usize {
    (pool.kernel[0] - 1) * conv.stride[0] + (conv.kernel[0] - 1) * conv.dilation[0] + 1
}

/// Elements of their copy, with zeros around them; where there are none, they are read where they lie.
const fn copy_len(conv: &Conv, pool: &Pool) -> usize {
    if has_padding(conv) { conv.input.c * rows(conv, pool) * conv.padded()[1] } else { 0 }
}

/// Elements of workspace: that copy, and a row of each output channel.
pub(super) const fn work(conv: &Conv, pool: Option<Pool>) -> usize {
    match pool {
        Some(pool) => copy_len(conv, &pool) + conv.out_channels * conv.output().w,
        None => 0,
    }
}

/// What all images share.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a, T, A> {
    pub(super) pool: Pool,
    /// `[KH][KW][C][OC]`.
    pub(super) weights: *const T,
    /// `[OC]`, or nothing.
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
/// `x`, the weights and `y` have the lengths of the convolution and of the pooling; scale and shift an element for each output channel, or none.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, stage and workspace of one step")]
pub(super) unsafe fn image<T: Scalar, S: Simd<T>, C: ConvSpec, A: Activation<T>, P: Stage<T>>(
    simd: S, _: C, operands: Operands<'_, T, A>, x: &[T], stage: &mut P, image: usize, y: &mut [T], work: &mut [T],
) {
    let (conv, Operands { pool, weights, scale, shift, act }) = (const { &C::CONV }, operands);
    let pool = &pool;
    let (channels, width, output) = (conv.out_channels, conv.output().w, pool.output());
    let (copy, work) = work.split_at_mut(copy_len(conv, pool));
    let (best, pixels) = work.split_at_mut(channels * width);
    // The border; rows write between.
    copy.fill(T::zero());
    for (r, y) in y.chunks_exact_mut((output.w * channels).max(1)).enumerate() {
        let top = r * pool.stride[0] * conv.stride[0];
        let (x, plane) = if const { has_padding(&C::CONV) } {
            copy_rows(simd, conv, rows(conv, pool), top, x, copy);
            (copy.as_ptr(), rows(conv, pool) * conv.padded()[1])
        } else {
            (x.as_ptr().wrapping_add(top * conv.input.w), conv.input.h * conv.input.w)
        };
        let best = best.as_mut_ptr();
        let line = |p: usize, rows: usize| Line {
            spec: PhantomData::<C>,
            x: x.wrapping_add(p * conv.stride[0] * conv.padded()[1]),
            rows,
            plane,
            weights,
            scale: first(scale),
            shift: first(shift),
            act,
            best,
        };
        macro_rules! of_channels {
            ($operands:expr; $($n:literal)*) => {
                match const { C::CONV.out_channels } {
                    // The rows that they read are inside the padded input, `best` has a row for each channel, y a pixel for each window.
                    $($n => simd.outline(Lines::<_, _, _, $n> { line: $operands.0, columns: $operands.1 }),)*
                    _ => {}
                }
            };
        }
        if const { matches!(P::WANTS, Wants::Places) } {
            let pixels = &mut pixels[..pool.kernel[0] * width * channels];
            for (p, pixels) in pixels.chunks_exact_mut((width * channels).max(1)).enumerate() {
                let all = Columns { kernel: 1, stride: 1, count: width, y: pixels.as_mut_ptr() };
                of_channels!((line(p, 1), all); 1 2 3 4 5 6 7 8);
            }
            stage.row(simd, image, r, pixels, y);
        } else {
            let [kernel, stride] = [pool.kernel[1], pool.stride[1]];
            let windows = Columns { kernel, stride, count: output.w, y: y.as_mut_ptr() };
            of_channels!((line(0, pool.kernel[0]), windows); 1 2 3 4 5 6 7 8);
        }
    }
}

/// `copy ← count` rows of each plane from row `first` of the padded input on, without their border.
#[inline(always)]
fn copy_rows<T: Scalar, S: Simd<T>>(simd: S, conv: &Conv, count: usize, first: usize, x: &[T], copy: &mut [T]) {
    let (h, w, top, left) = (conv.input.h, conv.input.w, conv.padding[0], conv.padding[2]);
    let planes = copy.chunks_exact_mut((count * conv.padded()[1]).max(1));
    for (plane, copy) in x.chunks_exact((h * w).max(1)).zip(planes) {
        for (row, to) in copy.chunks_exact_mut(conv.padded()[1].max(1)).enumerate() {
            let Some(to) = to.get_mut(left..left + w) else { return };
            let at = (first + row).checked_sub(top).filter(|row| *row < h);
            for j in (0..w).step_by(S::LANES) {
                let lanes = (w - j).min(S::LANES);
                // SAFETY: row `at` of the plane has w elements, and so has `to`.
                unsafe {
                    let values = match at {
                        Some(row) => load(simd, plane.as_ptr().add(row * w + j), lanes),
                        None => simd.splat(T::zero()),
                    };
                    store(simd, to.as_mut_ptr().add(j), values, lanes);
                }
            }
        }
    }
}

/// The maximum of some rows of the convolution's map, of all output channels.
#[derive(Clone, Copy)]
struct Line<T, C, A> {
    spec: PhantomData<C>,
    /// The first row that it reads, of the first plane.
    x: *const T,
    /// Rows of the map.
    rows: usize,
    /// Elements from one plane to the next.
    plane: usize,
    /// `[KH][KW][C][OC]`.
    weights: *const T,
    /// `[OC]`, or null.
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
    /// `[windows][OC]`: their maxima.
    y: *mut T,
}

impl<T> Columns<T> {
    /// Whether they are taken in pairs, which happens in registers.
    #[inline(always)]
    fn in_pairs(&self) -> bool {
        self.kernel == 2 && self.stride == 2
    }
}

/// [`Line`] and [`Columns`] of `OC` output channels.
///
/// Whoever makes one promises that the rows can be read, `best` and y written, and that the windows are columns of the row.
struct Lines<T, C, A, const OC: usize> {
    line: Line<T, C, A>,
    columns: Columns<T>,
}

impl<T: Scalar, C: ConvSpec, A: Activation<T>, const OC: usize> Kernel<T> for Lines<T, C, A, OC> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { line, columns } = self;
        let width = const { C::CONV.output().w };
        let pairs = columns.in_pairs();
        let mut j = 0;
        // SAFETY: the maker's promise.
        unsafe {
            // Two vectors of each channel beside two of x and the broadcast.
            if const { 2 * OC + 3 <= S::REGISTERS } {
                while j + S::LANES < width {
                    let last = (width - j - S::LANES).min(S::LANES);
                    block::<T, S, C, A, OC, 2>(simd, line, j, last, pairs);
                    j += 2 * S::LANES;
                }
            }
            while j < width {
                block::<T, S, C, A, OC, 1>(simd, line, j, (width - j).min(S::LANES), pairs);
                j += S::LANES;
            }
            if columns.kernel > 1 && !pairs {
                for o in 0..OC {
                    max_of_neighbours(simd, columns.kernel, line.best.add(o * width), width);
                }
            }
            let stride = if pairs { 1 } else { columns.stride };
            for j in 0..columns.count {
                let (y, best) = (columns.y.add(j * OC), line.best.add(j * stride));
                for o in 0..OC {
                    *y.add(o) = *best.add(o * width);
                }
            }
        }
    }
}

/// `NV` vectors from column `j` on, of which the last has `last` lanes; or with `pairs` the maxima of pairs of columns, from `j / 2` on.
///
/// # Safety
/// As for [`Lines`].
#[inline(always)]
unsafe fn block<T: Scalar, S: Simd<T>, C: ConvSpec, A: Activation<T>, const OC: usize, const NV: usize>(
    simd: S, line: Line<T, C, A>, j: usize, last: usize, pairs: bool,
) {
    let (planes, [kh, kw]) = const { (C::CONV.input.c, C::CONV.kernel) };
    // From one row of the map, and of the kernel, to the next.
    let [next, row] = const {
        let width = C::CONV.padded()[1];
        [C::CONV.stride[0] * width, C::CONV.dilation[0] * width]
    };
    let mut best = [[simd.splat(T::zero()); NV]; OC];
    for p in 0..line.rows {
        let mut sums = [[simd.splat(T::zero()); NV]; OC];
        for c in 0..planes {
            for u in 0..kh {
                let mut x = line.x.wrapping_add(p * next + c * line.plane + u * row + j);
                let mut w = line.weights.wrapping_add((u * kw * planes + c) * OC);
                for _ in 0..kw {
                    let mut vectors = [simd.splat(T::zero()); NV];
                    // SAFETY: the caller's.
                    unsafe {
                        for (n, vector) in vectors.iter_mut().enumerate() {
                            let at = x.wrapping_add(n * S::LANES);
                            *vector = if n + 1 == NV { simd.load_first(at, last) } else { simd.load(at) };
                        }
                        for (o, sums) in sums.iter_mut().enumerate() {
                            let w = simd.splat(*w.add(o));
                            for (sum, x) in sums.iter_mut().zip(vectors) {
                                *sum = simd.mul_add(x, w, *sum);
                            }
                        }
                    }
                    (x, w) = (x.wrapping_add(1), w.wrapping_add(planes * OC));
                }
            }
        }
        // Indices, for iterators over two arrays are not unrolled, and what they yield lies in memory.
        for o in 0..OC {
            for n in 0..NV {
                let mut sum = sums[o][n];
                // SAFETY: the caller's.
                unsafe {
                    if !line.scale.is_null() {
                        sum = simd.mul(sum, simd.splat(*line.scale.add(o)));
                    }
                    if !line.shift.is_null() {
                        sum = simd.add(sum, simd.splat(*line.shift.add(o)));
                    }
                }
                let value = line.act.vector(simd, sum);
                best[o][n] = if p == 0 { value } else { larger(simd, best[o][n], value) };
            }
        }
    }
    for o in 0..OC {
        let to = line.best.wrapping_add(o * C::CONV.output().w);
        // SAFETY: the caller's.
        unsafe {
            if pairs {
                let behind = if NV > 1 { best[o][NV - 1] } else { simd.splat(T::zero()) };
                let [evens, odds] = evens_and_odds(simd, best[o][0], behind);
                let lanes = ((NV - 1) * S::LANES + last) / 2;
                store(simd, to.wrapping_add(j / 2), larger(simd, evens, odds), lanes);
            } else {
                for n in 0..NV {
                    let lanes = if n + 1 == NV { last } else { S::LANES };
                    store(simd, to.wrapping_add(j + n * S::LANES), best[o][n], lanes);
                }
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
