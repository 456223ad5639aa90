//! What happens to rows of a convolution's map while they are hot: pooling, where it follows.
//!
//! Maps lie in pixels order, `[H][W][C]`. A stage is handed the rows under one row of windows, with bias and activation applied, and
//! writes the row that leaves the fused step; backward it turns the gradient of what left into the gradient of the convolution's sums.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::simd::Simd;
use crate::kernels::sums::{ByDerivative, Summed, add_rows};
use crate::kernels::vectors::by_vectors;
use crate::kernels::window::{self, NoPlaces, Spread, are_apart};
use crate::plain::Plain;
use crate::shape::{Conv, Pool};

/// A pooling known to the compiler.
pub trait PoolSpec: Copy + Send + Sync {
    /// Its numbers.
    const POOL: Pool;
}

/// What the stages count on: the pooling's input is the convolution's map, its windows are whole, need no padding and do not overlap.
pub const fn is_side_by_side(conv: &Conv, pool: &Pool) -> bool {
    are_apart(pool) && pool.input.same(conv.output())
}

/// What a stage makes of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wants {
    /// Anything.
    Rows,
    /// Its maximum, and where that is.
    Places,
    /// Its maximum.
    Maximum,
}

/// The end of a fused convolution.
pub trait Stage<T: Scalar> {
    /// The pooling, or none.
    const POOL: Option<Pool>;
    /// What it is about in a window.
    const WANTS: Wants = Wants::Rows;

    /// One row of windows. `rows` begins with the pooling's kernel rows of the convolution's map, `[kernel height][W][C]`, bias and
    /// activation applied; `y` is the row that leaves, `[OW][C]`, and `row` its number in the image.
    ///
    /// Without pooling it is one row, copied. Where slices are too short, nothing is written.
    fn row<S: Simd<T>>(&mut self, simd: S, image: usize, row: usize, rows: &[T], y: &mut [T]);
}

/// The end of a fused convolution in training.
pub trait StageBackward<T: Scalar>: Stage<T> {
    /// Whether it has the places of the maxima, a byte each.
    const PLACES: bool;

    /// The places of an image, `[OH][OW][C]`, or nothing.
    fn places(&self, image: usize) -> &[u8];

    /// The gradient with respect to the convolution's sums, `[H][W][C]`, from what left the step (`y`) and its gradient `dy`.
    ///
    /// It lies in `dy` itself, or in `dz`, which holds the convolution's map and of which every element is written once. To `db`, which has an element for each
    /// channel or none, its sums over the pixels are added.
    #[allow(clippy::too_many_arguments, reason = "what left the step, and its gradients")]
    fn backward<'a, S: Simd<T>, A: Activation<T>>(
        &self, simd: S, image: usize, act: A, y: &[T], dy: &'a mut [T], dz: &'a mut [T], db: &mut [T],
    ) -> &'a [T];
}

/// `dy ← dy ⊙ f′(kept)`; `kept` is `y` where `f` is monotone, `z` otherwise. To `db`, which has an element for each channel of their pixels or none, the sums of what is
/// written are added, while that is in registers.
#[inline(always)]
pub fn scale_by_derivative<T: Scalar, S: Simd<T>, A: Activation<T>>(
    simd: S, act: A, kept: &[T], dy: &mut [T], db: &mut [T],
) {
    let n = kept.len().min(dy.len());
    let (kept, dy) = (kept.as_ptr(), dy.as_mut_ptr());
    let d = ByDerivative { act, kept, dy };
    let (channels, lanes) = (db.len(), [S::LANES, <S::Half as Simd<T>>::LANES]);
    let pixels = n.checked_div(channels).unwrap_or(0);
    debug_assert!(pixels * channels == n || channels == 0);
    // Channels that fill no vectors would be loaded and stored by masks, pixel by pixel.
    if channels > 0 && (S::MASKS || channels.is_multiple_of(lanes[0]) || channels == lanes[1]) {
        // SAFETY: both have n elements, which are these pixels.
        return unsafe { add_rows(simd, d, pixels, db) };
    }
    by_vectors!(n, |i, lanes| {
        // SAFETY: these are among the n elements of both.
        let _ = unsafe { d.vector(simd, i, lanes) };
    });
    // SAFETY: dy has n elements, which are these pixels.
    unsafe { add_rows(simd, dy.cast_const(), pixels, db) };
}

/// No pooling.
#[derive(Clone, Copy, Debug)]
pub struct NoPool;

impl<T: Scalar> Stage<T> for NoPool {
    const POOL: Option<Pool> = None;

    #[inline(always)]
    fn row<S: Simd<T>>(&mut self, _: S, _: usize, _: usize, rows: &[T], y: &mut [T]) {
        for (y, x) in y.iter_mut().zip(rows) {
            *y = *x;
        }
    }
}

impl<T: Scalar> StageBackward<T> for NoPool {
    const PLACES: bool = false;

    #[inline(always)]
    fn places(&self, _: usize) -> &[u8] {
        &[]
    }

