//! What happens to rows of a convolution while they are hot: bias, activation, and pooling where it follows.
//!
//! A stage is handed a band of rows of one output channel and writes what leaves the fused step; backward it turns the
//! gradient of what left into the gradient of the convolution's rows.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::plain::Plain;
use crate::shape::{Conv, Pool};

/// A pooling known to the compiler.
pub trait PoolSpec: Copy + Send + Sync {
    /// Its numbers.
    const POOL: Pool;
}

/// What the stages count on: the pooling's input is the convolution's map, its windows are whole, need no padding and do not overlap.
pub const fn is_side_by_side(conv: &Conv, pool: &Pool) -> bool {
    let mut axis = 0;
    while axis < 2 {
        let input = if axis == 0 { pool.input.h } else { pool.input.w };
        let outputs = if axis == 0 { pool.output().h } else { pool.output().w };
        if pool.padding[2 * axis] != 0
            || pool.padding[2 * axis + 1] != 0
            || pool.stride[axis] < pool.kernel[axis]
            || (outputs - 1) * pool.stride[axis] + pool.kernel[axis] > input
        {
            return false;
        }
        axis += 1;
    }
    pool.input.same(conv.output())
}

/// A band of rows of one channel of one image.
#[derive(Clone, Copy)]
pub struct Band<'a, T> {
    /// Which image of the micro-batch.
    pub image: usize,
    /// Which output channel.
    pub channel: usize,
    /// The first row.
    pub row: usize,
    /// The sums without bias, rows `pitch` elements apart.
    pub sums: &'a [T],
    /// Elements from one row to the next; what lies behind the map's width is garbage.
    pub pitch: usize,
}

/// The end of a fused convolution.
pub trait Stage<T: Scalar> {
    /// The pooling, or none.
    const POOL: Option<Pool>;

    /// Writes what leaves the step for this band into its channel's plane `y`. `width`: of the convolution's map.
    fn forward<A: Activation<T>>(&mut self, band: Band<'_, T>, width: usize, bias: T, act: A, y: &mut [T]);
}

/// The end of a fused convolution in training.
pub trait StageBackward<T: Scalar>: Stage<T> {
    /// The gradient with respect to the convolution's sums, from what left the step (`y`) and its gradient `dy`.
    ///
    /// It lies in `dy` itself, or in `dz`, which holds the convolution's map.
    fn backward<'a, A: Activation<T>>(
        &self, image: usize, act: A, y: &[T], dy: &'a mut [T], dz: &'a mut [T],
    ) -> &'a [T];
}

/// `dy ← dy ⊙ f′(kept)`; `kept` is `y` where `f` is monotone, `z` otherwise.
#[inline(always)]
pub fn scale_by_derivative<T: Scalar, A: Activation<T>>(act: A, kept: &[T], dy: &mut [T]) {
    for (dy, kept) in dy.iter_mut().zip(kept) {
        *dy *= act.derivative(*kept);
    }
}

/// No pooling.
#[derive(Clone, Copy, Debug)]
pub struct NoPool;

impl<T: Scalar> Stage<T> for NoPool {
    const POOL: Option<Pool> = None;

    #[inline(always)]
    fn forward<A: Activation<T>>(&mut self, band: Band<'_, T>, width: usize, bias: T, act: A, y: &mut [T]) {
        let rows = y.chunks_exact_mut(width).skip(band.row);
        for (y, sums) in rows.zip(band.sums.chunks(band.pitch)) {
            for (y, sum) in y.iter_mut().zip(sums) {
                *y = act.apply(*sum + bias);
            }
        }
    }
}

impl<T: Scalar> StageBackward<T> for NoPool {
    #[inline(always)]
    fn backward<'a, A: Activation<T>>(&self, _: usize, act: A, y: &[T], dy: &'a mut [T], _: &'a mut [T]) -> &'a [T] {
        scale_by_derivative(act, y, dy);
        dy
    }
}

/// Whether `v` takes the place of the maximum `best`: NaN counts as larger than any number, so that it is not hidden.
#[inline(always)]
pub fn exceeds<T: Scalar>(v: T, best: T) -> bool {
    // By `&` and not `&&`: two comparisons and no branch, which data would mispredict. `v <= best` is false for NaN.
    #[allow(clippy::neg_cmp_op_on_partial_ord, clippy::eq_op, reason = "how NaN compares is the point")]
    return !(v <= best) & (best == best);
}

