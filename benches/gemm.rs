//! Matrix products of the sizes of real networks: ours against `matrixmultiply` and the `gemm` crate, in one run on one thread.
//!
//! `cargo bench --bench gemm`; what it counts as elements are floating-point operations. It backs the choice that `src/kernels/host.rs` makes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gemm::Parallelism;
use tenonet::kernels::activation::Identity;
use tenonet::kernels::linear;
use tenonet::{Plain, Scalar};

/// `C ← A · B` with `A: [M, K]`, `B: [K, N]`, all in rows.
fn product<const K: usize, const N: usize>(criterion: &mut Criterion, layer: &str, m: usize) {
    let a = vec![[0.5_f32; K]; m];
    let mut c = vec![[0.0_f32; N]; m];
    // On the heap directly: the largest would overflow the stack.
    let mut b: Box<[[f32; N]; K]> = Plain::<f32>::zeroed_box();
    Plain::<f32>::flat_mut(&mut *b).fill(0.25);
    let (k_stride, n_stride) = (K as isize, N as isize);

    let mut group = criterion.benchmark_group("gemm");
    group.throughput(Throughput::Elements((2 * m * K * N) as u64)).sample_size(20);
    let shape = format!("{layer} {m}×{K}×{N}");
    // A linear layer over a micro-batch of m inputs; so is a convolution, whose pixels are the inputs.
    group.bench_function(BenchmarkId::new("tenonet", &shape), |bencher| {
        bencher.iter(|| {
            let (x, weight, bias) = (black_box(&*a), black_box(&*b), &[0.0_f32; 0]);
            f32::dispatch(linear::Forward { x, weight, bias, act: Identity, y: &mut c });
        });
    });
    group.bench_function(BenchmarkId::new("matrixmultiply", &shape), |bencher| {
        bencher.iter(|| {
            let (a, b) = (black_box(a.as_ptr()).cast(), black_box(b.as_ptr()).cast());
            // SAFETY: matrices of these sizes and strides.
            unsafe {
                let c = c.as_mut_ptr().cast();
                matrixmultiply::sgemm(m, K, N, 1.0, a, k_stride, 1, b, n_stride, 1, 0.0, c, n_stride, 1);
            }
        });
    });
    group.bench_function(BenchmarkId::new("gemm", &shape), |bencher| {
        bencher.iter(|| {
            let (a, b) = (black_box(a.as_ptr()).cast(), black_box(b.as_ptr()).cast());
            // SAFETY: matrices of these sizes and strides; C is not read.
            unsafe {
                let c = c.as_mut_ptr().cast();
                let (a_stride, threads) = (k_stride, Parallelism::None);
                gemm::gemm(
                    m, N, K, c, 1, n_stride, false, a, 1, a_stride, b, 1, n_stride, 0.0, 1.0_f32, false, false, false,
                    threads,
                );
            }
        });
    });
    group.finish();
}

fn products(criterion: &mut Criterion) {
    // Convolutions of one image: places, taps, output channels.
    product::<25, 6>(criterion, "lenet5.conv1", 784);
    product::<150, 16>(criterion, "lenet5.conv2", 100);
    product::<288, 64>(criterion, "mnist_cnn.conv2", 576);
    product::<144, 16>(criterion, "resnet8.conv2", 1024);
    product::<288, 32>(criterion, "resnet8.conv5", 256);
    product::<576, 64>(criterion, "resnet8.conv7", 64);
    product::<8, 16>(criterion, "mobilenet.pw1", 2304);
    product::<128, 128>(criterion, "mobilenet.pw7", 36);
    product::<256, 256>(criterion, "mobilenet.pw13", 9);
    product::<576, 64>(criterion, "conv64", 3136);
    // Linear layers over a micro-batch: inputs, features, features.
    product::<400, 120>(criterion, "lenet5.fc1", 16);
    product::<120, 84>(criterion, "lenet5.fc2", 16);
    product::<9216, 128>(criterion, "mnist_cnn.fc1", 16);
    product::<4096, 4096>(criterion, "vgg16.fc2", 64);
    // What libraries are tuned for.
    product::<512, 512>(criterion, "square", 512);
}

criterion_group!(benches, products);
criterion_main!(benches);
