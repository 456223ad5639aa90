//! The convolutions of the networks by themselves: forward of one image, dW, and dW with dX of a micro-batch, on one thread.
//!
//! `cargo bench --bench conv`; what it counts as elements are floating-point operations.

#[path = "common/layers.rs"]
mod layers;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use layers::{Operands, Passes};

fn convolution<C: Operands>(criterion: &mut Criterion) {
    let mut passes = Passes::<C>::default();
    let mut group = criterion.benchmark_group(C::NAME);
    group.sample_size(20).throughput(Throughput::Elements(C::FLOPS as u64));
    group.bench_function("forward", |bencher| bencher.iter(|| passes.forward()));
    group.throughput(Throughput::Elements((C::FLOPS * C::IMAGES) as u64));
    group.bench_function("dw", |bencher| bencher.iter(|| passes.backward::<false>()));
    if !C::PLANES {
        group.throughput(Throughput::Elements((2 * C::FLOPS * C::IMAGES) as u64));
        group.bench_function("dw_dx", |bencher| bencher.iter(|| passes.backward::<true>()));
    }
    group.finish();
}

fn convolutions(criterion: &mut Criterion) {
    macro_rules! run {
        ($convolution:ident) => {
            convolution::<layers::$convolution>(criterion);
        };
    }
    layers::each_convolution!(run);
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
