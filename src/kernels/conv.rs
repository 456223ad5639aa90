//! Convolution, forward: a correlation whose sums get scale, shift, a second summand and the activation on their way to memory.
//!
//! Maps lie in pixels, `[H][W][C]`; the network's own input may lie in planes, `[C][H][W]`. Weights are
//! `[KH][KW][IC / groups][OC]`, a matrix whose rows the micro-kernel loads as they lie. Where a pooling
//! follows, the rows of the map that one row of windows covers are computed into a small buffer and pooled from there: the map before
//! pooling never exists as a whole.

use core::marker::PhantomData;
use core::ops::Range;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::concat::{Slice, holds, within};
use crate::kernels::correlate::{Axis, Correlation, CorrelationSpec, correlate};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::operands::Maps;
use crate::kernels::simd::{Kernel, Simd};
use crate::kernels::space::Space;
use crate::kernels::stage::{Stage, Wants, is_side_by_side};
use crate::kernels::store::{AFFINE_WORK, Affine, Fused, Summand, first, lengths_fit};
use crate::kernels::tile::{Broadcast, Depthwise, Height};
use crate::kernels::winograd::Tiles;
use crate::kernels::work::Work;
use crate::kernels::{planar, pointwise, winograd};
use crate::plain::Plain;
use crate::shape::{Conv, Pool};

/// A convolution known to the compiler.
pub trait ConvSpec: Copy + Send + Sync {
    /// Its numbers.
    const CONV: Conv;
    /// Whether its input lies in planes, as a network's own input does. Otherwise it lies in pixels.
    const PLANES: bool;
    /// The slice of a joined map that its output is, where it has no map of its own. Such a convolution has no pooling and no second summand behind it,
    /// whose maps have pixels of its channels alone.
    const SLICE: Option<Slice> = None;
}

/// Whether operands of these lengths are those of a convolution without faults and of the pooling fused with it, or of one into a slice.
pub const fn operands_fit(
    conv: &Conv, pool: Option<Pool>, slice: Option<Slice>, x: usize, weight: usize, bias: usize, y: usize,
) -> bool {
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
        && holds(slice, out, y)
        && (pool.is_none() || slice.is_none())
}

/// Whether each channel is convolved with one kernel of its own: vectors along the channels on both sides.
pub(super) const fn is_depthwise(conv: &Conv) -> bool {
    conv.groups > 1 && conv.group_inputs() == 1 && conv.group_outputs() == 1
}

/// Whether there are zeros around its input.
pub(super) const fn has_padding(conv: &Conv) -> bool {
    let [top, bottom, left, right] = conv.padding;
    top > 0 || bottom > 0 || left > 0 || right > 0
}

/// One axis of a forward pass; `x`, `w`, `y`: elements from one input, tap, output to the next.
const fn axis(conv: &Conv, axis: usize, x: usize, w: usize, y: usize) -> Axis {
    let (input, output) = (conv.input, conv.output());
    Axis {
        outputs: if axis == 0 { output.h } else { output.w },
        inputs: if axis == 0 { input.h } else { input.w },
        taps: conv.kernel[axis],
        stride: conv.stride[axis],
        dilation: conv.dilation[axis],
        before: conv.padding[2 * axis] as isize,
        x,
        w_first: 0,
        w: w as isize,
        y_first: 0,
        y,
    }
}

/// The numbers of a forward pass.
pub(super) const fn forward_correlation(conv: &Conv, planes: bool) -> Correlation {
    let (input, oc, ow) = (conv.input, conv.out_channels, conv.output().w);
    let column = if planes { 1 } else { input.c };
    let kernel_column = conv.group_inputs() * oc;
    let depthwise = is_depthwise(conv) && !planes;
    Correlation {
        axes: [
            axis(conv, 0, input.w * column, conv.kernel[1] * kernel_column, ow * oc),
            axis(conv, 1, column, kernel_column, oc),
        ],
        inputs: conv.group_inputs(),
        outputs: if depthwise { oc } else { conv.group_outputs() },
        groups: if depthwise { 1 } else { conv.groups },
        x_channel: if planes { input.h * input.w } else { 1 },
        w_channel: oc,
        w_group: conv.group_outputs(),
    }
}

