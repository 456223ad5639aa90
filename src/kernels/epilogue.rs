//! What becomes of a tile's sums on their way to memory, as far as the micro-kernel ([`tile`](crate::kernels::tile)) knows: that of a convolution is
//! `store::Fused`.

use crate::Scalar;
use crate::kernels::simd::Simd;
use crate::kernels::vectors::load;

/// What becomes of a tile's sums.
pub trait Epilogue<T: Scalar>: Copy {
    /// What it does to the channels of a vector, in registers: loaded once for all rows of a tile.
    type Channels<S: Simd<T>>: Copy;

    /// That of the `lanes` channels from `channel` on.
    ///
    /// # Safety
    /// What the epilogue points to can be read at these channels.
    unsafe fn channels<S: Simd<T>>(self, simd: S, channel: usize, lanes: usize) -> Self::Channels<S>;

    /// The vector to store for the sum of these channels, `lanes` of them, which goes to element `at` of the output. It is asked for once for each element, before
    /// that is written: an epilogue may read what lies there.
    ///
    /// # Safety
    /// What the epilogue points to can be read at these elements.
    unsafe fn finish<S: Simd<T>>(
        self, simd: S, channels: Self::Channels<S>, sum: S::V, at: usize, lanes: usize,
    ) -> S::V;
}

/// The sums as they are.
#[derive(Clone, Copy)]
pub struct Store;

impl<T: Scalar> Epilogue<T> for Store {
    type Channels<S: Simd<T>> = ();

    #[inline(always)]
    unsafe fn channels<S: Simd<T>>(self, _: S, _: usize, _: usize) {}

    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, _: S, (): (), sum: S::V, _: usize, _: usize) -> S::V {
        sum
    }
}

/// The sums, added to what lies in the output.
#[derive(Clone, Copy)]
pub struct AddTo<T>(pub *const T);

impl<T: Scalar> Epilogue<T> for AddTo<T> {
    type Channels<S: Simd<T>> = ();

    #[inline(always)]
    unsafe fn channels<S: Simd<T>>(self, _: S, _: usize, _: usize) {}

    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(self, simd: S, (): (), sum: S::V, at: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's.
        simd.add(unsafe { load(simd, self.0.add(at), lanes) }, sum)
    }
}
