//! Losses: what a network's output costs, and the gradient of it.
//!
//! A loss is of one sample: one output `y` against one target `ỹ`. What a target is, is the loss's own affair: a class, a sign, a tensor. So is
//! what counts as right ([`Loss::accuracy`]). The mean over a set of samples is the *empirical risk*, which training makes small (Vapnik 1999, "The nature of
//! statistical learning theory", chapter 1).
//!
//! | Loss | of one sample | target |
//! |---|---|---|
//! | [`ZeroOne`] | 1 if wrong, else 0: a metric | [`Sign`], class |
//! | [`SquaredError`] | `½ Σ (y − ỹ)²` | tensor, class, [`Sign`] |
//! | [`AbsoluteError`] | <code>Σ &#124;y − ỹ&#124;</code> | tensor, class, [`Sign`] |
//! | [`Huber`] | the first up to δ, from there as the second | tensor, class, [`Sign`] |
//! | [`Hinge`] | `max(0, 1 − ỹ y)` | [`Sign`] |
//! | [`SquaredHinge`] | `max(0, 1 − ỹ y)²` | [`Sign`] |
//! | [`Logistic`] | `log(1 + exp(−ỹ y))` | [`Sign`] |
//! | [`Exponential`] | `exp(−ỹ y)` | [`Sign`] |
//! | [`SoftmaxCrossEntropy`] | `−y_c + log Σ_j exp(y_j)` | class |
//! | [`MultiHinge`] | `max(0, 1 + max_{j ≠ c} y_j − y_c)` | class |
//!
//! [`Smoothed`] and [`Weighted`] make others of them: label smoothing and weights of classes.

use crate::tensor::FeatureMap;

mod classes;
mod fault;
mod margin;
mod regression;
mod smoothed;
mod softmax_cross_entropy;
mod target;
mod weighted;

pub use classes::MultiHinge;
pub use fault::{BatchError, TargetFault};
pub use margin::{Exponential, Hinge, Logistic, SquaredHinge, ZeroOne};
pub use regression::{AbsoluteError, Huber, SquaredError};
pub use smoothed::Smoothed;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use target::{Label, Sign, Values};
pub use weighted::Weighted;

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
