//! A factor or a summand for each channel of a map, `[H][W][C]`, as layers of their own.

use crate::Scalar;
use crate::kernels::channels::{each_vector, lanes, load, store};
use crate::kernels::simd::{Run, Simd};
use crate::kernels::sums::add_rows;
use crate::plain::Plain;

/// Whether maps of this length are pixels of so many channels.
const fn are_pixels(channels: usize, map: usize) -> bool {
    channels > 0 && map.is_multiple_of(channels)
}

/// `y[i][p][c] ← f(x[i][p][c], of[c])` for every pixel.
#[inline(always)]
fn each_element<T: Scalar, W: Plain<T>, X: Plain<T>, Y: Plain<T>>(of: &W, x: &[X], y: &mut [Y], f: impl Fn(T, T) -> T) {
    const { assert!(are_pixels(W::LEN, X::LEN) && X::LEN == Y::LEN) };
    for (x, y) in x.iter().zip(y) {
        for (x, y) in x.flat().chunks_exact(W::LEN.max(1)).zip(y.flat_mut().chunks_exact_mut(W::LEN.max(1))) {
            for ((x, y), of) in x.iter().zip(y).zip(of.flat()) {
                *y = f(*x, *of);
            }
        }
    }
}

/// `y[i][p][c] ← f(y[i][p][c], of[c])` for every pixel.
#[inline(always)]
fn each_element_in_place<T: Scalar, W: Plain<T>, Y: Plain<T>>(of: &W, y: &mut [Y], f: impl Fn(T, T) -> T) {
    const { assert!(are_pixels(W::LEN, Y::LEN)) };
    for y in y {
        for y in y.flat_mut().chunks_exact_mut(W::LEN.max(1)) {
            for (y, of) in y.iter_mut().zip(of.flat()) {
                *y = f(*y, *of);
            }
        }
    }
}

/// `y[i] ← x[i] ⊙ weight`, channel by channel.
pub fn forward<T: Scalar, S: Simd<T>, W: Plain<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, weight: &W, x: &[X], y: &mut [Y],
) {
    simd.vectorize(Run(|| each_element(weight, x, y, |x, weight| x * weight)));
}

/// `y[i] ← y[i] ⊙ weight`.
pub fn forward_in_place<T: Scalar, S: Simd<T>, W: Plain<T>, Y: Plain<T>>(simd: S, weight: &W, y: &mut [Y]) {
    simd.vectorize(Run(|| each_element_in_place(weight, y, |y, weight| y * weight)));
}

/// `dw += Σ dy[i] ⊙ x[i]` over all pixels, then `dy[i] ← dy[i] ⊙ weight`, which is `dx[i]`.
pub fn backward_in_place<T: Scalar, S: Simd<T>, W: Plain<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, weight: &W, x: &[X], dy: &mut [Y], dw: &mut W,
) {
    const { assert!(are_pixels(W::LEN, X::LEN) && X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        let (channels, pixels) = const { (W::LEN, X::LEN / W::LEN) };
        let (weight, dw) = (weight.flat(), dw.flat_mut());
        for (x, dy) in x.iter().zip(dy) {
            let (x, dy) = (x.flat(), dy.flat_mut());
            each_vector!(S::LANES, W::LEN, channels, |c, L| {
                // SAFETY: weight and dw have the channels, x and dy `pixels` times as many; c + L ≤ channels, p < pixels.
                unsafe {
                    let weight: [T; L] = load(weight, c);
                    let mut sum = [T::zero(); L];
                    for p in 0..pixels {
                        let (x, d): ([T; L], [T; L]) = (load(x, p * channels + c), load(dy, p * channels + c));
                        sum = lanes(|i| sum[i] + d[i] * x[i]);
                        store::<T, L>(dy, p * channels + c, lanes(|i| d[i] * weight[i]));
                    }
                    let before: [T; L] = load(dw, c);
                    store::<T, L>(dw, c, lanes(|i| before[i] + sum[i]));
                }
            });
        }
    }));
}

/// `y[i] ← x[i] + bias`, channel by channel.
pub fn shift_forward<T: Scalar, S: Simd<T>, B: Plain<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, bias: &B, x: &[X], y: &mut [Y],
) {
    simd.vectorize(Run(|| each_element(bias, x, y, |x, bias| x + bias)));
}

/// `y[i] ← y[i] + bias`.
pub fn shift_forward_in_place<T: Scalar, S: Simd<T>, B: Plain<T>, Y: Plain<T>>(simd: S, bias: &B, y: &mut [Y]) {
    simd.vectorize(Run(|| each_element_in_place(bias, y, |y, bias| y + bias)));
}

/// `db += Σ dy[i]` over all pixels; `dx[i]` is `dy[i]` as it is.
pub fn shift_backward<T: Scalar, S: Simd<T>, B: Plain<T>, Y: Plain<T>>(simd: S, dy: &[Y], db: &mut B) {
    const { assert!(are_pixels(B::LEN, Y::LEN)) };
    simd.vectorize(Run(|| {
        for dy in dy {
            // SAFETY: dy is whole pixels of as many channels as db has elements.
            unsafe { add_rows(simd, dy.flat().as_ptr(), const { Y::LEN / B::LEN }, db.flat_mut()) };
        }
    }));
}
