//! [`SquaredError`]: the loss of regressions.

use super::{Label, Loss, TargetFault, check_class, class_accuracy};
use crate::Scalar;
use crate::tensor::{FeatureMap, Tensor};

/// Half the squared distance to the target: `½ Σ_i (y_i − ỹ_i)²`, summed over all elements of the output; the gradient is `y − ỹ`.
///
/// The target `ỹ` is a tensor of the output's shape, or a class label that stands for the one-hot vector of that class.
///
/// It is a sum, not a mean over elements: PyTorch's `MSELoss` of `N` elements is `2/N` times this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquaredError;

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Loss<Tensor<C, H, W, T>, Tensor<C, H, W, T>>
    for SquaredError
{
    fn value(&self, output: &Tensor<C, H, W, T>, target: &Tensor<C, H, W, T>) -> T {
        half_sum(output.as_slice().iter().zip(target.as_slice()).map(|(&y, &t)| y - t))
    }

    fn value_and_grad(
        &self, output: &Tensor<C, H, W, T>, target: &Tensor<C, H, W, T>, d_output: &mut Tensor<C, H, W, T>,
    ) -> T {
        for ((d, &y), &t) in d_output.as_mut_slice().iter_mut().zip(output.as_slice()).zip(target.as_slice()) {
            *d = y - t;
        }
        half_sum(d_output.as_slice().iter().copied())
    }

    fn check(&self, _target: &Tensor<C, H, W, T>) -> Result<(), TargetFault> {
        Ok(())
    }
}

impl<const N: usize, T: Scalar, L: Label> Loss<Tensor<N, 1, 1, T>, L> for SquaredError {
    fn value(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> T {
        if target.class() >= N {
            return T::nan();
        }
        half_sum(one_hot_differences(output, target.class()))
    }

    fn value_and_grad(&self, output: &Tensor<N, 1, 1, T>, target: &L, d_output: &mut Tensor<N, 1, 1, T>) -> T {
        for (d, difference) in d_output.as_mut_slice().iter_mut().zip(one_hot_differences(output, target.class())) {
            *d = difference;
        }
        self.value(output, target)
    }

    fn check(&self, target: &L) -> Result<(), TargetFault> {
        check_class::<Tensor<N, 1, 1, T>, L>(*target)
    }

    fn accuracy(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> Option<f64> {
        class_accuracy(output, *target)
    }
}

/// `y_i − [i = class]`
fn one_hot_differences<O: FeatureMap>(output: &O, class: usize) -> impl Iterator<Item = O::Scalar> {
    output.flat().iter().enumerate().map(move |(i, &y)| if i == class { y - num_traits::one() } else { y })
}

fn half_sum<T: Scalar>(differences: impl Iterator<Item = T>) -> T {
    differences.map(|d| d * d).sum::<T>() * T::of(0.5)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn closed_forms() {
        let y = Tensor::<2, 1, 2, f64>([[[1.0, 2.0]], [[3.0, -4.0]]]);
        let t = Tensor([[[0.5, 2.0]], [[1.0, -1.0]]]);
        let mut dy = Tensor::zeros();
        assert_eq!(SquaredError.value_and_grad(&y, &t, &mut dy), 0.5 * (0.25 + 4.0 + 9.0));
        assert_eq!(dy.as_slice(), [0.5, 0.0, 2.0, -3.0]);
        assert_eq!(SquaredError.accuracy(&y, &t), None);
    }

    #[test]
    fn a_label_is_a_one_hot_target() {
        let y = Tensor::<3, 1, 1, f64>([[[0.2]], [[0.7]], [[-0.1]]]);
        let t = Tensor([[[0.0]], [[1.0]], [[0.0]]]);
        let (mut by_label, mut by_tensor) = (Tensor::zeros(), Tensor::zeros());
        let a = SquaredError.value_and_grad(&y, &1_u8, &mut by_label);
        let b = SquaredError.value_and_grad(&y, &t, &mut by_tensor);
        assert_eq!((a, by_label), (b, by_tensor));
        assert_eq!(SquaredError.accuracy(&y, &1_u8), Some(1.0));
    }

    #[test]
    fn gradient_is_the_difference_quotient() {
        let y = Tensor::<4, 1, 1, f64>::from_fn(|c, _, _| [0.3, -1.7, 2.2, 0.0][c]);
        check::gradient(&SquaredError, y, &2_u8);
        check::gradient(&SquaredError, y, &Tensor::from_fn(|c, _, _| c as f64));
    }

    #[test]
    fn a_class_too_many_is_refused_and_never_panics() {
        assert!(Loss::<Tensor<1>, u8>::check(&SquaredError, &1).is_err());
        assert!(SquaredError.value(&Tensor::<1>::zeros(), &1_u8).is_nan());
        assert!(SquaredError.value_and_grad(&Tensor::<1>::zeros(), &9_u8, &mut Tensor::zeros()).is_nan());
    }
}
