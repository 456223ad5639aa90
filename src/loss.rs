//! Losses: what a network's output costs, and the gradient of it.

use core::fmt;

use crate::tensor::FeatureMap;

/// A loss of one output `O` against one target `L`.
///
/// Losses of a batch are means over its samples; the mean is taken by the caller.
pub trait Loss<O: FeatureMap, L>: Sync {
    /// The loss.
    fn value(&self, output: &O, target: &L) -> O::Scalar;

    /// The loss, and `d_output ← ∂loss/∂output`.
    fn value_and_grad(&self, output: &O, target: &L, d_output: &mut O) -> O::Scalar;

    /// Whether the target can be one for such an output: called before a value is computed from it.
    fn check(&self, target: &L) -> Result<(), TargetFault>;
}

/// A class label: an unsigned integer.
pub trait Label: Copy + Send + Sync {
    /// The class, counted from 0.
    fn class(self) -> usize;
}

macro_rules! label {
    ($($int:ty),*) => {$(
        impl Label for $int {
            #[inline(always)]
            fn class(self) -> usize {
                self as usize
            }
        }
    )*};
}
label!(u8, u16, u32, usize);

/// What is wrong with one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetFault {
    /// A class label that is not below the number of outputs.
    Class {
        /// The label.
        found: usize,
        /// The network's outputs.
        classes: usize,
    },
}

impl fmt::Display for TargetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetFault::Class { found, classes } => {
                write!(f, "class {found}, but the network has {classes} outputs: labels are 0 to {}", classes - 1)
            }
        }
    }
}

/// Why a batch was refused. Nothing was computed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
