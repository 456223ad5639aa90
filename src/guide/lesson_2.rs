//! Lesson 2: logistic regression by gradient descent.
//!
//! A linear predictor, `f(x, α) = α₁ x₁ + α₂ x₂`, and the logistic loss. The empirical risk
//!
//! ```text
//! R_emp(α) = 1/n Σ_i log(1 + exp(−ỹ_i αᵀx_i))
//! ```
//!
//! is a convex function of α: a valley without other valleys beside it. *Gradient descent* walks down,
//!
//! ```text
//! α_{t+1} = α_t − η ∇R_emp(α_t)
//! ```
//!
//! with a *learning rate* η. A linear model is a network of one layer, and so is what descends:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Linear2([2] -> [1]) { fc: linear(1, bias = false) }
//! }
//!
//! let inputs = [[1.0, 0.5], [0.4, -1.0], [-1.2, 0.1], [-0.3, -0.8]].map(|[x1, x2]| Tensor::<2>([[[x1]], [[x2]]]));
//! let signs = [true, true, false, false].map(Sign::from);
//!
//! let mut net = Linear2::zeroed_box();                                     // α = 0
//! let mut grad = Linear2::zeroed_box();
//! let mut descent = Sgd::new(2.0);                                         // η = 2
//! let before = net.loss_and_grad(&inputs, &signs, &Logistic, &mut grad)?;  // R_emp and ∇R_emp: all samples at once
//! for _ in 0..20 {
//!     descent.step(net.params_mut(), grad.params())?;                      // α ← α − η ∇R_emp(α)
//!     net.loss_and_grad(&inputs, &signs, &Logistic, &mut grad)?;
//! }
//! let after = net.loss_and_grad(&inputs, &signs, &Logistic, &mut grad)?;
//! assert!(before == 2_f32.ln() && after < 0.2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The [`Trainer`](crate::train::Trainer) writes the loop itself: `.optimizer(Sgd::new(2.0)).batch(All).epochs(20)`.
//!
//! # Orthogonal to the contours
//! Along a contour line the risk does not change. So its derivative in that direction, the product of the gradient and the line's direction, is 0: the gradient is orthogonal to the contour
//! line through its point, and so is each step of the descent.
//!
#![doc = include_str!("pictures/02_descent.svg")]
//!
//! The example checks that as a number. From values of the risk alone it finds the two points of a small circle around α_t that lie on the same level, takes the line through them for the contour, and prints the
//! cosine of its angle to the gradient: below 10⁻⁷ at every step.
//!
//! Near the minimum the gradient is small and so are the steps; where the valley is narrow in one direction and long in another, η must suit the narrow one, and the long one takes
//! many steps (Goodfellow, Bengio & Courville 2016, 4.3 and 8.2). The line `f(x, α) = 0` that was found:
//!
#![doc = include_str!("pictures/02_data.svg")]