    #[inline(always)]
    fn backward<'a, S: Simd<T>, A: Activation<T>>(
        &self, simd: S, _: usize, act: A, y: &[T], dy: &'a mut [T], _: &'a mut [T], db: &mut [T],
    ) -> &'a [T] {
        scale_by_derivative(simd, act, y, dy, db);
        dy
    }
}

/// Max-pooling by windows that do not overlap, at inference.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool<P>(pub P);

impl<T: Scalar, P: PoolSpec> Stage<T> for MaxPool<P> {
    const POOL: Option<Pool> = Some(P::POOL);
    const WANTS: Wants = Wants::Maximum;

    #[inline(always)]
    fn row<S: Simd<T>>(&mut self, simd: S, _: usize, _: usize, rows: &[T], y: &mut [T]) {
        window::max_row(simd, self.0, rows, 0, y, &mut NoPlaces);
    }
}

/// Max-pooling by windows that do not overlap, in training: keeps the place of each maximum in its window.
pub struct MaxPoolIndexed<'a, P, I> {
    /// The pooling.
    pub pool: P,
    /// For each image and element that leaves, `[OH][OW][C]`, the place `u · kernel width + v`: a byte, or two where the
    /// window is larger than 256.
    pub index: &'a mut [I],
}

/// Bytes of an entry of an index of `len` bytes: one, or two where a window has more than 256 places. Anything else does not compile.
pub const fn place_bytes(pool: &Pool, len: usize) -> usize {
    let (outputs, places) = (pool.output().len(), pool.kernel[0].saturating_mul(pool.kernel[1]));
    assert!(places <= 1 << 16, "max-pooling: a window of more than 65,536 places");
    let bytes = len / outputs;
    assert!(bytes * outputs == len && (bytes == 2 || (bytes == 1 && places <= 1 << 8)));
    bytes
}

/// The places in an index of `bytes` bytes an entry.
#[cfg(test)]
pub(super) fn places(index: &[u8], bytes: usize) -> impl Iterator<Item = usize> {
    index.chunks_exact(bytes).map(|entry| entry.iter().rev().fold(0, |place, byte| place << 8 | usize::from(*byte)))
}

impl<T: Scalar, P: PoolSpec, I: Plain<u8>> Stage<T> for MaxPoolIndexed<'_, P, I> {
    const POOL: Option<Pool> = Some(P::POOL);
    const WANTS: Wants = Wants::Places;

    #[inline(always)]
    fn row<S: Simd<T>>(&mut self, simd: S, image: usize, row: usize, rows: &[T], y: &mut [T]) {
        let len = const { window::row_len(&P::POOL) };
        let Some(index) = self.index.get_mut(image) else { return };
        if const { place_bytes(&P::POOL, I::LEN) } == 1 {
            let (index, _) = index.flat_mut().as_chunks_mut::<1>();
            let Some(mut index) = index.chunks_exact_mut(len).nth(row) else { return };
            window::max_row(simd, self.pool, rows, 0, y, &mut index);
        } else {
            let (index, _) = index.flat_mut().as_chunks_mut::<2>();
            let Some(mut index) = index.chunks_exact_mut(len).nth(row) else { return };
            window::max_row(simd, self.pool, rows, 0, y, &mut index);
        }
    }
}

impl<T: Scalar, P: PoolSpec, I: Plain<u8>> StageBackward<T> for MaxPoolIndexed<'_, P, I> {
    const PLACES: bool = place_bytes(&P::POOL, I::LEN) == 1;

    #[inline(always)]
    fn places(&self, image: usize) -> &[u8] {
        self.index.get(image).map_or(&[], Plain::flat)
    }

    #[inline(always)]
    fn backward<'a, S: Simd<T>, A: Activation<T>>(
        &self, simd: S, image: usize, act: A, y: &[T], dy: &'a mut [T], dz: &'a mut [T], db: &mut [T],
    ) -> &'a [T] {
        if let Some(index) = self.index.get(image) {
            if const { place_bytes(&P::POOL, I::LEN) } == 1 {
                let places = index.flat().as_chunks::<1>().0;
                Spread { act, y, dy, divisor: T::one(), places }.write(simd, self.pool, dz);
            } else {
                let places = index.flat().as_chunks::<2>().0;
                Spread { act, y, dy, divisor: T::one(), places }.write(simd, self.pool, dz);
            }
        }
        if !db.is_empty() {
            // SAFETY: rows of whole pixels, as many as there are.
            unsafe { add_rows(simd, dz.as_ptr(), dz.len() / db.len(), db) };
        }
        dz
    }
}

/// Average pooling by windows that do not overlap, at inference.
#[derive(Clone, Copy, Debug)]
pub struct AvgPool<P>(pub P);

impl<T: Scalar, P: PoolSpec> Stage<T> for AvgPool<P> {
    const POOL: Option<Pool> = Some(P::POOL);

    #[inline(always)]
    fn row<S: Simd<T>>(&mut self, simd: S, _: usize, _: usize, rows: &[T], y: &mut [T]) {
        let pool = const { &P::POOL };
        window::mean_row(simd, self.0, T::of((pool.kernel[0] * pool.kernel[1]) as f64), rows, 0, y);
    }
}
