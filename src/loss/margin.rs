//! The losses of two classes: functions of the margin `m = ỹ · y` of one output `y` and a [`Sign`] `ỹ`.
//!
//! Each bounds [`ZeroOne`] from above (up to a factor), and unlike it has a slope to descend along.

use super::target::sign_accuracy;
use super::{Loss, Sign, TargetFault};
use crate::Scalar;
use crate::tensor::Tensor;

/// The hinge of support vector machines: `max(0, 1 − m)` with the margin `m = ỹ · y`. Right by a margin of 1 costs nothing (Cortes & Vapnik 1995, "Support-vector networks").
///
/// Its slope at the kink, `m = 1`, is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hinge;

/// The hinge squared: `max(0, 1 − m)²` with the margin `m = ỹ · y`, which has a slope at `m = 1` too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquaredHinge;

/// The loss of logistic regression: `log(1 + exp(−m))` with the margin `m = ỹ · y`, that is, `−log p(ỹ)` with `p(+1) = σ(y)`.
///
/// It is computed as `max(0, −m) + log(1 + exp(−|m|))`, which neither overflows nor loses small values. PyTorch's `SoftMarginLoss`; that of two
/// classes is [`SoftmaxCrossEntropy`](super::SoftmaxCrossEntropy) of the logits `(0, y)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logistic;

/// The loss of boosting: `exp(−m)` with the margin `m = ỹ · y` (Freund & Schapire 1997). It overflows for outputs that are very wrong: beyond
/// a margin of −88 in `f32` it is infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exponential;

/// A function of the margin.
trait OfMargin: Sync {
    /// The value and the slope at the margin `m`.
    fn at<T: Scalar>(&self, m: T) -> (T, T);
}

impl OfMargin for Hinge {
    #[inline(always)]
    fn at<T: Scalar>(&self, m: T) -> (T, T) {
        let short = T::one() - m;
        // As a condition on what costs nothing, so that NaN stays NaN.
        if short <= T::zero() { (T::zero(), T::zero()) } else { (short, -T::one()) }
    }
}

impl OfMargin for SquaredHinge {
    #[inline(always)]
    fn at<T: Scalar>(&self, m: T) -> (T, T) {
        let (short, _) = Hinge.at(m);
        (short * short, -(short + short))
    }
}

impl OfMargin for Logistic {
    #[inline(always)]
    fn at<T: Scalar>(&self, m: T) -> (T, T) {
        let e = (-m.abs()).exp();
        let wrong = if m > T::zero() { T::zero() } else { -m };
        // −σ(−m), from the exponential that does not overflow.
        let slope = if m > T::zero() { e } else { T::one() } / (T::one() + e);
        (wrong + e.ln_1p(), -slope)
    }
}

impl OfMargin for Exponential {
    #[inline(always)]
    fn at<T: Scalar>(&self, m: T) -> (T, T) {
        let value = (-m).exp();
        (value, -value)
    }
}

/// How often a network is wrong: 0 if its output's sign is the target's, or its largest output is the target's class; else 1. An output of 0 has no sign and is wrong.
///
/// It is what one would make small, and cannot: its slope is 0 wherever it has one. So it is a metric: `evaluate(&net, &test, &ZeroOne)` yields the rate of errors as the mean loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZeroOne;

impl OfMargin for ZeroOne {
    #[inline(always)]
    fn at<T: Scalar>(&self, m: T) -> (T, T) {
        (if m > T::zero() { T::zero() } else { T::one() }, T::zero())
    }
}

