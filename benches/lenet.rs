//! LeNet-5 on one thread: inference of one image, and a training step of 64.
//!
//! ```sh
//! cargo bench --bench lenet              # ours alone
//! python benches/peers/lenet.py          # beside PyTorch and ONNX Runtime
//! ```

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use tenonet::prelude::*;

network! {
    /// LeNet-5 for 28 × 28 grey digits.
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

fn lenet(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut net = LeNet::<f32>::init(&mut rng);
    let images: Vec<Tensor<1, 28, 28>> = (0..64).map(|_| Tensor::from_fn(|_, _, _| rng.random())).collect();
    let labels: Vec<u8> = (0..64).map(|_| rng.random_range(0..10)).collect();
    let mut group = c.benchmark_group("lenet");

    let mut scratch = LeNet::<f32>::scratch();
    group.bench_function("forward_1", |b| b.iter(|| net.forward(black_box(&images[0]), &mut scratch)));

    // One thread: gradient and step, without the trainer's lanes.
    let mut grad = LeNet::<f32>::zeroed_box();
    let mut sgd = Sgd::new(0.01).momentum(0.9);
    group.bench_function("train_64", |b| {
        b.iter(|| {
            let loss =
                net.loss_and_grad(black_box(&images), &labels, &SoftmaxCrossEntropy, &mut grad).expect("labels fit");
            sgd.step(net.params_mut(), grad.params()).expect("the rate is positive");
            loss
        });
    });
    group.finish();
}

criterion_group!(benches, lenet);
criterion_main!(benches);