/// Elements that one row of windows spans in rows `pitch` apart. A nonsensical pitch gives more than any band has, and does not wrap.
#[inline(always)]
fn span(pool: &Pool, pitch: usize) -> usize {
    pool.kernel[0].saturating_sub(1).saturating_mul(pitch).saturating_add(pool.input.w)
}

/// The rows of a band that one row of windows covers, without their remainder behind the last window.
#[inline(always)]
fn window_rows<'a, T>(pool: &Pool, band: &Band<'a, T>) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
    let used = span(pool, band.pitch);
    band.sums.chunks(pool.stride[0].saturating_mul(band.pitch).max(1)).filter(move |rows| rows.len() >= used)
}

/// The maxima of a band: `y` gets them with bias and activation, `place(row, column, p)` the places of `L` neighbours in their windows.
#[inline(always)]
fn max_rows<T: Scalar, A: Activation<T>, P: PoolSpec>(
    band: Band<'_, T>, bias: T, act: A, y: &mut [T], mut place: impl FnMut(usize, usize, &[u32]),
) {
    let (pool, out_w) = const { (P::POOL, P::POOL.output().w) };
    let first = band.row / pool.stride[0];
    let to = y.chunks_exact_mut(out_w).skip(first);
    for (r, (y, rows)) in to.zip(window_rows(&pool, &band)).enumerate() {
        let mut s = 0;
        // Windows side by side, as many as are left: the compiler makes vectors of them.
        macro_rules! blocks {
            ($windows:literal) => {
                while let Some(y) = y.get_mut(s..s + $windows) {
                    let places = max_windows::<T, A, P, $windows>(rows, band.pitch, s, bias, act, y);
                    place(first + r, s, &places);
                    s += $windows;
                }
            };
        }
        blocks!(8);
        blocks!(4);
        blocks!(1);
    }
}

/// The maxima of `L` windows side by side, from column `s` of the output on, and their places.
#[inline(always)]
fn max_windows<T: Scalar, A: Activation<T>, P: PoolSpec, const L: usize>(
    rows: &[T], pitch: usize, s: usize, bias: T, act: A, y: &mut [T],
) -> [u32; L] {
    let (pool, out_w) = const { (P::POOL, P::POOL.output().w) };
    const { assert!((P::POOL.output().w - 1) * P::POOL.stride[1] + P::POOL.kernel[1] <= P::POOL.input.w) };
    let mut best = [T::neg_infinity(); L];
    let mut places = [0; L];
    // Told once here, so that the loads below need no test: with a test for each load and a branch for each comparison
    // LeNet-5 took 19.3 µs for an image and 4.1 ms for a training step of 64, without 12.5 µs and 2.6 ms (one AVX-512 core).
    if s + L > out_w || rows.len() < span(&pool, pitch) {
        return places;
    }
    for u in 0..pool.kernel[0] {
        for v in 0..pool.kernel[1] {
            for i in 0..L {
                // SAFETY: u < kernel height, and (s + i) · stride + v ≤ (out_w − 1) · stride + kernel width − 1 < the
                // input's width (asserted above, when compiling): the place lies below the length that was tested.
                let sum = unsafe { *rows.get_unchecked(u * pitch + (s + i) * pool.stride[1] + v) };
                // The maximum commutes with a monotone function, which is then applied once a window.
                let value = if A::MONOTONE { sum } else { act.apply(sum + bias) };
                let larger = exceeds(value, best[i]);
                best[i] = if larger { value } else { best[i] };
                places[i] = if larger { (u * pool.kernel[1] + v) as u32 } else { places[i] };
            }
        }
    }
    for (y, best) in y.iter_mut().zip(best) {
        *y = if A::MONOTONE { act.apply(best + bias) } else { best };
    }
    places
}

/// Max-pooling by windows that do not overlap, at inference.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool<P>(pub P);

impl<T: Scalar, P: PoolSpec> Stage<T> for MaxPool<P> {
    const POOL: Option<Pool> = Some(P::POOL);

    #[inline(always)]
    fn forward<A: Activation<T>>(&mut self, band: Band<'_, T>, _: usize, bias: T, act: A, y: &mut [T]) {
        max_rows::<T, A, P>(band, bias, act, y, |_, _, _| ());
    }
}

