//! Sums over the rows of a matrix, channel by channel: gradients of biases, means.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::simd::Simd;
use crate::kernels::vectors::{load, store};

/// Sums that run side by side: an addition takes three or four cycles, and need not wait for the one before.
const LINES: usize = 4;

/// What is summed: vectors of a matrix, each of which is asked for once.
pub(super) trait Summed<T: Scalar>: Copy {
    /// The vector from element `at` on, or its first `lanes` lanes.
    ///
    /// # Safety
    /// All that this matrix is made of has these elements, and what is written can be.
    unsafe fn vector<S: Simd<T>>(self, simd: S, at: usize, lanes: usize) -> S::V;
}

/// The elements that lie there.
impl<T: Scalar> Summed<T> for *const T {
    #[inline(always)]
    unsafe fn vector<S: Simd<T>>(self, simd: S, at: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's.
        unsafe { load(simd, self.add(at), lanes) }
    }
}

/// `dy ⊙ f′(kept)`, which is written in the place of dy: each is read once for both.
#[derive(Clone, Copy)]
pub(super) struct ByDerivative<T, A> {
    pub(super) act: A,
    pub(super) kept: *const T,
    pub(super) dy: *mut T,
}

impl<T: Scalar, A: Activation<T>> Summed<T> for ByDerivative<T, A> {
    #[inline(always)]
    unsafe fn vector<S: Simd<T>>(self, simd: S, at: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's.
        unsafe {
            let (kept, dy) = (load(simd, self.kept.add(at), lanes), self.dy.add(at));
            let d = self.act.vector_backward(simd, kept, load(simd, dy, lanes));
            store(simd, dy, d, lanes);
            d
        }
    }
}

/// `to[c] += Σ_r z[r][c]` over `rows` rows of as many elements as `to` has, in a fixed order.
///
/// # Safety
/// All that `z` is made of has these rows, and what is written can be.
#[inline(always)]
pub(super) unsafe fn add_rows<T: Scalar, S: Simd<T>, Z: Summed<T>>(simd: S, z: Z, rows: usize, to: &mut [T]) {
    // SAFETY: the caller's.
    unsafe {
        if to.len() <= <S::Half as Simd<T>>::LANES {
            add_panels::<T, S::Half, Z, 1>(simd.half(), z, rows, 0, to);
            return;
        }
        // Several vectors of a row, for it is read in long runs then; their sums take half of the registers.
        let mut first = 0;
        if const { S::REGISTERS >= 32 && !S::ONE_BY_ONE } {
            first = add_panels::<T, S, Z, 4>(simd, z, rows, first, to);
        }
        if const { !S::ONE_BY_ONE } {
            first = add_panels::<T, S, Z, 2>(simd, z, rows, first, to);
        }
        add_panels::<T, S, Z, 1>(simd, z, rows, first, to);
    }
}

/// The sums of channels `first` and the following, as far as they fill panels of `NV` vectors: the first channel that is left. Of panels of one vector, the last may be shorter.
///
/// # Safety
/// As for [`add_rows`].
#[inline(always)]
unsafe fn add_panels<T: Scalar, S: Simd<T>, Z: Summed<T>, const NV: usize>(
    simd: S, z: Z, rows: usize, mut first: usize, to: &mut [T],
) -> usize {
    let channels = to.len();
    while first < channels && (NV == 1 || first + NV * S::LANES <= channels) {
        let lanes = S::LANES.min(channels - first);
        let mut sums = [[simd.splat(T::zero()); NV]; LINES];
        let mut r = 0;
        while r < rows {
            for line in 0..LINES {
                if r < rows {
                    for v in 0..NV {
                        // SAFETY: a row of `z`, and channels from `first` on.
                        let z = unsafe { z.vector(simd, r * channels + first + v * S::LANES, lanes) };
                        sums[line][v] = simd.add(sums[line][v], z);
                    }
                    r += 1;
                }
            }
        }
        let [a, b, c, d] = sums;
        for v in 0..NV {
            let sum = simd.add(simd.add(a[v], b[v]), simd.add(c[v], d[v]));
            // SAFETY: channels from `first` on.
            unsafe {
                let to = to.as_mut_ptr().add(first + v * S::LANES);
                store(simd, to, simd.add(load(simd, to, lanes), sum), lanes);
            }
        }
        first += NV * S::LANES;
    }
    first
}
