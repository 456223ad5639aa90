//! Lesson 4: a multilayer network, and back-propagation by hand.
//!
//! A network of three layers with sigmoids, and the quadratic loss. Forward, layer by layer,
//!
//! ```text
//! a_k = W_k x_{k−1} + b_k        x_k = σ(a_k)        k = 1, 2, 3
//! ```
//!
//! and back, with the *error signals* `e_k = ∂L/∂a_k` of `L = ½ ‖x₃ − ỹ‖²`:
//!
//! ```text
//! e₃ = (x₃ − ỹ) ⊙ σ′(a₃)                            σ′(a) = σ(a) (1 − σ(a))
//! e₂ = (W₃ᵀ e₃) ⊙ σ′(a₂)
//! e₁ = (W₂ᵀ e₂) ⊙ σ′(a₁)
//! ∂L/∂W_k = e_k x_{k−1}ᵀ         ∂L/∂b_k = e_k
//! ```
//!
//! (Goodfellow, Bengio & Courville 2016, 6.5). The lesson does that in six lines and compares with [`loss_and_grad`](tenonet::Network::loss_and_grad); then the network learns two moons.
//!
//! ```sh
//! cargo run --release --example 04_back_propagation
//! ```
//!
//! - `04_network`: the network and its shapes.
//! - `04_learning`: the loss against epochs.
//! - `04_moons`: the samples and the regions that the network tells apart.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenonet::plot::{Architecture, Chart, Plane};
use tenonet::prelude::*;

/// Neurons of the two hidden layers.
const HIDDEN: usize = 12;

network! {
    /// Two features in, one probability out.
    pub struct Mlp([2] -> [1]) {
        fc1: linear(HIDDEN), sigmoid,
        fc2: linear(HIDDEN), sigmoid,
        fc3: linear(1), sigmoid,
    }
}

type Input = Tensor<2, 1, 1, f64>;
type Target = Tensor<1, 1, 1, f64>;

fn main() -> ExitCode {
    Lesson::run(|lesson| {
        println!("{}\n", Mlp::summary());
        lesson.save("04_network", &Architecture::of::<Mlp<f64>>())?;

        let (inputs, targets) = moons(lesson.size(400, 40));
        let mut net = Mlp::<f64>::init(&mut StdRng::seed_from_u64(5));
        let difference = compare(&net, &inputs[..8], &targets[..8])?;
        println!("largest difference of the gradients, relative to the largest: {difference:.1e}\n");
        anyhow::ensure!(difference < 1e-12, "the gradients differ by {difference:e}");

        let (train, none) = ((&inputs, &targets), (&inputs[..0], &targets[..0]));
        let report = Trainer::new(&mut net)
            .loss(SquaredError)
            .optimizer(Adam::new(0.02))
            .batch(20)
            .epochs(lesson.size(300, 2) as u64)
            .seed(7)
            .fit(&train, &none)?;
        let loss = report.epochs.iter().map(|epoch| (epoch.epoch as f64, epoch.train_loss));
        let chart = Chart::new("Quadratic loss").x_label("epoch").y_label("mean loss").line("training", loss).log_y();
        println!("{}", chart.terminal(76, 14));
        lesson.save("04_learning", &chart)?;

        let mut scratch = Mlp::<f64>::scratch();
        let mut output = |x: Input| net.forward(&x, &mut scratch)[0][0][0];
        let right =
            inputs.iter().zip(&targets).filter(|(x, target)| (output(**x) > 0.5) == (target[0][0][0] > 0.5)).count();
        println!("right: {right} of {}", inputs.len());
        anyhow::ensure!(lesson.small || 100 * right > 97 * inputs.len(), "the moons were not learned");
        let of = |class: f64| {
            inputs.iter().zip(&targets).filter(move |(_, t)| t[0][0][0] == class).map(|(x, _)| (x[0][0][0], x[1][0][0]))
        };
        let plane = Plane::new("Two moons, and where the network says which")
            .x_label("x₁")
            .y_label("x₂")
            .range(-1.6..=2.6, -1.2..=1.7)
            .equal_axes()
            .regions(|x, y| usize::from(output(Tensor([[[x]], [[y]]])) > 0.5))
            .points("ỹ = 0", of(0.0))
            .points("ỹ = 1", of(1.0));
        lesson.save("04_moons", &plane)
    })
}

