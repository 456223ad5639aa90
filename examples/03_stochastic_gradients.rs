//! Lesson 3: gradient descent, stochastic gradient descent, and mini-batches.
//!
//! A step of gradient descent needs all `n` samples, `α ← α − η 1/n Σ_i ∇L_i(α)`; a step of stochastic gradient descent needs one, `α ← α − η_t ∇L_i(α)`: the same
//! direction in the mean, `n` times as often. The model is multi-class logistic regression, `f = W x + b` with the loss `−f_c + log Σ_j exp(f_j)`, whose empirical risk is convex, so that
//! all three go to one minimum. Each has the best of some learning rates, which falls as
//! `η_t = η / (1 + t/τ)` for the two that draw samples, with τ the steps of a pass.
//!
//! ```sh
//! cargo run --release --example 03_stochastic_gradients                  # the digits that ship with the crate
//! cargo run --release --example 03_stochastic_gradients -- --data DIR    # MNIST: a minute
//! ```
//!
//! - `03_samples`: the empirical risk against samples seen. One pass of gradient descent is one step; in the same pass the others take hundreds.
//! - `03_seconds`: the same against seconds. A single sample is dear to compute with, and a batch uses the processor better.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use tenonet::data::{self, Dataset};
use tenonet::plot::Chart;
use tenonet::prelude::*;
use tenonet::train::{Batch, CurvePoint, TrainError};

network! {
    /// Multi-class logistic regression on the digits.
    pub struct DigitsRegression([1, 8, 8] -> [10]) { flatten, fc: linear(10) }
}
network! {
    /// Multi-class logistic regression on MNIST.
    pub struct MnistRegression([1, 28, 28] -> [10]) { flatten, fc: linear(10) }
}

fn main() -> ExitCode {
    Lesson::run(|lesson| match &lesson.data {
        Some(folder) => {
            let mnist = data::mnist(folder)?.normalised();
            compare::<MnistRegression>(lesson, &mnist.train.take(lesson.size(60_000, 1_000)))
        }
        None => {
            let mut digits = data::digits().shuffled(7).take(lesson.size(1797, 200));
            let (mean, std) = digits.mean_std();
            digits.normalise(mean, std);
            compare::<DigitsRegression>(lesson, &digits)
        }
    })
}

/// A way to descend: its name, the samples of a step, and the passes over the set.
struct Way {
    name: &'static str,
    batch: Batch,
    passes: u64,
}

