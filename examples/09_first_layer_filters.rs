//! Lesson 9: what the first layer learns to see, beside Gabor filters.
//!
//! The first layer of a network that was trained on natural images has filters for edges, bars and colours of some direction and width, as cells of the visual cortex have (J. Daugman 1985,
//! "Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by two-dimensional visual cortical filters"). Such a filter is a wave under a bell, a Gabor function:
//!
//! ```text
//! g(x, y) = exp(−(x′² + γ² y′²) / 2σ²) cos(2π x′/λ + ψ),    x′ = x cos θ + y sin θ,    y′ = −x sin θ + y cos θ
//! ```
//!
//! Here each filter is compared with a whole bank of them: directions θ, wavelengths λ, widths σ, shapes γ, phases ψ and centres. A Gabor filter of the bank is made zero-mean and of unit norm, `Σ g = 0`, `Σ g² = 1`,
//! and each channel of a filter `w` zero-mean as well, as it is the pattern that is compared. In the colour `a_c = Σ w_c g` the Gabor filter is nearest to `w`, and their correlation is `r = |a| / |w|`: `r²` is the part
//! of the filter that is explained.
//!
//! A bank of thousands finds something that is similar to anything, so `r` says little by itself: the same is done with the random filters before training, and what counts is the difference.
//!
//! ```sh
//! cargo run --release --example 09_first_layer_filters                  # the digits that ship with the crate
//! cargo run --release --example 09_first_layer_filters -- --data DIR    # CIFAR-10, the binary version
//! ```
//!
//! On all of CIFAR-10, eight epochs: 505 seconds on two busy cores; 60.4 % of the test pictures are right.
//!
//! | r with the best of 57,600 | best | mean | median |
//! |---|---|---|---|
//! | random filters, before training | 0.33 | 0.28 | 0.27 |
//! | the same 24 after training | 0.93 | 0.74 | 0.76 |
//!
//! More than half of a filter is then a Gabor function (`r²`), of random ones a fourteenth. Of the ten most similar eight are wide waves, λ = 16, four of them between opposite colours such as red and cyan.
//!
//! No natural images ship with the crate. Without `--data` it is strokes of handwritten digits that make 16 filters of 7 × 7: a median of 0.62, and more by chance on so few pixels, 0.44.
//!
//! - `09_after`: each filter of the trained network over its best Gabor filter, the most similar first.
//! - `09_before`: the same of the network before training.
//! - `09_correlations`: the correlations of both, sorted.

mod lesson;

use std::f64::consts::PI;
use std::process::ExitCode;
use std::time::Instant;

use lesson::Lesson;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tenonet::augment::Augment;
use tenonet::data::{self, Dataset};
use tenonet::plot::{Chart, Maps};
use tenonet::prelude::*;

