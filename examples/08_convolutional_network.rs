//! Lesson 8: a convolutional network on images.
//!
//! All that came before, put together: convolutions and pooling in front of a linear classifier, the multi-class logistic loss, stochastic gradients of mini-batches by back-propagation,
//! and a held-out set that tells what the empirical risk does not: how often the network errs on what it has not seen.
//!
//! ```sh
//! cargo run --release --example 08_convolutional_network                  # the digits that ship with the crate
//! cargo run --release --example 08_convolutional_network -- --data DIR    # LeNet-5 on MNIST
//! ```
//!
//! - `08_network`: the network and its shapes.
//! - `08_learning`: the loss on what is learned from and on what is held out.
//! - `08_confusion`: which digits are taken for which.
//! - `08_mistakes`: the digits that it errs on, what each is and what it was taken for.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tenonet::data::{self, Dataset};
use tenonet::plot::{Architecture, Chart, ConfusionMatrix, Maps};
use tenonet::prelude::*;

network! {
    /// For the digits of 8 × 8 pixels.
    pub struct SmallNet([1, 8, 8] -> [10]) {
        conv1: conv(16, kernel = 3, padding = same), relu, max_pool(2),
        conv2: conv(32, kernel = 3, padding = same), relu, max_pool(2),
        flatten,
        fc: linear(10),
    }
}
network! {
    /// LeNet-5 for the digits of MNIST.
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

fn main() -> ExitCode {
    Lesson::run(|lesson| match &lesson.data {
        Some(folder) => {
            let mnist = data::mnist(folder)?.normalised();
            let (train, test) = (mnist.train.take(lesson.size(60_000, 500)), mnist.test.take(lesson.size(10_000, 100)));
            learn::<LeNet, 28>(lesson, 5, &train, &test)
        }
        None => {
            let (train, test) = data::digits().take(lesson.size(1797, 300)).split(0.25, 7);
            learn::<SmallNet, 8>(lesson, 30, &train, &test)
        }
    })
}

type Images<const SIDE: usize> = Dataset<Tensor<1, SIDE, SIDE>>;

fn learn<N, const SIDE: usize>(
    lesson: &Lesson, epochs: usize, train: &Images<SIDE>, test: &Images<SIDE>,
) -> anyhow::Result<()>
where
    N: Network<Scalar = f32, Input = Tensor<1, SIDE, SIDE>, Output = Tensor<10>>,
{
    println!("{}\n", N::summary());
    lesson.save("08_network", &Architecture::of::<N>())?;

    let mut net = N::init(&mut StdRng::seed_from_u64(7));
    let report = Trainer::new(&mut net)
        .loss(SoftmaxCrossEntropy)
        .optimizer(Sgd::new(0.05).momentum(0.9).weight_decay(5e-4))
        .schedule(Cosine::new())
        .batch(32)
        .epochs(lesson.size(epochs, 2) as u64)
        .seed(7)
        .progress()
        .fit(train, test)?;
    let along = |of: fn(&tenonet::train::EpochReport) -> f64| {
        report.epochs.iter().map(move |epoch| (epoch.epoch as f64, of(epoch)))
    };
    let chart = Chart::new("Learning and generalising")
        .x_label("epoch")
        .y_label("mean loss")
        .line("learned from", along(|epoch| epoch.train_loss))
        .line("held out", along(|epoch| epoch.test_loss.unwrap_or(f64::NAN)))
        .log_y();
    println!("{}", chart.terminal(76, 14));
    lesson.save("08_learning", &chart)?;

    // The zero-one loss is what the logistic one stands for.
    let [seen, unseen] =
        [train, test].map(|set| evaluate(&net, set, &ZeroOne).map(|evaluation| 100.0 * evaluation.loss));
    println!("errors: {:.2} % of what it learned from, {:.2} % of what it did not", seen?, unseen?);
    let right = report.test_accuracy().unwrap_or(0.0);
    anyhow::ensure!(lesson.small || right > 0.96, "only {right} of the held-out digits are right");

    let confusion = Confusion::of(&net, test)?;
    println!("\nrows: what it is; columns: what it was taken for\n{confusion}\n");
    lesson.save("08_confusion", &ConfusionMatrix::of(&confusion).title("What each digit was taken for"))?;

    let mut scratch = tenonet::Scratch::<N>::boxed();
    let mut mistakes = Maps::new().title("Mistakes: what it is → what it was taken for").columns(8).cell(64 / SIDE);
    let said =
        test.iter().map(|(image, &label)| (image, usize::from(label), net.forward(image, &mut scratch).argmax()));
    for (image, is, said) in said.filter(|(_, is, said)| is != said).take(32) {
        mistakes = mistakes.image(format!("{is} → {said}"), image);
    }
    lesson.save("08_mistakes", &mistakes)
}