fn compare<N>(lesson: &Lesson, train: &Dataset<N::Input>) -> anyhow::Result<()>
where
    N: Network<Scalar = f32>,
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    let n = train.len();
    // A large set is learned from in fewer passes.
    let passes = match n {
        _ if lesson.small => [5, 2, 1],
        ..10_000 => [100, 20, 5],
        _ => [30, 3, 2],
    };
    let ways = [
        Way { name: "gradient descent", batch: All.into(), passes: passes[0] },
        Way { name: "mini-batches of 32", batch: 32.into(), passes: passes[1] },
        Way { name: "stochastic", batch: 1.into(), passes: passes[2] },
    ];
    let mut runs = Vec::new();
    for way in &ways {
        let of_way = descend::<N>(lesson, train, way)?;
        let best = of_way.first().ok_or_else(|| anyhow::anyhow!("no learning rate was small enough"))?;
        let last = best.curve.last().map_or(f64::NAN, |point| point.loss);
        println!("{:<18}  η = {:<5}  risk after {} passes: {last:.4}", way.name, best.rate, way.passes);
        runs.push(of_way);
    }

    println!("\nHow many samples each sees until the risk is that of gradient descent after so many passes,");
    println!("each with the learning rate that is the best for it:");
    println!("passes   risk    {:>17}{:>20}{:>12}   fewer by", ways[0].name, ways[1].name, ways[2].name);
    for passes in [1, 3, 10, 30, 100].into_iter().filter(|&passes| passes <= ways[0].passes) {
        let samples = passes * n as u64;
        // The least so far: a large rate may be ahead first and overshoot then.
        let least = |run: &Run| {
            let so_far = run.curve.iter().take_while(|point| point.samples <= samples);
            so_far.map(|point| point.loss).min_by(f64::total_cmp)
        };
        let Some(goal) = runs[0].iter().filter_map(least).min_by(f64::total_cmp) else { continue };
        let first = |run: &Run| run.curve.iter().find(|point| point.loss <= goal).map(|point| point.samples);
        let [batches, single] = [1, 2].map(|way| runs[way].iter().filter_map(first).min());
        let text = |samples: Option<u64>| samples.map_or("not reached".into(), |samples| samples.to_string());
        let factor = single.map_or(String::new(), |single| format!("{:.1}", samples as f64 / single as f64));
        println!("{passes:>6}  {goal:>6.4}{samples:>18}{:>20}{:>12}{factor:>11}", text(batches), text(single));
        anyhow::ensure!(lesson.small || single.is_some_and(|single| 2 * single < samples), "not half as many samples");
    }

    let chart = |x_label: &str, x: fn(&CurvePoint) -> f64| {
        let chart = Chart::new("Empirical risk of multi-class logistic regression")
            .x_label(x_label)
            .y_label("empirical risk")
            .log_x()
            .log_y();
        ways.iter().zip(&runs).fold(chart, |chart, (way, runs)| {
            let points = runs[0].curve.iter().map(|point| (x(point), point.loss));
            chart.line(way.name, thinned(points))
        })
    };
    let by_samples = chart("samples seen", |point| point.samples as f64);
    println!("\n{}", by_samples.terminal(76, 16));
    lesson.save("03_samples", &by_samples)?;
    lesson.save("03_seconds", &chart("seconds", |point| point.seconds))
}

/// The points without those that a logarithmic axis would draw in one place with the one before: less than 2 % further on.
fn thinned(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept = Vec::<(f64, f64)>::new();
    for point in points {
        if kept.last().is_none_or(|last| point.0 > 1.02 * last.0) {
            kept.push(point);
        }
    }
    kept
}

/// A descent with one learning rate.
struct Run {
    rate: f64,
    curve: Vec<CurvePoint>,
}

/// Descents with some learning rates, first the one whose risk is the smallest in the second half of all steps, in the mean. A rate that leads to infinity is none.
fn descend<N>(lesson: &Lesson, train: &Dataset<N::Input>, way: &Way) -> anyhow::Result<Vec<Run>>
where
    N: Network<Scalar = f32>,
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    let n = train.len();
    let steps = match way.batch {
        Batch::All => 1,
        Batch::Of(size) => n.div_ceil(size),
    };
    // A hundred points a pass, where it has as many steps.
    let every = steps.div_ceil(lesson.size(100, 10)) as u64;
    let none = (&train.inputs()[..0], &train.labels()[..0]);
    let mut runs = Vec::new();
    for rate in [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0] {
        // Where all weights are 0 all classes are as likely.
        let mut net = N::zeroed_box();
        let trainer = Trainer::new(&mut net)
            .loss(SoftmaxCrossEntropy)
            .optimizer(Sgd::new(rate))
            .batch(way.batch)
            .epochs(way.passes)
            .seed(7);
        // η_t is half of η after a pass. Gradient descent needs no falling rate: its gradient comes to rest by itself.
        let tau = if way.batch == Batch::All { 1e12 } else { steps as f64 };
        let curve = match trainer.schedule(InverseTime::half_after(tau)).record_risk(every).fit(train, &none) {
            Ok(report) => report.risks,
            Err(TrainError::NonFinite { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        runs.push(Run { rate, curve });
    }
    let late = |run: &Run| {
        let half = &run.curve[run.curve.len() / 2..];
        half.iter().map(|point| point.loss).sum::<f64>() / half.len() as f64
    };
    runs.sort_by(|a, b| late(a).total_cmp(&late(b)));
    Ok(runs)
}
