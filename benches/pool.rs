//! Pooling by itself, forward and backward, as it runs where it is not part of a convolution's step. On one thread.
//!
//! `cargo bench --bench pool`; elements are those of the maps that arrive.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tenonet::kernels::pool;
use tenonet::kernels::simd::{Kernel, Simd};
use tenonet::kernels::stage::PoolSpec;
use tenonet::prelude::*;
use tenonet::shape::Pool;

/// Inputs of a micro-batch.
const IMAGES: usize = 16;

/// Windows of `K × K`, side by side, on maps of this shape.
#[derive(Clone, Copy)]
struct Windows<const K: usize, const C: usize, const H: usize, const W: usize>;

impl<const K: usize, const C: usize, const H: usize, const W: usize> PoolSpec for Windows<K, C, H, W> {
    const POOL: Pool = MaxPool2d::<K, K>::shape(C, H, W);
}

/// What is run.
#[derive(Clone, Copy)]
enum What {
    MaxForward,
    MaxForwardIndexed,
    MaxBackward,
    AvgForward,
    AvgBackward,
}

struct Run<'a, P, X, Y, I> {
    what: What,
    pool: P,
    x: &'a mut [X],
    y: &'a mut [Y],
    index: &'a mut [I],
}

impl<P: PoolSpec, X: Plain<f32>, Y: Plain<f32>, I: Plain<u8>> Kernel<f32> for Run<'_, P, X, Y, I> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<f32>>(self, simd: S) {
        match self.what {
            What::MaxForward => pool::max_forward(simd, self.pool, self.x, self.y),
            What::MaxForwardIndexed => pool::max_forward_indexed(simd, self.pool, self.x, self.y, self.index),
            What::MaxBackward => pool::max_backward(simd, self.pool, self.y, self.index, self.x),
            What::AvgForward => pool::avg_forward(simd, self.pool, self.x, self.y),
            What::AvgBackward => pool::avg_backward(simd, self.pool, self.y, self.x),
        }
    }
}

/// All passes on maps of `C × H × W`.
fn pooling<const K: usize, const C: usize, const H: usize, const W: usize, const OH: usize, const OW: usize>(
    criterion: &mut Criterion, layer: &str,
) {
    let mut x = vec![Tensor::<C, H, W>::from_fn(|c, h, w| ((c * 31 + h * 17 + w * 7) % 13) as f32); IMAGES];
    let mut y = vec![Tensor::<C, OH, OW>::zeros(); IMAGES];
    let mut index = vec![[[[0_u8; OW]; OH]; C]; IMAGES];
    let mut group = criterion.benchmark_group(format!("{layer} {C}×{H}×{W} by {K}×{K}"));
    group.sample_size(20).throughput(Throughput::Elements((IMAGES * C * H * W) as u64));
    // In this order: backward scatters by the places that forward found.
    for (name, what) in [
        ("max", What::MaxForward),
        ("max with places", What::MaxForwardIndexed),
        ("max backward", What::MaxBackward),
        ("avg", What::AvgForward),
        ("avg backward", What::AvgBackward),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (pool, x) = (Windows::<K, C, H, W>, black_box(&mut *x));
                f32::dispatch(Run { what, pool, x, y: &mut y, index: &mut index });
            });
        });
    }
    group.finish();
}

fn poolings(criterion: &mut Criterion) {
    pooling::<2, 6, 28, 28, 14, 14>(criterion, "lenet5");
    pooling::<2, 16, 10, 10, 5, 5>(criterion, "lenet5");
    pooling::<2, 64, 24, 24, 12, 12>(criterion, "mnist_cnn");
    pooling::<8, 64, 8, 8, 1, 1>(criterion, "resnet8");
    pooling::<3, 256, 3, 3, 1, 1>(criterion, "mobilenet");
}

criterion_group!(benches, poolings);
criterion_main!(benches);
