//! What a training on MNIST holds in memory, at most, beside what it must: `memory NETWORK FOLDER`.

use tenonet::loss::Loss;
use tenonet::prelude::*;

use crate::networks::{LeNet5, MnistCnn};

const BATCH: usize = 64;

pub fn main(mut arguments: impl Iterator<Item = String>) {
    let (Some(network), Some(folder)) = (arguments.next(), arguments.next()) else { panic!("memory NETWORK FOLDER") };
    match network.as_str() {
        "lenet5" => run::<LeNet5>(&folder),
        "mnist_cnn" => run::<MnistCnn>(&folder),
        other => panic!("no network `{other}` for MNIST"),
    }
}

/// Trains for an epoch on the IDX files of the folder; prints bytes, a line each.
fn run<N>(folder: &str)
where
    N: Network<Scalar = f32, Input = Tensor<1, 28, 28>>,
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    let program = high_water();
    let data = tenonet::data::mnist(folder).expect("the four files are there").normalised();
    let mut net = crate::init::<N>();
    // The trainer's own choice, which it does not tell.
    let lanes = BATCH.div_ceil(N::MICRO_BATCH).min(8);
    Trainer::new(&mut net)
        .loss(SoftmaxCrossEntropy)
        .optimizer(Sgd::new(0.01).momentum(0.9))
        .batch(BATCH)
        .lanes(lanes)
        .fit(&data.train, &data.test)
        .expect("it can be learned");
    let inputs = data.train.len() + data.test.len();
    println!("program {program}");
    println!("data {}", inputs * (size_of::<Tensor<1, 28, 28>>() + 1));
    println!("parameters {}", N::WEIGHT_BYTES);
    println!("lanes {lanes}");
    println!("resident {}", high_water());
}

/// The most that this process has had in memory so far, in bytes.
fn high_water() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
    1024 * line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number of kilobytes")
}
