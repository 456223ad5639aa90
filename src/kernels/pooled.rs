//! Backward of a convolution behind which a max-pooling follows: of each window and channel one output alone has a gradient, at the place of the maximum.
//!
//! ```text
//! dW[o, u, v, c] += Σ_windows g[window, o] · x[i·s + u, j·s′ + v, c]       (i, j): where the maximum of channel o is
//! dX[i·s + u, j·s′ + v, c] += g[window, o] · W[o, u, v, c]
//! ```
//!
//! For windows of 2 × 2 that is a quarter of the multiplications, and the gradient of the map before pooling is never written. The place hangs on the channel, so vectors
//! go along what is neighbouring in x: the taps of a kernel row and their channels, `KW · C` elements. Sums, or kernels, of an output channel are in
//! registers for all windows of a band of rows, which stays in the first-level cache. Their memory has the output channel outside, `[OC][KH][KW · C]`.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{ConvSpec, has_padding};
use crate::kernels::conv_backward::{pad, padded};
use crate::kernels::input_gradient::InputGradient;
use crate::kernels::map::transpose;
use crate::kernels::simd::{Kernel, ONE_BY_ONE, Simd};
use crate::kernels::stage::{StageBackward, scale_by_derivative};
use crate::kernels::vectors::{lanes, load, load_at_least, store};
use crate::plain::Plain;
use crate::shape::{Conv, Pool};

/// Elements of x that the windows of a band read: 24 KiB of f32.
const BAND: usize = 6 << 10;

/// Whether the gradient goes by windows: where these are of at least four places, and what a row of them reads is not much more than a band. (One number at a
/// time it would be more code and more memory, of which small processors have little.)
pub(super) const fn fits(conv: &Conv, pool: Option<Pool>) -> bool {
    let Some(pool) = pool else { return false };
    let places = pool.kernel[0] * pool.kernel[1];
    let dense = conv.groups == 1 && conv.dilation[0] == 1 && conv.dilation[1] == 1;
    !ONE_BY_ONE && dense && 4 <= places && places <= 256 && band_len(conv, &pool, 1) <= BAND + BAND / 2
}

/// Elements of the padded x that so many rows of windows read.
const fn band_len(conv: &Conv, pool: &Pool, windows: usize) -> usize {
    let outputs = (windows - 1) * pool.stride[0] + pool.kernel[0];
    ((outputs - 1) * conv.stride[0] + conv.kernel[0]) * conv.padded()[1] * conv.input.c
}

/// Rows of windows in a band.
const fn band(conv: &Conv, pool: &Pool) -> usize {
    let mut windows = 1;
    while windows < pool.output().h && band_len(conv, pool, windows + 1) <= BAND {
        windows += 1;
    }
    windows
}

/// Whether x is read from, and dX summed in, a map in pixels with a border of zeros.
const fn pads(conv: &Conv, planes: bool) -> bool {
    planes || has_padding(conv)
}

/// Elements of each.
const fn padded_len(conv: &Conv, planes: bool) -> usize {
    if pads(conv, planes) { padded(conv).input.len() } else { 0 }
}

/// Elements of workspace: the padded x and dX, and Wᵀ and dWᵀ.
pub(super) const fn work(conv: &Conv, planes: bool) -> usize {
    2 * (padded_len(conv, planes) + conv.out_channels * conv.taps())
}

/// An output with a gradient.
#[derive(Clone, Copy)]
struct Peak<T> {
    /// The first element of x that it reads.
    at: usize,
    gradient: T,
}

/// Peaks that are taken together.
const PEAKS: usize = 64;

