//! Lesson 2: logistic regression by gradient descent.
//!
//! A linear model of two weights, `f(x, α) = α₁ x₁ + α₂ x₂`, with the logistic loss `log(1 + exp(−ỹ f))`. Its empirical risk is a convex function of α, a valley whose contour
//! lines can be drawn. Gradient descent goes
//!
//! ```text
//! α_{t+1} = α_t − η ∇R_emp(α_t)
//! ```
//!
//! and each of its steps leaves at a right angle to the contour line through α_t, for along that line the risk does not change.
//!
//! ```sh
//! cargo run --release --example 02_logistic_regression
//! ```
//!
//! - `02_descent`: the contours of the empirical risk, the path of the descent, and some of the gradients, four times as long: they point uphill.
//! - `02_data`: the samples, and the line `f(x, α) = 0` that was found.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, StandardNormal};
use tenonet::plot::Plane;
use tenonet::prelude::*;

network! {
    /// Logistic regression of two features, without a bias, so that the weights are a point of the plane.
    pub struct Linear2([2] -> [1]) { fc: linear(1, bias = false) }
}

type Point = [f64; 2];

fn main() -> ExitCode {
    Lesson::run(|lesson| {
        let (inputs, signs) = samples(60);
        let mut net = Linear2::<f64>::zeroed_box();
        net.params_mut().copy_from_slice(&[4.0, -0.5]);
        let mut grad = Linear2::<f64>::zeroed_box();
        let mut descent = Sgd::new(2.0);

        println!("step      α₁      α₂    R_emp   |∇R_emp|   cos of ∇R_emp and the contour");
        let (mut path, mut worst) = (Vec::new(), 0.0_f64);
        for step in 0..=lesson.size(25, 5) {
            let alpha = [net.params()[0], net.params()[1]];
            // All samples: the gradient of the empirical risk itself.
            let loss = net.loss_and_grad(&inputs, &signs, &Logistic, &mut grad)?;
            let gradient = [grad.params()[0], grad.params()[1]];
            let cosine = cosine(gradient, tangent(alpha, gradient, |alpha| risk(&inputs, &signs, alpha)));
            println!(
                "{step:>4}  {:>6.3}  {:>6.3}  {loss:>7.5}  {:>9.6}   {cosine:>9.1e}",
                alpha[0],
                alpha[1],
                norm(gradient)
            );
            // The network's loss is the risk that the picture draws.
            anyhow::ensure!((loss - risk(&inputs, &signs, alpha)).abs() < 1e-12, "two empirical risks");
            worst = worst.max(cosine.abs());
            path.push((alpha, gradient));
            descent.step(net.params_mut(), grad.params())?;
        }
        println!("largest |cos|: {worst:.1e}: the gradient is orthogonal to the contour lines");
        anyhow::ensure!(worst < 1e-5, "a gradient is not orthogonal to its contour line: cos = {worst:e}");

        let points = path.iter().map(|&([x, y], _)| (x, y));
        let mut plane = Plane::new("Gradient descent on the empirical risk")
            .x_label("α₁")
            .y_label("α₂")
            .range(-1.0..=5.5, -1.5..=4.0)
            .equal_axes()
            .field(|x, y| risk(&inputs, &signs, [x, y]))
            .contours(16)
            .path("gradient descent", points);
        // Some gradients, which point to where the risk grows: away from where the descent goes.
        for &([x, y], [dx, dy]) in path.iter().step_by(3).take(4) {
            plane = plane.arrow((x, y), (4.0 * dx, 4.0 * dy));
        }
        lesson.save("02_descent", &plane)?;

        let [alpha1, alpha2] = path.last().map_or([0.0; 2], |&(alpha, _)| alpha);
        let of = |wanted: Sign| {
            let points = inputs.iter().zip(&signs).filter(move |(_, sign)| **sign == wanted);
            points.map(|(x, _)| (x[0][0][0], x[1][0][0])).collect::<Vec<_>>()
        };
        let data = Plane::new("Samples and the line f(x, α) = 0")
            .x_label("x₁")
            .y_label("x₂")
            .range(-4.0..=4.0, -3.0..=3.0)
            .equal_axes()
            .regions(|x, y| usize::from(alpha1 * x + alpha2 * y > 0.0))
            .points("ỹ = −1", of(Sign::Minus))
            .points("ỹ = +1", of(Sign::Plus));
        lesson.save("02_data", &data)
    })
}

/// Two clouds that overlap, on both sides of a line through 0.
fn samples(n: usize) -> (Vec<Tensor<2, 1, 1, f64>>, Vec<Sign>) {
    let mut rng = StdRng::seed_from_u64(3);
    let mut one = |i: usize| {
        let sign = Sign::from(i.is_multiple_of(2));
        let [noise1, noise2]: [f64; 2] = [StandardNormal.sample(&mut rng), StandardNormal.sample(&mut rng)];
        let [x1, x2] = [0.9 * sign.value::<f64>() + noise1, 0.5 * sign.value::<f64>() + 0.7 * noise2];
        (Tensor([[[x1]], [[x2]]]), sign)
    };
    (0..n).map(&mut one).unzip()
}

/// `R_emp(α) = 1/n Σ_i log(1 + exp(−ỹ_i (α₁ x_{i1} + α₂ x_{i2})))`
fn risk(inputs: &[Tensor<2, 1, 1, f64>], signs: &[Sign], [alpha1, alpha2]: Point) -> f64 {
    let f = |x: &Tensor<2, 1, 1, f64>| Tensor::<1, 1, 1, f64>([[[alpha1 * x[0][0][0] + alpha2 * x[1][0][0]]]]);
    inputs.iter().zip(signs).map(|(x, sign)| Logistic.value(&f(x), sign)).sum::<f64>() / inputs.len() as f64
}

/// The direction of the contour line through a point, from values of the risk alone: on a small circle around the point there are two places
/// of the same risk, one on each side of the steepest way up, and the line goes from the one to the other.
fn tangent(at: Point, uphill: Point, risk: impl Fn(Point) -> f64) -> Point {
    const RADIUS: f64 = 1e-4;
    let level = risk(at);
    let steepest = uphill[1].atan2(uphill[0]);
    let on_circle = |angle: f64| [at[0] + RADIUS * angle.cos(), at[1] + RADIUS * angle.sin()];
    let same_risk = |side: f64| {
        // Higher at the steepest way up, lower half a circle on; halved until doubles are at their end.
        let (mut higher, mut lower) = (steepest, steepest + side * std::f64::consts::PI);
        for _ in 0..60 {
            let middle = 0.5 * (higher + lower);
            *if risk(on_circle(middle)) > level { &mut higher } else { &mut lower } = middle;
        }
        on_circle(higher)
    };
    let (one, other) = (same_risk(1.0), same_risk(-1.0));
    [one[0] - other[0], one[1] - other[1]]
}

fn norm([x, y]: Point) -> f64 {
    x.hypot(y)
}

fn cosine(a: Point, b: Point) -> f64 {
    (a[0] * b[0] + a[1] * b[1]) / (norm(a) * norm(b))
}
