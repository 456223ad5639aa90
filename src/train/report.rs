//! What a training tells: [`EpochReport`] after each epoch, [`Report`] at the end.

use core::fmt;
use std::ops::ControlFlow;

use super::{CurvePoint, Evaluation};

/// What one epoch brought.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct EpochReport {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// Epochs of the whole training.
    pub epochs: u64,
    /// The mean loss of the training samples, each at the step that it was learned in.
    pub train_loss: f64,
    /// The part of the training samples that was right, each before the step that it was learned in; `None` if the loss knows no right and wrong.
    pub train_accuracy: Option<f64>,
    /// The mean loss of the test samples after the epoch; `None` without test samples.
    pub test_loss: Option<f64>,
    /// The part of the test samples that is right after the epoch; `None` if the loss knows no right and wrong, or without test samples.
    pub test_accuracy: Option<f64>,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// Seconds of training, without the evaluation.
    pub seconds: f64,
    /// Training samples per second.
    pub images_per_second: f64,
}

impl fmt::Display for EpochReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}/{}: loss {:.4}", self.epoch, self.epochs, self.train_loss)?;
        if let Some(accuracy) = self.train_accuracy {
            write!(f, ", accuracy {:.2} %", 100.0 * accuracy)?;
        }
        if let Some(loss) = self.test_loss {
            write!(f, "; test loss {loss:.4}")?;
        }
        if let Some(accuracy) = self.test_accuracy {
            write!(f, ", accuracy {:.2} %", 100.0 * accuracy)?;
        }
        write!(f, "; {:.1} s, {:.0} images/s", self.seconds, self.images_per_second)
    }
}

/// What a training brought.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The epochs that were run: of a resumed training, those after the checkpoint.
    pub epochs: Vec<EpochReport>,
    /// The points that [`Trainer::record_loss`](super::Trainer::record_loss) asked for; none unless it did.
    pub losses: Vec<CurvePoint>,
    /// The points that [`Trainer::record_risk`](super::Trainer::record_risk) asked for; none unless it did.
    pub risks: Vec<CurvePoint>,
    /// The network on the test samples, at the end.
    pub test: Evaluation,
}

impl Report {
    /// The part of the test samples that is right at the end, 0 to 1; `None` if the loss knows no right and wrong, or without test samples.
    pub fn test_accuracy(&self) -> Option<f64> {
        self.test.accuracy
    }

    /// The mean training loss of the last epoch; `None` if none was run.
    pub fn train_loss(&self) -> Option<f64> {
        self.epochs.last().map(|epoch| epoch.train_loss)
    }
}

/// What a function that is called after each epoch may yield: nothing, or whether to go on.
pub trait Continue {
    /// Whether training goes on.
    fn goes_on(self) -> bool;
}

impl Continue for () {
    fn goes_on(self) -> bool {
        true
    }
}

impl Continue for ControlFlow<()> {
    fn goes_on(self) -> bool {
        self.is_continue()
    }
}