/// A forward pass.
pub(super) struct Dense<C>(PhantomData<C>);
/// A forward pass whose channels do not see each other.
pub(super) struct Separate<C>(pub(super) PhantomData<C>);

macro_rules! forward_spec {
    ($name:ident, $product:ty) => {
        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<C> Copy for $name<C> {}
        impl<C: ConvSpec> CorrelationSpec for $name<C> {
            const CORRELATION: Correlation = {
                let it = forward_correlation(&C::CONV, C::PLANES);
                Correlation { axes: within(C::SLICE, it.axes), ..it }
            };
            type Product = $product;
        }
    };
}

forward_spec!(Dense, Broadcast);
forward_spec!(Separate, Depthwise);

/// Elements of the rows that are computed before they are pooled.
const fn rows_len(conv: &Conv, planes: bool, pool: Option<Pool>) -> usize {
    match pool {
        Some(_) => at_a_time(conv, planes, pool) * conv.output().w * conv.out_channels,
        None => 0,
    }
}

/// Elements of the rows under one row of windows.
const fn row_of_windows_len(conv: &Conv, pool: Option<Pool>) -> usize {
    match pool {
        Some(pool) => pool.kernel[0] * conv.output().w * conv.out_channels,
        None => 0,
    }
}

/// Elements of workspace for the factors and summands of a batch normalisation in the store. A pass by pixels makes them panel by panel, and needs none.
const fn affine_work(conv: &Conv, planes: bool, pool: Option<Pool>, wants: Wants, normed: bool) -> usize {
    if normed && !goes_by_pixels(conv, planes, pool, wants) { AFFINE_WORK * conv.out_channels } else { 0 }
}

/// Elements of workspace for the forward pass into a stage that `wants` this, the same whether or not it goes by Winograd's tiles. `normed`: with a batch normalisation in
/// the store.
pub const fn forward_work(conv: &Conv, planes: bool, pool: Option<Pool>, wants: Wants, normed: bool) -> usize {
    let own = affine_work(conv, planes, pool, wants, normed);
    let in_pixels = row_of_windows_len(conv, pool);
    // Which of them it is hangs on the instruction set.
    let in_planes = match wants {
        _ if !planar::fits(conv, planes, pool, wants) => 0,
        Wants::Maximum => planar::work(conv, pool),
        _ => planar::work(conv, pool) + row_of_windows_len(conv, pool),
    };
    own + if in_pixels > in_planes { in_pixels } else { in_planes }
}

/// Whether the forward pass goes by Winograd's tiles: pairs of rows, so the windows that follow must be of pairs.
const fn is_tiled(conv: &Conv, planes: bool, pool: Option<Pool>) -> bool {
    let pairs = match pool {
        Some(pool) => pool.kernel[0].is_multiple_of(2),
        None => true,
    };
    pairs && !planes && winograd::fits(conv)
}

/// Whether the pixels of several images are the rows of one product.
pub(super) const fn takes_pixels(conv: &Conv, planes: bool, pool: Option<Pool>) -> bool {
    pointwise::is_pointwise(conv) && !planes && pool.is_none()
}

/// Whether the forward pass goes so: not where the rows of a picture are vectors.
const fn goes_by_pixels(conv: &Conv, planes: bool, pool: Option<Pool>, wants: Wants) -> bool {
    takes_pixels(conv, planes, pool) && !planar::fits(conv, planes, pool, wants)
}

/// Rows of windows computed at a time: by Winograd's tiles as many as fill these, or fewer, where the pooled rows may lie over the input and the last windows would be
/// computed again from what is overwritten. (Where they lie elsewhere it is the same number, for the same bits.)
const fn windows_at_a_time(conv: &Conv, planes: bool, pool: &Pool) -> usize {
    if !(is_tiled(conv, planes, Some(*pool)) && pool.stride[0] == pool.kernel[0]) {
        return 1;
    }
    let mut windows = winograd::windows_for(conv, pool.kernel[0]);
    while windows > 1 && conv.pools_in_place(pool) && !again_in_place(conv, pool, windows) {
        windows -= 1;
    }
    windows
}

