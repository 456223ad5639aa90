//! [`Adam`] and [`AdamW`]: steps scaled by running moments of the gradient.

use core::marker::PhantomData;

use num_traits::Float;

use super::elements::{On, each};
use super::{DefaultStorage, Optimizer, OptimizerError, Storage, below_one, fit, not_negative, same_length};
use crate::Scalar;
use crate::portable::power;

/// Adam (Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1). Weight decay, if any, is added to the gradient.
///
/// The full rule stands at [`Adaptive`].
///
/// ```
/// use tenonet::optim::Adam;
///
/// let adam: Adam<f32> = Adam::new(1e-3).betas(0.9, 0.999).eps(1e-8);
/// ```
pub type Adam<T, S = DefaultStorage<T>> = Adaptive<T, S, false>;

/// AdamW (Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2): weights decay by themselves, by 0.01 unless told.
///
/// The full rule stands at [`Adaptive`].
///
/// ```
/// use tenonet::optim::AdamW;
///
/// let adam: AdamW<f32> = AdamW::new(1e-3).weight_decay(0.05);
/// ```
pub type AdamW<T, S = DefaultStorage<T>> = Adaptive<T, S, true>;

/// [`Adam`] (`DECOUPLED = false`) and [`AdamW`] (`DECOUPLED = true`).
///
/// The rule is PyTorch's (`torch.optim.Adam`, `torch.optim.AdamW`, without AMSGrad), with gradient `g`, parameter `p`,
/// rate η, decay λ, step `t` counted from 1:
///
/// ```text
/// g ← g + λ p                      (Adam)
/// p ← p − η λ p                    (AdamW)
/// m ← m + (1 − β₁)(g − m)
/// v ← β₂ v + (1 − β₂) g²
/// p ← p − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
/// ```
#[derive(Clone, Debug)]
pub struct Adaptive<T, S = DefaultStorage<T>, const DECOUPLED: bool = false> {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    steps: u64,
    mean: S,
    square: S,
    element: PhantomData<fn() -> T>,
}

#[cfg(feature = "std")]
impl<T: Clone + Default + Send, const DECOUPLED: bool> Adaptive<T, Vec<T>, DECOUPLED> {
    /// The rule with this learning rate, β = (0.9, 0.999), ε = 1e-8. The moments are allocated at the first step.
    pub fn new(rate: f64) -> Self {
        Self::with_storage(rate, Vec::new(), Vec::new())
    }
}

impl<T, S: Storage<T>, const DECOUPLED: bool> Adaptive<T, S, DECOUPLED> {
    /// The rule with this learning rate, which keeps its first moments in `mean` and its second in `square`.
    ///
    /// Each has as many elements as there are parameters, whatever they hold.
    pub const fn with_storage(rate: f64, mean: S, square: S) -> Self {
        let weight_decay = if DECOUPLED { 0.01 } else { 0.0 };
        Self { rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay, steps: 0, mean, square, element: PhantomData }
    }

    /// The weights β₁, β₂ of the past in the running moments.
    #[must_use]
    pub fn betas(mut self, mean: f64, square: f64) -> Self {
        self.betas = (mean, square);
        self
    }

    /// What is added to the root of the second moment: the step's bound where gradients vanish.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// Weight decay λ. It holds for all parameters, biases too.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl<T: Scalar, S: Storage<T>, const DECOUPLED: bool> Adaptive<T, S, DECOUPLED> {
    fn step_on(&mut self, on: On, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError> {
        self.prepare(same_length(params, grads)?)?;
        if self.steps == 0 {
            // The user's memory may not have been cleared.
            self.mean.values_mut().fill(T::zero());
            self.square.values_mut().fill(T::zero());
        }
        self.steps += 1;
        let of = T::of;
        let (b1, b2) = self.betas;
        let rate = of(self.rate / (1.0 - power(b1, self.steps)));
        let root = of(Float::sqrt(1.0 - power(b2, self.steps)));
        let (new, b2, new_square, eps) = (of(1.0 - b1), of(b2), of(1.0 - b2), of(self.eps));
        let (added, kept) = if DECOUPLED {
            (T::zero(), of(1.0 - self.rate * self.weight_decay))
        } else {
            (of(self.weight_decay), T::one())
        };
        let moments = [self.mean.values_mut(), self.square.values_mut()];
        each(on, params, grads, moments, |params, grads, [mean, square]| {
            for ((p, &g), (m, v)) in params.iter_mut().zip(grads).zip(mean.iter_mut().zip(square)) {
                let g = g + added * *p;
                *m += new * (g - *m);
                *v = b2 * *v + new_square * g * g;
                *p = kept * *p - rate * (*m / (v.sqrt() / root + eps));
            }
        });
        Ok(())
    }
}

impl<T: Scalar, S: Storage<T>, const DECOUPLED: bool> Optimizer<T> for Adaptive<T, S, DECOUPLED> {
    fn step(&mut self, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError> {
        self.step_on(On::Caller, params, grads)
    }

    #[cfg(feature = "rayon")]
    fn par_step(&mut self, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError> {
        self.step_on(On::Everyone, params, grads)
    }

    fn prepare(&mut self, params: usize) -> Result<(), OptimizerError> {
        not_negative("learning_rate", self.rate)?;
        below_one("beta1", self.betas.0)?;
        below_one("beta2", self.betas.1)?;
        not_negative("eps", self.eps)?;
        not_negative("weight_decay", self.weight_decay)?;
        fit(&mut self.mean, "mean", params)?;
        fit(&mut self.square, "square", params)
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn kind(&self) -> &'static str {
        if DECOUPLED { "adamw" } else { "adam" }
    }

    fn settings(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.rate);
        each("beta1", self.betas.0);
        each("beta2", self.betas.1);
        each("eps", self.eps);
        each("weight_decay", self.weight_decay);
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    fn state_names(&self) -> &'static [&'static str] {
        &["mean", "square"]
    }

    fn state(&self, index: usize) -> &[T] {
        match index {
            0 => self.mean.values(),
            1 => self.square.values(),
            _ => &[],
        }
    }

    fn state_mut(&mut self, index: usize) -> &mut [T] {
        match index {
            0 => self.mean.values_mut(),
            1 => self.square.values_mut(),
            _ => &mut [],
        }
    }
}
