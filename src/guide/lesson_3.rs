//! 3. Stochastic gradients.
//!
//! The gradient of the empirical risk is a mean over all `n` samples. Its estimate from a few, or from one, drawn at random, has the same direction in the mean, and costs as much less:
//!
//! ```text
//! α ← α − η   1/n Σ_i ∇L_i(α)        gradient descent: all n samples for a step
//! α ← α − η   1/m Σ_{i ∈ B} ∇L_i(α)  mini-batches: m of them
//! α ← α − η_t ∇L_i(α)                stochastic gradient descent: one
//! ```
//!
//! One [`Trainer`](crate::train::Trainer) does all three; what differs is the batch:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Regression([1, 8, 8] -> [10]) { flatten, fc: linear(10) }   // f = W x + b
//! }
//!
//! let digits = tenonet::data::digits();
//! let none = (&digits.inputs()[..0], &digits.labels()[..0]);
//!
//! let mut net = Regression::zeroed_box();
//! let descent = Trainer::new(&mut net)
//!     .loss(SoftmaxCrossEntropy).optimizer(Sgd::new(0.3))
//!     .batch(All).epochs(1)                                               // one step
//!     .record_risk(1)
//!     .fit(&digits, &none)?;
//!
//! let mut net = Regression::zeroed_box();
//! let stochastic = Trainer::new(&mut net)
//!     .loss(SoftmaxCrossEntropy).optimizer(Sgd::new(0.03))
//!     .schedule(InverseTime::half_after(1797.0))                          // η_t = η / (1 + t / 1797)
//!     .batch(1).epochs(1)                                                 // 1,797 steps
//!     .record_risk(100)
//!     .fit(&digits, &none)?;
//!
//! // Both have seen every digit once.
//! let end = |report: &tenonet::train::Report| report.risks.last().map(|point| point.loss);
//! assert!(end(&stochastic) < end(&descent));
//! # Ok::<(), tenonet::train::TrainError>(())
//! ```
//!
//! # Multi-class logistic regression
//! The model has an output for each of ten classes, `f = W x + b`, and the loss of a sample of class `c`, or of its one-hot vector `y`, is
//!
//! ```text
//! L = −yᵀf + log Σ_j exp(f_j) = −f_c + log Σ_j exp(f_j)
//! ```
//!
//! the [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy), computed so that no exponential overflows. Its empirical risk is convex: all three ways lead to the same place, and the question is which is there first. Each has the best of seven learning rates.
//!
#![doc = include_str!("pictures/03_samples.svg")]
//!
//! FIXME
//!
//! # Against the clock
//! A single sample is dear to compute with: the machine multiplies matrices far faster than vectors. Against seconds, mini-batches are ahead (Goodfellow, Bengio & Courville 2016, 8.1.3).
//!
#![doc = include_str!("pictures/03_seconds.svg")]
//!
//! The rate of single samples has to fall, for their gradients do not come to rest at the minimum, only their mean does: `η_t = η / (1 + t/τ)` is the [`InverseTime`](crate::schedule::InverseTime) schedule (Robbins & Monro 1951).
