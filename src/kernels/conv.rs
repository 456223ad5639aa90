//! Convolution, forward: im2col and a blocked product, with the im2col matrix written out only where the stride is not 1.
//!
//! The output is computed in bands of rows. For a band, the input rows that it sees are padded into a small buffer
//! (nothing is copied without padding); output rows keep the padded input's pitch, so that the im2col row of tap
//! `(c, u, v)` is that buffer, shifted ("wide rows": the columns behind the map's width are garbage that nobody reads). Blocks of
//! output channels are computed into a second small buffer, and the [`Stage`] writes bias, activation and pooling from
//! there: the map before pooling never exists as a whole.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::gemm;
use crate::kernels::im2col;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::stage::{Band, Stage, is_side_by_side};
use crate::kernels::tile::{Broadcast, Taps};
use crate::plain::Plain;
use crate::shape::{Conv, Pool};

/// A convolution known to the compiler.
pub trait ConvSpec: Copy + Send + Sync {
    /// Its numbers.
    const CONV: Conv;
}

/// Whether operands of these lengths are those of a convolution without faults and of the pooling fused with it.
pub const fn operands_fit(conv: &Conv, pool: Option<Pool>, x: usize, weight: usize, bias: usize, y: usize) -> bool {
    let (pools, out) = match pool {
        Some(pool) => (is_side_by_side(conv, &pool), pool.output()),
        None => (true, conv.output()),
    };
    conv.faults().is_empty()
        && !conv.input.is_empty()
        && pools
        && x == conv.input.len()
        && weight == conv.out_channels * conv.taps()
        && bias == conv.biases()
        && y == out.len()
}

/// Output channels computed together: the height of the largest tile.
pub const BLOCK_CHANNELS: usize = if cfg!(target_arch = "x86_64") { 8 } else { 4 };

/// Columns of a band, about: 5 tiles of 48 columns, and 8 channels of it (8 KiB of f32) stay in the first-level cache.
const BAND_COLUMNS: usize = 256;

pub(super) const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

pub(super) const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// Rows of a band of about `columns` columns: a multiple of `multiple`, one of them at least, and no more than there are.
pub(super) const fn band_rows(columns: usize, pitch: usize, multiple: usize, rows: usize) -> usize {
    min(max(columns / pitch / multiple, 1) * multiple, rows)
}

/// How a convolution is cut into bands, and where they lie. All lengths in elements.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Whether the rows of the im2col matrix are views of the padded input (stride 1), or are written out.
    pub wide: bool,
    /// Output rows of a band.
    pub rows: usize,
    /// Elements from one row of the product to the next.
    pub pitch: usize,
    /// Of the buffer for one group's padded band or im2col matrix.
    pub input: usize,
}

impl Layout {
    /// The layout with bands of about `columns` columns, in multiples of `multiple` rows.
    pub const fn new(conv: &Conv, multiple: usize, columns: usize) -> Self {
        let out = conv.output();
        let wide = conv.stride[0] == 1 && conv.stride[1] == 1;
        let pitch = if wide { conv.padded()[1] } else { out.w };
        let rows = band_rows(columns, pitch, multiple, out.h);
        let padding = conv.padding[0] + conv.padding[1] + conv.padding[2] + conv.padding[3];
        let input = if !wide {
            conv.taps() * rows * pitch
        } else if padding > 0 {
            conv.group_inputs() * (rows - 1 + conv.extent()[0]) * pitch
        } else {
            0
        };
        Layout { wide, rows, pitch, input }
    }

    /// The layout for a forward pass into a stage.
    pub const fn forward(conv: &Conv, pool: Option<Pool>) -> Self {
        let multiple = match pool {
            Some(pool) => pool.stride[0],
            None => 1,
        };
        Layout::new(conv, multiple, BAND_COLUMNS)
    }

    /// Elements of the buffer for one block of output channels.
    const fn sums(&self) -> usize {
        BLOCK_CHANNELS * self.rows * self.pitch
    }
}

/// Elements of workspace for the forward pass.
pub const fn forward_work(conv: &Conv, pool: Option<Pool>) -> usize {
    let layout = Layout::forward(conv, pool);
    layout.input + layout.sums()
}

/// The im2col matrix of one group and band: where its first row begins, and its walk.
pub struct Columns<T> {
    /// Row 0, column 0.
    pub first: *const T,
    /// The rows.
    pub taps: Taps,
    /// Columns.
    pub n: usize,
}

/// Lays out what output rows `rows` of group `group` see of `x`; `buffer` has [`Layout::input`] elements.
#[inline(always)]
pub fn columns<T: Scalar>(
    conv: &Conv, layout: &Layout, x: &[T], group: usize, rows: Range<usize>, buffer: &mut [T],
) -> Columns<T> {
    let ic = conv.group_inputs();
    let channels = group * ic..(group + 1) * ic;
    let [kh, kw] = conv.kernel;
    let (pitch, out_w) = (layout.pitch, conv.output().w);
    // The last row needs no garbage behind it: so no tap reads beyond the band.
    let n = (rows.len() - 1) * pitch + out_w;
    if !layout.wide {
        let stride = rows.len() * pitch;
        im2col::im2col(conv, x, channels, rows, buffer);
        let taps = Taps { count: [ic, kh, kw], stride: [kh * kw * stride, kw * stride, stride] };
        return Columns { first: buffer.as_ptr(), taps, n };
    }
    let (first, plane) = if layout.input > 0 {
        let band_h = rows.len() - 1 + conv.extent()[0];
        im2col::pad_rows(conv, x, channels, rows, buffer);
        (buffer.as_ptr(), band_h * pitch)
    } else {
        let plane = conv.input.h * conv.input.w;
        // `wrapping_add`: the place is inside x (a channel and a row of it), which `x.get` would have to test.
        (x.as_ptr().wrapping_add(channels.start * plane + rows.start * pitch), plane)
    };
    let taps = Taps { count: [ic, kh, kw], stride: [plane, conv.dilation[0] * pitch, conv.dilation[1]] };
    Columns { first, taps, n }
}

