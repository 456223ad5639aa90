//! Pointwise convolutions: kernels of 1 × 1, no stride, no padding. The pixels of some images are the rows of one product.
//!
//! ```text
//! Y[n · HW × OC] = X[n · HW × IC] · W[IC × OC],    dW += Xᵀ · dZ,    dX = dZ · Wᵀ
//! ```
//!
//! Rows of a map are nothing to it: 6 × 6 pixels are three tiles of 12 and not six of 6, and what is left of W in the first-level cache serves the images
//! that follow. Forward, 256 → 256 channels on 3 × 3 took three tiles an image, each of which read all of W.

use core::marker::PhantomData;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::concat::Slice;
use crate::kernels::conv::{ConvSpec, has_padding};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::gemm::{self, MatrixSpec};
use crate::kernels::simd::Simd;
use crate::kernels::store::{AFFINE_WORK, Affine, Fused, lengths_fit};
use crate::kernels::tile::{Broadcast, Height, Rows, Walk};
use crate::shape::Conv;

/// Whether a convolution is one.
pub(super) const fn is_pointwise(conv: &Conv) -> bool {
    let one = conv.kernel[0] == 1 && conv.kernel[1] == 1 && conv.stride[0] == 1 && conv.stride[1] == 1;
    one && !has_padding(conv) && conv.groups == 1
}

/// Images that are taken together, of a convolution that is one: as many as have this many pixels. They are enough for tiles of equal height, and for
/// the sums of dW, which wait in memory from one product to the next; a panel of dZ of 256 × 32 elements is 32 KiB of f32. (Half
/// and twice as many took as long.)
pub(super) const fn images_at_a_time(conv: &Conv) -> usize {
    const PIXELS: usize = 256;
    let most = PIXELS / if pixels(conv) == 0 { 1 } else { pixels(conv) };
    if most == 0 { 1 } else { most }
}

/// Pixels of an image.
const fn pixels(conv: &Conv) -> usize {
    conv.input.h * conv.input.w
}

/// The pixels of an image as the rows of a product.
struct OfImage<C>(PhantomData<C>);

impl<C: ConvSpec> Height for OfImage<C> {
    const ROWS: usize = pixels(&C::CONV);
}

/// The weights: `[IC, OC]`.
#[derive(Clone, Copy)]
struct Weights<C>(PhantomData<C>);

impl<C: ConvSpec> MatrixSpec for Weights<C> {
    const ROWS: usize = C::CONV.input.c;
    const COLUMNS: usize = C::CONV.out_channels;
}

/// Channels whose factors and summands are made at a time: a panel of the widest vectors, and several of the others.
const FACTORS: usize = 32;

/// `Y ← act(X · W · scale + shift + skip)`, into its slice of the joined map where it has one.
///
/// # Safety
/// X, W and Y have the elements of `images` images, of which there is one at least, and `skip` is null or has one for each of Y.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands and epilogue of one product")]
pub(super) unsafe fn forward<T: Scalar, S: Simd<T>, C: ConvSpec, F: Affine<T>, A: Activation<T>>(
    simd: S, images: usize, x: *const T, w: *const T, y: *mut T, affine: &F, skip: *const T, act: A,
) {
    let (ic, oc) = const { (C::CONV.input.c, C::CONV.out_channels) };
    let (at, at_step) = const {
        match C::SLICE {
            Some(Slice { first, total, .. }) => (first, total),
            None => (0, C::CONV.out_channels),
        }
    };
    let walk = Walk { count: [1, 1, ic], a: [0, 0, 1], b: [0, 0, oc as isize] };
    let n = images * const { pixels(&C::CONV) };
    let mut factors = [T::zero(); AFFINE_WORK * FACTORS];
    macro_rules! channels {
        ($first:expr, $count:expr) => {{
            let (first, count) = ($first, $count);
            let work = if F::SCALES { factors.get_mut(..AFFINE_WORK * count).unwrap_or_default() } else { &mut [] };
            let (scale, shift) = affine.prepare(simd, first..first + count, oc, work);
            assert!(lengths_fit::<T, F>(count, scale, shift));
            let epilogue = Fused::new(scale, shift, skip, act);
            let rows = Rows { a: x, a_step: ic as isize, c: y, at: at + first, at_step, n };
            // SAFETY: the caller's: these columns of W and Y; scale and shift have an element for each of them.
            unsafe {
                gemm::columns::<T, S, _, Broadcast, OfImage<C>>(
                    simd,
                    rows.into(),
                    w.add(first),
                    count,
                    0,
                    walk,
                    epilogue,
                )
            }
        }};
    }
    if const { !F::SCALES } {
        return channels!(0, const { C::CONV.out_channels });
    }
    let mut next = 0;
    while next + FACTORS <= oc {
        channels!(next, FACTORS);
        next += FACTORS;
    }
    if const { !C::CONV.out_channels.is_multiple_of(FACTORS) } {
        channels!(next, const { C::CONV.out_channels % FACTORS });
    }
}

/// `dW += Xᵀ · dZ`.
///
/// # Safety
/// X and dZ have the elements of `images` images, of which there is one at least, dW those of the weights.
#[inline(always)]
pub(super) unsafe fn weights<T: Scalar, S: Simd<T>, C: ConvSpec>(
    simd: S, images: usize, x: *const T, dz: *const T, dw: *mut T,
) {
    // SAFETY: the caller's.
    unsafe { gemm::add_weights::<T, S, Weights<C>>(simd, images * const { pixels(&C::CONV) }, x, dz, dw) }
}

/// `dX ← epilogue(dZ · Wᵀ)`, with `turned` = Wᵀ.
///
/// # Safety
/// dX and dZ have the elements of `images` images, of which there is one at least, Wᵀ those of the weights; the epilogue's operands have those of dX.
#[inline(always)]
pub(super) unsafe fn input<T: Scalar, S: Simd<T>, C: ConvSpec, E: Epilogue<T>>(
    simd: S, images: usize, dz: *const T, turned: *const T, dx: *mut T, epilogue: E,
) {
    let (ic, oc) = const { (C::CONV.input.c, C::CONV.out_channels) };
    let walk = Walk { count: [1, 1, oc], a: [0, 0, 1], b: [0, 0, ic as isize] };
    let rows = Rows { a: dz, a_step: oc as isize, c: dx, at: 0, at_step: ic, n: images * const { pixels(&C::CONV) } };
    // SAFETY: the caller's.
    unsafe { gemm::columns::<T, S, _, Broadcast, OfImage<C>>(simd, rows.into(), turned, ic, 0, walk, epilogue) }
}
