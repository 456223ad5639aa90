//! [`SoftmaxCrossEntropy`]: the loss of classifiers.

use super::target::{check_class, class_accuracy};
use super::{Label, Loss, TargetFault};
use crate::Scalar;
use crate::tensor::Tensor;

/// Softmax and cross-entropy in one, for outputs that are logits `y` and a target that is a class `c`:
/// `−ln p_c` with `p = softmax(y)`.
///
/// With the largest logit `m` it is `ln Σ exp(y_i − m) − (y_c − m)`, so no exponential overflows and the sum is at least
/// 1; its gradient is `p − onehot(c)` (Goodfellow, Bengio & Courville 2016, "Deep Learning", 6.2.2.3). The last layer of
/// the network is then `linear`, without a softmax. PyTorch calls it `CrossEntropyLoss`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftmaxCrossEntropy;

impl<const N: usize, T: Scalar, L: Label> Loss<Tensor<N, 1, 1, T>, L> for SoftmaxCrossEntropy {
    fn value(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> T {
        let max = largest(output);
        let sum: T = output.as_slice().iter().map(|&y| (y - max).exp()).sum();
        cross_entropy(output, target, max, sum)
    }

    fn value_and_grad(&self, output: &Tensor<N, 1, 1, T>, target: &L, d_output: &mut Tensor<N, 1, 1, T>) -> T {
        let max = largest(output);
        let mut sum = T::zero();
        for (d, &y) in d_output.as_mut_slice().iter_mut().zip(output.as_slice()) {
            *d = (y - max).exp();
            sum += *d;
        }
        for d in d_output.as_mut_slice() {
            *d /= sum;
        }
        if let Some(d) = d_output.as_mut_slice().get_mut(target.class()) {
            *d -= T::one();
        }
        cross_entropy(output, target, max, sum)
    }

    fn check(&self, target: &L) -> Result<(), TargetFault> {
        check_class::<Tensor<N, 1, 1, T>, L>(*target)
    }

    fn accuracy(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> Option<f64> {
        class_accuracy(output, *target)
    }
}

fn largest<const N: usize, T: Scalar>(y: &Tensor<N, 1, 1, T>) -> T {
    y.as_slice().iter().fold(T::neg_infinity(), |max, &y| max.max(y))
}

/// `ln sum − (y_c − max)`; NaN without a `y_c`.
fn cross_entropy<const N: usize, T: Scalar, L: Label>(y: &Tensor<N, 1, 1, T>, target: &L, max: T, sum: T) -> T {
    y.as_slice().get(target.class()).map_or(T::nan(), |&y| sum.ln() - (y - max))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn closed_forms() {
        let loss = SoftmaxCrossEntropy;
        // Two classes: ln(1 + e^(y₁ − y₀)) for class 0.
        let y = Tensor::<2, 1, 1, f64>([[[0.25]], [[1.5]]]);
        assert!((loss.value(&y, &0_u8) - (1.25_f64.exp()).ln_1p()).abs() < 1e-15);
        assert!((loss.value(&y, &1_usize) - ((-1.25_f64).exp()).ln_1p()).abs() < 1e-15);
        // All alike: ln N, and the gradient's elements sum to zero.
        let y = Tensor::<10, 1, 1, f64>::from_fn(|_, _, _| 3.0);
        let mut dy = Tensor::zeros();
        assert!((loss.value_and_grad(&y, &7_u32, &mut dy) - 10_f64.ln()).abs() < 1e-15);
        assert!(dy.as_slice().iter().sum::<f64>().abs() < 1e-15);
        assert!((dy.as_slice()[7] + 0.9).abs() < 1e-15);
    }

    #[test]
    fn one_class_costs_nothing() {
        let (y, mut dy) = (Tensor::<1>([[[-3.5]]]), Tensor::zeros());
        assert_eq!(SoftmaxCrossEntropy.value_and_grad(&y, &0_u8, &mut dy), 0.0);
        assert_eq!(dy.as_slice(), [0.0]);
    }

    #[test]
    fn huge_logits_stay_finite() {
        let (y, mut dy) = (Tensor::<3>([[[1e4]], [[-1e4]], [[9e3]]]), Tensor::zeros());
        assert_eq!(SoftmaxCrossEntropy.value_and_grad(&y, &1_u16, &mut dy), 2e4);
        assert_eq!(dy.as_slice(), [1.0, -1.0, 0.0]);
        assert_eq!(SoftmaxCrossEntropy.value_and_grad(&y, &0_u16, &mut dy), 0.0);
        assert_eq!(dy.as_slice(), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn gradient_is_the_difference_quotient() {
        let y = Tensor::<5, 1, 1, f64>::from_fn(|c, _, _| [0.3, -1.7, 2.2, 0.0, 4.1][c]);
        for class in 0..5_u8 {
            check::gradient(&SoftmaxCrossEntropy, y, &class);
        }
    }

    #[test]
    fn a_class_too_many_is_refused_and_never_panics() {
        let loss = SoftmaxCrossEntropy;
        let fault = Loss::<Tensor<3>, u8>::check(&loss, &3).unwrap_err();
        assert_eq!(fault, TargetFault::Class { found: 3, classes: 3 });
        assert_eq!(fault.to_string(), "class 3, but the network has 3 outputs: labels are 0 to 2");
        assert!(loss.value(&Tensor::<3>::zeros(), &3_u8).is_nan());
        assert!(loss.value_and_grad(&Tensor::<3>::zeros(), &usize::MAX, &mut Tensor::zeros()).is_nan());
    }

    #[test]
    fn the_largest_output_counts() {
        let y = Tensor::<3>([[[0.0]], [[5.0]], [[1.0]]]);
        assert_eq!(SoftmaxCrossEntropy.accuracy(&y, &1_u8), Some(1.0));
        assert_eq!(SoftmaxCrossEntropy.accuracy(&y, &2_u8), Some(0.0));
    }

    proptest::proptest! {
        /// A loss is never negative, it is finite for all finite logits in reason, and moving all logits alike changes nothing: the gradient sums to 0.
        #[test]
        fn bounds_hold_for_all_logits(logits: [i16; 7], class in 0_u8..7) {
            let y = Tensor::<7, 1, 1, f64>::from_fn(|c, _, _| f64::from(logits[c]) / 3.0);
            let mut dy = Tensor::zeros();
            let loss = SoftmaxCrossEntropy.value_and_grad(&y, &class, &mut dy);
            proptest::prop_assert!((0.0..3e4).contains(&loss));
            proptest::prop_assert!(dy.as_slice().iter().sum::<f64>().abs() < 1e-14);
            proptest::prop_assert!(dy.as_slice().iter().enumerate().all(|(c, &d)| (d <= 0.0) == (c == usize::from(class)) || d == 0.0));
        }
    }
}
