//! [`Trainer`]: what a training is told before it begins.

#[cfg(feature = "weights")]
use std::path::PathBuf;

use crate::augment::Augment;
use crate::loss::Loss;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::schedule::{Constant, Schedule};

use super::{AsNetwork, Batch, Continue, EpochReport, Report, Samples, TrainError, fit};

/// Trains a network: told what to do by its methods, done by [`fit`](Trainer::fit).
///
/// A loss and an optimizer must be given; without them `fit` does not exist. Memory beyond the data: the optimizer's
/// state, a copy of the parameters as they were after the last good epoch, for each [lane](Trainer::lanes) a gradient,
/// and for each thread the activations of a micro-batch. The data set is not copied.
#[must_use = "a trainer does nothing until `fit`"]
pub struct Trainer<'a, N: Network, E = (), O = (), S = Constant> {
    pub(super) net: &'a mut N,
    pub(super) loss: E,
    pub(super) optimizer: O,
    pub(super) schedule: S,
    pub(super) augmentation: Box<dyn Augment<N::Input> + 'a>,
    pub(super) options: Options<'a>,
}

/// What a trainer is told beside network, loss, optimizer, schedule and augmentation.
pub(super) struct Options<'a> {
    pub(super) batch: Batch,
    pub(super) epochs: u64,
    pub(super) seed: u64,
    pub(super) lanes: Option<usize>,
    pub(super) threads: Option<usize>,
    pub(super) progress: bool,
    pub(super) record_loss: Option<u64>,
    pub(super) record_risk: Option<u64>,
    pub(super) on_epoch: Box<dyn FnMut(&EpochReport) -> bool + 'a>,
    #[cfg(feature = "weights")]
    pub(super) checkpoint: Option<PathBuf>,
    #[cfg(feature = "weights")]
    pub(super) resume: Option<PathBuf>,
}

impl<'a, N: Network> Trainer<'a, N> {
    /// A trainer of this network: batches of 32, one epoch, seed 0, constant learning rate, unless told otherwise.
    pub fn new(net: &'a mut impl AsNetwork<N>) -> Self {
        let options = Options {
            batch: Batch::Of(32),
            epochs: 1,
            seed: 0,
            lanes: None,
            threads: None,
            progress: false,
            record_loss: None,
            record_risk: None,
            on_epoch: Box::new(|_| true),
            #[cfg(feature = "weights")]
            checkpoint: None,
            #[cfg(feature = "weights")]
            resume: None,
        };
        Trainer {
            net: net.as_network_mut(),
            loss: (),
            optimizer: (),
            schedule: Constant,
            augmentation: Box::new(()),
            options,
        }
    }
}