/// `y ← stage(act(conv(x, weight) + bias))` for one image.
///
/// Slices: `x` the input map, `weight` `[OC, taps]`, `bias` `[OC]` or empty, `y` what leaves the stage, `work` of [`forward_work`].
///
/// # Safety
/// `x`, `weight` and `work` have at least these lengths.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, epilogue and workspace of one product")]
pub unsafe fn forward_image<T: Scalar, S: Simd<T>, C: ConvSpec, A: Activation<T>, P: Stage<T>>(
    simd: S, _: C, image: usize, x: &[T], weight: &[T], bias: &[T], act: A, stage: &mut P, y: &mut [T], work: &mut [T],
) {
    let conv = const { &C::CONV };
    let layout = const { &Layout::forward(&C::CONV, P::POOL) };
    let (oc, taps, out) = const { (C::CONV.group_outputs(), C::CONV.taps(), C::CONV.output()) };
    let plane = const {
        match P::POOL {
            Some(pool) => pool.output().h * pool.output().w,
            None => C::CONV.output().h * C::CONV.output().w,
        }
    };
    let (buffer, sums) = work.split_at_mut(layout.input);
    for group in 0..conv.groups {
        let mut row = 0;
        while row < out.h {
            let rows = row..min(row + layout.rows, out.h);
            let width = rows.len() * layout.pitch;
            let b = columns(conv, layout, x, group, rows, buffer);
            let mut o = group * oc;
            while o < (group + 1) * oc {
                let block = min((group + 1) * oc - o, BLOCK_CHANNELS);
                // SAFETY: `weight` has OC · taps elements, o + block ≤ OC; `columns` yields a matrix of `taps` rows and n
                // columns that lies in `x` or `buffer` (its last tap's last column is the last element that the band
                // sees); `sums` has BLOCK_CHANNELS rows of `width ≥ n`.
                unsafe {
                    let a = Broadcast { first: weight.as_ptr().add(o * taps), row: taps, column: 1 };
                    gemm::product::<T, S, false>(simd, block, a, b.first, b.taps, sums.as_mut_ptr(), width, b.n);
                }
                // `max(1)`: a width of 0, which there is not, would have a panic path.
                let channels = sums.chunks_exact(width.max(1)).zip(y.chunks_exact_mut(plane).skip(o)).take(block);
                for (i, (sums, y)) in channels.enumerate() {
                    let bias = bias.get(o + i).copied().unwrap_or(T::zero());
                    let band = Band { image, channel: o + i, row, sums, pitch: layout.pitch };
                    stage.forward(band, out.w, bias, act, y);
                }
                o += block;
            }
            row += layout.rows;
        }
    }
}

/// `y[i] ← stage(act(conv(x[i], weight) + bias))` for the images of a micro-batch.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, epilogue and workspace of one step")]
pub fn forward<T, S, C, A, P, X, W, B, Y, K>(
    simd: S, spec: C, x: &[X], weight: &W, bias: &B, act: A, stage: P, y: &mut [Y], work: &mut K,
) where
    T: Scalar,
    S: Simd<T>,
    C: ConvSpec,
    A: Activation<T>,
    P: Stage<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
    K: Plain<T>,
{
    const { assert!(K::LEN >= forward_work(&C::CONV, P::POOL)) };
    simd.vectorize(Forward { spec, x, weight, bias, act, stage, y, work: work.flat_mut() });
}

/// [`forward`] as a kernel, with a workspace whose length only the caller knows.
///
/// It panics if that is shorter than [`forward_work`].
pub struct Forward<'a, T, C, A, P, X, W, B, Y> {
    /// The convolution.
    pub spec: C,
    /// The maps that arrive.
    pub x: &'a [X],
    /// `[OC, taps]`.
    pub weight: &'a W,
    /// `[OC]`, or empty.
    pub bias: &'a B,
    /// The activation.
    pub act: A,
    /// What follows while rows are hot.
    pub stage: P,
    /// What leaves the step.
    pub y: &'a mut [Y],
    /// Workspace.
    pub work: &'a mut [T],
}

impl<T, C, A, P, X, W, B, Y> Kernel<T> for Forward<'_, T, C, A, P, X, W, B, Y>
where
    T: Scalar,
    C: ConvSpec,
    A: Activation<T>,
    P: Stage<T>,
    X: Plain<T>,
    W: Plain<T>,
    B: Plain<T>,
    Y: Plain<T>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        // Known when compiling, and gone from the code. It is not an error there, for the layers have told it in better words.
        assert!(const { operands_fit(&C::CONV, P::POOL, X::LEN, W::LEN, B::LEN, Y::LEN) });
        assert!(self.work.len() >= const { forward_work(&C::CONV, P::POOL) });
        for (image, (x, y)) in self.x.iter().zip(self.y).enumerate() {
            // SAFETY: the lengths were asserted above.
            unsafe {
                forward_image(
                    simd,
                    self.spec,
                    image,
                    x.flat(),
                    self.weight.flat(),
                    self.bias.flat(),
                    self.act,
                    &mut self.stage,
                    y.flat_mut(),
                    self.work,
                );
            }
        }
    }
}
