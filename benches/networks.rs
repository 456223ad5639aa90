//! Whole networks on one thread: inference of one image and of 64, and a training step of 64.
//!
//! ```sh
//! cargo bench --bench networks           # ours alone
//! benches/peers/run                      # beside ONNX Runtime, PyTorch and others
//! ```

#[path = "common/networks.rs"]
mod networks;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use networks::{Conv64, LeNet5, MnistCnn, MobileNet, ResNet8};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use tenonet::loss::Loss;
use tenonet::prelude::*;

const BATCH: usize = 64;

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

fn inputs<N: Network<Scalar = f32>>() -> Vec<N::Input> {
    let mut rng = rng();
    let input = |_| {
        let mut input = N::Input::zeroed_box();
        input.flat_mut().fill_with(|| rng.random::<f32>() - 0.5);
        *input
    };
    (0..BATCH).map(input).collect()
}

/// Elements are multiply-adds.
fn forward<N: Network<Scalar = f32>>(criterion: &mut Criterion) {
    let (net, x, mut scratch) = (N::init(&mut rng()), inputs::<N>(), N::scratch());
    let mut y: Vec<N::Output> = x.iter().map(|_| N::Output::ZERO).collect();
    let mut group = criterion.benchmark_group(N::NAME);
    group.sample_size(20).throughput(Throughput::Elements(N::MACS as u64));
    group.bench_function("forward 1", |bencher| bencher.iter(|| net.forward(black_box(&x[0]), &mut scratch)));
    group.throughput(Throughput::Elements((BATCH * N::MACS) as u64));
    group.bench_function("forward 64", |bencher| {
        bencher.iter(|| net.forward_batch(black_box(&x), &mut y).expect("as many outputs as inputs"));
    });
    group.finish();
}

/// Elements are images.
fn train<N: Network<Scalar = f32>>(criterion: &mut Criterion)
where
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    let (mut net, mut grad, x) = (N::init(&mut rng()), N::zeroed_box(), inputs::<N>());
    let labels: Vec<u8> = (0..BATCH).map(|i| (i % 2) as u8).collect();
    let mut sgd = Sgd::new(0.01).momentum(0.9);
    let mut group = criterion.benchmark_group(N::NAME);
    group.sample_size(20).throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("training step 64", |bencher| {
        bencher.iter(|| {
            let loss = net.loss_and_grad(black_box(&x), &labels, &SoftmaxCrossEntropy, &mut grad).expect("labels fit");
            sgd.step(net.params_mut(), grad.params()).expect("the rate is positive");
            net.update_statistics(&grad);
            loss
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    // The main thread is rayon's only one.
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().expect("the first pool");
    forward::<LeNet5>(criterion);
    train::<LeNet5>(criterion);
    forward::<MnistCnn>(criterion);
    train::<MnistCnn>(criterion);
    forward::<ResNet8>(criterion);
    train::<ResNet8>(criterion);
    forward::<MobileNet>(criterion);
    train::<MobileNet>(criterion);
    forward::<Conv64>(criterion);
}

criterion_group!(benches, all);
criterion_main!(benches);
