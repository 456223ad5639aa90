//! [`Dataset`]: inputs and what they should give.

use std::collections::BTreeMap;

use super::error::DataError;
use crate::Scalar;
use crate::loss::Label;
use crate::order::shuffle;
use crate::plain;
use crate::tensor::{FeatureMap, Tensor};
use crate::train::Samples;

/// Inputs, and as many labels (or other targets): `labels[i]` belongs to `inputs[i]`.
///
/// What is random takes a seed, and gives the same on every machine.
///
/// ```
/// use tenonet::data;
///
/// let (train, test) = data::digits().split(0.2, 7);
/// assert_eq!((train.len(), test.len()), (1438, 359));
/// for batch in train.batches(64, 1) {
///     assert!(batch.len() <= 64 && batch.inputs().len() == batch.labels().len());
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<I, L = u8> {
    inputs: Vec<I>,
    labels: Vec<L>,
}

// Not derived: an empty set asks nothing of its types.
impl<I, L> Default for Dataset<I, L> {
    fn default() -> Self {
        Dataset { inputs: Vec::new(), labels: Vec::new() }
    }
}

/// The numbers below `n` in an order of the seed, the same on every machine.
fn order(n: usize, seed: u64) -> Vec<usize> {
    let mut order = vec![0; n];
    // No training has so late an epoch: what is held out and the order of learning are unrelated, though their seed is one.
    shuffle(&mut order, seed, u64::MAX);
    order
}

/// `list[i] ← list[order[i]]`, by swaps in place.
fn arrange<T>(list: &mut [T], order: &[usize]) {
    for i in 0..list.len() {
        // What stood at a place before `i` was swapped to where that place's own content came from.
        let mut from = order[i];
        while from < i {
            from = order[from];
        }
        if from > i {
            // Not `swap`: that holds one of the two on the stack, however large it is.
            let (head, tail) = list.split_at_mut(from);
            head[i..=i].swap_with_slice(&mut tail[..1]);
        }
    }
}

impl<I, L> Dataset<I, L> {
    /// A set of these.
    ///
    /// # Errors
    /// If there are not as many labels as inputs.
    pub fn new(inputs: Vec<I>, labels: Vec<L>) -> Result<Self, DataError> {
        if inputs.len() != labels.len() {
            return Err(DataError::Counts { found: labels.len(), wanted: inputs.len() });
        }
        Ok(Dataset { inputs, labels })
    }

    /// The inputs.
    pub fn inputs(&self) -> &[I] {
        &self.inputs
    }

    /// The labels.
    pub fn labels(&self) -> &[L] {
        &self.labels
    }

    /// Inputs in the set.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Inputs with their labels.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&I, &L)> {
        self.inputs.iter().zip(&self.labels)
    }

    /// The first `n`, or all if there are fewer.
    pub fn take(mut self, n: usize) -> Self {
        self.inputs.truncate(n);
        self.labels.truncate(n);
        self
    }

    /// The same in an order of the seed.
    pub fn shuffled(mut self, seed: u64) -> Self {
        let order = order(self.len(), seed);
        arrange(&mut self.inputs, &order);
        arrange(&mut self.labels, &order);
        self
    }

    /// Shuffles, then holds a part out: `(the rest, the part)`, to train on the one and test on the other.
    ///
    /// `held_out` is a fraction, 0.2 for a fifth; what is outside 0..=1 counts as its nearer end, and NaN as 0. The
    /// part's size is rounded to the nearest whole number.
    pub fn split(self, held_out: f64, seed: u64) -> (Self, Self) {
        let mut rest = self.shuffled(seed);
        // `as` takes NaN to 0.
        let part = (rest.len() as f64 * held_out.clamp(0.0, 1.0)).round() as usize;
        let at = rest.len().saturating_sub(part);
        let part = Dataset { inputs: rest.inputs.split_off(at), labels: rest.labels.split_off(at) };
        (rest, part)
    }
}

impl<I, L: Label> Dataset<I, L> {
    /// How many inputs each class has that occurs.
    ///
    /// ```
    /// let counts = tenonet::data::digits().class_counts();
    /// assert_eq!(counts.into_values().collect::<Vec<_>>(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    /// ```
    pub fn class_counts(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for label in &self.labels {
            *counts.entry(label.class()).or_default() += 1;
        }
        counts
    }
}

