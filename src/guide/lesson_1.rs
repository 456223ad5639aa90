//! Lesson 1: empirical risk and loss functions.
//!
//! Samples `(x, ỹ)` come from somewhere, and a predictor `f(x, α)` is to say `ỹ` when it sees `x`. How wrong it is with one sample, a *loss* tells; how wrong it is altogether,
//! the mean over all samples that may come, the *risk*:
//!
//! ```text
//! R(α) = E L(ỹ, f(x, α))
//! ```
//!
//! Nobody knows where samples come from, so nobody can compute it. What one has is `n` samples, and the mean over those, the *empirical risk*:
//!
//! ```text
//! R_emp(α) = 1/n Σ_i L(ỹ_i, f(x_i, α))
//! ```
//!
//! To learn is to choose α so that the second is small, in the hope that the first is then small too (Vapnik 1999, chapter 1).
//!
//! # A threshold on a line
//! Two classes, −1 and +1, lie around −1 and +1 on a line, with noise. The predictor is a threshold, `f(x, α) = x − α`, which is a network with one layer and one parameter:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Threshold([1] -> [1]) { shift: bias }    // f(x, α) = x + shift: the parameter is −α
//! }
//!
//! let inputs = [-1.3_f32, -0.4, 0.2, 0.9, 1.6].map(|x| Tensor::<1>([[[x]]]));
//! let signs = [false, false, true, false, true].map(Sign::from);
//! let mut f = Threshold::zeroed_box();                // α = 0
//!
//! // R_emp(0): one of five is on the wrong side.
//! assert_eq!(evaluate(&f, &(&inputs, &signs), &ZeroOne)?.loss, 0.2);
//!
//! f.params_mut()[0] = -1.0;                           // α = 1
//! assert_eq!(evaluate(&f, &(&inputs, &signs), &ZeroOne)?.loss, 0.2);
//! # Ok::<(), tenonet::loss::BatchError>(())
//! ```
//!
//! Here the noise is known, and so is the risk. The empirical risk of 20 samples has its minimum in a wrong place; that of 20,000 is close to the risk everywhere at once, which is what makes its
//! minimum a good place for the risk as well:
//!
#![doc = include_str!("pictures/01_risk.svg")]
//!
//! # Losses
//! What one means is the [`ZeroOne`](crate::loss::ZeroOne) loss: how often `f` is wrong. But it is flat: a small change of α changes nothing, so nothing says where to go. The others bound it from above (the logistic one
//! by a factor of log 2) and have a slope. With the *margin* `ỹ f`, positive where `f` is right:
//!
//! | | `L(ỹ, f)` | |
//! |---|---|---|
//! | zero-one | 1 if `ỹ f ≤ 0`, else 0 | [`ZeroOne`](crate::loss::ZeroOne) |
//! | squared | `½ (f − ỹ)²` | [`SquaredError`](crate::loss::SquaredError) |
//! | absolute | <code>&#124;f − ỹ&#124;</code> | [`AbsoluteError`](crate::loss::AbsoluteError) |
//! | Huber | the squared one up to δ, from there as the absolute one | [`Huber`](crate::loss::Huber) |
//! | hinge | `max(0, 1 − ỹ f)` | [`Hinge`](crate::loss::Hinge) |
//! | squared hinge | `max(0, 1 − ỹ f)²` | [`SquaredHinge`](crate::loss::SquaredHinge) |
//! | logistic | `log(1 + exp(−ỹ f))` | [`Logistic`](crate::loss::Logistic) |
//! | exponential | `exp(−ỹ f)` | [`Exponential`](crate::loss::Exponential) |
//!
#![doc = include_str!("pictures/01_losses.svg")]
//!
//! ```
//! use tenonet::prelude::*;
//!
//! let f = Tensor::<1>([[[0.5]]]);
//! assert_eq!(Hinge.value(&f, &Sign::Plus), 0.5);      // right, but not by 1
//! assert_eq!(Hinge.value(&f, &Sign::Minus), 1.5);     // wrong
//!
//! // Each comes with its gradient ∂L/∂f.
//! let mut df = Tensor::zeros();
//! SquaredError.value_and_grad(&f, &Sign::Minus, &mut df);
//! assert_eq!(df.as_slice(), [1.5]);                   // f − ỹ
//! ```
//!
//! The squared loss punishes those that are right by far; the hinge and the logistic loss do not. Of many classes the logistic loss becomes `−f_c + log Σ_j exp(f_j)`, the
//! [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy) of [lesson 3](super::lesson_3), and the hinge [`MultiHinge`](crate::loss::MultiHinge).