network! {
    /// For the pictures of CIFAR-10: the first layer has 24 filters of 9 × 9 pixels.
    pub struct PictureNet([3, 32, 32] -> [10]) {
        conv1: conv(24, kernel = 9, stride = 2, padding = 4, bias = false), bn1: batch_norm, relu,
        conv2: conv(48, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu, max_pool(2),
        conv3: conv(96, kernel = 3, padding = 1, bias = false), bn3: batch_norm, relu,
        global_avg_pool,
        fc: linear(10),
    }
}
network! {
    /// For the digits of 8 × 8 pixels: the first layer has 16 filters of 7 × 7 pixels.
    pub struct DigitNet([1, 8, 8] -> [10]) {
        conv1: conv(16, kernel = 7, padding = 3, bias = false), bn1: batch_norm, relu, max_pool(2),
        conv2: conv(32, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() -> ExitCode {
    Lesson::run(|lesson| match &lesson.data {
        Some(folder) => {
            println!("Natural images: the pictures of CIFAR-10.");
            let cifar = data::cifar10(folder)?.normalised();
            let (train, test) = (cifar.train.take(lesson.size(50_000, 500)), cifar.test.take(lesson.size(10_000, 100)));
            let augmentation = (RandomCrop::padding(4), RandomHorizontalFlip::new());
            study(lesson, [&train, &test], lesson.size(8, 1), augmentation, |net: &PictureNet| {
                filters(&net.conv1.weight)
            })
        }
        None => {
            println!("Not natural images: strokes of handwritten digits. See --data for what this lesson is about.");
            let mut digits = data::digits().take(lesson.size(1797, 200));
            let (mean, std) = digits.mean_std();
            digits.normalise(mean, std);
            let (train, test) = digits.split(0.2, 7);
            let augmentation = RandomCrop::padding(1);
            study(lesson, [&train, &test], lesson.size(30, 1), augmentation, |net: &DigitNet| {
                filters(&net.conv1.weight)
            })
        }
    })
}

/// Trains a network, and compares its filters before and after with the bank.
fn study<N, const C: usize, const K: usize>(
    lesson: &Lesson, [train, test]: [&Dataset<N::Input>; 2], epochs: usize, augmentation: impl Augment<N::Input>,
    filters: impl Fn(&N) -> Vec<Tensor<C, K, K>>,
) -> anyhow::Result<()>
where
    N: Network<Scalar = f32, Output = Tensor<10>>,
{
    let bank = bank(lesson);
    let mut net = N::init(&mut StdRng::seed_from_u64(7));
    let before = matches(&filters(&net), &bank);

    let start = Instant::now();
    let report = Trainer::new(&mut net)
        .loss(SoftmaxCrossEntropy)
        .optimizer(Sgd::new(0.05).momentum(0.9).weight_decay(5e-3))
        .schedule(Cosine::new())
        .batch(64)
        .epochs(epochs as u64)
        .augment(augmentation)
        .seed(7)
        .progress()
        .fit(train, test)?;
    let right = 100.0 * report.test_accuracy().unwrap_or(0.0);
    println!(
        "{right:.1} % of the held-out images are right after {:.0} s of training\n",
        start.elapsed().as_secs_f64()
    );
    let after = matches(&filters(&net), &bank);

    // What is in the bank must be found in it, in whatever colours.
    let known =
        Tensor::from_fn(|c, row, column| [2.0, -0.5, 1.0][c % 3] * bank[bank.len() / 3].pattern::<K>()[0][row][column]);
    let found = matches::<C, K>(&[known], &bank)[0].r;
    anyhow::ensure!((found - 1.0).abs() < 1e-5, "a Gabor filter of the bank was found with r = {found}");

    println!(
        "The filters, the most similar to one of {} Gabor filters first. θ, ψ in degrees; λ, σ in pixels;",
        bank.len()
    );
    println!(
        "grey: 1 if all channels do the same, 0 if their sum does nothing; mean: the part of |w|² that is in the channels' means.\n"
    );
    println!("     r     θ     λ    σ    γ    ψ  centre  grey  mean");
    for Match { gabor, r, mean, colour, .. } in &after {
        let Gabor { theta, lambda, sigma, gamma, psi, centre: [x, y] } = gabor;
        let [theta, psi] = [theta, psi].map(|angle| angle.to_degrees());
        let norm = colour.iter().map(|a| a * a).sum::<f32>().sqrt();
        let grey = colour.iter().sum::<f32>().abs() / ((C as f32).sqrt() * norm);
        println!(
            "  {r:.2}  {theta:4.0}  {lambda:4.1}  {sigma:3.1}  {gamma:3.1}  {psi:3.0}  {x:2}, {y:2}  {grey:.2}  {mean:.2}"
        );
    }
    let [untrained, trained] = [&before, &after].map(|matches| {
        let r: Vec<f64> = matches.iter().map(|one| one.r).collect();
        [r[0], r.iter().sum::<f64>() / r.len() as f64, (r[(r.len() - 1) / 2] + r[r.len() / 2]) / 2.0]
    });
    println!("\n                  best   mean   median");
    for (name, [best, mean, median]) in [("before training", untrained), ("after training", trained)] {
        println!("{name:<16} {best:.3}  {mean:.3}  {median:.3}");
    }
    anyhow::ensure!(lesson.small || trained[2] > untrained[2], "training made the filters no more like Gabor filters");

    lesson.save("09_after", &picture("Filters after training, and the nearest Gabor filters", &after))?;
    lesson.save("09_before", &picture("Random filters before training, and the nearest Gabor filters", &before))?;
    let sorted =
        |matches: &[Match<C, K>]| (1..).map(f64::from).zip(matches.iter().map(|one| one.r)).collect::<Vec<_>>();
    let chart = Chart::new("How much filters are like Gabor filters")
        .x_label("filter, the most similar first")
        .y_label("correlation r with the best of the bank")
        .points("after training", sorted(&after))
        .points("before training: chance", sorted(&before))
        .y_range(0.0..=1.0);
    lesson.save("09_correlations", &chart)
}

/// The filters of a layer, which holds them as `[row][column][channel][filter]`.
fn filters<const C: usize, const K: usize, const OUT: usize>(
    weight: &[[[[f32; OUT]; C]; K]; K],
) -> Vec<Tensor<C, K, K>> {
    (0..OUT).map(|filter| Tensor::from_fn(|c, row, column| weight[row][column][c][filter])).collect()
}

/// One filter of the bank, in Daugman's letters: angles in radians, lengths in pixels.
#[derive(Clone, Copy)]
struct Gabor {
    theta: f64,
    lambda: f64,
    sigma: f64,
    gamma: f64,
    psi: f64,
    /// Column and row, from the middle.
    centre: [f64; 2],
}

/// All combinations. Half a turn of θ and ψ is enough: the other half is the same in the opposite colours.
fn bank(lesson: &Lesson) -> Vec<Gabor> {
    let mut bank = Vec::new();
    let steps = |count: usize| (0..count).map(move |step| PI * step as f64 / count as f64);
    let far = lesson.size(2, 0) as i32;
    for theta in steps(12) {
        for lambda in [3.0, 4.0, 5.5, 7.5, 11.0, 16.0] {
            for (sigma, gamma) in [1.2, 1.7, 2.4, 3.4].into_iter().flat_map(|sigma| [(sigma, 0.5), (sigma, 1.0)]) {
                for psi in steps(4) {
                    for centre in (-far..=far).flat_map(|x| (-far..=far).map(move |y| [x.into(), y.into()])) {
                        bank.push(Gabor { theta, lambda, sigma, gamma, psi, centre });
                    }
                }
            }
        }
    }
    bank
}

impl Gabor {
    /// `g` on `K × K` pixels, zero-mean and of unit norm.
    fn pattern<const K: usize>(&self) -> Tensor<1, K, K> {
        let &Gabor { theta, lambda, sigma, gamma, psi, centre } = self;
        let (sin, cos) = theta.sin_cos();
        let middle = (K as f64 - 1.0) / 2.0;
        let mut g = Tensor::from_fn(|_, row, column| {
            let (x, y) = (column as f64 - middle - centre[0], row as f64 - middle - centre[1]);
            let (along, across) = (x * cos + y * sin, -x * sin + y * cos);
            let bell = (-(along * along + (gamma * across).powi(2)) / (2.0 * sigma * sigma)).exp();
            (bell * (2.0 * PI * along / lambda + psi).cos()) as f32
        });
        zero_mean(&mut g);
        let norm = energy(&g).sqrt() as f32;
        g.as_mut_slice().iter_mut().for_each(|g| *g /= norm);
        g
    }
}

/// Takes the mean of each channel away.
fn zero_mean<const C: usize, const K: usize>(filter: &mut Tensor<C, K, K>) {
    for channel in &mut filter.0 {
        let mean = channel.iter().flatten().sum::<f32>() / (K * K) as f32;
        channel.iter_mut().flatten().for_each(|w| *w -= mean);
    }
}

/// `|w|²`.
fn energy<const C: usize, const K: usize>(filter: &Tensor<C, K, K>) -> f64 {
    filter.as_slice().iter().map(|&w| f64::from(w) * f64::from(w)).sum()
}

/// A filter and the Gabor filter that is nearest to it.
struct Match<const C: usize, const K: usize> {
    /// Which filter of the layer it is.
    index: usize,
    /// The filter, each channel zero-mean.
    filter: Tensor<C, K, K>,
    /// The part of `|w|²` that was in the channels' means.
    mean: f64,
    gabor: Gabor,
    /// `a_c = Σ w_c g`.
    colour: [f32; C],
    /// `|a| / |w|`.
    r: f64,
}

/// The best match of each filter, the most similar first.
fn matches<const C: usize, const K: usize>(filters: &[Tensor<C, K, K>], bank: &[Gabor]) -> Vec<Match<C, K>> {
    let start = |(index, whole): (usize, &Tensor<C, K, K>)| {
        let mut filter = *whole;
        zero_mean(&mut filter);
        let mean = 1.0 - energy(&filter) / energy(whole);
        Match { index, filter, mean, gabor: bank[0], colour: [0.0; C], r: 0.0 }
    };
    let mut matches: Vec<_> = filters.iter().enumerate().map(start).collect();
    let norms: Vec<f64> = matches.iter().map(|one| energy(&one.filter).sqrt()).collect();
    for gabor in bank {
        let g = gabor.pattern::<K>();
        for (best, norm) in matches.iter_mut().zip(&norms) {
            let colour = best.filter.0.map(|w| w.iter().flatten().zip(g.as_slice()).map(|(w, g)| w * g).sum::<f32>());
            let r = colour.iter().map(|&a| f64::from(a).powi(2)).sum::<f64>().sqrt() / norm;
            if r > best.r {
                (best.gabor, best.colour, best.r) = (*gabor, colour, r);
            }
        }
    }
    matches.sort_by(|one, other| other.r.total_cmp(&one.r));
    matches
}

/// Filters in rows of eight, each row over that of their Gabor filters in their best colours.
fn picture<const C: usize, const K: usize>(title: &str, matches: &[Match<C, K>]) -> Maps {
    const ACROSS: usize = 8;
    let mut maps = Maps::new().title(title).signed().columns(ACROSS).cell(9);
    for row in matches.chunks(ACROSS) {
        for one in row {
            maps = maps.image(format!("filter {}", one.index), &shown(&one.filter));
        }
        for one in row {
            let g = one.gabor.pattern::<K>();
            let coloured = Tensor::<C, K, K>::from_fn(|c, row, column| one.colour[c] * g[0][row][column]);
            maps = maps.image(format!("r = {:.2}", one.r), &shown(&coloured));
        }
    }
    maps
}

/// A filter for the eye, to its own scale: where it has colours 0 is grey, as in pictures of filters everywhere.
fn shown<const C: usize, const K: usize>(filter: &Tensor<C, K, K>) -> Tensor<C, K, K> {
    let most = filter.as_slice().iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs()));
    let zero = if C == 3 { 0.5 } else { 0.0 };
    Tensor::from_fn(|c, row, column| zero + filter[c][row][column] / (2.0 * most))
}