/// What [`crate::kernels::conv_backward::Backward`] does, for what [`fits`]; all images.
///
/// It panics if the workspace is shorter than [`work`], unless the compiler knows that it is not.
///
/// # Safety
/// The operands have the convolution's and the pooling's lengths.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, gradients and workspace of one step")]
pub(super) unsafe fn backward<T, S, C, A, P, X, Y, D>(
    simd: S, _: C, x: &[X], w: &[T], act: A, stage: &P, y: &[Y], dy: &mut [Y], dw: &mut [T], db: &mut [T], mut dx: D,
    memory: &mut [T],
) where
    T: Scalar,
    S: Simd<T>,
    C: ConvSpec,
    A: Activation<T>,
    P: StageBackward<T>,
    X: Plain<T>,
    Y: Plain<T>,
    D: InputGradient<T>,
{
    let (oc, per_output) = const { (C::CONV.out_channels, C::CONV.taps()) };
    let (padded_x, memory) = memory.split_at_mut(const { padded_len(&C::CONV, C::PLANES) });
    let (padded_dx, memory) = memory.split_at_mut(const { padded_len(&C::CONV, C::PLANES) });
    let (turned, memory) = memory.split_at_mut(const { C::CONV.out_channels * C::CONV.taps() });
    let (sums, _) = memory.split_at_mut(const { C::CONV.out_channels * C::CONV.taps() });
    if D::WANTED {
        transpose(simd, per_output, oc, w, turned);
    }
    sums.fill(T::zero());
    padded_x.fill(T::zero());
    for (image, ((x, y), dy)) in x.iter().zip(y).zip(dy).enumerate() {
        let (dy, places) = (dy.flat_mut(), stage.places(image));
        if places.len() != dy.len() {
            return;
        }
        scale_by_derivative(simd, act, y.flat(), dy, db);
        let x = if const { pads(&C::CONV, C::PLANES) } {
            pad(const { &C::CONV }, C::PLANES, x.flat(), padded_x);
            &*padded_x
        } else {
            x.flat()
        };
        let gradient = dx.inputs(image..image + 1);
        let is_wanted = !gradient.is_empty();
        let map = if const { pads(&C::CONV, C::PLANES) } && is_wanted { &mut *padded_dx } else { &mut *gradient };
        if const { !D::ADDS || pads(&C::CONV, C::PLANES) } {
            map.fill(T::zero());
        }
        // SAFETY: x, and dX if it is not empty, are maps of the padded convolution, dy and the places have an element for each output of the pooling.
        unsafe { image_peaks::<T, S, C, P>(simd, x, dy, places, turned, sums, map) };
        if const { pads(&C::CONV, C::PLANES) } && is_wanted {
            crop::<T, D>(const { &C::CONV }, padded_dx, gradient);
        }
    }
    transpose(simd, oc, per_output, sums, turned);
    for (dw, sum) in dw.iter_mut().zip(turned) {
        *dw += *sum;
    }
}

/// `dx ←`, or with `D::ADDS` `dx +=`, `padded` without its border, in pixels.
#[inline(always)]
fn crop<T: Scalar, D: InputGradient<T>>(conv: &Conv, padded: &[T], dx: &mut [T]) {
    let (c, w) = (conv.input.c, conv.input.w);
    let rows = padded.chunks_exact((conv.padded()[1] * c).max(1)).skip(conv.padding[0]);
    for (to, from) in dx.chunks_exact_mut((w * c).max(1)).zip(rows) {
        for (to, from) in to.iter_mut().zip(from.iter().skip(conv.padding[2] * c)) {
            *to = if D::ADDS { *to + *from } else { *from };
        }
    }
}

/// The peaks of one image, band by band, and in a band channel by channel.
///
/// # Safety
/// `x`, and `dx` if it is not empty, are maps of the padded convolution; `dy` and `places` have an element for each output of the pooling; `turned` and
/// `sums` have those of the weights.
#[inline(always)]
unsafe fn image_peaks<T: Scalar, S: Simd<T>, C: ConvSpec, P: StageBackward<T>>(
    simd: S, x: &[T], dy: &[T], places: &[u8], turned: &[T], sums: &mut [T], dx: &mut [T],
) {
    let Some(pool) = (const { P::POOL }) else { return };
    let (channels, per_output) = const { (C::CONV.out_channels, C::CONV.taps()) };
    let [row, column] = const { steps(&C::CONV) };
    // Where in x the places of a window are. A place that none has is the first.
    let mut offsets = [0; 256];
    for (place, offset) in offsets.iter_mut().enumerate().take(pool.kernel[0] * pool.kernel[1]) {
        *offset = place / pool.kernel[1] * row + place % pool.kernel[1] * column;
    }
    let output = pool.output();
    let band = const {
        match P::POOL {
            Some(pool) => band(&C::CONV, &pool),
            None => 1,
        }
    };
    for first in (0..output.h).step_by(band) {
        for o in 0..channels {
            let (kernel, sum) = (&turned[o * per_output..], &mut sums[o * per_output..]);
            let mut peaks = [Peak { at: 0, gradient: T::zero() }; PEAKS];
            let mut count = 0;
            for i in first..output.h.min(first + band) {
                for j in 0..output.w {
                    let at = (i * output.w + j) * channels + o;
                    // SAFETY: an output of the pooling.
                    let (gradient, place) = unsafe { (*dy.get_unchecked(at), *places.get_unchecked(at)) };
                    let at = i * pool.stride[0] * row + j * pool.stride[1] * column + offsets[usize::from(place)];
                    peaks[count] = Peak { at, gradient };
                    // Without a branch, which nobody could predict.
                    count += usize::from(gradient != T::zero());
                    if count == PEAKS {
                        // SAFETY: windows lie inside the convolution's map, and so do the places; the padded x has all that its outputs read.
                        unsafe { channel_peaks::<T, S, C>(simd, &peaks, x, kernel, sum, dx) };
                        count = 0;
                    }
                }
            }
            if count > 0 {
                // SAFETY: as above.
                unsafe { channel_peaks::<T, S, C>(simd, &peaks[..count], x, kernel, sum, dx) };
            }
        }
    }
}

