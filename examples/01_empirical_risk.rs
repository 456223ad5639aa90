//! Lesson 1: empirical risk and loss functions.
//!
//! A predictor `f(x, α)` is judged by a loss `L(ỹ, f(x, α))`. What one wants small is its mean over all that may come, the *risk* `R(α) = E L(ỹ, f(x, α))`; what one
//! has is its mean over the samples at hand, the *empirical risk*
//!
//! ```text
//! R_emp(α) = 1/n Σ_i L(ỹ_i, f(x_i, α))
//! ```
//!
//! (Vapnik 1999, chapter 1). The lesson draws all losses of two classes against the margin `ỹ f`, and the empirical risk of a threshold on a line, whose risk is known: with more
//! samples the one comes close to the other, everywhere at once.
//!
//! ```sh
//! cargo run --release --example 01_empirical_risk
//! ```
//!
//! - `01_losses`: zero-one is what one means, and flat wherever it has a slope; the others bound it from above, and have a slope to go down.
//! - `01_risk`: the empirical risk of 20, 200 and 20,000 samples beside the risk, by the zero-one loss.
//! - `01_surrogates`: the empirical risk of the same 200 samples by three losses: steps, kinks, and a smooth valley.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenonet::plot::Chart;
use tenonet::prelude::*;

network! {
    /// A threshold on a line: `f(x, α) = x − α`. Its one parameter is −α.
    pub struct Threshold([1] -> [1]) { shift: bias }
}

/// Points on a line, and the class of each.
type Samples1 = (Vec<Tensor<1>>, Vec<Sign>);

fn main() -> ExitCode {
    Lesson::run(|lesson| {
        lesson.save("01_losses", &losses())?;

        let sizes = [20, 200, lesson.size(20_000, 1_000)];
        let grid = lesson.size(241, 31);
        let alphas: Vec<f64> = (0..grid).map(|i| -3.0 + 6.0 * i as f64 / (grid - 1) as f64).collect();
        let along = |curve: Vec<f64>| alphas.iter().copied().zip(curve).collect::<Vec<_>>();
        let truth: Vec<f64> = alphas.iter().map(|&alpha| risk(alpha)).collect();

        println!("{:>7}  {:>9}  {:>12}  {:>8}  largest |R_emp − R|", "samples", "best α", "R_emp(α)", "R(α)");
        let mut chart =
            Chart::new("Empirical risk of a threshold, zero-one loss").x_label("threshold α").y_label("risk");
        let mut furthest = Vec::new();
        for n in sizes {
            let curve = empirical_risk(&samples(n, 7), &ZeroOne, &alphas)?;
            let best = (0..grid).min_by(|&i, &j| curve[i].total_cmp(&curve[j])).unwrap_or(0);
            let distance = curve.iter().zip(&truth).map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f64::max);
            println!("{n:>7}  {:>9.3}  {:>12.4}  {:>8.4}  {distance:.4}", alphas[best], curve[best], truth[best]);
            furthest.push(distance);
            chart = chart.line(format!("n = {n}"), along(curve));
        }
        println!("   all                             {:>8.4}  (at α = 0)", risk(0.0));
        lesson.save("01_risk", &chart.line("risk", along(truth)).y_range(0.0..=0.6))?;
        anyhow::ensure!(furthest.is_sorted_by(|few, many| few > many), "more samples were further from the risk");

        let few = samples(200, 7);
        let surrogates = Chart::new("The same 200 samples by three losses")
            .x_label("threshold α")
            .y_label("empirical risk")
            .line("zero-one", along(empirical_risk(&few, &ZeroOne, &alphas)?))
            .line("hinge", along(empirical_risk(&few, &Hinge, &alphas)?))
            .line("logistic", along(empirical_risk(&few, &Logistic, &alphas)?));
        lesson.save("01_surrogates", &surrogates)
    })
}

/// Every loss of a class of two against the margin: with the class +1 it is the output itself.
fn losses() -> Chart {
    fn curve(loss: &impl Loss<Tensor<1, 1, 1, f64>, Sign>) -> Vec<(f64, f64)> {
        let margins = (-250..=250).map(|i| f64::from(i) / 100.0);
        margins.map(|m| (m, loss.value(&Tensor([[[m]]]), &Sign::Plus))).collect()
    }
    Chart::new("Losses of two classes")
        .x_label("margin ỹ f")
        .y_label("loss")
        .line("zero-one", curve(&ZeroOne))
        .line("squared ½(f − ỹ)²", curve(&SquaredError))
        .line("absolute |f − ỹ|", curve(&AbsoluteError))
        .line("Huber, δ = 1", curve(&Huber::default()))
        .line("hinge", curve(&Hinge))
        .line("squared hinge", curve(&SquaredHinge))
        .line("logistic", curve(&Logistic))
        .line("exponential", curve(&Exponential))
        .y_range(0.0..=4.0)
}

/// The scale of the noise.
const SCALE: f64 = 0.5;

/// The class −1 lies around −1 and the class +1 around +1, with noise of the logistic distribution, whose distribution function is σ(x / s).
fn samples(n: usize, seed: u64) -> Samples1 {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut one = || {
        let sign = Sign::from(rng.random::<bool>());
        // The inverse of the distribution function, of a number between 0 and 1.
        let u: f64 = rng.random_range(1e-9..1.0 - 1e-9);
        let x = sign.value::<f64>() + SCALE * (u / (1.0 - u)).ln();
        (Tensor([[[x as f32]]]), sign)
    };
    (0..n).map(|_| one()).unzip()
}

/// `R(α)` of the zero-one loss: half of all are of the class +1, of which those below α are wrong, and half of −1, of which those above are.
fn risk(alpha: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    0.5 * sigmoid((alpha - 1.0) / SCALE) + 0.5 * sigmoid((-1.0 - alpha) / SCALE)
}

/// `R_emp(α)` for each α: the mean loss over the samples.
fn empirical_risk(samples: &Samples1, loss: &impl Loss<Tensor<1>, Sign>, alphas: &[f64]) -> anyhow::Result<Vec<f64>> {
    let mut f = Threshold::zeroed_box();
    let mut at = |alpha: &f64| {
        f.params_mut()[0] = -*alpha as f32;
        Ok(evaluate(&f, samples, loss)?.loss)
    };
    alphas.iter().map(&mut at).collect()
}