/// Whether pooled rows that lie in the place of the input leave what the last `windows` rows of them are made of, some of which may have been written before: their
/// number is fixed.
const fn again_in_place(conv: &Conv, pool: &Pool, windows: usize) -> bool {
    let (out, input) = (pool.output(), conv.input);
    let (first, written) = (out.h - windows, out.h / windows * windows);
    let from = (first * pool.stride[0] * conv.stride[0]).saturating_sub(conv.padding[0]);
    written == out.h || written * out.w * conv.out_channels <= from * input.w * input.c
}

/// Rows computed at a time: all, or those that these rows of windows cover.
const fn at_a_time(conv: &Conv, planes: bool, pool: Option<Pool>) -> usize {
    match pool {
        Some(pool) => windows_at_a_time(conv, planes, &pool) * pool.kernel[0],
        None => conv.output().h,
    }
}

/// The rows computed at a time.
struct AtATime<T, C, P>(PhantomData<(T, C, P)>);

impl<T: Scalar, C: ConvSpec, P: Stage<T>> Height for AtATime<T, C, P> {
    const ROWS: usize = at_a_time(&C::CONV, C::PLANES, P::POOL);
}

/// What Winograd's workspace hangs on.
const fn winograd_size(conv: &Conv, planes: bool, pool: Option<Pool>) -> winograd::Size {
    let (taps, inputs, outputs, out) = (conv.kernel[0], conv.input.c, conv.out_channels, conv.output());
    winograd::Size { taps, inputs, outputs, rows: at_a_time(conv, planes, pool), all_rows: out.h, columns: out.w }
}

/// The sides of Winograd's tiles and kernels, where the forward pass goes by them.
#[cfg(test)]
pub(super) fn winograd_tile(conv: &Conv, planes: bool, pool: Option<Pool>) -> Option<[usize; 2]> {
    is_tiled(conv, planes, pool).then(|| [winograd_size(conv, planes, pool).tile(), conv.kernel[0]])
}

/// Elements that the forward pass borrows of the thread's [`Space`]: for Winograd's tiles, and for the rows of several rows of windows, which fill these.
pub const fn forward_space(conv: &Conv, planes: bool, pool: Option<Pool>) -> usize {
    if is_tiled(conv, planes, pool) {
        rows_len(conv, planes, pool) + winograd_size(conv, planes, pool).elements()
    } else {
        0
    }
}

/// `y[i] ← stage(act(conv(x[i], weight) · scale + shift + skip[i]))` for the images of a micro-batch.
///
/// `maps`: `(x, y)`, or with a pooling that fits ([`Conv::pools_in_place`]) maps x that become y, [`Over`](crate::kernels::operands::Over).
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, epilogue and workspace of one step")]
pub fn forward<T, S, C, M, F, R, A, P, W, K>(
    simd: S, spec: C, maps: M, weight: &W, affine: F, skip: R, act: A, stage: P, work: &mut K,
) where
    T: Scalar,
    S: Simd<T>,
    C: ConvSpec,
    M: Maps<T>,
    F: Affine<T>,
    R: Summand<T>,
    A: Activation<T>,
    P: Stage<T>,
    W: Plain<T>,
    K: Plain<T>,
{
    const { assert!(K::LEN >= forward_work(&C::CONV, C::PLANES, P::POOL, P::WANTS, F::SCALES)) };
    simd.outline(Forward { spec, maps, weight, affine, skip, act, stage, work });
}

/// [`forward`] as a kernel.
///
/// It panics if the workspace is shorter than [`forward_work`], unless the compiler knows that it is not.
pub struct Forward<'a, C, F, R, A, P, M, W, K: ?Sized> {
    /// The convolution.
    pub spec: C,
    /// The maps that arrive, and what leaves the step, in pixels: its map, or the joined map of which it is a slice.
    pub maps: M,
    /// `[KH][KW][IC / groups][OC]`.
    pub weight: &'a W,
    /// Biases, or a normalisation.
    pub affine: F,
    /// A second summand, where nothing is pooled.
    pub skip: R,
    /// The activation.
    pub act: A,
    /// What follows while rows are hot.
    pub stage: P,
    /// Workspace.
    pub work: &'a mut K,
}

