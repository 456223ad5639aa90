//! The two products, of sizes around their tiles.

use proptest::prelude::*;

use super::{Data, Source, assert_close, cases, memory::Guarded, nans, on_each};
use crate::Scalar;
use crate::kernels::gemm::{dot_product, product};
use crate::kernels::simd::{Run, Simd};
use crate::kernels::tile::{Broadcast, Taps};

/// A product's sizes, and the gaps behind the rows of its operands.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    m: usize,
    n: usize,
    k: usize,
    gaps: [usize; 3],
    seed: u64,
    data: Data,
}

/// `C[m × n]` of `A[m × k] · B[k × n]`, and the sum of the absolute products, both on top of `C` before.
fn naive<T: Scalar>(
    s: Sizes, a: impl Fn(usize, usize) -> T, b: impl Fn(usize, usize) -> T, c: impl Fn(usize, usize) -> T,
) -> [Vec<T>; 2] {
    let (mut sums, mut scale) = (Vec::new(), Vec::new());
    for i in 0..s.m {
        for j in 0..s.n {
            sums.push((0..s.k).fold(c(i, j), |sum, p| sum + a(i, p) * b(p, j)));
            scale.push((0..s.k).fold(c(i, j).abs(), |sum, p| sum + (a(i, p) * b(p, j)).abs()));
        }
    }
    [sums, scale]
}

/// The elements of a matrix whose rows lie `row` apart; what lies between rows must be as it was before.
fn rows_of<T: Scalar>(matrix: &[T], before: &[T], m: usize, n: usize, row: usize) -> Vec<T> {
    for (i, (now, before)) in matrix.iter().zip(before).enumerate() {
        assert!(i % row < n || now == before || now.is_nan() && before.is_nan(), "written between rows, at {i}");
    }
    (0..m).flat_map(|i| matrix[i * row..i * row + n].to_vec()).collect()
}

/// Length of a matrix whose last row has nothing behind it.
fn len(rows: usize, columns: usize, row: usize) -> usize {
    if rows == 0 { 0 } else { (rows - 1) * row + columns }
}

fn check_product<T: Scalar, S: Simd<T>>(simd: S, s: Sizes, transposed: bool) {
    let mut source = Source::new(s.seed, s.data);
    let (c_row, b_row) = (s.n + s.gaps[0], s.n + s.gaps[1]);
    // A by rows, or by columns: as for dX, where the weights are read transposed.
    let (row, column) = if transposed { (1, s.m + s.gaps[2]) } else { (s.k + s.gaps[2], 1) };
    let a = source.items::<T, T>(if transposed { len(s.k, s.m, column) } else { len(s.m, s.k, row) });
    let b = source.items::<T, T>(len(s.k, s.n, b_row));
    let taps = Taps::rows(s.k, b_row);
    let (at_a, at_b) = (|i, p| a[i * row + p * column], |p, j| b[p * b_row + j]);
    let operand = Broadcast { first: a.as_ptr(), row, column };

    let mut c = nans::<T, T>(len(s.m, s.n, c_row));
    let before = c.to_vec();
    // SAFETY: the matrices have the lengths of their sizes and strides.
    simd.vectorize(Run(|| unsafe {
        product::<T, S, false>(simd, s.m, operand, b.as_ptr(), taps, c.as_mut_ptr(), c_row, s.n)
    }));
    let [wanted, scale] = naive(s, at_a, at_b, |_, _| T::zero());
    assert_close("A · B", s.data, &rows_of(&c, &before, s.m, s.n, c_row), &wanted, &scale, s.k + 1);

    let mut c = source.items::<T, T>(len(s.m, s.n, c_row));
    let before = c.to_vec();
    // SAFETY: as above.
    simd.vectorize(Run(|| unsafe {
        product::<T, S, true>(simd, s.m, operand, b.as_ptr(), taps, c.as_mut_ptr(), c_row, s.n)
    }));
    let [wanted, scale] = naive(s, at_a, at_b, |i, j| before[i * c_row + j]);
    assert_close("C + A · B", s.data, &rows_of(&c, &before, s.m, s.n, c_row), &wanted, &scale, s.k + 2);
}

fn check_dot<T: Scalar, S: Simd<T>>(simd: S, s: Sizes) {
    let mut source = Source::new(s.seed, s.data);
    // C[m × n] += A[m × k] · (B[n × k])ᵀ.
    let (c_row, b_row, a_row) = (s.n + s.gaps[0], s.k + s.gaps[1], s.k + s.gaps[2]);
    let a = source.items::<T, T>(len(s.m, s.k, a_row));
    let b = source.items::<T, T>(len(s.n, s.k, b_row));
    let mut c = source.items::<T, T>(len(s.m, s.n, c_row));
    let before = c.to_vec();
    let taps = Taps::rows(s.n, b_row);
    // SAFETY: the matrices have the lengths of their sizes and strides.
    simd.vectorize(Run(|| unsafe {
        dot_product(simd, s.m, a.as_ptr(), a_row, b.as_ptr(), taps, s.k, c.as_mut_ptr(), c_row)
    }));
    let [wanted, scale] = naive(s, |i, p| a[i * a_row + p], |p, j| b[j * b_row + p], |i, j| before[i * c_row + j]);
    assert_close("C + A · Bᵀ", s.data, &rows_of(&c, &before, s.m, s.n, c_row), &wanted, &scale, s.k + 2);
}

