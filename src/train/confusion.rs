//! [`Confusion`]: which classes a network takes for which.

use core::fmt;

use crate::loss::{BatchError, Label, TargetFault};
use crate::network::Network;
use crate::plain::Plain;
use crate::tensor::{FeatureMap, argmax};

use super::crew::Crew;
use super::evaluate::outputs;
use super::{AsNetwork, Samples};

/// A confusion matrix: how often each class was taken for each.
///
/// `Display` prints it with a row for each class of the targets and a column for each class of the outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// Runs a classifier over samples, on all cores (feature `rayon`).
    ///
    /// # Errors
    /// If inputs and targets differ in number, or a label is not one of the network's classes.
    pub fn of<N, S>(net: &impl AsNetwork<N>, samples: &S) -> Result<Self, BatchError>
    where
        N: Network,
        S: Samples<Input = N::Input> + ?Sized,
        S::Target: Label,
    {
        let (inputs, targets) = (samples.inputs(), samples.targets());
        if inputs.len() != targets.len() {
            return Err(BatchError::Lengths { inputs: inputs.len(), others: targets.len() });
        }
        let classes = N::Output::SHAPE.len();
        if let Some((index, found)) = targets.iter().map(|t| t.class()).enumerate().find(|&(_, class)| class >= classes)
        {
            return Err(BatchError::Target { index, fault: TargetFault::Class { found, classes } });
        }
        let predictions = outputs(&Crew::all(), net.as_network(), inputs, |_, outputs| {
            outputs.iter().map(|y| argmax(y.flat())).collect::<Vec<_>>()
        });
        let mut confusion = Confusion { classes, counts: vec![0; classes * classes] };
        for (target, predicted) in targets.iter().zip(predictions.into_iter().flatten()) {
            confusion.counts[target.class() * classes + predicted] += 1;
        }
        Ok(confusion)
    }

    /// Classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often a sample of the class `target` was taken for `predicted`; 0 for classes that are not.
    pub fn count(&self, target: usize, predicted: usize) -> u64 {
        self.row(target).get(predicted).copied().unwrap_or(0)
    }

    /// For a class of the targets, how often it was taken for each; empty for a class that is not.
    pub fn row(&self, target: usize) -> &[u64] {
        self.counts.chunks(self.classes.max(1)).nth(target).unwrap_or_default()
    }

    /// The part of the samples that was taken for what it is; `None` without samples.
    pub fn accuracy(&self) -> Option<f64> {
        let all: u64 = self.counts.iter().sum();
        let right: u64 = (0..self.classes).map(|class| self.count(class, class)).sum();
        (all > 0).then(|| right as f64 / all as f64)
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().copied().max().unwrap_or(0).max(self.classes as u64);
        let width = largest.to_string().len() + 1;
        write!(f, "{:>width$} │", "")?;
        for predicted in 0..self.classes {
            write!(f, "{predicted:>width$}")?;
        }
        write!(f, "\n{:─>width$}─┼{:─>columns$}", "", "", columns = width * self.classes)?;
        for target in 0..self.classes {
            write!(f, "\n{target:>width$} │")?;
            for count in self.row(target) {
                if *count == 0 {
                    write!(f, "{:>width$}", "·")?;
                } else {
                    write!(f, "{count:>width$}")?;
                }
            }
        }
        Ok(())
    }
}