/// The gradient by the formulas beside that of `loss_and_grad`: their largest difference, relative to the largest element.
fn compare(net: &Mlp<f64>, inputs: &[Input], targets: &[Target]) -> anyhow::Result<f64> {
    let mut by_network = Mlp::<f64>::zeroed_box();
    net.loss_and_grad(inputs, targets, &SquaredError, &mut by_network)?;

    let mut by_hand = Mlp::<f64>::zeroed_box();
    let share = 1.0 / inputs.len() as f64;
    for (i, (x0, target)) in inputs.iter().zip(targets).enumerate() {
        let x0 = [x0[0][0][0], x0[1][0][0]];
        let x1 = layer(&net.fc1.weight, &net.fc1.bias, &x0);
        let x2 = layer(&net.fc2.weight, &net.fc2.bias, &x1);
        let x3 = layer(&net.fc3.weight, &net.fc3.bias, &x2);

        let e3 = signal(&[x3[0] - target[0][0][0]], &x3);
        let e2 = signal(&back(&net.fc3.weight, &e3), &x2);
        let e1 = signal(&back(&net.fc2.weight, &e2), &x1);
        if i == 0 {
            println!("error signals of the first sample\n  e₃ = {e3:+.5?}\n  e₂ = {e2:+.5?}\n  e₁ = {e1:+.5?}");
        }
        add_outer(&mut by_hand.fc3.weight, &mut by_hand.fc3.bias, &e3, &x2, share);
        add_outer(&mut by_hand.fc2.weight, &mut by_hand.fc2.bias, &e2, &x1, share);
        add_outer(&mut by_hand.fc1.weight, &mut by_hand.fc1.bias, &e1, &x0, share);
    }
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, value| most.max(value.abs()));
    let differences = &mut by_hand.params().iter().zip(by_network.params()).map(|(a, b)| a - b);
    Ok(largest(differences) / largest(&mut by_network.params().iter().copied()))
}

/// `σ(W x + b)`; weights lie with the outputs last, `w[input][output]`.
fn layer<const I: usize, const O: usize>(w: &[[f64; O]; I], b: &[f64; O], x: &[f64; I]) -> [f64; O] {
    std::array::from_fn(|o| {
        let a = b[o] + (0..I).map(|i| w[i][o] * x[i]).sum::<f64>();
        1.0 / (1.0 + (-a).exp())
    })
}

/// `Wᵀ e`
fn back<const I: usize, const O: usize>(w: &[[f64; O]; I], e: &[f64; O]) -> [f64; I] {
    std::array::from_fn(|i| (0..O).map(|o| w[i][o] * e[o]).sum())
}

/// `d ⊙ σ′(a)`, from the output `x = σ(a)`: `σ′(a) = x (1 − x)`.
fn signal<const N: usize>(d: &[f64; N], x: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|n| d[n] * x[n] * (1.0 - x[n]))
}

/// `∂W += share · e xᵀ` and `∂b += share · e`
fn add_outer<const I: usize, const O: usize>(
    dw: &mut [[f64; O]; I], db: &mut [f64; O], e: &[f64; O], x: &[f64; I], share: f64,
) {
    for o in 0..O {
        for i in 0..I {
            dw[i][o] += share * e[o] * x[i];
        }
        db[o] += share * e[o];
    }
}

/// Two half circles, one in the other, with a little noise.
fn moons(n: usize) -> (Vec<Input>, Vec<Target>) {
    let mut rng = StdRng::seed_from_u64(11);
    let mut one = |i: usize| {
        let angle = rng.random_range(0.0..std::f64::consts::PI);
        let [noise1, noise2] = [rng.random_range(-0.15..0.15), rng.random_range(-0.15..0.15)];
        let upper = i.is_multiple_of(2);
        let [x1, x2] = if upper { [angle.cos(), angle.sin()] } else { [1.0 - angle.cos(), 0.5 - angle.sin()] };
        (Tensor([[[x1 + noise1]], [[x2 + noise2]]]), Tensor([[[f64::from(u8::from(upper))]]]))
    };
    (0..n).map(&mut one).unzip()
}
