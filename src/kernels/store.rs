//! What happens to a convolution's sums on their way to memory: scale, shift, a second summand and the activation, in the micro-kernel's store.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::epilogue::Epilogue;
use crate::kernels::simd::{Simd, pair_by_pair};
use crate::kernels::vectors::{by_vectors, load, store};
use crate::plain::{Plain, elements};

/// What the sums are multiplied by and what is added to them, channel by channel.
pub trait Affine<T: Scalar>: Copy {
    /// Whether the sums are multiplied.
    const SCALES: bool;
    /// Biases of the convolution.
    const BIASES: usize;

    /// The factors (with `SCALES`) and the summands (or none) of these channels, of `outputs` in all. With `SCALES` `work` has two elements for each of them.
    fn prepare<'a, S: Simd<T>>(
        &'a self, simd: S, channels: Range<usize>, outputs: usize, work: &'a mut [T],
    ) -> (&'a [T], &'a [T]);
}

/// Elements of workspace for each channel of sums that are multiplied: its factor and its summand.
pub(super) const AFFINE_WORK: usize = 2;

/// Whether what [`Affine::prepare`] yields, which is safe to write, has an element for each of so many channels, or for none where there is nothing.
#[inline(always)]
pub(super) const fn lengths_fit<T: Scalar, F: Affine<T>>(channels: usize, scale: &[T], shift: &[T]) -> bool {
    let summands = if F::SCALES || F::BIASES > 0 { channels } else { 0 };
    scale.len() == if F::SCALES { channels } else { 0 } && shift.len() == summands
}

/// The biases `[OC]`, or none.
#[derive(Debug)]
pub struct Bias<'a, B>(pub &'a B);

impl<B> Clone for Bias<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for Bias<'_, B> {}

impl<T: Scalar, B: Plain<T>> Affine<T> for Bias<'_, B> {
    const SCALES: bool = false;
    const BIASES: usize = B::LEN;

    #[inline(always)]
    fn prepare<'a, S: Simd<T>>(&'a self, _: S, channels: Range<usize>, _: usize, _: &'a mut [T]) -> (&'a [T], &'a [T]) {
        (&[], self.0.flat().get(channels).unwrap_or_default())
    }
}

/// A batch normalisation behind the convolution, with running statistics: `(sum + bias − mean) · γ / √(variance + ε) + β`
/// (Ioffe and Szegedy 2015, algorithm 2).
#[derive(Debug)]
pub struct Normed<'a, B, N, M> {
    /// `[OC]`, or empty.
    pub bias: &'a B,
    /// γ, then β: `[2][OC]`.
    pub norm: &'a N,
    /// Means, then variances: `[2][OC]`.
    pub statistics: &'a M,
    /// ε.
    pub epsilon: f64,
}

impl<B, N, M> Clone for Normed<'_, B, N, M> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B, N, M> Copy for Normed<'_, B, N, M> {}

impl<T: Scalar, B: Plain<T>, N: Plain<T>, M: Plain<T>> Affine<T> for Normed<'_, B, N, M> {
    const SCALES: bool = true;
    const BIASES: usize = B::LEN;

    #[inline(always)]
    fn prepare<'a, S: Simd<T>>(
        &'a self, simd: S, channels: Range<usize>, outputs: usize, work: &'a mut [T],
    ) -> (&'a [T], &'a [T]) {
        // Nothing of a part that is too short: the macro and the layers make none.
        let of =
            |values: &'a [T], from: usize| values.get(from + channels.start..from + channels.end).unwrap_or_default();
        let (gamma, beta) = (of(self.norm.flat(), 0), of(self.norm.flat(), outputs));
        let (mean, variance) = (of(self.statistics.flat(), 0), of(self.statistics.flat(), outputs));
        let bias = of(self.bias.flat(), 0);
        let (scale, shift) = work.split_at_mut(work.len().min(channels.len()));
        let epsilon = T::of(self.epsilon);
        let n = scale.len().min(shift.len()).min(gamma.len()).min(beta.len()).min(mean.len()).min(variance.len());
        let biases = const { B::LEN > 0 } && bias.len() >= n;
        // Loops over 32 channels would be unrolled into 32 roots and quotients, one by one: 2 % of MobileNetV1's inference.
        by_vectors!(n, |i, lanes| {
            // SAFETY: of each slice there are n elements, and these are some of them.
            unsafe {
                let (gamma, beta) = (load(simd, gamma.as_ptr().add(i), lanes), load(simd, beta.as_ptr().add(i), lanes));
                let mean = load(simd, mean.as_ptr().add(i), lanes);
                let variance = load(simd, variance.as_ptr().add(i), lanes);
                let factor = pair_by_pair(simd, gamma, variance, |gamma, variance| gamma / (variance + epsilon).sqrt());
                let mut summand = simd.sub(beta, simd.mul(mean, factor));
                if biases {
                    let bias = load(simd, bias.as_ptr().add(i), lanes);
                    summand = simd.add(summand, simd.mul(bias, factor));
                }
                store(simd, scale.as_mut_ptr().add(i), factor, lanes);
                store(simd, shift.as_mut_ptr().add(i), summand, lanes);
            }
        });
        (scale, shift)
    }
}

