//! What learning costs beside the passes: each loss over a batch, each optimizer over the parameters of a network. On one thread.
//!
//! `cargo bench --bench learning`; elements are outputs, or parameters.

#[path = "common/networks.rs"]
#[allow(dead_code, reason = "for the sizes of some of them")]
mod networks;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use networks::{LeNet5, MnistCnn};
use tenonet::loss::Loss;
use tenonet::prelude::*;

const BATCH: usize = 64;

fn loss<const N: usize, L, E: Loss<Tensor<N>, L>>(criterion: &mut Criterion, name: &str, loss: E, targets: &[L]) {
    let y: Vec<Tensor<N>> =
        (0..BATCH).map(|i| Tensor::from_fn(|n, _, _| ((i * 31 + n * 17) % 13) as f32 - 6.0)).collect();
    let mut dy = vec![Tensor::zeros(); BATCH];
    let mut group = criterion.benchmark_group("loss");
    group.throughput(Throughput::Elements((BATCH * N) as u64));
    group.bench_function(format!("{name} of {N}, value and gradient"), |bencher| {
        bencher.iter(|| {
            let all = black_box(&y).iter().zip(targets).zip(&mut dy);
            all.map(|((y, target), dy)| loss.value_and_grad(y, target, dy)).sum::<f32>()
        });
    });
    group.finish();
}

fn losses(criterion: &mut Criterion) {
    let labels: Vec<u8> = (0..BATCH).map(|i| (i % 10) as u8).collect();
    loss::<10, _, _>(criterion, "SoftmaxCrossEntropy", SoftmaxCrossEntropy, &labels);
    loss::<1000, _, _>(criterion, "SoftmaxCrossEntropy", SoftmaxCrossEntropy, &labels);
    loss::<10, _, _>(criterion, "SquaredError", SquaredError, &vec![Tensor::<10>::zeros(); BATCH]);
    loss::<1000, _, _>(criterion, "SquaredError", SquaredError, &vec![Tensor::<1000>::zeros(); BATCH]);
}

fn optimizer(criterion: &mut Criterion, name: &str, params: usize, mut optimizer: impl Optimizer<f32>) {
    let mut values = vec![0.5; params];
    // It changes its sign along the parameters, so that they stay in range however often a step is made.
    let grad: Vec<f32> = (0..params).map(|i| if i % 2 == 0 { 1e-6 } else { -1e-6 }).collect();
    let mut group = criterion.benchmark_group("optimizer");
    group.throughput(Throughput::Elements(params as u64));
    group.bench_function(format!("{name}, {params} parameters"), |bencher| {
        bencher.iter(|| optimizer.step(black_box(&mut values), black_box(&grad)).expect("the settings are in range"));
    });
    group.finish();
}

fn optimizers(criterion: &mut Criterion) {
    for params in [LeNet5::PARAMS, MnistCnn::PARAMS] {
        optimizer(criterion, "Sgd", params, Sgd::new(0.01));
        optimizer(criterion, "Sgd with momentum", params, Sgd::new(0.01).momentum(0.9));
        optimizer(criterion, "Sgd with Nesterov's", params, Sgd::new(0.01).momentum(0.9).nesterov(true));
        optimizer(criterion, "Adam", params, Adam::new(0.001));
        optimizer(criterion, "AdamW", params, AdamW::new(0.001));
    }
}

criterion_group!(benches, losses, optimizers);
criterion_main!(benches);
