//! What a network's output is held against: a class, a sign, or values.

use core::fmt;

use super::TargetFault;
use crate::Scalar;
use crate::tensor::{FeatureMap, Tensor, argmax};

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

/// A label of two classes, −1 or +1, for a network with one output `y`: its sign is what the network says, and `ỹ · y` is the
/// *margin*, positive where it is right.
///
/// ```
/// use tenonet::prelude::*;
///
/// let signs: Vec<Sign> = [3_u8, 8, 3].iter().map(|&digit| Sign::from(digit == 3)).collect();
/// assert_eq!(signs, [Sign::Plus, Sign::Minus, Sign::Plus]);
/// assert_eq!(signs[1].value::<f32>(), -1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// −1
    Minus,
    /// +1
    Plus,
}

impl Sign {
    /// −1 or +1 as an element.
    #[inline(always)]
    pub fn value<T: Scalar>(self) -> T {
        match self {
            Sign::Minus => -T::one(),
            Sign::Plus => T::one(),
        }
    }

    /// What an output says: `None` for 0 and for what is not a number.
    pub fn of<T: Scalar>(output: T) -> Option<Self> {
        if output > T::zero() {
            Some(Sign::Plus)
        } else if output < T::zero() {
            Some(Sign::Minus)
        } else {
            None
        }
    }

    /// 0 for −1 and 1 for +1: the place of a class of two in a list.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl From<bool> for Sign {
    /// +1 for `true`.
    fn from(plus: bool) -> Self {
        if plus { Sign::Plus } else { Sign::Minus }
    }
}

impl core::ops::Neg for Sign {
    type Output = Self;

    fn neg(self) -> Self {
        Sign::from(self == Sign::Minus)
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sign::Minus => "−1",
            Sign::Plus => "+1",
        })
    }
}

/// What stands for values `ỹ` that an output `O` should have: a tensor of its shape, a class for the one-hot vector of that
/// class, or a [`Sign`] for −1 and +1.
pub trait Values<O: FeatureMap>: Sync {
    /// `ỹ`, element by element.
    fn values(&self) -> impl Iterator<Item = O::Scalar>;

    /// Whether this can be a target for such an output.
    ///
    /// # Errors
    /// If it cannot.
    fn check(&self) -> Result<(), TargetFault>;

    /// The part of the output that is right; `None` where that means nothing.
    fn accuracy(&self, output: &O) -> Option<f64>;
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Values<Tensor<C, H, W, T>> for Tensor<C, H, W, T> {
    #[inline]
    fn values(&self) -> impl Iterator<Item = T> {
        self.as_slice().iter().copied()
    }

    fn check(&self) -> Result<(), TargetFault> {
        Ok(())
    }

    fn accuracy(&self, _output: &Self) -> Option<f64> {
        None
    }
}

impl<const N: usize, T: Scalar, L: Label> Values<Tensor<N, 1, 1, T>> for L {
    fn values(&self) -> impl Iterator<Item = T> {
        let class = self.class();
        // A class too many has no one-hot vector: the loss of it is not a number.
        let (one, zero) = if class < N { (T::one(), T::zero()) } else { (T::nan(), T::nan()) };
        (0..N).map(move |i| if i == class { one } else { zero })
    }

    fn check(&self) -> Result<(), TargetFault> {
        check_class::<Tensor<N, 1, 1, T>, L>(*self)
    }

    fn accuracy(&self, output: &Tensor<N, 1, 1, T>) -> Option<f64> {
        class_accuracy(output, *self)
    }
}

impl<T: Scalar> Values<Tensor<1, 1, 1, T>> for Sign {
    fn values(&self) -> impl Iterator<Item = T> {
        core::iter::once(self.value())
    }

    fn check(&self) -> Result<(), TargetFault> {
        Ok(())
    }

    fn accuracy(&self, output: &Tensor<1, 1, 1, T>) -> Option<f64> {
        sign_accuracy(output, *self)
    }
}

/// Whether a label is one of an output's classes.
pub(super) fn check_class<O: FeatureMap, L: Label>(label: L) -> Result<(), TargetFault> {
    let (found, classes) = (label.class(), O::SHAPE.len());
    if found < classes { Ok(()) } else { Err(TargetFault::Class { found, classes }) }
}

/// Whether an output's largest element is the label's.
pub(super) fn class_accuracy<O: FeatureMap, L: Label>(output: &O, label: L) -> Option<f64> {
    Some(if argmax(output.flat()) == label.class() { 1.0 } else { 0.0 })
}

/// Whether an output's sign is the target's; 0 is neither's.
pub(super) fn sign_accuracy<T: Scalar>(output: &Tensor<1, 1, 1, T>, target: Sign) -> Option<f64> {
    Some(if Sign::of(output.0[0][0][0]) == Some(target) { 1.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs() {
        assert_eq!((Sign::from(true), -Sign::Plus, -Sign::Minus), (Sign::Plus, Sign::Minus, Sign::Plus));
        assert_eq!((Sign::Minus.value::<f64>(), Sign::Plus.value::<f32>()), (-1.0, 1.0));
        assert_eq!((Sign::Minus.index(), Sign::Plus.index()), (0, 1));
        assert_eq!([Sign::Minus, Sign::Plus].map(|sign| sign.to_string()), ["−1", "+1"]);
        let said = [-0.5, 0.0, 2.0, f64::NAN].map(Sign::of);
        assert_eq!(said, [Some(Sign::Minus), None, Some(Sign::Plus), None]);
        let right = [-0.5, 0.0, 2.0].map(|y| sign_accuracy(&Tensor([[[y]]]), Sign::Plus));
        assert_eq!(right, [Some(0.0), Some(0.0), Some(1.0)]);
    }
}
