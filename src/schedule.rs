//! Schedules: how the learning rate runs over a training.
//!
//! A schedule is a function of the place in the run alone, so a resumed run has the same rates as an uninterrupted one;
//! and its bits are the same on every machine.
//!
//! ```
//! use tenonet::schedule::{Cosine, Position, Schedule};
//!
//! let schedule = Cosine::to(0.001).warm_up(10);
//! let at = |step| schedule.rate(0.5, Position { step, total_steps: 110, steps_per_epoch: 10 });
//! assert_eq!(at(0), 0.05);                     // a tenth of the base rate 0.5: the first of ten steps of warm-up
//! assert_eq!(at(10), 0.5);                     // the cosine begins
//! assert!((at(60) - 0.2505).abs() < 1e-15);   // half way between 0.5 and 0.001
//! ```

use core::fmt::Debug;

use crate::portable::{half_wave, power};

/// A place in a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Optimizer steps taken before.
    pub step: u64,
    /// Steps of the whole training.
    pub total_steps: u64,
    /// Steps of one epoch.
    pub steps_per_epoch: u64,
}

/// The learning rate as a function of the place in the training.
///
/// What `Debug` prints names the schedule in checkpoints: two schedules that differ must print differently.
pub trait Schedule: Debug {
    /// The learning rate of a step, where `base` is the optimizer's own.
    fn rate(&self, base: f64, at: Position) -> f64;

    /// Whether the rate depends on the length of the training: if so, a checkpoint fits only a run of as many epochs.
    fn depends_on_total(&self) -> bool {
        true
    }

    /// This schedule after a linear warm-up of so many steps.
    fn warm_up(self, steps: u64) -> WarmUp<Self>
    where
        Self: Sized,
    {
        WarmUp { length: Length::Steps(steps), then: self }
    }

    /// This schedule after a linear warm-up of so many epochs.
    fn warm_up_epochs(self, epochs: u64) -> WarmUp<Self>
    where
        Self: Sized,
    {
        WarmUp { length: Length::Epochs(epochs), then: self }
    }
}

/// The base rate throughout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constant;

impl Schedule for Constant {
    fn rate(&self, base: f64, _at: Position) -> f64 {
        base
    }

    fn depends_on_total(&self) -> bool {
        false
    }
}

/// `base · γ^⌊epoch / n⌋`: the rate falls by a factor every `n` epochs. PyTorch calls it `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepDecay {
    epochs: u64,
    gamma: f64,
}

impl StepDecay {
    /// Multiplies by `gamma` every so many epochs; 0 epochs are taken as 1.
    pub const fn every(epochs: u64, gamma: f64) -> Self {
        StepDecay { epochs, gamma }
    }
}

impl Schedule for StepDecay {
    fn rate(&self, base: f64, at: Position) -> f64 {
        base * power(self.gamma, at.step / at.steps_per_epoch.max(1) / self.epochs.max(1))
    }

    fn depends_on_total(&self) -> bool {
        false
    }
}

/// `base / (1 + step / τ)`: constant at first, then as one over the step. The rates sum to infinity and their squares do not, so stochastic gradient
/// descent comes to rest, and at the minimum where the risk is convex (Robbins & Monro 1951, "A stochastic approximation method").
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InverseTime {
    tau: f64,
}

impl InverseTime {
    /// Half the base rate after τ steps; below 1, and not a number, are taken as 1.
    pub const fn half_after(tau: f64) -> Self {
        InverseTime { tau: if tau >= 1.0 { tau } else { 1.0 } }
    }
}

impl Schedule for InverseTime {
    fn rate(&self, base: f64, at: Position) -> f64 {
        base / (1.0 + at.step as f64 / self.tau)
    }

    fn depends_on_total(&self) -> bool {
        false
    }
}

/// `min + (base − min) · ½(1 + cos(π · step / total))`: half a cosine from the base rate to a minimum, a little lower at every step
/// (Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5, without restarts).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cosine {
    minimum: f64,
}

impl Cosine {
    /// Down to nothing.
    pub const fn new() -> Self {
        Cosine { minimum: 0.0 }
    }

    /// Down to this learning rate.
    pub const fn to(minimum: f64) -> Self {
        Cosine { minimum }
    }
}

impl Schedule for Cosine {
    fn rate(&self, base: f64, at: Position) -> f64 {
        let done = at.step as f64 / at.total_steps.max(1) as f64;
        self.minimum + (base - self.minimum) * half_wave(done)
    }
}

/// A linear warm-up before another schedule: `base · (step + 1) / n` for the first `n` steps (Goyal et al. 2017, "Accurate, Large
/// Minibatch SGD", 2.2); then the other, which counts its steps and its total from there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp<S> {
    length: Length,
    then: S,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Length {
    Steps(u64),
    Epochs(u64),
}

