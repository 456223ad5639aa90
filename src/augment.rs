//! Augmentation: random changes of inputs while a network learns, so that it rarely sees the same one twice.
//!
//! [`RandomCrop`] and [`RandomHorizontalFlip`] are those of pictures; a tuple does one after the other; [`Augment`] is for more.
//! A [`Trainer`](crate::train::Trainer) is told by [`augment`](crate::train::Trainer::augment), and changes its own copies: the data set and
//! whatever is tested with stay as they are.
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Net([3, 8, 8] -> [2]) { conv(4, kernel = 3), relu, global_avg_pool, flatten, linear(2) }
//! }
//!
//! let mut net = Net::init(&mut rand::rng());
//! let pictures = vec![Tensor::zeros(), Tensor::from_fn(|_, y, x| (x * y) as f32)];
//! let set = (pictures, vec![0_u8, 1]);
//! Trainer::new(&mut net)
//!     .loss(SoftmaxCrossEntropy)
//!     .optimizer(Sgd::new(0.01))
//!     .augment((RandomCrop::padding(1), RandomHorizontalFlip::new()))
//!     .fit(&set, &set)?;
//! # Ok::<(), tenonet::train::TrainError>(())
//! ```
//!
//! What happens to a sample is a function of the seed, the epoch and the sample's place in the data set alone ([`Draws`]): it is the same on any
//! number of threads, with any size of batch, in a training that was resumed, and on every machine.

use core::fmt::Debug;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use crate::Scalar;
use crate::order::below;
use crate::tensor::Tensor;

/// A random change of inputs of the type `I`.
///
/// What `Debug` prints names the augmentation in checkpoints: two that differ must print differently.
///
/// ```
/// use tenonet::augment::{Augment, Draws};
/// use tenonet::prelude::*;
///
/// /// Makes pictures lighter or darker by up to a tenth.
/// #[derive(Debug)]
/// struct RandomBrightness;
///
/// impl<const C: usize, const H: usize, const W: usize> Augment<Tensor<C, H, W>> for RandomBrightness {
///     fn apply(&self, input: &mut Tensor<C, H, W>, draws: &mut Draws) {
///         let factor = 0.9 + 0.2 * draws.unit() as f32;
///         input.as_mut_slice().iter_mut().for_each(|x| *x *= factor);
///     }
/// }
///
/// let mut picture = Tensor::<1, 2, 2>::from_fn(|_, _, _| 1.0);
/// (RandomBrightness, RandomHorizontalFlip::new()).apply(&mut picture, &mut Draws::new(7, 0, 0));
/// assert!(picture.as_slice().iter().all(|x| (0.9..1.1).contains(x)));
/// ```
pub trait Augment<I>: Debug + Sync {
    /// Changes an input in place. What is random must come from `draws`, and nothing be kept: then it is the same in every run.
    fn apply(&self, input: &mut I, draws: &mut Draws);
}

impl<I, A: Augment<I> + ?Sized> Augment<I> for &A {
    fn apply(&self, input: &mut I, draws: &mut Draws) {
        (**self).apply(input, draws);
    }
}

/// Changes nothing.
impl<I> Augment<I> for () {
    fn apply(&self, _input: &mut I, _draws: &mut Draws) {}
}

macro_rules! one_after_the_other {
    ($($name:ident)+) => {
        /// One after the other.
        impl<I, $($name: Augment<I>),+> Augment<I> for ($($name,)+) {
            fn apply(&self, input: &mut I, draws: &mut Draws) {
                #[allow(non_snake_case, reason = "a variable for each type, of its name")]
                let ($($name,)+) = self;
                $($name.apply(input, draws);)+
            }
        }
    };
}
one_after_the_other!(A);
one_after_the_other!(A B);
one_after_the_other!(A B C);
one_after_the_other!(A B C D);
one_after_the_other!(A B C D E);
one_after_the_other!(A B C D E F);

