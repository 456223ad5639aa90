//! The maximum of each channel over a whole map, `[H][W][C]`. NaN counts as larger than any number, and of equals the first is taken.

use crate::Scalar;
use crate::kernels::channels::{each_vector, lanes, load, store};
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;

/// Bytes of a maximum's place, the number of its pixel: a map may have more pixels than 16 bits tell apart.
pub const PLACE_BYTES: usize = 4;

/// Channels and pixels of maps of these lengths; anything else does not compile.
const fn sides(x: usize, y: usize) -> (usize, usize) {
    assert!(x > 0 && y > 0 && x.is_multiple_of(y));
    assert!((x / y - 1) as u64 <= u32::MAX as u64, "global_max_pool: a map of more than 2³² pixels");
    (y, x / y)
}

/// `y[i][c] ← max of channel c`. The channels are as many as `Y` has elements.
pub fn forward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(simd: S, x: &[X], y: &mut [Y]) {
    let (channels, pixels) = const { sides(X::LEN, Y::LEN) };
    simd.vectorize(Run(|| {
        for (x, y) in x.iter().zip(y) {
            let (x, y) = (x.flat(), y.flat_mut());
            each_vector!(S::LANES, Y::LEN, channels, |c, L| {
                // SAFETY: x has `pixels` times the channels, y has the channels; c + L ≤ channels.
                unsafe {
                    let (most, _) = largest::<T, L>(x, c, channels, pixels);
                    store(y, c, most);
                }
            });
        }
    }));
}

/// As [`forward`], and `index[i] ←` the pixels of the maxima, the lowest byte first, for the backward pass.
pub fn forward_indexed<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>, I: Plain<u8>>(
    simd: S, x: &[X], y: &mut [Y], index: &mut [I],
) {
    const { assert!(I::LEN == PLACE_BYTES * Y::LEN) };
    let (channels, pixels) = const { sides(X::LEN, Y::LEN) };
    simd.vectorize(Run(|| {
        for ((x, y), index) in x.iter().zip(y).zip(index) {
            let (x, y, places) = (x.flat(), y.flat_mut(), index.flat_mut().as_chunks_mut::<PLACE_BYTES>().0);
            each_vector!(S::LANES, Y::LEN, channels, |c, L| {
                // SAFETY: as in `forward`; there is a place for each channel.
                unsafe {
                    let (most, pixel) = largest::<T, L>(x, c, channels, pixels);
                    store(y, c, most);
                    store(places, c, pixel.map(u32::to_le_bytes));
                }
            });
        }
    }));
}

/// The maxima of channels `c..c + L` over all pixels, and the first pixel of each.
///
/// # Safety
/// `x.len() ≥ pixels · channels`, `pixels ≥ 1`, and `c + L ≤ channels`.
#[inline(always)]
unsafe fn largest<T: Scalar, const L: usize>(x: &[T], c: usize, channels: usize, pixels: usize) -> ([T; L], [u32; L]) {
    // SAFETY: the caller's.
    let (mut most, mut place): ([T; L], _) = (unsafe { load(x, c) }, [0; L]);
    for p in 1..pixels {
        // SAFETY: p < pixels, so the pixel's channels are in x.
        let x: [T; L] = unsafe { load(x, p * channels + c) };
        // Larger, or NaN: unless what is there is NaN already.
        let wins: [bool; L] = lanes(|i| (x[i] > most[i]) | (x[i].is_nan() & !most[i].is_nan()));
        most = lanes(|i| if wins[i] { x[i] } else { most[i] });
        place = lanes(|i| if wins[i] { p as u32 } else { place[i] });
    }
    (most, place)
}

/// `dx[i] ← ∂(dy · y)/∂x[i]`: each channel's gradient goes to the pixel of its maximum.
pub fn backward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>, I: Plain<u8>>(
    simd: S, dy: &[Y], index: &[I], dx: &mut [X],
) {
    const { assert!(I::LEN == PLACE_BYTES * Y::LEN) };
    let (channels, _) = const { sides(X::LEN, Y::LEN) };
    simd.vectorize(Run(|| {
        for ((dx, dy), index) in dx.iter_mut().zip(dy).zip(index) {
            let dx = dx.flat_mut();
            dx.fill(T::zero());
            for (c, (dy, place)) in dy.flat().iter().zip(index.flat().as_chunks::<PLACE_BYTES>().0).enumerate() {
                let pixel = u32::from_le_bytes(*place) as usize;
                if let Some(dx) = dx.get_mut(pixel.saturating_mul(channels).saturating_add(c)) {
                    *dx = *dy;
                }
            }
        }
    }));
}
