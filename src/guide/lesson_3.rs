//! Lesson 3: stochastic gradients.
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
//! How many samples each has seen when its risk is that of gradient descent after so many passes over the set, each with the rate that is the best for it:
//!
//! | digits, 1,797 samples | risk | gradient descent | mini-batches of 32 | stochastic | fewer by |
//! |---|---|---|---|---|---|
//! | 1 pass | 0.456 | 1,797 | 384 | 144 | 12 |
//! | 10 passes | 0.346 | 17,970 | 448 | 234 | 77 |
//! | 100 passes | 0.051 | 179,700 | 11,358 | 6,624 | 27 |
//!
//! | MNIST, 60,000 samples | risk | gradient descent | mini-batches of 32 | stochastic | fewer by |
//! |---|---|---|---|---|---|
//! | 1 pass | 0.872 | 60,000 | 608 | 600 | 100 |
//! | 10 passes | 0.620 | 600,000 | 1,216 | 600 | 1,000 |
//! | 30 passes | 0.396 | 1,800,000 | 6,080 | 5,400 | 333 |
//!
//! (The risk was measured every 18 samples of the one and every 600 of the other.) The larger the set, the more alike its samples are to each other, and the less a pass for a single step is worth.
//!
//! # Against the clock
//! A single sample is dear to compute with: the machine multiplies matrices far faster than vectors. Against seconds, mini-batches are ahead (Goodfellow, Bengio & Courville 2016, 8.1.3).
//!
#![doc = include_str!("pictures/03_seconds.svg")]
//!
//! The rate of single samples has to fall, for their gradients do not come to rest at the minimum, only their mean does: `η_t = η / (1 + t/τ)` is the [`InverseTime`](crate::schedule::InverseTime) schedule (Robbins & Monro 1951).
