//! Learns handwritten digits: declare, train, look at the result.
//!
//! ```sh
//! cargo run --release --example digits
//! ```
//!
//! The 1,797 digits of 8 × 8 pixels ship with the crate. A fifth of them is held out, and the rest is learned from, as it is
//! and shifted by a pixel to each side. On the held-out fifth the network is then right in about 98 of 100. It leaves `weights.safetensors` and `filters.png` in the current folder.

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use tenonet::data::{self, Dataset};
use tenonet::plot::{Filters, Picture};
use tenonet::prelude::*;

network! {
    /// A small convolutional network for grey digits of 8 × 8 pixels.
    pub struct Digits([1, 8, 8] -> [10]) {
        conv1: conv(16, kernel = 3, padding = same), relu,
        conv2: conv(32, kernel = 3, padding = same), relu, max_pool(2),
        conv3: conv(32, kernel = 3, padding = same), relu, max_pool(2),
        flatten,
        fc: linear(10),
    }
}

/// Learns handwritten digits.
#[derive(Parser)]
struct Args {
    /// Decides what is held out, the first weights and the order of learning.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Times that the training set is gone through.
    #[arg(long, default_value_t = 12)]
    epochs: u64,
}

/// Rows and columns that each image is moved by: a digit is the same digit a pixel further on.
const SHIFTS: [(isize, isize); 5] = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)];

/// The image moved by so many rows and columns, black where nothing moved in.
fn shifted(image: &Tensor<1, 8, 8>, (rows, columns): (isize, isize)) -> Tensor<1, 8, 8> {
    Tensor::from_fn(|c, h, w| {
        // What wraps around is far outside.
        let row = image[c].get(h.wrapping_add_signed(-rows));
        row.and_then(|row| row.get(w.wrapping_add_signed(-columns))).copied().unwrap_or(0.0)
    })
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("{}\n", Digits::summary());

    let (train, test) = data::digits().split(0.2, args.seed);
    let train: Dataset<_> =
        train.iter().flat_map(|(image, &label)| SHIFTS.map(|by| (shifted(image, by), label))).collect();
    let mut net = Digits::init(&mut Xoshiro256PlusPlus::seed_from_u64(args.seed));
    let report = Trainer::new(&mut net)
        .loss(SoftmaxCrossEntropy)
        .optimizer(Sgd::new(0.05).momentum(0.9).weight_decay(0.002))
        .schedule(Cosine::new())
        .batch(32)
        .epochs(args.epochs)
        .seed(args.seed)
        .progress()
        .fit(&train, &test)?;

    println!("rows: what it is; columns: what it was taken for\n{}\n", Confusion::of(&*net, &test)?);
    println!("test accuracy: {:.2} %", 100.0 * report.test_accuracy().unwrap_or(0.0));

    net.save("weights.safetensors")?;
    Filters::of(&net.conv1.weight).columns(8).save("filters.png")?;
    println!("wrote weights.safetensors and filters.png");
    Ok(())
}
