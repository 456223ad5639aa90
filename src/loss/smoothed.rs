//! [`Smoothed`]: label smoothing.

use super::target::{check_class, class_accuracy, sign_accuracy};
use super::{Label, Logistic, Loss, Sign, SoftmaxCrossEntropy, TargetFault};
use crate::Scalar;
use crate::tensor::Tensor;

/// A loss whose labels are a little unsure: with the probability ε the class is any of the `N`, each as likely (Szegedy et al. 2016,
/// "Rethinking the Inception architecture for computer vision", 7).
///
/// Of [`SoftmaxCrossEntropy`] it is `(1 − ε) ℓ(y, c) + ε/N Σ_j ℓ(y, j)`, as PyTorch's `CrossEntropyLoss(label_smoothing=ε)`; of [`Logistic`] the same for its two
/// classes, `(1 − ε/2) ℓ(m) + ε/2 ℓ(−m)`. For other losses it makes no sense: those that are linear from somewhere on would only be scaled there.
///
/// ```
/// use tenonet::prelude::*;
///
/// let y = Tensor::<3>([[[2.0]], [[0.0]], [[0.0]]]);
/// let loss = Smoothed::new(SoftmaxCrossEntropy, 0.1);
/// assert!(loss.value(&y, &0_u8) > SoftmaxCrossEntropy.value(&y, &0_u8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothed<E> {
    loss: E,
    epsilon: f64,
}

impl<E> Smoothed<E> {
    /// The loss with the part ε of its labels spread over all classes, 0 to 1; another one is refused as soon as there is a target.
    pub fn new(loss: E, epsilon: f64) -> Self {
        Smoothed { loss, epsilon }
    }

    fn check_epsilon(&self) -> Result<(), TargetFault> {
        if (0.0..=1.0).contains(&self.epsilon) {
            return Ok(());
        }
        Err(TargetFault::Setting { name: "epsilon", found: self.epsilon, wanted: "0 to 1" })
    }
}

impl Smoothed<SoftmaxCrossEntropy> {
    /// What smoothing adds: `ε (y_c − mean y)`, since `ℓ(y, j) = log Σ exp(y) − y_j` has the same logarithm for all `j`.
    fn spread<const N: usize, T: Scalar, L: Label>(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> T {
        let y = output.as_slice();
        let mean = y.iter().copied().sum::<T>() / T::of(N as f64);
        y.get(target.class()).map_or(T::nan(), |&own| T::of(self.epsilon) * (own - mean))
    }
}

impl<const N: usize, T: Scalar, L: Label> Loss<Tensor<N, 1, 1, T>, L> for Smoothed<SoftmaxCrossEntropy> {
    fn value(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> T {
        self.loss.value(output, target) + self.spread(output, target)
    }

    fn value_and_grad(&self, output: &Tensor<N, 1, 1, T>, target: &L, d_output: &mut Tensor<N, 1, 1, T>) -> T {
        let value = self.loss.value_and_grad(output, target, d_output);
        let epsilon = T::of(self.epsilon);
        for d in d_output.as_mut_slice() {
            *d -= epsilon / T::of(N as f64);
        }
        if let Some(d) = d_output.as_mut_slice().get_mut(target.class()) {
            *d += epsilon;
        }
        value + self.spread(output, target)
    }

    fn check(&self, target: &L) -> Result<(), TargetFault> {
        self.check_epsilon()?;
        check_class::<Tensor<N, 1, 1, T>, L>(*target)
    }

    fn accuracy(&self, output: &Tensor<N, 1, 1, T>, target: &L) -> Option<f64> {
        class_accuracy(output, *target)
    }
}

impl<T: Scalar> Loss<Tensor<1, 1, 1, T>, Sign> for Smoothed<Logistic> {
    fn value(&self, output: &Tensor<1, 1, 1, T>, target: &Sign) -> T {
        // ℓ(−m) = ℓ(m) + m, so that the other class adds ε/2 · m.
        let other = T::of(self.epsilon / 2.0) * target.value();
        self.loss.value(output, target) + other * output.0[0][0][0]
    }