/// The random numbers of one sample in one epoch, one after the other.
///
/// They are ChaCha8's, keyed by seed, epoch and sample; its specification fixes them.
///
/// A [`Trainer`](crate::train::Trainer) takes its own seed, counts epochs from 0, and takes the place in the data set (not in the epoch's order)
/// as the sample. Whoever writes the loop themselves does the same:
///
/// ```
/// use tenonet::augment::{Augment, Draws};
/// use tenonet::prelude::*;
///
/// let pictures = [Tensor::<1, 8, 8>::from_fn(|_, y, x| (y * 8 + x) as f32)];
/// let (seed, epoch, sample) = (7, 0, 0);
/// let mut picture = pictures[sample].clone();
/// RandomCrop::padding(1).apply(&mut picture, &mut Draws::new(seed, epoch, sample as u64));
/// ```
#[derive(Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// Those of a sample.
    pub fn new(seed: u64, epoch: u64, sample: u64) -> Self {
        // The order of samples has another end of its key.
        let mut key = *b"........................ augment";
        for (part, value) in key.chunks_exact_mut(8).zip([seed, epoch, sample]) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        Draws(ChaCha8Rng::from_seed(key))
    }

    /// A whole number of `0..bound`, all equally likely; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { below(bound, &mut self.0) }
    }

    /// A number of 0 to 1, without 1: a multiple of 2⁻⁵³, all equally likely.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A crop of the input's own size at a random place of the input with a margin around it: it is moved by up to so many pixels, and what was
/// uncovered is 0, which is the mean of inputs that are normalised.
///
/// With 4 pixels it is what CIFAR's networks are trained with since Lee et al. 2015, "Deeply-supervised nets".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomCrop {
    rows: u32,
    columns: u32,
}

impl RandomCrop {
    /// With a margin of so many pixels on all four sides.
    pub const fn padding(pixels: u32) -> Self {
        RandomCrop { rows: pixels, columns: pixels }
    }

    /// With a margin of so many rows above and below, and of so many columns to the left and right: `(0, 100)` for 1-D signals.
    pub const fn rows_and_columns(rows: u32, columns: u32) -> Self {
        RandomCrop { rows, columns }
    }
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Augment<Tensor<C, H, W, T>> for RandomCrop {
    fn apply(&self, input: &mut Tensor<C, H, W, T>, draws: &mut Draws) {
        // Where the crop begins in what has a margin: `margin` is where the input itself does.
        let mut shift = |margin: u32| i64::from(margin) - draws.below(2 * u64::from(margin) + 1) as i64;
        let (down, right) = (shift(self.rows), shift(self.columns));
        for plane in &mut input.0 {
            // Rows lie one after the other: moving the whole plane by W elements is one row.
            shift_by(plane.as_flattened_mut(), down, W);
            for row in plane {
                shift_by(row, right, 1);
            }
        }
    }
}

/// `x[i] ← x[i − steps · size]`, and 0 where there is none.
fn shift_by<T: Scalar>(x: &mut [T], steps: i64, size: usize) {
    let distance = usize::try_from(steps.unsigned_abs()).map_or(x.len(), |d| d.saturating_mul(size).min(x.len()));
    let kept = x.len() - distance;
    if steps >= 0 {
        x.copy_within(..kept, distance);
        x[..distance].fill(T::zero());
    } else {
        x.copy_within(distance.., 0);
        x[kept..].fill(T::zero());
    }
}

/// Left and right changed, with a probability of ½ unless said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomHorizontalFlip {
    probability: f64,
}

impl RandomHorizontalFlip {
    /// Half of the time.
    pub const fn new() -> Self {
        RandomHorizontalFlip { probability: 0.5 }
    }

    /// With this probability; what is outside 0..=1 counts as its nearer end.
    pub const fn with_probability(probability: f64) -> Self {
        RandomHorizontalFlip { probability }
    }
}