macro_rules! margin_loss {
    ($($loss:ty),*) => {$(
        impl<T: Scalar> Loss<Tensor<1, 1, 1, T>, Sign> for $loss {
            fn value(&self, output: &Tensor<1, 1, 1, T>, target: &Sign) -> T {
                self.at(target.value::<T>() * output.0[0][0][0]).0
            }

            fn value_and_grad(&self, output: &Tensor<1, 1, 1, T>, target: &Sign, d_output: &mut Tensor<1, 1, 1, T>) -> T {
                let sign = target.value::<T>();
                let (value, slope) = self.at(sign * output.0[0][0][0]);
                d_output.0[0][0][0] = sign * slope;
                value
            }

            fn check(&self, _target: &Sign) -> Result<(), TargetFault> {
                Ok(())
            }

            fn accuracy(&self, output: &Tensor<1, 1, 1, T>, target: &Sign) -> Option<f64> {
                sign_accuracy(output, *target)
            }
        }
    )*};
}
margin_loss!(Hinge, SquaredHinge, Logistic, Exponential, ZeroOne);

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    fn at<E: Loss<Tensor<1, 1, 1, f64>, Sign>>(loss: E, y: f64, target: Sign) -> (f64, f64) {
        let mut dy = Tensor([[[f64::NAN]]]);
        (loss.value_and_grad(&Tensor([[[y]]]), &target, &mut dy), dy.0[0][0][0])
    }

    #[test]
    fn closed_forms() {
        assert_eq!(at(Hinge, 0.25, Sign::Plus), (0.75, -1.0));
        assert_eq!(at(Hinge, 0.25, Sign::Minus), (1.25, 1.0));
        assert_eq!(at(Hinge, 1.0, Sign::Plus), (0.0, 0.0));
        assert_eq!(at(SquaredHinge, -1.0, Sign::Plus), (4.0, -4.0));
        assert_eq!(at(SquaredHinge, -3.0, Sign::Minus), (0.0, 0.0));
        assert_eq!(at(Logistic, 0.0, Sign::Minus), (2_f64.ln(), 0.5));
        assert_eq!(at(Exponential, 0.0, Sign::Plus), (1.0, -1.0));
        assert_eq!(at(Exponential, 2.0, Sign::Minus), (2_f64.exp(), 2_f64.exp()));
        let wrong = [-2.0, 0.0, 2.0].map(|y| at(ZeroOne, y, Sign::Plus));
        assert_eq!(wrong, [(1.0, 0.0), (1.0, 0.0), (0.0, 0.0)]);
    }

    #[test]
    fn gradients_are_the_difference_quotients() {
        // None of them at a kink.
        for y in [-2.3, -0.4, 0.0, 0.7, 3.1] {
            for sign in [Sign::Minus, Sign::Plus] {
                let y = Tensor([[[y]]]);
                check::gradient(&Hinge, y, &sign);
                check::gradient(&SquaredHinge, y, &sign);
                check::gradient(&Logistic, y, &sign);
                check::gradient(&Exponential, y, &sign);
            }
        }
    }

    #[test]
    fn logistic_is_right_at_both_ends() {
        // 1e4 wrong costs 1e4; 50 right costs e⁻⁵⁰, which 1 + e⁻⁵⁰ would have rounded away.
        assert_eq!(at(Logistic, -1e4, Sign::Plus), (1e4, -1.0));
        assert_eq!(at(Logistic, 1e4, Sign::Plus), (0.0, 0.0));
        let (value, slope) = at(Logistic, -50.0, Sign::Minus);
        assert!((value / (-50_f64).exp() - 1.0).abs() < 1e-15 && (slope / (-50_f64).exp() - 1.0).abs() < 1e-15);
        let single = |y| Logistic.value(&Tensor::<1>([[[y]]]), &Sign::Plus);
        assert_eq!((single(-1e4), single(1e4)), (1e4, 0.0));
    }

    /// The bound that makes them surrogates.
    #[test]
    fn all_bound_zero_one() {
        for y in (-40..=40).map(|y| f64::from(y) / 8.0) {
            let (wrong, _) = at(ZeroOne, y, Sign::Plus);
            assert!(at(Hinge, y, Sign::Plus).0 >= wrong);
            assert!(at(SquaredHinge, y, Sign::Plus).0 >= wrong);
            assert!(at(Exponential, y, Sign::Plus).0 >= wrong);
            assert!(at(Logistic, y, Sign::Plus).0 / 2_f64.ln() >= wrong);
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for sign in [Sign::Minus, Sign::Plus] {
            assert!(at(Hinge, f64::NAN, sign).0.is_nan() && at(SquaredHinge, f64::NAN, sign).0.is_nan());
            assert!(at(Logistic, f64::NAN, sign).0.is_nan() && at(Exponential, f64::NAN, sign).0.is_nan());
        }
    }
}
