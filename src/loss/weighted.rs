//! [`Weighted`]: classes that count more than others.

use super::{Label, Loss, Sign, TargetFault};
use crate::Scalar;
use crate::tensor::Tensor;

/// A loss times the weight of the target's class: for classes that are rare, or dear to mistake.
///
/// Of two classes with one output (a [`Sign`]) the first weight is that of −1. As everywhere the mean over a batch divides by the number
/// of samples; PyTorch's `CrossEntropyLoss(weight=…)` divides by the sum of their weights.
///
/// ```
/// use tenonet::prelude::*;
///
/// // One of a hundred is ill: a sick one that is overlooked counts as much as all the others.
/// let loss = Weighted::new(Logistic, [1.0, 99.0]);
/// let y = Tensor::<1>([[[0.0]]]);
/// assert_eq!(loss.value(&y, &Sign::Plus), 99.0 * loss.value(&y, &Sign::Minus));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted<E, const N: usize> {
    loss: E,
    weights: [f64; N],
}

impl<E, const N: usize> Weighted<E, N> {
    /// The loss with a weight for each class, 0 or more; others are refused with the first target of their class.
    pub fn new(loss: E, weights: [f64; N]) -> Self {
        Weighted { loss, weights }
    }

    /// The weight of a class; that of one that is not is not a number.
    fn weight(&self, class: usize) -> f64 {
        self.weights.get(class).copied().unwrap_or(f64::NAN)
    }

    fn check_weight(&self, class: usize) -> Result<(), TargetFault> {
        let found = self.weight(class);
        if found >= 0.0 && found.is_finite() {
            return Ok(());
        }
        Err(TargetFault::Setting { name: "weights", found, wanted: "finite, 0 or more" })
    }
}

macro_rules! weighted {
    ([$($generics:tt)*] $outputs:expr, $weights:expr, $target:ty, $index:expr) => {
        impl<$($generics)*> Loss<Tensor<{ $outputs }, 1, 1, T>, $target> for Weighted<E, { $weights }>
        where
            E: Loss<Tensor<{ $outputs }, 1, 1, T>, $target>,
        {
            fn value(&self, output: &Tensor<{ $outputs }, 1, 1, T>, target: &$target) -> T {
                T::of(self.weight($index(*target))) * self.loss.value(output, target)
            }

            fn value_and_grad(
                &self, output: &Tensor<{ $outputs }, 1, 1, T>, target: &$target,
                d_output: &mut Tensor<{ $outputs }, 1, 1, T>,
            ) -> T {
                let weight = T::of(self.weight($index(*target)));
                let value = self.loss.value_and_grad(output, target, d_output);
                for d in d_output.as_mut_slice() {
                    *d *= weight;
                }
                weight * value
            }

            fn check(&self, target: &$target) -> Result<(), TargetFault> {
                // The loss first: what is wrong with the target is said before what is wrong with its weight.
                self.loss.check(target)?;
                self.check_weight($index(*target))
            }

            fn accuracy(&self, output: &Tensor<{ $outputs }, 1, 1, T>, target: &$target) -> Option<f64> {
                self.loss.accuracy(output, target)
            }
        }
    };
}
weighted!([E, L: Label, T: Scalar, const N: usize] N, N, L, Label::class);
weighted!([E, T: Scalar] 1, 2, Sign, Sign::index);

#[cfg(test)]
mod tests {
    use super::super::{Hinge, MultiHinge, Smoothed, SoftmaxCrossEntropy, check};
    use super::*;

    const Y: Tensor<3, 1, 1, f64> = Tensor([[[0.3]], [[-1.7]], [[2.2]]]);

    #[test]
    fn values_and_gradients() {
        let weighted = Weighted::new(SoftmaxCrossEntropy, [0.5, 0.0, 3.0]);
        assert_eq!(weighted.value(&Y, &2_u8), 3.0 * SoftmaxCrossEntropy.value(&Y, &2_u8));
        assert_eq!(weighted.value(&Y, &1_u8), 0.0);
        for class in 0..3_u8 {
            check::gradient(&weighted, Y, &class);
            check::gradient(&Weighted::new(MultiHinge, [0.5, 2.0, 3.0]), Y, &class);
            check::gradient(&Weighted::new(Smoothed::new(SoftmaxCrossEntropy, 0.1), [0.5, 2.0, 3.0]), Y, &class);
        }
        check::gradient(&Weighted::new(Hinge, [0.5, 2.0]), Tensor([[[0.25]]]), &Sign::Minus);
        assert_eq!(Weighted::new(Hinge, [0.5, 2.0]).value(&Tensor::<1>([[[0.25]]]), &Sign::Minus), 0.625);
        assert_eq!(weighted.accuracy(&Y, &2_u8), Some(1.0));
    }

    #[test]
    fn bad_weights_are_told_by_their_class() {
        let loss = Weighted::new(SoftmaxCrossEntropy, [1.0, -1.0, f64::INFINITY]);
        let told = |class: u8| Loss::<Tensor<3>, u8>::check(&loss, &class).map_err(|fault| fault.to_string());
        assert_eq!(told(0), Ok(()));
        assert_eq!(told(1), Err("the loss's `weights` is -1, but must be finite, 0 or more".into()));
        assert_eq!(told(2), Err("the loss's `weights` is inf, but must be finite, 0 or more".into()));
        assert_eq!(told(3), Err("class 3, but the network has 3 outputs: labels are 0 to 2".into()));
        assert!(loss.value(&Tensor::<3>::zeros(), &3_u8).is_nan());
    }
}