impl<S: Schedule> Schedule for WarmUp<S> {
    fn rate(&self, base: f64, at: Position) -> f64 {
        let length = match self.length {
            Length::Steps(steps) => steps,
            Length::Epochs(epochs) => epochs.saturating_mul(at.steps_per_epoch),
        };
        if at.step < length {
            return base * ((at.step + 1) as f64 / length as f64);
        }
        let then = Position { step: at.step - length, total_steps: at.total_steps.saturating_sub(length), ..at };
        self.then.rate(base, then)
    }

    fn depends_on_total(&self) -> bool {
        self.then.depends_on_total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Position {
        Position { step, total_steps: 100, steps_per_epoch: 10 }
    }

    #[test]
    fn constant_is_the_base() {
        assert!((0..100).all(|step| Constant.rate(0.3, at(step)) == 0.3));
    }

    #[test]
    fn steps_fall_at_the_ends_of_epochs() {
        let schedule = StepDecay::every(2, 0.5);
        let rates = [0, 19, 20, 39, 40, 99].map(|step| schedule.rate(0.8, at(step)));
        assert_eq!(rates, [0.8, 0.8, 0.4, 0.4, 0.2, 0.05]);
        assert_eq!(StepDecay::every(0, 0.5).rate(0.8, at(10)), 0.4);
    }

    #[test]
    fn inverse_time_halves_after_tau() {
        let rates = [0, 20, 60, 180].map(|step| InverseTime::half_after(20.0).rate(0.8, at(step)));
        assert_eq!(rates, [0.8, 0.4, 0.2, 0.08]);
        assert_eq!(InverseTime::half_after(f64::NAN).rate(0.8, at(1)), 0.4);
        assert!(!InverseTime::half_after(2.0).depends_on_total());
    }

    #[test]
    fn cosine_runs_from_base_to_minimum() {
        let schedule = Cosine::to(0.02);
        assert_eq!(schedule.rate(0.1, at(0)), 0.1);
        assert!((schedule.rate(0.1, at(50)) - 0.06).abs() < 1e-16);
        assert_eq!(schedule.rate(0.1, at(100)), 0.02);
        // A third of the way, cos(π/3) = ½: three quarters of the fall remain.
        let third = Cosine::new().rate(1.0, Position { step: 1, total_steps: 3, steps_per_epoch: 1 });
        assert!((third - 0.75).abs() < 1e-15);
        assert!((1..=100).all(|step| schedule.rate(0.1, at(step)) < schedule.rate(0.1, at(step - 1))));
    }

    #[test]
    fn the_bits_of_a_cosine_are_fixed() {
        // Stored once: a change of a bit would break resuming across versions.
        let rates = [1, 33, 50, 77, 99].map(|step| Cosine::new().rate(0.05, at(step)).to_bits());
        assert_eq!(rates, BITS);
    }

    const BITS: [u64; 5] =
        [4587364802635944809, 4585597715721922446, 4582862980812216732, 4573852580193339098, 4533399509226688341];

    #[test]
    fn warm_up_comes_first_and_the_rest_counts_from_there() {
        let schedule = Cosine::new().warm_up(20);
        assert_eq!(schedule.rate(0.1, at(0)), 0.1 * (1.0 / 20.0));
        assert_eq!(schedule.rate(0.1, at(19)), 0.1);
        assert_eq!(schedule.rate(0.1, at(20)), 0.1);
        assert!((schedule.rate(0.1, at(60)) - 0.05).abs() < 1e-16);
        assert_eq!(schedule.rate(0.1, at(100)), 0.0);
        let by_epochs = Cosine::new().warm_up_epochs(2);
        assert!((0..100).all(|step| by_epochs.rate(0.1, at(step)) == schedule.rate(0.1, at(step))));
        assert!(schedule.depends_on_total() && !Constant.warm_up(3).depends_on_total());
        assert_eq!(Constant.warm_up(0).rate(0.1, at(0)), 0.1);
    }

    #[test]
    fn odd_positions_do_not_panic() {
        let nowhere = Position { step: 0, total_steps: 0, steps_per_epoch: 0 };
        for schedule in [
            &Cosine::new() as &dyn Schedule,
            &InverseTime::half_after(0.0),
            &StepDecay::every(1, 0.1),
            &Constant.warm_up_epochs(u64::MAX),
        ] {
            assert_eq!(schedule.rate(0.1, nowhere), 0.1);
            let end = Position { step: u64::MAX, total_steps: 1, steps_per_epoch: 2 };
            assert!(schedule.rate(0.1, end).is_finite());
        }
    }
}