impl<I: FeatureMap, L> Dataset<I, L> {
    /// The set in batches of `size`, in the order of [`shuffled`](Self::shuffled); the last batch holds what is left. A `size` of 0 counts as 1.
    ///
    /// Give each epoch a seed of its own. A batch is a copy: a set by itself.
    pub fn batches(&self, size: usize, seed: u64) -> impl Iterator<Item = Self>
    where
        L: Clone,
    {
        let order = order(self.len(), seed);
        let size = size.max(1);
        (0..order.len().div_ceil(size)).map(move |batch| {
            let places = &order[batch * size..order.len().min((batch + 1) * size)];
            // From heap to heap: a clone by value would lie on the stack.
            let mut inputs = plain::zeroed_slice::<I>(places.len()).into_vec();
            for (copy, &place) in inputs.iter_mut().zip(places) {
                copy.flat_mut().copy_from_slice(self.inputs[place].flat());
            }
            Dataset { inputs, labels: places.iter().map(|&place| self.labels[place].clone()).collect() }
        })
    }

    /// Mean and standard deviation of all elements of all inputs; `(0, 0)` of an empty set.
    ///
    /// The deviation is the population's, `√(Σ (x − mean)² / n)`.
    pub fn mean_std(&self) -> (f64, f64) {
        let elements = || self.inputs.iter().flat_map(|input| input.flat()).map(|&x| x.as_f64());
        let n = (self.len() as f64 * I::SHAPE.len() as f64).max(1.0);
        let mean = elements().sum::<f64>() / n;
        let variance = elements().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    /// `x ← (x − mean) / std`, for all elements: with the training set's own numbers its mean is 0 and its deviation 1.
    ///
    /// Give a test set the numbers of the training set. A `std` of 0, that of a set of equal elements, divides by nothing.
    ///
    /// ```
    /// let mut train = tenonet::data::digits();
    /// let (mean, std) = train.mean_std();
    /// train.normalise(mean, std);
    /// let (mean, std) = train.mean_std();
    /// assert!(mean.abs() < 1e-6 && (std - 1.0).abs() < 1e-6);
    /// ```
    pub fn normalise(&mut self, mean: f64, std: f64) {
        let scale = if std == 0.0 { 1.0 } else { 1.0 / std };
        for x in self.inputs.iter_mut().flat_map(|input| input.flat_mut()) {
            *x = I::Scalar::of((x.as_f64() - mean) * scale);
        }
    }
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar, L> Dataset<Tensor<C, H, W, T>, L> {
    /// Mean and standard deviation of each channel over all inputs; `(0, 0)` each of an empty set. The deviation is the population's.
    pub fn channel_mean_std(&self) -> [(f64, f64); C] {
        let n = (self.len() as f64 * (H * W) as f64).max(1.0);
        core::array::from_fn(|channel| {
            let elements =
                || self.inputs.iter().flat_map(move |input| input[channel].as_flattened()).map(|x| x.as_f64());
            let mean = elements().sum::<f64>() / n;
            let variance = elements().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            (mean, variance.sqrt())
        })
    }

    /// `x ← (x − mean) / std`, with a mean and a deviation for each channel.
    ///
    /// Give a test set the numbers of the training set. A `std` of 0, that of a channel of equal elements, divides by nothing.
    ///
    /// ```
    /// use tenonet::Tensor;
    /// use tenonet::data::Dataset;
    ///
    /// let picture = Tensor([[[2.0_f32, 4.0]], [[-10.0, 30.0]]]);
    /// let mut train = Dataset::new(vec![picture], vec![0_u8])?;
    /// let channels = train.channel_mean_std();
    /// assert_eq!(channels, [(3.0, 1.0), (10.0, 20.0)]);
    /// train.normalise_channels(channels);
    /// assert_eq!(train.inputs()[0].as_slice(), [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<(), tenonet::data::DataError>(())
    /// ```
    pub fn normalise_channels(&mut self, channels: [(f64, f64); C]) {
        for input in &mut self.inputs {
            for (plane, &(mean, std)) in input.0.iter_mut().zip(&channels) {
                let scale = if std == 0.0 { 1.0 } else { 1.0 / std };
                for x in plane.as_flattened_mut() {
                    *x = T::of((x.as_f64() - mean) * scale);
                }
            }
        }
    }
}

impl<I, L> Samples for Dataset<I, L> {
    type Input = I;
    type Target = L;

    fn inputs(&self) -> &[I] {
        &self.inputs
    }

    fn targets(&self) -> &[L] {
        &self.labels
    }
}

impl<I, L> FromIterator<(I, L)> for Dataset<I, L> {
    fn from_iter<P: IntoIterator<Item = (I, L)>>(pairs: P) -> Self {
        let (inputs, labels) = pairs.into_iter().unzip();
        Dataset { inputs, labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: u16) -> Dataset<Tensor<1>, u16> {
        (0..n).map(|i| (Tensor([[[f32::from(i)]]]), i)).collect()
    }

    fn belong_together(set: &Dataset<Tensor<1>, u16>) -> bool {
        set.iter().all(|(input, label)| input[0][0][0] == f32::from(*label))
    }

    #[test]
    fn shuffling_is_a_portable_permutation() {
        let set = numbers(10).shuffled(3);
        assert!(belong_together(&set));
        // Written down once: another order on some machine shows here.
        assert_eq!(set.labels(), [9, 1, 2, 0, 3, 8, 6, 4, 5, 7]);
        assert_ne!(numbers(10).shuffled(4).labels(), set.labels());
        let mut sorted = set.labels().to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn split_holds_out_a_rounded_part() {
        let (rest, part) = numbers(1797).split(0.2, 1);
        assert_eq!((rest.len(), part.len()), (1438, 359));
        assert!(belong_together(&rest) && belong_together(&part));
        assert!(part.labels().iter().all(|label| !rest.labels().contains(label)));
        for (fraction, wanted) in [(0.0, 0), (1.0, 10), (-3.0, 0), (7.0, 10), (f64::NAN, 0), (0.26, 3)] {
            assert_eq!(numbers(10).split(fraction, 1).1.len(), wanted, "{fraction}");
        }
    }

    #[test]
    fn batches_are_a_partition() {
        let set = numbers(10);
        let batches: Vec<_> = set.batches(4, 5).collect();
        assert_eq!(batches.iter().map(Dataset::len).collect::<Vec<_>>(), [4, 4, 2]);
        assert!(batches.iter().all(belong_together));
        assert_eq!(batches[0], set.clone().shuffled(5).take(4));
        let mut all: Vec<_> = batches.iter().flat_map(|batch| batch.labels().to_vec()).collect();
        assert_ne!(all, set.labels());
        all.sort_unstable();
        assert_eq!(all, set.labels());
        assert_eq!(set.batches(0, 5).count(), 10);
        assert_eq!(numbers(0).batches(4, 5).count(), 0);
    }

    #[test]
    fn normalises() {
        let mut set = numbers(5);
        assert_eq!(set.mean_std(), (2.0, 2.0_f64.sqrt()));
        set.normalise(1.0, 2.0);
        assert_eq!(set.inputs().iter().map(|x| x[0][0][0]).collect::<Vec<_>>(), [-0.5, 0.0, 0.5, 1.0, 1.5]);
        let mut equal = numbers(1);
        let (mean, std) = equal.mean_std();
        equal.normalise(mean, std);
        assert_eq!(equal.inputs()[0][0][0][0], 0.0);
        assert_eq!(numbers(0).mean_std(), (0.0, 0.0));
    }

    #[test]
    fn normalises_each_channel() {
        let pictures = vec![Tensor([[[1.0_f64, 3.0]], [[7.0, 7.0]]]), Tensor([[[1.0, 3.0]], [[7.0, 7.0]]])];
        let mut set = Dataset::new(pictures, vec![0_u8, 1]).unwrap();
        assert_eq!(set.channel_mean_std(), [(2.0, 1.0), (7.0, 0.0)]);
        set.normalise_channels(set.channel_mean_std());
        assert!(set.inputs().iter().all(|x| x.as_slice() == [-1.0, 1.0, 0.0, 0.0]));
        assert_eq!(Dataset::<Tensor<2, 4, 4>>::default().channel_mean_std(), [(0.0, 0.0); 2]);
    }

    #[test]
    fn counts_must_agree() {
        let error = Dataset::new(vec![1, 2], vec![0u8]).unwrap_err();
        assert_eq!(error.to_string(), "1 labels for 2 inputs: each input needs its label");
        assert_eq!(numbers(3).take(2).labels(), [0, 1]);
        assert_eq!(numbers(3).take(9).len(), 3);
        assert_eq!(numbers(3).class_counts(), [(0, 1), (1, 1), (2, 1)].into());
        assert!(numbers(0).class_counts().is_empty());
    }
}
