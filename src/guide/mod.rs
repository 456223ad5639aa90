//! From empirical risk to convolutional networks: a course of nine lessons.
//!
//! What a lecture on convolutional networks derives, as things that run. Each page has the equations of one lesson, the line of code that does each, and the pictures that
//! its example draws; `cargo run --release --example NAME` runs it, on data that ships with the crate, in less than half a minute.
//!
//! | | Lesson | Example |
//! |---|---|---|
//! | 1 | [Empirical risk and loss functions](lesson_1) | `01_empirical_risk` |
//! | 2 | [Logistic regression by gradient descent](lesson_2) | `02_logistic_regression` |
//! | 3 | [Stochastic gradients](lesson_3) | `03_stochastic_gradients` |
//! | 4 | [Multilayer networks and back-propagation](lesson_4) | `04_back_propagation` |
//! | 5 | [Why not fully connected](lesson_5) | `05_why_not_fully_connected` |
//! | 6 | [Convolution](lesson_6) | `06_convolution` |
//! | 7 | [Channels and pooling](lesson_7) | `07_channels_and_pooling` |
//! | 8 | [A convolutional network](lesson_8) | `08_convolutional_network` |
//! | 9 | [What the first layer learned](lesson_9) | `09_first_layer_filters` |
//!
//! # Symbols
//! | | is | in code |
//! |---|---|---|
//! | `x` | an input | [`Tensor`](crate::Tensor) |
//! | `ỹ` | what it should lead to: a target | [`Sign`](crate::loss::Sign), a class, or a tensor |
//! | `f(x, α)` | a predictor with the parameters α | [`Network`](crate::Network): `net.forward(&x, …)`, `net.params()` |
//! | `L(ỹ, f)` | a loss | [`Loss`](crate::loss::Loss) |
//! | `R(α)`, `R_emp(α)` | the risk, the empirical risk | [`evaluate`](crate::train::evaluate) yields the second |
//! | `η`, `η_t` | a learning rate, at step `t` | [`Sgd::new(η)`](crate::optim::Sgd), [`Schedule`](crate::schedule::Schedule) |
//! | `W_k`, `b_k` | weights and biases of layer `k` | `net.fc1.weight`, `net.fc1.bias` |
//! | `σ` | the sigmoid `1 / (1 + exp(−a))` | the layer `sigmoid` |
//! | `e_k` | the error signal `∂L/∂a_k` of layer `k` | in [`loss_and_grad`](crate::Network::loss_and_grad) |
//! | `f ⋆ g` | cross-correlation, which networks call convolution | [`signal`](crate::signal), the layer `conv` |
//!
//! # To read beside it
//! - V. Vapnik, *The Nature of Statistical Learning Theory*, second edition, Springer 1999 (chapter 1).
//! - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press 2016 (chapters 6, 8 and 9).

pub mod lesson_1;
pub mod lesson_2;
pub mod lesson_3;
pub mod lesson_4;
pub mod lesson_5;
pub mod lesson_6;
pub mod lesson_7;
pub mod lesson_8;
pub mod lesson_9;
