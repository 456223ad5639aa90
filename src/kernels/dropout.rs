//! Dropout (Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting"), inverted: what is kept is divided by
//! the probability of being kept, so that inference does nothing.
//!
//! ```text
//! y = m ⊙ x / (1 − p),   dx = m ⊙ dy / (1 − p),   mᵢ = 0 with probability p, otherwise 1
//! ```
//!
//! A mask is never kept: it is a function of seed, step, sample, layer and place by a hash of counters (Salmon et al. 2011, "Parallel random
//! numbers: as easy as 1, 2, 3"), so backward draws it again, and it does not depend on who draws.

use crate::Scalar;
use crate::kernels::simd::{Run, Simd};
use crate::plain::Plain;

/// What the masks of `dropout` are drawn from: equal ones draw equal masks, on any number of threads.
///
/// A [`Trainer`](crate::train::Trainer) takes its own seed and counts the steps. Whoever writes the loop themselves gives each step another one:
///
/// ```
/// use rand::SeedableRng;
/// use tenonet::prelude::*;
///
/// network! {
///     struct Net([4] -> [2]) { linear(8), relu, dropout(0.5), linear(2) }
/// }
///
/// let mut net = Net::init(&mut rand::rngs::StdRng::seed_from_u64(1));
/// let mut grad = Net::zeroed_box();
/// let mut sgd = Sgd::new(0.1);
/// for step in 0..10 {
///     let masks = Masks::new(7).step(step);
///     net.loss_and_grad_with(&[Tensor::zeros()], &[1_u8], &SoftmaxCrossEntropy, &mut grad, masks)?;
///     sgd.step(net.params_mut(), grad.params())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    seed: u64,
    step: u64,
    first: u64,
}

impl Masks {
    /// Those of a seed's first step.
    pub const fn new(seed: u64) -> Self {
        Masks { seed, step: 0, first: 0 }
    }

    /// Those of another step: what is to change from one gradient to the next.
    pub const fn step(self, step: u64) -> Self {
        Masks { step, ..self }
    }

    /// Those of samples that begin later in the batch, where a batch is taken in parts.
    pub const fn skip(self, samples: u64) -> Self {
        Masks { first: self.first.wrapping_add(samples), ..self }
    }

    /// The key of a layer's mask for the `image`th input.
    const fn key(self, layer: u64, image: u64) -> u64 {
        absorb(absorb(absorb(absorb(0, self.seed), self.step), layer), self.first.wrapping_add(image))
    }
}

/// The next key behind `key` for each value: one of as many as there are, all different.
///
/// The output function of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
const fn absorb(key: u64, value: u64) -> u64 {
    let z = (key ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The finalizer of MurmurHash3: 32 bits, as vectors have no 64-bit product everywhere.
const fn mix(mut h: u32) -> u32 {
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// Elements that share a key: few enough that their numbers in it are all different by far.
const BLOCK: usize = 1 << 12;

/// Of 2³² values, those below it drop an element.
fn threshold(p: f64) -> u32 {
    // Saturates: a probability next to 1 keeps one of 2³².
    (p * (1_u64 << 32) as f64) as u32
}

/// `y ← m ⊙ y / (1 − p)` for one image.
#[inline(always)]
fn drop_some<T: Scalar>(key: u64, p: f64, y: &mut [T]) {
    let (threshold, scale) = (threshold(p), T::of(1.0 / (1.0 - p)));
    for (block, y) in y.chunks_mut(BLOCK).enumerate() {
        let key = absorb(key, block as u64);
        let (first, second) = (key as u32, (key >> 32) as u32);
        for (j, y) in y.iter_mut().enumerate() {
            let draw = mix(mix((j as u32).wrapping_mul(0x9e37_79b9) ^ first) ^ second);
            // Not a product with 0, which would be NaN of what is not finite.
            *y = if draw >= threshold { *y * scale } else { T::zero() };
        }
    }
}

/// `y[i] ← m ⊙ x[i] / (1 − p)`, in training.
pub fn forward<T: Scalar, S: Simd<T>, X: Plain<T>, Y: Plain<T>>(
    simd: S, masks: Masks, layer: u64, p: f64, x: &[X], y: &mut [Y],
) {
    const { assert!(X::LEN == Y::LEN) };
    simd.vectorize(Run(|| {
        for (image, (x, y)) in x.iter().zip(y).enumerate() {
            let y = y.flat_mut();
            for (x, y) in x.flat().iter().zip(&mut *y) {
                *y = *x;
            }
            drop_some(masks.key(layer, image as u64), p, y);
        }
    }));
}

/// `y[i] ← m ⊙ y[i] / (1 − p)`; and so is `dy[i]` made `dx[i]`, by the same mask.
pub fn apply_in_place<T: Scalar, S: Simd<T>, Y: Plain<T>>(simd: S, masks: Masks, layer: u64, p: f64, y: &mut [Y]) {
    simd.vectorize(Run(|| {
        for (image, y) in y.iter_mut().enumerate() {
            drop_some(masks.key(layer, image as u64), p, y.flat_mut());
        }
    }));
}