pub(super) fn any_data() -> impl Strategy<Value = Data> {
    prop_oneof![Just(Data::Whole), Just(Data::Fractions)]
}

/// Sizes around a tile's: 1, one less, itself, one more, several.
fn around(tile: usize) -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just((tile - 1).max(1)), Just(tile), Just(tile + 1), 1..4 * tile]
}

fn gaps() -> impl Strategy<Value = [usize; 3]> {
    prop_oneof![Just([0; 3]), [0_usize..5, 0..5, 0..5]]
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn products(
        m in around(8), (n, k) in prop_oneof![(around(4), 0_usize..20), (around(48), 0_usize..20), (around(16), 1_usize..40)],
        gaps in gaps(), seed: u64, data in any_data(), transposed: bool,
    ) {
        let sizes = Sizes { m, n, k, gaps, seed, data };
        on_each!(|T, simd| check_product::<T, _>(simd, sizes, transposed));
    }

    #[test]
    fn dot_products(
        m in prop_oneof![around(3), around(4)], n in prop_oneof![around(3), around(6)],
        k in prop_oneof![0_usize..2, around(4), around(16), 500_usize..520, 1020_usize..1030, 1530_usize..1600],
        gaps in gaps(), seed: u64, data in any_data(),
    ) {
        let sizes = Sizes { m, n, k, gaps, seed, data };
        on_each!(|T, simd| check_dot::<T, _>(simd, sizes));
    }
}

/// The rows of a matrix that is a shifted view of a map: as the taps of a convolution, in their order.
#[test]
fn taps_are_in_order() {
    let taps = Taps { count: [2, 3, 2], stride: [100, 10, 3] };
    let offsets: Vec<usize> = (0..12).map(|k| taps.offset(k)).collect();
    assert_eq!(offsets, [0, 3, 10, 13, 20, 23, 100, 103, 110, 113, 120, 123]);
    assert_eq!((0..3).map(|k| Taps::rows(3, 7).offset(k)).collect::<Vec<_>>(), [0, 7, 14]);
}

/// What is not a number between B's rows does not reach the sums.
#[test]
fn garbage_between_rows_stays_there() {
    fn check<T: Scalar, S: Simd<T>>(simd: S) {
        for n in 1..20 {
            let (k, row) = (5, n + 3);
            let a = Source::new(1, Data::Whole).items::<T, T>(k);
            let mut b = Guarded::<T>::zeroed(len(k, n, row));
            for (i, b) in b.iter_mut().enumerate() {
                *b = if i % row < n { T::one() } else { T::nan() };
            }
            let mut c = nans::<T, T>(n);
            let operand = Broadcast { first: a.as_ptr(), row: k, column: 1 };
            let taps = Taps::rows(k, row);
            // SAFETY: the matrices have the lengths of their sizes and strides.
            simd.vectorize(Run(|| unsafe {
                product::<T, S, false>(simd, 1, operand, b.as_ptr(), taps, c.as_mut_ptr(), n, n)
            }));
            let sum: T = a.iter().copied().sum();
            assert!(c.iter().all(|c| *c == sum));
        }
    }
    on_each!(|T, simd| check::<T, _>(simd));
}

/// The host's product and ours agree where the host's takes over, and it takes over only there.
#[test]
fn the_hosts_product_agrees() {
    use crate::kernels::{host::HostGemm, simd::Portable};
    let (m, k, n) = (64, 70, 90);
    let a: Vec<f32> = (0..m * k).map(|i| (i * 37 % 11) as f32 - 5.0).collect();
    let b: Vec<f32> = (0..k * n).map(|i| (i * 53 % 13) as f32 - 6.0).collect();
    let (mut ours, mut hosts) = (vec![f32::NAN; m * n], vec![f32::NAN; m * n]);
    let broadcast = Broadcast { first: a.as_ptr(), row: k, column: 1 };
    // SAFETY: matrices of these sizes in rows.
    unsafe {
        product::<f32, _, false>(Portable, m, broadcast, b.as_ptr(), Taps::rows(k, n), ours.as_mut_ptr(), n, n);
        f32::product(m, k, n, broadcast, b.as_ptr(), hosts.as_mut_ptr());
    }
    // Whole numbers: sums are exact in any order.
    assert_eq!(ours, hosts);
    assert!(f32::wins(64, 4096, 4096) && !f32::wins(16, 4096, 4096) && !f32::wins(64, 576, 784));
}
