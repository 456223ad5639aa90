//! The losses of regressions, each a sum over the output's elements of a function of the difference `d = y − ỹ`.

use super::{Loss, TargetFault, Values};
use crate::Scalar;
use crate::tensor::FeatureMap;

/// Half the squared distance to the target: `½ Σ_i (y_i − ỹ_i)²`, summed over all elements of the output; the gradient is `y − ỹ`.
///
/// The target `ỹ` is a tensor of the output's shape, a class label that stands for the one-hot vector of that class, or a [`Sign`](super::Sign) (see [`Values`]).
///
/// It is a sum, not a mean over elements: PyTorch's `MSELoss` of `N` elements is `2/N` times this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquaredError;

/// The absolute distance to the target: `Σ_i |y_i − ỹ_i|`; the gradient is the sign of `y − ỹ`, 0 where they are equal.
///
/// Targets are those of [`SquaredError`]. One sample far off pulls as hard as one near by: the best constant is the median, where that of squares is the mean.
/// PyTorch calls it `L1Loss`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsoluteError;

/// [`SquaredError`] up to a distance of δ and a straight line from there: `½ d²` for `|d| ≤ δ`, else `δ (|d| − ½ δ)`, with
/// `d = y_i − ỹ_i`, summed over `i`; the gradient is `d`, cut off at ±δ (Huber 1964, "Robust estimation of a location parameter").
///
/// Targets are those of [`SquaredError`]; PyTorch calls it `HuberLoss`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// The distance δ from which the loss is a straight line, above 0.
    pub delta: f64,
}

impl Default for Huber {
    /// δ = 1
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

/// A function of a difference.
trait Pointwise: Sync {
    /// The value and the slope at `d`.
    fn at<T: Scalar>(&self, d: T) -> (T, T);

    fn check_settings(&self) -> Result<(), TargetFault> {
        Ok(())
    }
}

impl Pointwise for SquaredError {
    #[inline(always)]
    fn at<T: Scalar>(&self, d: T) -> (T, T) {
        (T::of(0.5) * d * d, d)
    }
}

impl Pointwise for AbsoluteError {
    #[inline(always)]
    fn at<T: Scalar>(&self, d: T) -> (T, T) {
        // `signum` is 1 at 0.
        (d.abs(), if d == T::zero() { T::zero() } else { d.signum() })
    }
}

impl Pointwise for Huber {
    #[inline(always)]
    fn at<T: Scalar>(&self, d: T) -> (T, T) {
        let delta = T::of(self.delta);
        if d.abs() <= delta { SquaredError.at(d) } else { (delta * (d.abs() - T::of(0.5) * delta), delta * d.signum()) }
    }

    fn check_settings(&self) -> Result<(), TargetFault> {
        if self.delta > 0.0 {
            return Ok(());
        }
        Err(TargetFault::Setting { name: "delta", found: self.delta, wanted: "above 0" })
    }
}

macro_rules! regression {
    ($($loss:ty),*) => {$(
        impl<O: FeatureMap, V: Values<O>> Loss<O, V> for $loss {
            fn value(&self, output: &O, target: &V) -> O::Scalar {
                let differences = output.flat().iter().zip(target.values()).map(|(&y, t)| y - t);
                differences.map(|d| self.at(d).0).sum()
            }

            fn value_and_grad(&self, output: &O, target: &V, d_output: &mut O) -> O::Scalar {
                let mut sum = num_traits::zero();
                for ((dy, &y), t) in d_output.flat_mut().iter_mut().zip(output.flat()).zip(target.values()) {
                    let (value, slope) = self.at(y - t);
                    *dy = slope;
                    sum += value;
                }
                sum
            }

            fn check(&self, target: &V) -> Result<(), TargetFault> {
                self.check_settings()?;
                target.check()
            }

            fn accuracy(&self, output: &O, target: &V) -> Option<f64> {
                target.accuracy(output)
            }
        }
    )*};
}
regression!(SquaredError, AbsoluteError, Huber);

#[cfg(test)]
mod tests {
    use super::super::{Sign, check};
    use super::*;
    use crate::Tensor;