impl<T, C, F, R, A, P, M, W, K> Kernel<T> for Forward<'_, C, F, R, A, P, M, W, K>
where
    T: Scalar,
    C: ConvSpec,
    F: Affine<T>,
    R: Summand<T>,
    A: Activation<T>,
    P: Stage<T>,
    M: Maps<T>,
    W: Plain<T>,
    K: Work<T> + ?Sized,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        // Known when compiling, and gone from the code. It is not an error there, for the layers have told it in better words.
        assert!(const { operands_fit(&C::CONV, P::POOL, C::SLICE, M::X, W::LEN, F::BIASES, M::Y) });
        let adds = const { R::LEN > 0 || R::IN_PLACE };
        assert!(!adds || const { (R::IN_PLACE || R::LEN == M::Y) && P::POOL.is_none() && C::SLICE.is_none() });
        assert!(
            const {
                match P::POOL {
                    Some(pool) => !M::OVER || !C::PLANES && C::CONV.pools_in_place(&pool),
                    None => !M::OVER,
                }
            }
        );
        let work = self.work.elements();
        assert!(work.len() >= const { forward_work(&C::CONV, C::PLANES, P::POOL, P::WANTS, F::SCALES) });
        if const { goes_by_pixels(&C::CONV, C::PLANES, P::POOL, P::WANTS) } {
            return self.pixels(simd);
        }
        let channels = const { C::CONV.out_channels };
        let (own, rows) = work.split_at_mut(const { affine_work(&C::CONV, C::PLANES, P::POOL, P::WANTS, F::SCALES) });
        let (scale, shift) = self.affine.prepare(simd, 0..channels, channels, own);
        assert!(lengths_fit::<T, F>(channels, scale, shift));
        let (images, x, y) = self.maps.parts();
        if const {
            planar::fits(&C::CONV, C::PLANES, P::POOL, P::WANTS)
                && S::LANES >= planar::lanes(P::POOL)
                && (A::MONOTONE || P::POOL.is_none())
                && R::LEN == 0
                && !R::IN_PLACE
                && !M::OVER
        } {
            let pool = const { planar::windows(&C::CONV, P::POOL) };
            let operands = planar::Operands { pool, weights: self.weight.flat().as_ptr(), scale, shift, act: self.act };
            for image in 0..images {
                // SAFETY: the maps of an image, which are apart; the lengths were asserted above.
                unsafe {
                    let x = core::slice::from_raw_parts(x.add(image * M::X), M::X);
                    let y = core::slice::from_raw_parts_mut(y.add(image * M::Y), M::Y);
                    planar::image::<_, _, _, F, _, _>(simd, self.spec, operands, x, &mut self.stage, image, y, rows);
                }
            }
            return;
        }
        let weights = self.weight.flat().as_ptr();
        let mut space = Space::borrow::<T>(const { forward_space(&C::CONV, C::PLANES, P::POOL) });
        let (rows, tiles) = if const { is_tiled(&C::CONV, C::PLANES, P::POOL) } {
            let (rows, space) = space.elements().split_at_mut(const { rows_len(&C::CONV, C::PLANES, P::POOL) });
            let spec = Dense::<C>(PhantomData);
            // SAFETY: the weights have the convolution's length.
            (rows, unsafe { winograd::transform_kernels::<_, _, _, AtATime<T, C, P>>(simd, spec, weights, space) })
        } else {
            (rows, Tiles::NONE)
        };
        assert!(rows.len() >= const { rows_len(&C::CONV, C::PLANES, P::POOL) });
        let method = Method { weights, tiles };
        for image in 0..images {
            // SAFETY: images of the maps.
            let (x, y) = unsafe { (x.add(image * M::X), y.add(image * M::Y)) };
            let skip = self.skip.images(image..image + 1);
            if skip.len() != R::LEN {
                return;
            }
            let skip = if R::IN_PLACE { y.cast_const() } else { first(skip) };
            let epilogue = Fused::new(scale, shift, skip, self.act);
            let Some(pool) = (const { P::POOL }) else {
                // SAFETY: the lengths were asserted above, that of y as the map's own or as the joined map's. A summand in the place of y is
                // read once, before its element is written ([`Epilogue`]).
                unsafe { image_rows::<T, S, C, P, _>(simd, x, method, y, 0..const { C::CONV.output().h }, epilogue) };
                continue;
            };
            let [windows, out_row, in_rows] = const {
                match P::POOL {
                    Some(pool) => [
                        windows_at_a_time(&C::CONV, C::PLANES, &pool),
                        pool.output().w * C::CONV.out_channels,
                        pool.kernel[0] * C::CONV.output().w * C::CONV.out_channels,
                    ],
                    None => [1; 3],
                }
            };
            let mut next = 0;
            while next < pool.output().h {
                // The last rows may be some of those before, again: their number is fixed.
                let first = next.min(pool.output().h - windows);
                next += windows;
                let row = first * pool.stride[0];
                // SAFETY: the lengths were asserted above; windows lie inside the map (`operands_fit`), and `rows`
                // has the rows that these windows cover. What is read of x has not been overwritten (`pools_in_place`, `again_in_place`).
                unsafe {
                    let computed = row..row + const { at_a_time(&C::CONV, C::PLANES, P::POOL) };
                    image_rows::<T, S, C, P, _>(simd, x, method, rows.as_mut_ptr(), computed, epilogue);
                }
                for (r, rows) in (first..first + windows).zip(rows.chunks_exact(in_rows.max(1))) {
                    // SAFETY: a row of the pooled map. No other reference to it is alive, and x, which may lie there too, is not read meanwhile.
                    let y = unsafe { core::slice::from_raw_parts_mut(y.add(r * out_row), out_row) };
                    self.stage.row(simd, image, r, rows, y);
                }
            }
        }
    }
}

