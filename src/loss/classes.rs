//! Losses of many classes beside [`SoftmaxCrossEntropy`](super::SoftmaxCrossEntropy): [`MultiHinge`], and [`ZeroOne`] for class labels.

use super::target::{check_class, class_accuracy};
use super::{Label, Loss, TargetFault, ZeroOne};
use crate::Scalar;
use crate::tensor::Tensor;

/// The hinge of many classes: `max(0, 1 + max_{j ≠ c} y_j − y_c)` for outputs `y` and the class `c`. It costs nothing when the class's output is ahead of all
/// others by 1 (Crammer & Singer 2001, "On the algorithmic implementation of multiclass kernel-based vector machines").
///
/// The gradient is 1 for the first of the largest rivals and −1 for the class, or 0. Two classes with the outputs `(−y/2, y/2)` are [`Hinge`](super::Hinge).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultiHinge;

/// The loss, and the rival that costs it.
fn hinge<const N: usize, T: Scalar>(y: &Tensor<N, 1, 1, T>, class: usize) -> (T, Option<usize>) {
    let Some(&own) = y.as_slice().get(class) else { return (T::nan(), None) };
    let mut rival: Option<(usize, T)> = None;
    for (j, &y) in y.as_slice().iter().enumerate() {
        // What is not a number counts as the largest, so that it shows.
        if j != class && rival.is_none_or(|(_, largest)| y > largest || y.is_nan()) {
            rival = Some((j, y));
        }
    }
    match rival.map(|(j, y)| (j, T::one() + y - own)) {
        None => (T::zero(), None),
        Some((_, short)) if short <= T::zero() => (T::zero(), None),
        Some((j, short)) => (short, Some(j)),
    }
}

impl<const N: usize, T: Scalar, L: Label> Loss<Tensor<N, 1, 1, T>, L> for MultiHinge {
    fn value(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> T {
        hinge(output, target.class()).0
    }

    fn value_and_grad(&self, output: &Tensor<N, 1, 1, T>, target: &L, d_output: &mut Tensor<N, 1, 1, T>) -> T {
        let (value, rival) = hinge(output, target.class());
        for (j, d) in d_output.as_mut_slice().iter_mut().enumerate() {
            *d = match rival {
                Some(rival) if j == rival => T::one(),
                Some(_) if j == target.class() => -T::one(),
                _ => T::zero(),
            };
        }
        value
    }

    fn check(&self, target: &L) -> Result<(), TargetFault> {
        check_class::<Tensor<N, 1, 1, T>, L>(*target)
    }

    fn accuracy(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> Option<f64> {
        class_accuracy(output, *target)
    }
}

impl<const N: usize, T: Scalar, L: Label> Loss<Tensor<N, 1, 1, T>, L> for ZeroOne {
    fn value(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> T {
        match check_class::<Tensor<N, 1, 1, T>, L>(*target) {
            Ok(()) if output.argmax() == target.class() => T::zero(),
            Ok(()) => T::one(),
            Err(_) => T::nan(),
        }
    }

    fn value_and_grad(&self, output: &Tensor<N, 1, 1, T>, target: &L, d_output: &mut Tensor<N, 1, 1, T>) -> T {
        d_output.as_mut_slice().fill(T::zero());
        self.value(output, target)
    }

    fn check(&self, target: &L) -> Result<(), TargetFault> {
        check_class::<Tensor<N, 1, 1, T>, L>(*target)
    }

    fn accuracy(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> Option<f64> {
        class_accuracy(output, *target)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hinge, Sign, check};
    use super::*;

    const Y: Tensor<4, 1, 1, f64> = Tensor([[[0.5]], [[2.0]], [[1.75]], [[-3.0]]]);

    #[test]
    fn closed_forms() {
        let mut dy = Tensor::zeros();
        assert_eq!(MultiHinge.value_and_grad(&Y, &0_u8, &mut dy), 2.5);
        assert_eq!(dy.as_slice(), [-1.0, 1.0, 0.0, 0.0]);
        assert_eq!(MultiHinge.value_and_grad(&Y, &1_u8, &mut dy), 0.75);
        assert_eq!(dy.as_slice(), [0.0, -1.0, 1.0, 0.0]);
        let ahead = Tensor([[[0.5]], [[2.75]], [[1.75]], [[-3.0]]]);
        assert_eq!((MultiHinge.value_and_grad(&ahead, &1_u8, &mut dy), dy.as_slice()), (0.0, &[0.0; 4][..]));
        assert_eq!([0_u8, 1, 2].map(|class| ZeroOne.value(&Y, &class)), [1.0, 0.0, 1.0]);
        assert_eq!((ZeroOne.value_and_grad(&Y, &1_u8, &mut dy), dy.as_slice()), (0.0, &[0.0; 4][..]));
        assert_eq!(MultiHinge.accuracy(&Y, &1_u8), Some(1.0));
    }

    #[test]
    fn two_classes_are_the_hinge() {
        for y in [-1.5, -0.25, 0.75, 4.0] {
            let pair = Tensor::<2, 1, 1, f64>([[[-y / 2.0]], [[y / 2.0]]]);
            for sign in [Sign::Minus, Sign::Plus] {
                assert_eq!(MultiHinge.value(&pair, &sign.index()), Hinge.value(&Tensor([[[y]]]), &sign));
            }
        }
    }

    #[test]
    fn gradient_is_the_difference_quotient() {
        (0..4_u8).for_each(|class| check::gradient(&MultiHinge, Y, &class));
    }

    #[test]
    fn odd_cases_do_not_panic() {
        assert_eq!(MultiHinge.value(&Tensor::<1>([[[-2.0]]]), &0_u8), 0.0);
        assert!(MultiHinge.value(&Tensor::<1>([[[-2.0]]]), &1_u8).is_nan());
        assert!(ZeroOne.value(&Y, &4_u8).is_nan());
        assert!(MultiHinge.value(&Tensor::<3>([[[1.0]], [[f32::NAN]], [[2.0]]]), &0_u8).is_nan());
        assert!(Loss::<Tensor<4>, u8>::check(&MultiHinge, &4).is_err());
        assert!(Loss::<Tensor<4>, u8>::check(&ZeroOne, &4).is_err());
    }
}