impl Default for RandomHorizontalFlip {
    fn default() -> Self {
        Self::new()
    }
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Augment<Tensor<C, H, W, T>> for RandomHorizontalFlip {
    fn apply(&self, input: &mut Tensor<C, H, W, T>, draws: &mut Draws) {
        if draws.unit() < self.probability {
            for row in input.0.iter_mut().flatten() {
                row.reverse();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Picture = Tensor<2, 5, 4>;

    /// Elements from 1, all different.
    fn picture() -> Picture {
        Tensor::from_fn(|c, y, x| (c * 20 + y * 4 + x + 1) as f32)
    }

    fn applied(augment: impl Augment<Picture>, seed: u64, epoch: u64, sample: u64) -> Picture {
        let mut picture = picture();
        augment.apply(&mut picture, &mut Draws::new(seed, epoch, sample));
        picture
    }

    /// The definition: a window into a picture with a margin of zeros.
    fn crop(top: usize, left: usize, rows: usize, columns: usize) -> Picture {
        let inside = picture();
        Tensor::from_fn(|c, y, x| {
            let (y, x) = ((y + top).wrapping_sub(rows), (x + left).wrapping_sub(columns));
            inside[c].get(y).and_then(|row| row.get(x)).copied().unwrap_or(0.0)
        })
    }

    #[test]
    fn crops_are_all_windows_equally_often() {
        // Margins that are smaller and larger than the picture.
        for (rows, columns, of) in [(1, 2, 15), (0, 6, 13), (7, 0, 15), (0, 0, 1)] {
            let mut counts = std::collections::HashMap::new();
            for sample in 0..3000 {
                let found = applied(RandomCrop::rows_and_columns(rows as u32, columns as u32), 1, 2, sample);
                let bits = found.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                *counts.entry(bits).or_insert(0_i64) += 1;
            }
            let mut windows = 0;
            let mut seen = std::collections::HashSet::new();
            for top in 0..=2 * rows {
                for left in 0..=2 * columns {
                    windows += 1;
                    let want = crop(top, left, rows, columns);
                    seen.insert(want.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>());
                }
            }
            assert_eq!(windows, of);
            assert_eq!(counts.keys().cloned().collect::<std::collections::HashSet<_>>(), seen, "{rows} {columns}");
            if windows == seen.len() {
                // Five standard deviations of a binomial.
                let (mean, part) = (3000.0 / of as f64, 1.0 / of as f64);
                let spread = 5.0 * (mean * (1.0 - part)).sqrt();
                assert!(counts.values().all(|&n| (n as f64 - mean).abs() <= spread), "{counts:?}");
            }
        }
        assert_eq!(applied(RandomCrop::padding(0), 1, 2, 3), picture());
        // Nothing overflows, and almost surely nothing is left.
        assert!(applied(RandomCrop::padding(u32::MAX), 1, 2, 3).as_slice().iter().all(|&x| x == 0.0));
        RandomCrop::padding(1).apply(&mut Tensor::<0, 0, 0>::zeros(), &mut Draws::new(1, 2, 3));
    }

    #[test]
    fn flips_reverse_rows_half_of_the_time() {
        let flipped = Tensor::from_fn(|c, y, x| picture()[c][y][3 - x]);
        let found: Vec<_> = (0..1000).map(|sample| applied(RandomHorizontalFlip::new(), 1, 2, sample)).collect();
        let flips = found.iter().filter(|&found| *found == flipped).count();
        assert!(found.iter().all(|found| *found == flipped || *found == picture()));
        // Five standard deviations of a binomial are 79.
        assert!(flips.abs_diff(500) < 79, "{flips}");
        for (probability, want) in [(0.0, picture()), (-1.0, picture()), (f64::NAN, picture()), (1.0, flipped)] {
            let flip = RandomHorizontalFlip::with_probability(probability);
            assert!((0..100).all(|sample| applied(flip, 1, 2, sample) == want), "{probability}");
        }
    }

    #[test]
    fn seed_epoch_and_sample_decide() {
        let draw = |seed, epoch, sample| Draws::new(seed, epoch, sample).below(u64::MAX);
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        let all = [draw(1, 2, 3), draw(3, 2, 1), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(2, 1, 3)];
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), all.len());
        assert_eq!(Draws::new(1, 2, 3).below(0), 0);
        assert!((0..1000).all(|sample| (0.0..1.0).contains(&Draws::new(1, 2, sample).unit())));
    }

    #[test]
    fn a_chain_draws_in_its_order() {
        let (crop, flip) = (RandomCrop::padding(2), RandomHorizontalFlip::new());
        for sample in 0..50 {
            let mut want = picture();
            let mut draws = Draws::new(7, 0, sample);
            crop.apply(&mut want, &mut draws);
            flip.apply(&mut want, &mut draws);
            assert_eq!(applied((crop, flip), 7, 0, sample), want);
            assert_eq!(applied((&crop, (), (flip,)), 7, 0, sample), want);
        }
    }

    /// Computed by another implementation of ChaCha8: other draws would break resuming, and the promise that a seed means the same everywhere.
    #[test]
    fn the_draws_are_fixed() {
        let mut draws = Draws::new(7, 1, 2);
        assert_eq!([(); 6].map(|()| draws.below(9)), FIXED);
        assert_eq!(draws.unit().to_bits(), FIXED_UNIT);
    }

    const FIXED: [u64; 6] = [6, 6, 7, 7, 0, 5];
    const FIXED_UNIT: u64 = 4599539293488810730;
}
