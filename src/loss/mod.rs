//! Losses: what a network's output costs, and the gradient of it.
//!
//! A loss is of one sample: one output against one target. What a target is, is the loss's own affair: a class, a tensor,
//! later a set of classes or a map of them. So is what counts as right ([`Loss::accuracy`]).

use core::fmt;

use crate::tensor::{FeatureMap, argmax};

mod softmax_cross_entropy;
mod squared_error;

pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use squared_error::SquaredError;

/// A loss of one output `O` against one target `L`.
///
/// Losses of a batch are means over its samples; the mean is taken by the caller. No method panics, whatever the target.
///
/// ```
/// use tenonet::Tensor;
/// use tenonet::loss::{Loss, SoftmaxCrossEntropy};
///
/// let (y, mut dy) = (Tensor::<4>::zeros(), Tensor::<4>::zeros());
/// let loss = SoftmaxCrossEntropy.value_and_grad(&y, &2_u8, &mut dy);
/// assert_eq!(loss, 4.0_f32.ln());
/// assert_eq!(dy.as_slice(), [0.25, 0.25, -0.75, 0.25]);
/// ```
pub trait Loss<O: FeatureMap, L>: Sync {
    /// The loss; NaN for a target that [`check`](Self::check) refuses.
    fn value(&self, output: &O, target: &L) -> O::Scalar;

    /// The loss, and `d_output ← ∂loss/∂output`, whatever `d_output` held.
    fn value_and_grad(&self, output: &O, target: &L, d_output: &mut O) -> O::Scalar;

    /// Whether the target can be one for such an output: called before a value is computed from it.
    ///
    /// # Errors
    /// If it cannot.
    fn check(&self, target: &L) -> Result<(), TargetFault>;

    /// The part of the output that is right, 0 to 1: for a class, 1 if the largest output is the target's.
    ///
    /// `None` where right and wrong mean nothing, as for a regression.
    fn accuracy(&self, output: &O, target: &L) -> Option<f64> {
        let _ = (output, target);
        None
    }
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
                write!(
                    f,
                    "class {found}, but the network has {classes} outputs: labels are 0 to {}",
                    classes.saturating_sub(1)
                )
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

/// Whether a label is one of an output's classes.
fn check_class<O: FeatureMap, L: Label>(label: L) -> Result<(), TargetFault> {
    let (found, classes) = (label.class(), O::SHAPE.len());
    if found < classes { Ok(()) } else { Err(TargetFault::Class { found, classes }) }
}

/// Whether an output's largest element is the label's.
fn class_accuracy<O: FeatureMap, L: Label>(output: &O, label: L) -> Option<f64> {
    Some(if argmax(output.flat()) == label.class() { 1.0 } else { 0.0 })
}

#[cfg(test)]
mod check {
    //! What every loss is tested against.

    use super::Loss;
    use crate::tensor::Tensor;

    /// Compares the gradient with central differences, and the two values with each other.
    pub(super) fn gradient<const N: usize, L, E: Loss<Tensor<N, 1, 1, f64>, L>>(
        loss: &E, y: Tensor<N, 1, 1, f64>, target: &L,
    ) {
        let mut dy = Tensor::from_fn(|_, _, _| f64::NAN);
        let value = loss.value_and_grad(&y, target, &mut dy);
        assert_eq!(value.to_bits(), loss.value(&y, target).to_bits());
        // The difference's error is of order h² (curvature) + 1e-16 / h (rounding).
        let h = 1e-5;
        for i in 0..N {
            let at = |step: f64| {
                let mut moved = y;
                moved.as_mut_slice()[i] += step;
                loss.value(&moved, target)
            };
            let (got, want) = (dy.as_slice()[i], (at(h) - at(-h)) / (2.0 * h));
            assert!((got - want).abs() <= 1e-8 * (1.0 + want.abs() + value.abs()), "dy[{i}]: {got} against {want}");
        }
    }
}