impl<C, F, R, A, P, M, W, K: ?Sized> Forward<'_, C, F, R, A, P, M, W, K> {
    /// The pass where pixels are the rows of a product ([`goes_by_pixels`]): those of some images at a time.
    #[inline(always)]
    fn pixels<T, S>(mut self, simd: S)
    where
        T: Scalar,
        S: Simd<T>,
        C: ConvSpec,
        F: Affine<T>,
        R: Summand<T>,
        A: Activation<T>,
        M: Maps<T>,
        W: Plain<T>,
    {
        let (images, x, y) = self.maps.parts();
        let many = const { pointwise::images_at_a_time(&C::CONV) };
        for image in (0..images).step_by(many) {
            let count = many.min(images - image);
            let skip = self.skip.images(image..image + count);
            if skip.len() != count * R::LEN {
                return;
            }
            // SAFETY: images of the maps; `run` asserted the lengths of all operands, that of y as the map's own or as the joined map's. A
            // summand in the place of y is read once, before its element is written ([`Epilogue`]).
            unsafe {
                let (x, y) = (x.add(image * M::X), y.add(image * M::Y));
                let skip = if R::IN_PLACE { y.cast_const() } else { first(skip) };
                pointwise::forward::<T, S, C, F, A>(
                    simd,
                    count,
                    x,
                    self.weight.flat().as_ptr(),
                    y,
                    &self.affine,
                    skip,
                    self.act,
                );
            }
        }
    }
}

/// The kernels as the pass reads them.
pub(super) struct Method<T> {
    /// As they are.
    pub(super) weights: *const T,
    /// For Winograd's tiles, where the pass goes by them.
    pub(super) tiles: Tiles<T>,
}

impl<T> Clone for Method<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Method<T> {}

/// Output rows `rows` of one image, from `y` on.
///
/// # Safety
/// `x`, the kernels and the epilogue's operands have the convolution's lengths, `y` room for the rows, of its own pixels or of the joined map's.
#[inline(always)]
unsafe fn image_rows<T: Scalar, S: Simd<T>, C: ConvSpec, P: Stage<T>, E: Epilogue<T>>(
    simd: S, x: *const T, method: Method<T>, y: *mut T, rows: Range<usize>, epilogue: E,
) {
    let (axes, w) = (const { Dense::<C>::CORRELATION.axes }, method.weights);
    // SAFETY: the caller's.
    unsafe {
        if const { is_tiled(&C::CONV, C::PLANES, P::POOL) } {
            let spec = Dense::<C>(PhantomData);
            winograd::correlate::<_, _, _, _, AtATime<T, C, P>>(simd, spec, x, method.tiles, y, rows, epilogue);
        } else if const { is_depthwise(&C::CONV) && !C::PLANES } {
            correlate::<_, _, _, _, AtATime<T, C, P>>(simd, Separate::<C>(PhantomData), axes, x, w, y, rows, epilogue);
        } else {
            correlate::<_, _, _, _, AtATime<T, C, P>>(simd, Dense::<C>(PhantomData), axes, x, w, y, rows, epilogue);
        }
    }
}
