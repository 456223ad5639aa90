//! What can be wrong with a target, a loss's setting, or a batch.

use core::fmt;

/// What is wrong with one target, or with the loss that it is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TargetFault {
    /// A class label that is not below the number of outputs.
    Class {
        /// The label.
        found: usize,
        /// The network's outputs.
        classes: usize,
    },
    /// A setting of the loss is out of its range, so that it is no loss for any target.
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: f64,
        /// The range.
        wanted: &'static str,
    },
}

impl fmt::Display for TargetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetFault::Class { found, classes } => {
                write!(
                    f,
                    "class {found}, but the network has {classes} outputs: labels are 0 to {}",
                    classes.saturating_sub(1)
                )
            }
            TargetFault::Setting { name, found, wanted } => {
                write!(f, "the loss's `{name}` is {found}, but must be {wanted}")
            }
        }
    }
}

/// Why a batch was refused. Nothing was computed from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BatchError {
    /// Two slices that belong together have different lengths.
    Lengths {
        /// Images.
        inputs: usize,
        /// Labels, targets or outputs.
        others: usize,
    },
    /// A target is out of range.
    Target {
        /// Its index in the batch.
        index: usize,
        /// What is wrong with it.
        fault: TargetFault,
    },
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Lengths { inputs, others } => {
                write!(f, "{inputs} inputs, but {others} targets or outputs to go with them")
            }
            BatchError::Target { index, fault } => write!(f, "target {index}: {fault}"),
        }
    }
}

impl core::error::Error for BatchError {}
