//! Lesson 4: multilayer networks and back-propagation.
//!
//! A linear model cannot tell two moons apart. A network of layers can: each is a linear map and a sigmoid,
//!
//! ```text
//! a_k = W_k x_{k−1} + b_k        x_k = σ(a_k)        σ(a) = 1 / (1 + exp(−a))
//! ```
//!
//! from the input `x₀` to the output `x₃`, and the loss is the quadratic one, `L = ½ ‖x₃ − ỹ‖²`.
//!
#![doc = include_str!("pictures/04_network.svg")]
//!
//! # Error signals
//! The gradient is the chain rule, from the end to the beginning. With the *error signals* `e_k = ∂L/∂a_k` and `σ′(a) = σ(a) (1 − σ(a))`:
//!
//! ```text
//! e₃ = (x₃ − ỹ) ⊙ σ′(a₃)
//! e₂ = (W₃ᵀ e₃) ⊙ σ′(a₂)
//! e₁ = (W₂ᵀ e₂) ⊙ σ′(a₁)
//!
//! ∂L/∂W_k = e_k x_{k−1}ᵀ         ∂L/∂b_k = e_k
//! ```
//!
//! Each is computed once, from the one behind it: back costs about twice what forward did (Goodfellow, Bengio & Courville 2016, 6.5). That is what
//! [`loss_and_grad`](crate::Network::loss_and_grad) does, for all layers that there are. A layer with one neuron, by hand and by the network:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Neuron([2] -> [1]) { fc: linear(1), sigmoid }
//! }
//!
//! let mut net = Neuron::<f64>::zeroed_box();
//! net.params_mut().copy_from_slice(&[0.5, -1.0, 0.25]);         // W, then b
//! let (x0, target) = (Tensor([[[1.5]], [[0.5]]]), Tensor([[[1.0]]]));
//!
//! let a1: f64 = 0.5 * 1.5 - 1.0 * 0.5 + 0.25;                   // a₁ = W₁ x₀ + b₁
//! let x1 = 1.0 / (1.0 + (-a1).exp());                           // x₁ = σ(a₁)
//! let e1 = (x1 - 1.0) * x1 * (1.0 - x1);                        // e₁ = (x₁ − ỹ) ⊙ σ′(a₁)
//! let by_hand = [e1 * 1.5, e1 * 0.5, e1];                       // ∂L/∂W₁ = e₁ x₀ᵀ, ∂L/∂b₁ = e₁
//!
//! let mut grad = Neuron::<f64>::zeroed_box();
//! net.loss_and_grad(&[x0], &[target], &SquaredError, &mut grad)?;
//! for (by_network, by_hand) in grad.params().iter().zip(by_hand) {
//!     assert!((by_network - by_hand).abs() < 1e-15);
//! }
//! # Ok::<(), tenonet::loss::BatchError>(())
//! ```
//!
//! The example does the same for all three layers, prints e₃, e₂ and e₁, and compares all gradients in double precision: they differ by less than 10⁻¹² of the largest. Then the network learns the moons.
//!
#![doc = include_str!("pictures/04_moons.svg")]
