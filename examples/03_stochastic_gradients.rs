//! Lesson 3: gradient descent, stochastic gradient descent, and mini-batches.
//!
//! A step of gradient descent needs all `n` samples, `α ← α − η 1/n Σ_i ∇L_i(α)`; a step of stochastic gradient descent needs one, `α ← α − η_t ∇L_i(α)`: the same
//! direction in the mean, `n` times as often. The model is multi-class logistic regression, `f = W x + b` with the loss `−f_c + log Σ_j exp(f_j)`, whose empirical risk is convex, so that
//! all three go to one minimum. Each has the best of some learning rates; the stochastic one falls as `η_t = η / (1 + t/n)`.
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
    let ways = [
        Way { name: "gradient descent", batch: All.into(), passes: lesson.size(100, 5) as u64 },
        Way { name: "mini-batches of 32", batch: 32.into(), passes: lesson.size(20, 2) as u64 },
        Way { name: "stochastic", batch: 1.into(), passes: lesson.size(5, 1) as u64 },
    ];
    let mut curves = Vec::new();
    for way in &ways {
        let (rate, curve) = best_rate::<N>(lesson, train, way)?;
        let last = curve.last().map_or(f64::NAN, |point| point.loss);
        println!("{:<18}  η = {rate:<6}  risk after {} passes: {last:.4}", way.name, way.passes);
        curves.push(curve);
    }

    println!("\nHow many samples each sees until the risk is that of gradient descent after so many passes:");
    println!("passes   risk     {:>16}  {:>18}  {:>10}  fewer by", ways[0].name, ways[1].name, ways[2].name);
    for pass in [1, 3, 10, 30, 100]
        .map(|pass| pass * n as u64)
        .into_iter()
        .filter(|&samples| samples <= ways[0].passes * n as u64)
    {
        let Some(goal) = curves[0].iter().find(|point| point.samples == pass) else { continue };
        let [batches, single] =
            [1, 2].map(|way| curves[way].iter().find(|point| point.loss <= goal.loss).map(|point| point.samples));
        let text = |samples: Option<u64>| samples.map_or("not reached".into(), |samples| samples.to_string());
        let factor = single.map_or(String::new(), |single| format!("{:.0}", pass as f64 / single as f64));
        println!(
            "{:>6}  {:>6.4}  {pass:>16}  {:>18}  {:>10}  {factor:>8}",
            pass / n as u64,
            goal.loss,
            text(batches),
            text(single)
        );
        anyhow::ensure!(
            lesson.small || pass > n as u64 || single.is_some_and(|single| 5 * single < pass),
            "no fewer samples"
        );
    }

    let chart = |x_label: &str, x: fn(&CurvePoint) -> f64| {
        let chart = Chart::new("Empirical risk of multi-class logistic regression")
            .x_label(x_label)
            .y_label("empirical risk")
            .log_x()
            .log_y();
        ways.iter()
            .zip(&curves)
            .fold(chart, |chart, (way, curve)| chart.line(way.name, curve.iter().map(|point| (x(point), point.loss))))
    };
    let by_samples = chart("samples seen", |point| point.samples as f64);
    println!("\n{}", by_samples.terminal(76, 16));
    lesson.save("03_samples", &by_samples)?;
    lesson.save("03_seconds", &chart("seconds", |point| point.seconds))
}

/// The curve of the rate whose risk is the smallest in the end, and the rate. A rate that leads to infinity is none.
fn best_rate<N>(lesson: &Lesson, train: &Dataset<N::Input>, way: &Way) -> anyhow::Result<(f64, Vec<CurvePoint>)>
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
    let mut best: Option<(f64, Vec<CurvePoint>)> = None;
    for rate in [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0] {
        // Where all weights are 0 all classes are as likely.
        let mut net = N::zeroed_box();
        let trainer = Trainer::new(&mut net)
            .loss(SoftmaxCrossEntropy)
            .optimizer(Sgd::new(rate))
            .batch(way.batch)
            .epochs(way.passes)
            .seed(7);
        // η_t for single samples; gradient descent needs no falling rate, and mini-batches hardly.
        let tau = if way.batch == Batch::Of(1) { n as f64 } else { 1e12 };
        let curve = match trainer.schedule(InverseTime::half_after(tau)).record_risk(every).fit(train, &none) {
            Ok(report) => report.risks,
            Err(TrainError::NonFinite { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let end = |curve: &[CurvePoint]| curve.last().map_or(f64::INFINITY, |point| point.loss);
        if best.as_ref().is_none_or(|(_, before)| end(&curve) < end(before)) {
            best = Some((rate, curve));
        }
    }
    best.ok_or_else(|| anyhow::anyhow!("no learning rate was small enough"))
}