/// A second summand of the step, before its activation.
pub trait Summand<T: Scalar>: Copy {
    /// Elements of its maps; 0 where there are none.
    const LEN: usize;
    /// Whether it is what lies in the place of the output.
    const IN_PLACE: bool = false;

    /// The maps of these images, in pixels; nothing where there are fewer.
    fn images(&self, images: Range<usize>) -> &[T];
}

/// Nothing is added.
#[derive(Clone, Copy, Debug)]
pub struct NoSkip;

impl<T: Scalar> Summand<T> for NoSkip {
    const LEN: usize = 0;

    #[inline(always)]
    fn images(&self, _: Range<usize>) -> &[T] {
        &[]
    }
}

/// The maps of a residual connection, as large as what leaves the step.
#[derive(Debug)]
pub struct Skip<'a, R>(pub &'a [R]);

impl<R> Clone for Skip<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Skip<'_, R> {}

impl<T: Scalar, R: Plain<T>> Summand<T> for Skip<'_, R> {
    const LEN: usize = R::LEN;

    #[inline(always)]
    fn images(&self, images: Range<usize>) -> &[T] {
        self.0.get(images).map_or(&[], elements)
    }
}

/// The maps of a residual connection, which lie where what leaves the step is written.
#[derive(Clone, Copy, Debug)]
pub struct SkipInPlace;

impl<T: Scalar> Summand<T> for SkipInPlace {
    const LEN: usize = 0;
    const IN_PLACE: bool = true;

    #[inline(always)]
    fn images(&self, _: Range<usize>) -> &[T] {
        &[]
    }
}

/// `act(sum · scale + shift + skip)`. What is not there is null: the type knows no lengths, so that layers share tiles.
pub(super) struct Fused<T, A> {
    scale: *const T,
    shift: *const T,
    skip: *const T,
    act: A,
}

impl<T, A: Copy> Clone for Fused<T, A> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, A: Copy> Copy for Fused<T, A> {}

/// The first element, or null of none.
#[inline(always)]
pub(super) fn first<T>(values: &[T]) -> *const T {
    if values.is_empty() { core::ptr::null() } else { values.as_ptr() }
}

impl<T: Scalar, A: Activation<T>> Fused<T, A> {
    /// The epilogue with these parts, each of which may be empty; `skip` is null of none.
    #[inline(always)]
    pub(super) fn new(scale: &[T], shift: &[T], skip: *const T, act: A) -> Self {
        Fused { scale: first(scale), shift: first(shift), skip, act }
    }
}

/// Factors and summands of the channels of a vector.
#[derive(Clone, Copy)]
pub(super) struct Factors<V> {
    scale: V,
    shift: V,
}

impl<T: Scalar, A: Activation<T>> Epilogue<T> for Fused<T, A> {
    type Channels<S: Simd<T>> = Factors<S::V>;

    #[inline(always)]
    unsafe fn channels<S: Simd<T>>(self, simd: S, channel: usize, lanes: usize) -> Factors<S::V> {
        // What changes nothing where there are none, not even a zero's sign: with tests for each sum, MobileNetV1's inference took 3 % longer, and a shortcut of
        // ResNet-8, of 16 products a sum, 7 %.
        let (mut scale, mut shift) = (simd.splat(T::one()), simd.splat(T::neg_zero()));
        // SAFETY: scale and shift have an element for each channel (the caller's).
        unsafe {
            if !self.scale.is_null() {
                scale = load(simd, self.scale.add(channel), lanes);
            }
            if !self.shift.is_null() {
                shift = load(simd, self.shift.add(channel), lanes);
            }
        }
        Factors { scale, shift }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, simd: S, channels: Factors<S::V>, sum: S::V, at: usize, lanes: usize) -> S::V {
        // One number at a time tests are cheap, and arithmetic may be a function.
        let mut v = match const { S::ONE_BY_ONE } {
            true if self.shift.is_null() && self.scale.is_null() => sum,
            true if self.scale.is_null() => simd.add(sum, channels.shift),
            _ => simd.mul_add(sum, channels.scale, channels.shift),
        };
        if !self.skip.is_null() {
            // SAFETY: skip has an element for each of the output (the caller's).
            v = simd.add(v, unsafe { load(simd, self.skip.add(at), lanes) });
        }
        self.act.vector(simd, v)
    }
}
