//! [`TrainError`]: why a training did not begin, or stopped.

use core::fmt;
#[cfg(feature = "weights")]
use std::path::PathBuf;

use thiserror::Error;

use crate::loss::{BatchError, TargetFault};
use crate::optim::OptimizerError;

/// Why a training did not begin, or stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// There is nothing to learn from.
    #[error("the training set is empty")]
    Empty,
    /// A set's inputs and targets differ in number.
    #[error("the {set} set has {inputs} inputs, but {targets} targets")]
    Lengths {
        /// The set.
        set: Set,
        /// Inputs.
        inputs: usize,
        /// Targets.
        targets: usize,
    },
    /// A target cannot be one. All are checked before training begins.
    #[error("the {set} set's target {index}: {fault}")]
    Target {
        /// The set.
        set: Set,
        /// The target's index, from 0.
        index: usize,
        /// What is wrong with it.
        fault: TargetFault,
    },
    /// A setting of the trainer is out of its range.
    #[error("trainer: `{name}` is {found}, but must be {wanted}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: usize,
        /// The range.
        wanted: &'static str,
    },
    /// The optimizer refused.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// A network refused a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The loss, or a parameter, became infinite or not a number. The network is as it was after the epoch before this one
    /// (or as it was given), and so is the last checkpoint.
    #[error(
        "{what} is not finite: epoch {epoch}, step {step} of the training (learning rate {learning_rate:e}); the network is as it was \
         after {} epochs. A lower learning rate or a warm-up may help, and inputs must be finite", epoch.saturating_sub(1)
    )]
    NonFinite {
        /// What was not finite.
        what: &'static str,
        /// The epoch, counted from 1.
        epoch: u64,
        /// The step, counted from 1 at the training's beginning.
        step: u64,
        /// The learning rate of the step.
        learning_rate: f64,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// Threads.
        threads: usize,
        /// Why.
        reason: String,
    },
    /// A checkpoint could not be read or written.
    #[cfg(feature = "weights")]
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] crate::weights::WeightsError),
    /// A folder has no checkpoint to resume from.
    #[cfg(feature = "weights")]
    #[error("{}: no checkpoint in this folder; they are called epoch-NNNN.safetensors", path.display())]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
    },
    /// A file is no checkpoint.
    #[cfg(feature = "weights")]
    #[error("{}: no checkpoint: {reason}", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// A checkpoint is of another training than this one. Nothing was changed.
    #[cfg(feature = "weights")]
    #[error("{}: the checkpoint does not fit this training: `{field}` was {found}, but is {wanted} here", path.display())]
    Resume {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        field: String,
        /// Its value in the checkpoint.
        found: String,
        /// Its value in this training.
        wanted: String,
    },
}

/// The set that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// The samples to learn from.
    Training,
    /// The samples to judge by.
    Test,
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Set::Training => "training",
            Set::Test => "test",
        })
    }
}
