//! LeNet-5 on MNIST, from a folder with the four IDX files (plain or gzip'ed).
//!
//! ```sh
//! cargo run --release --example mnist -- --data path/to/mnist --epochs 5   # 99.2 %
//! cargo run --release --example mnist -- --data path/to/mnist              # 99.3 %, the recommended schedule
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use tenonet::data;
use tenonet::prelude::*;

network! {
    /// LeNet-5 for 28 × 28 grey digits, with ReLU and maxima (after LeCun et al. 1998, "Gradient-based learning applied to document recognition").
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

/// Trains LeNet-5 on MNIST, or on a set of its form, as Fashion-MNIST.
#[derive(Parser)]
struct Args {
    /// The folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Times that the training set is gone through.
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// Decides the first weights and the order of learning.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Threads; all cores unless said. The result does not depend on them.
    #[arg(long)]
    threads: Option<usize>,
    /// Images of one step.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// The learning rate at the beginning; it falls to 0 along a cosine.
    #[arg(long, default_value_t = 0.05)]
    lr: f64,
    /// How strongly weights are pulled to 0.
    #[arg(long, default_value_t = 1e-3)]
    weight_decay: f64,
    /// Write a checkpoint after each epoch: to this file, or into this folder.
    #[arg(long, value_name = "PATH")]
    checkpoint: Option<PathBuf>,
    /// Go on from a checkpoint.
    #[arg(long, value_name = "PATH")]
    resume: Option<PathBuf>,
    /// Write the trained weights.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let mnist = data::mnist(&args.data)?.normalised();
    println!("{} images to learn from, {} to test with\n", mnist.train.len(), mnist.test.len());
    println!("{}\n", LeNet::summary());

    let mut net = LeNet::init(&mut Xoshiro256PlusPlus::seed_from_u64(args.seed));
    let mut trainer = Trainer::new(&mut net)
        .loss(SoftmaxCrossEntropy)
        .optimizer(Sgd::new(args.lr).momentum(0.9).weight_decay(args.weight_decay))
        .schedule(Cosine::new())
        .batch(args.batch)
        .epochs(args.epochs)
        .seed(args.seed)
        .progress();
    if let Some(threads) = args.threads {
        trainer = trainer.threads(threads);
    }
    if let Some(path) = &args.checkpoint {
        trainer = trainer.checkpoint(path);
    }
    if let Some(path) = &args.resume {
        trainer = trainer.resume(path);
    }
    let report = trainer.fit(&mnist.train, &mnist.test)?;

    println!("test accuracy: {:.2} %", 100.0 * report.test_accuracy().unwrap_or(0.0));
    if let Some(file) = &args.save {
        net.save(file)?;
        println!("wrote {}", file.display());
    }
    Ok(())
}