    fn value_and_grad(&self, output: &Tensor<1, 1, 1, T>, target: &Sign, d_output: &mut Tensor<1, 1, 1, T>) -> T {
        let other = T::of(self.epsilon / 2.0) * target.value();
        let value = self.loss.value_and_grad(output, target, d_output);
        d_output.0[0][0][0] += other;
        value + other * output.0[0][0][0]
    }

    fn check(&self, _target: &Sign) -> Result<(), TargetFault> {
        self.check_epsilon()
    }

    fn accuracy(&self, output: &Tensor<1, 1, 1, T>, target: &Sign) -> Option<f64> {
        sign_accuracy(output, *target)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const Y: Tensor<5, 1, 1, f64> = Tensor([[[0.3]], [[-1.7]], [[2.2]], [[0.0]], [[4.1]]]);

    /// The definition, term by term.
    #[test]
    fn classes_are_mixed() {
        for class in 0..5_usize {
            let all: f64 = (0..5_usize).map(|j| SoftmaxCrossEntropy.value(&Y, &j)).sum();
            let wanted = 0.8 * SoftmaxCrossEntropy.value(&Y, &class) + 0.2 / 5.0 * all;
            let found = Smoothed::new(SoftmaxCrossEntropy, 0.2).value(&Y, &class);
            assert!((found - wanted).abs() < 1e-14, "{found} against {wanted}");
        }
        assert_eq!(Smoothed::new(SoftmaxCrossEntropy, 0.0).value(&Y, &1_u8), SoftmaxCrossEntropy.value(&Y, &1_u8));
    }

    #[test]
    fn two_classes_are_logistic() {
        for y in [-2.0, 0.5, 7.0] {
            let pair = Tensor::<2, 1, 1, f64>([[[0.0]], [[y]]]);
            for sign in [Sign::Minus, Sign::Plus] {
                let wanted = Smoothed::new(SoftmaxCrossEntropy, 0.3).value(&pair, &sign.index());
                let found = Smoothed::new(Logistic, 0.3).value(&Tensor([[[y]]]), &sign);
                assert!((found - wanted).abs() < 1e-14, "{found} against {wanted}");
            }
        }
    }

    #[test]
    fn gradients_are_the_difference_quotients() {
        (0..5_u8).for_each(|class| check::gradient(&Smoothed::new(SoftmaxCrossEntropy, 0.15), Y, &class));
        for sign in [Sign::Minus, Sign::Plus] {
            check::gradient(&Smoothed::new(Logistic, 0.15), Tensor([[[1.3]]]), &sign);
        }
    }

    #[test]
    fn huge_logits_stay_finite() {
        let (y, mut dy) = (Tensor::<3>([[[1e4]], [[-1e4]], [[9e3]]]), Tensor::zeros());
        let loss = Smoothed::new(SoftmaxCrossEntropy, 0.3).value_and_grad(&y, &0_u8, &mut dy);
        // 0.3 / 3 · (2e4 + 1e3)
        assert!((loss - 2100.0).abs() < 1e-2 && dy.as_slice().iter().all(|d| d.is_finite()), "{loss}");
    }

    #[test]
    fn a_bad_epsilon_is_told() {
        for epsilon in [-0.1, 1.5, f64::NAN] {
            let wanted = format!("the loss's `epsilon` is {epsilon}, but must be 0 to 1");
            let of_classes = Loss::<Tensor<5>, u8>::check(&Smoothed::new(SoftmaxCrossEntropy, epsilon), &0);
            let of_signs = Loss::<Tensor<1>, Sign>::check(&Smoothed::new(Logistic, epsilon), &Sign::Plus);
            assert_eq!(of_classes.unwrap_err().to_string(), wanted);
            assert_eq!(of_signs.unwrap_err().to_string(), wanted);
        }
        assert!(Loss::<Tensor<5>, u8>::check(&Smoothed::new(SoftmaxCrossEntropy, 1.0), &5).is_err());
    }
}
