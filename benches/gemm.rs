//! Matrix products of the sizes of real networks: ours against `matrixmultiply`, in one run on one thread.
//!
//! `cargo bench --bench gemm`. It backs the choice that `src/kernels/host.rs` makes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tenonet::Scalar;
use tenonet::kernels::gemm;
use tenonet::kernels::simd::{Kernel, Simd};
use tenonet::kernels::tile::{Broadcast, Taps};

/// `C ← A · B`, or with `TRANSPOSED` `C += A · Bᵀ`, all matrices in rows.
struct Product<'a, const TRANSPOSED: bool> {
    sizes: [usize; 3],
    a: &'a [f32],
    b: &'a [f32],
    c: &'a mut [f32],
}

impl<const TRANSPOSED: bool> Kernel<f32> for Product<'_, TRANSPOSED> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<f32>>(self, simd: S) {
        let [m, k, n] = self.sizes;
        assert!(self.a.len() >= m * k && self.b.len() >= k * n && self.c.len() >= m * n);
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        // SAFETY: the slices hold matrices of these sizes, asserted above.
        unsafe {
            if TRANSPOSED {
                gemm::dot_product(simd, m, a, k, b, Taps::rows(n, k), k, c, n);
            } else {
                let a = Broadcast { first: a, row: k, column: 1 };
                gemm::product::<f32, S, false>(simd, m, a, b, Taps::rows(k, n), c, n, n);
            }
        }
    }
}

fn products(criterion: &mut Criterion) {
    // m, k, n: convolutions (channels · taps · places) and linear layers over a micro-batch (inputs · features · features).
    let shapes = [
        [6, 25, 784],
        [16, 150, 100],
        [64, 576, 784],
        [128, 1152, 196],
        [256, 2304, 49],
        [512, 512, 512],
        [16, 400, 120],
        [16, 4096, 4096],
        [64, 4096, 4096],
    ];
    for [m, k, n] in shapes {
        let (a, b, mut c) = (vec![0.5_f32; m * k], vec![0.25; k * n], vec![0.0; m * n]);
        for transposed in [false, true] {
            let name = if transposed { "C += A·Bᵀ" } else { "C = A·B" };
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Elements((2 * m * k * n) as u64)).sample_size(20);
            let shape = format!("{m}×{k}×{n}");
            group.bench_function(BenchmarkId::new("tenonet", &shape), |bencher| {
                bencher.iter(|| {
                    let (sizes, a, b, c) = ([m, k, n], black_box(&*a), black_box(&*b), &mut *c);
                    if transposed {
                        f32::dispatch(Product::<true> { sizes, a, b, c });
                    } else {
                        f32::dispatch(Product::<false> { sizes, a, b, c });
                    }
                });
            });
            group.bench_function(BenchmarkId::new("matrixmultiply", &shape), |bencher| {
                // Strides of B, and whether C is added to.
                let (row, column, beta) = if transposed { (1, k as isize, 1.0) } else { (n as isize, 1, 0.0) };
                bencher.iter(|| {
                    let (a, b) = (black_box(a.as_ptr()), black_box(b.as_ptr()));
                    // SAFETY: matrices of these sizes and strides.
                    unsafe {
                        let (a_row, c_row, c) = (k as isize, n as isize, c.as_mut_ptr());
                        matrixmultiply::sgemm(m, k, n, 1.0, a, a_row, 1, b, row, column, beta, c, c_row, 1);
                    }
                });
            });
            group.finish();
        }
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