/// Elements of the padded x from what one output reads to the next one, along rows and columns.
const fn steps(conv: &Conv) -> [usize; 2] {
    let c = conv.input.c;
    [conv.stride[0] * conv.padded()[1] * c, conv.stride[1] * c]
}

/// Some peaks of one output channel: into its dWᵀ, and with its Wᵀ into dX.
///
/// # Safety
/// x has what the peaks read, and so has dX if it is not empty; `kernel` and `sum` have an element for each tap and input channel.
#[inline(always)]
unsafe fn channel_peaks<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, peaks: &[Peak<T>], x: &[T], kernel: &[T], sum: &mut [T], dx: &mut [T],
) {
    // SAFETY: the caller's.
    unsafe {
        if const { run(&C::CONV) <= <S::Half as Simd<T>>::LANES } {
            pieces::<T, S::Half, C>(simd.half(), peaks, x, kernel, sum, dx);
        } else {
            pieces::<T, S, C>(simd, peaks, x, kernel, sum, dx);
        }
    }
}

/// Elements of a kernel row: its taps, and the channels of each.
const fn run(conv: &Conv) -> usize {
    conv.kernel[1] * conv.input.c
}

/// Vectors of a kernel row in a piece: all, or as many as there are functions for.
const fn piece_vectors(conv: &Conv, lanes: usize) -> usize {
    let all = run(conv).div_ceil(lanes);
    if all < 12 { all } else { 12 }
}

/// Kernel rows in a piece: as many as leave some of the registers, or one.
const fn piece_rows(conv: &Conv, lanes: usize, registers: usize) -> usize {
    let sums = if registers >= 32 { 24 } else { 12 };
    let rows = sums / piece_vectors(conv, lanes);
    let rows = if rows > 5 { 5 } else { rows };
    if rows > conv.kernel[0] {
        conv.kernel[0]
    } else if rows == 0 {
        1
    } else {
        rows
    }
}

/// Vectors of the last piece of a row, if there are several.
const fn rest_vectors(conv: &Conv, lanes: usize) -> usize {
    run(conv).div_ceil(lanes) % piece_vectors(conv, lanes)
}

/// Kernel rows of the last piece.
const fn rest_rows(conv: &Conv, lanes: usize, registers: usize) -> usize {
    conv.kernel[0] % piece_rows(conv, lanes, registers)
}

/// The pieces of a kernel whose sums are in registers together.
///
/// # Safety
/// As for [`channel_peaks`].
#[inline(always)]
unsafe fn pieces<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, peaks: &[Peak<T>], x: &[T], kernel: &[T], sum: &mut [T], dx: &mut [T],
) {
    let (height, run, row) = const { (C::CONV.kernel[0], run(&C::CONV), C::CONV.padded()[1] * C::CONV.input.c) };
    let rows = const { piece_rows(&C::CONV, S::LANES, S::REGISTERS) };
    let vectors = const { piece_vectors(&C::CONV, S::LANES) };
    let mut u = 0;
    macro_rules! piece {
        ($v:ident, $rows:literal, $vectors:literal) => {{
            let v = $v;
            let last = (run - v * S::LANES).min($vectors * S::LANES) - ($vectors - 1) * S::LANES;
            let at = u * run + v * S::LANES;
            let piece = Piece { peaks, offset: u * row + v * S::LANES, row, run, last };
            // SAFETY: the piece lies inside the kernel, and what it reads inside what a peak reads; so it is with what is written.
            simd.outline(AddWeights::<T, $rows, $vectors> { piece, x, sum: unsafe { sum.as_mut_ptr().add(at) } });
            if !dx.is_empty() {
                // SAFETY: as above.
                let kernel = unsafe { kernel.as_ptr().add(at) };
                simd.outline(AddInputs::<T, $rows, $vectors> { piece, dx, kernel });
            }
        }};
    }
    // Only the arms that are taken are compiled.
    macro_rules! of_rows {
        ($v:ident, $rows:expr, $vectors:expr; $($r:literal)*) => {
            match const { $rows } {
                $($r => of_rows!(@ $v, $r, $vectors; 1 2 3 4 5 6 7 8 9 10 11 12),)*
                _ => {}
            }
        };
        (@ $v:ident, $r:literal, $vectors:expr; $($n:literal)*) => {
            match const { $vectors } {
                $($n => piece!($v, $r, $n),)*
                _ => {}
            }
        };
    }
    // All pieces of as many rows.
    macro_rules! across {
        ($rows:expr) => {{
            let mut v = 0;
            while (v + vectors) * S::LANES < run + S::LANES {
                of_rows!(v, $rows, piece_vectors(&C::CONV, S::LANES); 1 2 3 4 5);
                v += vectors;
            }
            of_rows!(v, $rows, rest_vectors(&C::CONV, S::LANES); 1 2 3 4 5);
        }};
    }
    while u + rows <= height {
        across!(piece_rows(&C::CONV, S::LANES, S::REGISTERS));
        u += rows;
    }
    across!(rest_rows(&C::CONV, S::LANES, S::REGISTERS));
}