/// Max-pooling by windows that do not overlap, in training: keeps the place of each maximum in its window.
pub struct MaxPoolIndexed<'a, P, I> {
    /// The pooling.
    pub pool: P,
    /// For each image and output, the place `u · kernel width + v`: a byte, or two where the window is larger than 256.
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

/// Writes places into `bytes` bytes an entry, from entry `at` on.
#[inline(always)]
pub fn put_places(index: &mut [u8], at: usize, bytes: usize, places: &[u32]) {
    let Some(entries) = index.get_mut(at * bytes..(at + places.len()) * bytes) else { return };
    if bytes == 1 {
        for (entry, place) in entries.iter_mut().zip(places) {
            *entry = *place as u8;
        }
    } else {
        for (entry, place) in entries.as_chunks_mut::<2>().0.iter_mut().zip(places) {
            *entry = (*place as u16).to_le_bytes();
        }
    }
}

/// The places in an index of `bytes` bytes an entry.
#[inline(always)]
pub fn places(index: &[u8], bytes: usize) -> impl Iterator<Item = usize> + '_ {
    index.chunks_exact(bytes).map(|entry| match *entry {
        [low, high] => usize::from(u16::from_le_bytes([low, high])),
        [low, ..] => usize::from(low),
        [] => 0,
    })
}

impl<T: Scalar, P: PoolSpec, I: Plain<u8>> Stage<T> for MaxPoolIndexed<'_, P, I> {
    const POOL: Option<Pool> = Some(P::POOL);

    #[inline(always)]
    fn forward<A: Activation<T>>(&mut self, band: Band<'_, T>, _: usize, bias: T, act: A, y: &mut [T]) {
        let out = const { P::POOL.output() };
        let bytes = const { place_bytes(&P::POOL, I::LEN) };
        let Some(index) = self.index.get_mut(band.image) else { return };
        let index = index.flat_mut();
        max_rows::<T, A, P>(band, bias, act, y, |r, s, places| {
            put_places(index, (band.channel * out.h + r) * out.w + s, bytes, places);
        });
    }
}

impl<T: Scalar, P: PoolSpec, I: Plain<u8>> StageBackward<T> for MaxPoolIndexed<'_, P, I> {
    #[inline(always)]
    fn backward<'a, A: Activation<T>>(
        &self, image: usize, act: A, y: &[T], dy: &'a mut [T], dz: &'a mut [T],
    ) -> &'a [T] {
        let pool = const { P::POOL };
        let out = const { P::POOL.output() };
        let bytes = const { place_bytes(&P::POOL, I::LEN) };
        scale_by_derivative(act, y, dy);
        dz.fill(T::zero());
        if let Some(index) = self.index.get(image) {
            let mut places = places(index.flat(), bytes);
            // One row of windows at a time: their rows of dz do not overlap with those of another.
            for (dz, dy) in dz.chunks_exact_mut(pool.input.h * pool.input.w).zip(dy.chunks_exact(out.h * out.w)) {
                for (dz, dy) in dz.chunks_mut(pool.stride[0] * pool.input.w).zip(dy.chunks_exact(out.w)) {
                    for ((s, dy), place) in dy.iter().enumerate().zip(&mut places) {
                        let (u, v) = (place / pool.kernel[1], place % pool.kernel[1]);
                        if let Some(dz) = dz.get_mut(u * pool.input.w + s * pool.stride[1] + v) {
                            *dz = *dy;
                        }
                    }
                }
            }
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
    fn forward<A: Activation<T>>(&mut self, band: Band<'_, T>, _: usize, bias: T, act: A, y: &mut [T]) {
        let pool = const { P::POOL };
        let out_w = const { P::POOL.output().w };
        let size = T::of((pool.kernel[0] * pool.kernel[1]) as f64);
        let to = y.chunks_exact_mut(out_w).skip(band.row / pool.stride[0]);
        for (y, rows) in to.zip(window_rows(&pool, &band)) {
            for (s, y) in y.iter_mut().enumerate() {
                let mut sum = T::zero();
                for u in 0..pool.kernel[0] {
                    let from = u * band.pitch + s * pool.stride[1];
                    for z in rows.get(from..from + pool.kernel[1]).into_iter().flatten() {
                        sum += act.apply(*z + bias);
                    }
                }
                *y = sum / size;
            }
        }
    }
}