impl<'a, N: Network, E, O, S> Trainer<'a, N, E, O, S> {
    /// What is to become small, as [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy).
    pub fn loss<E2>(self, loss: E2) -> Trainer<'a, N, E2, O, S> {
        let Trainer { net, optimizer, schedule, augmentation, options, .. } = self;
        Trainer { net, loss, optimizer, schedule, augmentation, options }
    }

    /// How parameters follow their gradient, as [`Sgd`](crate::optim::Sgd); `&mut` of an optimizer to keep it.
    pub fn optimizer<O2: Optimizer<N::Scalar>>(self, optimizer: O2) -> Trainer<'a, N, E, O2, S> {
        let Trainer { net, loss, schedule, augmentation, options, .. } = self;
        Trainer { net, loss, optimizer, schedule, augmentation, options }
    }

    /// How the learning rate runs from the optimizer's own, as [`Cosine`](crate::schedule::Cosine).
    pub fn schedule<S2: Schedule>(self, schedule: S2) -> Trainer<'a, N, E, O, S2> {
        let Trainer { net, loss, optimizer, augmentation, options, .. } = self;
        Trainer { net, loss, optimizer, schedule, augmentation, options }
    }

    /// How inputs are changed at random while the network learns, as by [`RandomCrop`](crate::augment::RandomCrop); a tuple does one after the other.
    ///
    /// What happens to a sample is decided by the seed, the epoch and its place in the training set: not by threads, lanes or batches, nor by
    /// where a training was interrupted. What is tested with is not changed.
    pub fn augment(mut self, augmentation: impl Augment<N::Input> + 'a) -> Self {
        self.augmentation = Box::new(augmentation);
        self
    }

    /// Samples of one optimizer step: a number, or [`All`](super::All). The last batch of an epoch has what is left.
    pub fn batch(mut self, batch: impl Into<Batch>) -> Self {
        self.options.batch = batch.into();
        self
    }

    /// Times that the training set is gone through.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.options.epochs = epochs;
        self
    }

    /// Decides the order of the samples and their augmentation in every epoch, and the masks of `dropout` in every step.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Parts that a batch is cut into, which threads then share: more lanes serve more threads, and each costs the memory of a gradient.
    ///
    /// Sums are taken lane by lane, so another number of lanes gives other bits (but another number of threads does not). Unless told:
    /// one for every micro-batch of a batch, at most 8, and at most 2 for networks of more than 2²⁴ parameters.
    pub fn lanes(mut self, lanes: usize) -> Self {
        self.options.lanes = Some(lanes);
        self
    }

    /// Runs on so many threads of its own rather than on rayon's global pool; 0 is all cores, 1 the calling thread. The result is the same to the bit.
    ///
    /// Without the feature `rayon` everything runs on the calling thread.
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = Some(threads);
        self
    }

    /// Shows a progress bar on standard error, and a line after every epoch; the line alone where that is no terminal.
    pub fn progress(mut self) -> Self {
        self.options.progress = true;
        self
    }

    /// Records the loss after each so many steps, in [`Report::losses`]: the mean over the samples learned from since the point before, each at the step
    /// that it was learned in. It costs nothing, and is as noisy as batches are small.
    pub fn record_loss(mut self, every: u64) -> Self {
        self.options.record_loss = Some(every);
        self
    }

    /// Records the empirical risk before the first step and after each so many, in [`Report::risks`]: the mean loss over the whole training set, without
    /// augmentation and dropout. It costs a pass over the set each time, which the points' seconds leave out.
    ///
    /// ```
    /// use tenonet::prelude::*;
    ///
    /// network! {
    ///     struct Logit([64] -> [10]) { fc: linear(10) }
    /// }
    ///
    /// let digits = tenonet::data::digits();
    /// let inputs: Vec<Tensor<64>> = digits.inputs().iter().map(|image| *image.flatten()).collect();
    /// let train = (&inputs, digits.labels());
    /// let none = (&inputs[..0], &digits.labels()[..0]);
    ///
    /// let mut net = Logit::init(&mut rand::rng());
    /// let gradient_descent = Trainer::new(&mut net)
    ///     .loss(SoftmaxCrossEntropy).optimizer(Sgd::new(0.5))
    ///     .batch(All).epochs(3)
    ///     .record_risk(1)
    ///     .fit(&train, &none)?;
    /// let risks = &gradient_descent.risks;
    /// assert_eq!(risks.iter().map(|point| (point.step, point.samples)).collect::<Vec<_>>(), [(0, 0), (1, 1797), (2, 3594), (3, 5391)]);
    /// assert!(risks[3].loss < risks[0].loss);
    /// # Ok::<(), tenonet::train::TrainError>(())
    /// ```
    pub fn record_risk(mut self, every: u64) -> Self {
        self.options.record_risk = Some(every);
        self
    }

    /// Calls a function after every epoch, when its checkpoint is written.
    ///
    /// It yields nothing, or `ControlFlow::Break(())` to stop the training there; a later one may [`resume`](Self::resume) it.
    pub fn on_epoch<R: Continue>(mut self, mut call: impl FnMut(&EpochReport) -> R + 'a) -> Self {
        self.options.on_epoch = Box::new(move |report| call(report).goes_on());
        self
    }

    /// Writes a checkpoint after every epoch, atomically: to this file, or into this folder as `epoch-NNNN.safetensors`.
    /// A path without an extension is a folder, made if it is not there.
    ///
    /// A checkpoint is a safetensors file with parameters, the optimizer's state and what identifies the training.
    #[cfg(feature = "weights")]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.checkpoint = Some(path.into());
        self
    }

    /// Goes on from a checkpoint: a file, or a folder whose last epoch is taken.
    ///
    /// The result is that of an uninterrupted training, to the bit. A checkpoint of a training with another network, data set size,
    /// seed, batch, number of lanes, optimizer, schedule or augmentation is refused. More epochs than before are fine, unless the schedule depends on their number.
    #[cfg(feature = "weights")]
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.resume = Some(path.into());
        self
    }

    /// Trains on `train`; evaluates on `test` after every epoch. `test` may be empty.
    ///
    /// # Errors
    /// Before anything is changed: if a set's lengths differ, a target cannot be one, a setting is out of range, or a checkpoint does not fit.
    /// Later: if the loss or a parameter is not finite (the network is then as it was after the last good epoch; an optimizer that was lent
    /// keeps what the failed steps left in its state), or a checkpoint cannot be written.
    pub fn fit<A, B>(self, train: &A, test: &B) -> Result<Report, TrainError>
    where
        A: Samples<Input = N::Input> + ?Sized,
        A::Target: Sync,
        B: Samples<Input = N::Input, Target = A::Target> + ?Sized,
        E: Loss<N::Output, A::Target>,
        O: Optimizer<N::Scalar>,
        S: Schedule,
    {
        fit::fit(self, (train.inputs(), train.targets()), (test.inputs(), test.targets()))
    }
}