/// Rows and vectors of a kernel, and the peaks that have them.
#[derive(Clone, Copy)]
struct Piece<'a, T> {
    peaks: &'a [Peak<T>],
    /// Elements from a peak's first to the piece's.
    offset: usize,
    /// Elements of a row of the padded map.
    row: usize,
    /// Elements of a kernel row.
    run: usize,
    /// Lanes of the last vector.
    last: usize,
}

/// `sum += Σ_peaks gradient · x`, of `ROWS` rows of `NV` vectors.
///
/// Whoever makes one promises that x has these elements for each peak, and `sum` for itself.
struct AddWeights<'a, T, const ROWS: usize, const NV: usize> {
    piece: Piece<'a, T>,
    x: &'a [T],
    sum: *mut T,
}

impl<T: Scalar, const ROWS: usize, const NV: usize> Kernel<T> for AddWeights<'_, T, ROWS, NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Piece { peaks, offset, row, run, last } = self.piece;
        // As far from a peak's first element as whole vectors would read.
        let reach = offset + (ROWS - 1) * row + NV * S::LANES;
        let mut sums = [[simd.splat(T::zero()); NV]; ROWS];
        // SAFETY: the maker's promise.
        unsafe {
            for Peak { at, gradient } in peaks {
                let whole = at + reach <= self.x.len();
                let (x, gradient) = (self.x.as_ptr().add(at + offset), simd.splat(*gradient));
                for (u, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let x = x.add(u * row + v * S::LANES);
                        let x = load_at_least(simd, x, lanes(v, NV, last, S::LANES), whole);
                        *sum = simd.mul_add(x, gradient, *sum);
                    }
                }
            }
            for (u, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let (to, lanes) = (self.sum.add(u * run + v * S::LANES), lanes(v, NV, last, S::LANES));
                    store(simd, to, simd.add(load(simd, to, lanes), sum), lanes);
                }
            }
        }
    }
}

/// `dx += gradient · kernel` at each peak, of `ROWS` rows of `NV` vectors.
///
/// Whoever makes one promises that dX has these elements for each peak, and `kernel` for itself.
struct AddInputs<'a, T, const ROWS: usize, const NV: usize> {
    piece: Piece<'a, T>,
    dx: &'a mut [T],
    kernel: *const T,
}

impl<T: Scalar, const ROWS: usize, const NV: usize> Kernel<T> for AddInputs<'_, T, ROWS, NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Piece { peaks, offset, row, run, last } = self.piece;
        let reach = offset + (ROWS - 1) * row + NV * S::LANES;
        let mut kernel = [[simd.splat(T::zero()); NV]; ROWS];
        // SAFETY: the maker's promise.
        unsafe {
            for (u, kernel) in kernel.iter_mut().enumerate() {
                for (v, kernel) in kernel.iter_mut().enumerate() {
                    *kernel = load(simd, self.kernel.add(u * run + v * S::LANES), lanes(v, NV, last, S::LANES));
                }
            }
            for Peak { at, gradient } in peaks {
                let whole = at + reach <= self.dx.len();
                let (dx, gradient) = (self.dx.as_mut_ptr().add(at + offset), simd.splat(*gradient));
                for (u, kernel) in kernel.iter().enumerate() {
                    for (v, kernel) in kernel.iter().enumerate() {
                        let (to, lanes) = (dx.add(u * row + v * S::LANES), lanes(v, NV, last, S::LANES));
                        let sum = simd.mul_add(*kernel, gradient, load_at_least(simd, to, lanes, whole));
                        store(simd, to, sum, lanes);
                    }
                }
            }
        }
    }
}