    #[test]
    fn closed_forms() {
        let y = Tensor::<2, 1, 2, f64>([[[1.0, 2.0]], [[3.0, -4.0]]]);
        let t = Tensor([[[0.5, 2.0]], [[1.0, -1.0]]]);
        let mut dy = Tensor::zeros();
        assert_eq!(SquaredError.value_and_grad(&y, &t, &mut dy), 0.5 * (0.25 + 4.0 + 9.0));
        assert_eq!(dy.as_slice(), [0.5, 0.0, 2.0, -3.0]);
        assert_eq!(AbsoluteError.value_and_grad(&y, &t, &mut dy), 0.5 + 2.0 + 3.0);
        assert_eq!(dy.as_slice(), [1.0, 0.0, 1.0, -1.0]);
        // 0.5 is on the parabola, 2 and 3 are on the line: 2 (2 − 1) + 2 (3 − 1).
        assert_eq!(Huber { delta: 2.0 }.value_and_grad(&y, &t, &mut dy), 0.125 + 2.0 + 4.0);
        assert_eq!(dy.as_slice(), [0.5, 0.0, 2.0, -2.0]);
        assert_eq!(Huber::default().value(&y, &t), 0.125 + 1.5 + 2.5);
        assert_eq!(SquaredError.accuracy(&y, &t), None);
    }

    #[test]
    fn a_label_is_a_one_hot_target_and_a_sign_a_number() {
        let y = Tensor::<3, 1, 1, f64>([[[0.2]], [[0.7]], [[-0.1]]]);
        let t = Tensor([[[0.0]], [[1.0]], [[0.0]]]);
        let (mut by_label, mut by_tensor) = (Tensor::zeros(), Tensor::zeros());
        let a = SquaredError.value_and_grad(&y, &1_u8, &mut by_label);
        let b = SquaredError.value_and_grad(&y, &t, &mut by_tensor);
        assert_eq!((a, by_label), (b, by_tensor));
        assert_eq!(SquaredError.accuracy(&y, &1_u8), Some(1.0));
        let (y, mut dy) = (Tensor::<1>([[[0.25]]]), Tensor::zeros());
        assert_eq!(AbsoluteError.value_and_grad(&y, &Sign::Minus, &mut dy), 1.25);
        assert_eq!((dy.0[0][0][0], AbsoluteError.accuracy(&y, &Sign::Minus)), (1.0, Some(0.0)));
    }

    #[test]
    fn gradient_is_the_difference_quotient() {
        let y = Tensor::<4, 1, 1, f64>::from_fn(|c, _, _| [0.3, -1.7, 2.2, 0.0][c]);
        let t = Tensor::from_fn(|c, _, _| c as f64 - 0.5);
        check::gradient(&SquaredError, y, &2_u8);
        check::gradient(&SquaredError, y, &t);
        check::gradient(&AbsoluteError, y, &t);
        check::gradient(&Huber { delta: 0.6 }, y, &t);
        check::gradient(&Huber::default(), Tensor([[[0.4]]]), &Sign::Minus);
    }

    #[test]
    fn a_class_too_many_is_refused_and_never_panics() {
        assert!(Loss::<Tensor<1>, u8>::check(&SquaredError, &1).is_err());
        assert!(SquaredError.value(&Tensor::<1>::zeros(), &1_u8).is_nan());
        assert!(SquaredError.value_and_grad(&Tensor::<1>::zeros(), &9_u8, &mut Tensor::zeros()).is_nan());
        assert!(Huber::default().value(&Tensor::<3>::zeros(), &usize::MAX).is_nan());
        assert!(Loss::<Tensor<3, 2, 1>, _>::check(&SquaredError, &Tensor::zeros()).is_ok());
    }

    #[test]
    fn a_bad_setting_is_told() {
        for delta in [0.0, -1.0, f64::NAN] {
            let fault = Loss::<Tensor<3>, u8>::check(&Huber { delta }, &1).unwrap_err();
            assert_eq!(fault.to_string(), format!("the loss's `delta` is {delta}, but must be above 0"));
        }
    }
}
