//! Sums over the rows of a matrix, channel by channel: gradients of biases, means.

use crate::Scalar;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{load, store};

/// Sums that run side by side: an addition takes three or four cycles, and need not wait for the one before.
const LINES: usize = 4;

/// `to[c] += Σ_r z[r][c]` over `rows` rows of `channels` elements, in a fixed order. `to` has `channels` elements.
///
/// # Safety
/// `z` can be read at `rows · channels` elements.
#[inline(always)]
pub unsafe fn add_rows<T: Scalar, S: Simd<T>>(simd: S, z: *const T, rows: usize, channels: usize, to: &mut [T]) {
    if channels <= <S::Half as Simd<T>>::LANES {
        // SAFETY: the caller's.
        unsafe { add_panels(simd.half(), z, rows, channels, to) }
    } else {
        // SAFETY: the caller's.
        unsafe { add_panels(simd, z, rows, channels, to) }
    }
}

/// # Safety
/// As for [`add_rows`].
#[inline(always)]
unsafe fn add_panels<T: Scalar, S: Simd<T>>(simd: S, z: *const T, rows: usize, channels: usize, to: &mut [T]) {
    for (panel, to) in to.chunks_mut(S::LANES).enumerate() {
        let (first, lanes) = (panel * S::LANES, to.len());
        let mut sums = [simd.splat(T::zero()); LINES];
        let mut r = 0;
        // SAFETY: rows below `rows`, channels first..first + lanes; `to` has `lanes` elements.
        unsafe {
            while r + LINES <= rows {
                for (line, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.add(*sum, load(simd, z.add((r + line) * channels + first), lanes));
                }
                r += LINES;
            }
            while r < rows {
                sums[0] = simd.add(sums[0], load(simd, z.add(r * channels + first), lanes));
                r += 1;
            }
            let sum = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
            let sum = simd.add(load(simd, to.as_ptr(), lanes), sum);
            store(simd, to.as_mut_ptr(), sum, lanes);
        }
    }
}
