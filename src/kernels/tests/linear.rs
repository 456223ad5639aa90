//! Linear layers over micro-batches.

use super::{Data, Source, abs, assert_close, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, LeakyRelu, Tanh};
use crate::kernels::linear::{Backward, Forward, backward_work};
use crate::kernels::reference;
use crate::kernels::simd::Simd;

/// Its slope is a power of two: whole numbers stay exact.
const LEAKY: LeakyRelu = LeakyRelu::new(0.25);

/// One layer, with a bias (`BIASES = O`) or without (0), `DX` or not.
fn check<T, S, A, const I: usize, const O: usize, const BIASES: usize, const DX: bool>(
    simd: S, act: A, n: usize, data: Data,
) where
    T: Scalar,
    S: Simd<T>,
    A: Activation<T>,
{
    let mut source = Source::new((I * 1000 + O * 20 + n) as u64, data);
    let x = source.items::<T, [T; I]>(n);
    let weight = source.item::<T, [[T; O]; I]>();
    let bias = source.item::<T, [T; BIASES]>();
    let mut y = source.nans::<T, [T; O]>(n);
    simd.vectorize(Forward { x: &x, weight: &weight[0], bias: &bias[0], act, y: &mut y });
    let flat = weight[0].as_flattened();
    for i in 0..n {
        let (mut wanted, mut scale) = (vec![T::nan(); O], vec![T::nan(); O]);
        reference::linear_forward(&x[i], flat, &bias[0], &mut wanted);
        reference::linear_forward(&abs(&x[i]), &abs(flat), &abs(&bias[0]), &mut scale);
        wanted.iter_mut().for_each(|y| *y = act.apply(*y));
        assert_close("y", data, &y[i], &wanted, &scale, 2 * I + 16);
    }

    let mut dy = source.items::<T, [T; O]>(n);
    let dz: Vec<Vec<T>> = (0..n).map(|i| (0..O).map(|o| dy[i][o] * act.derivative(y[i][o])).collect()).collect();
    let (mut dw, mut db) = (source.item::<T, [[T; O]; I]>(), source.item::<T, [T; BIASES]>());
    let (mut dw_wanted, mut db_wanted) = (dw[0].as_flattened().to_vec(), db[0].to_vec());
    let (mut dw_scale, mut db_scale) = (abs(&dw_wanted), abs(&db_wanted));
    let mut dx = source.nans::<T, [T; I]>(if DX { n } else { 0 });
    let mut work = source.nans::<T, T>(backward_work(I, O));
    simd.vectorize(Backward::<DX, _, _, _, _, _, _, _> {
        x: &x,
        weight: &weight[0],
        act,
        y: &y,
        dy: &mut dy,
        dw: &mut dw[0],
        db: &mut db[0],
        dx: &mut dx,
        work: &mut work[..],
    });
    for i in 0..n {
        let (mut wanted, mut scale) = (vec![T::nan(); I], vec![T::nan(); I]);
        reference::linear_backward(&x[i], flat, &dz[i], &mut dw_wanted, &mut db_wanted, &mut wanted);
        reference::linear_backward(&abs(&x[i]), &abs(flat), &abs(&dz[i]), &mut dw_scale, &mut db_scale, &mut scale);
        if DX {
            assert_close("dx", data, &dx[i], &wanted, &scale, O + 8);
        }
    }
    assert_close("dw", data, dw[0].as_flattened(), &dw_wanted, &dw_scale, n + 8);
    assert_close("db", data, &db[0], &db_wanted, &db_scale, n + 8);
}

/// Both sorts of data for one layer.
fn check_both<T: Scalar, S: Simd<T>, const I: usize, const O: usize, const BIASES: usize, const DX: bool>(
    simd: S, n: usize,
) {
    check::<T, S, _, I, O, BIASES, DX>(simd, LEAKY, n, Data::Whole);
    check::<T, S, _, I, O, BIASES, DX>(simd, LEAKY, n, Data::Fractions);
}

/// Through a curve.
#[test]
fn activated() {
    on_each!(|T, simd| check::<T, _, _, 7, 21, 21, true>(simd, Tanh, 5, Data::Fractions));
}

/// Heights around those of the tiles, and fewer than a tile wants.
#[test]
fn micro_batches_of_1_to_17() {
    for n in 1..=17 {
        on_each!(|T, simd| {
            check_both::<T, _, 1, 1, 1, true>(simd, n);
            check_both::<T, _, 7, 5, 5, true>(simd, n);
            check_both::<T, _, 16, 6, 0, true>(simd, n);
            check_both::<T, _, 49, 13, 13, false>(simd, n);
        });
    }
}

/// Widths around those of vectors and panels, on both sides.
#[test]
fn features_around_vectors() {
    for n in [1, 3, 4, 12, 13] {
        on_each!(f32, |T, simd| {
            check_both::<T, _, 3, 8, 8, true>(simd, n);
            check_both::<T, _, 15, 16, 16, true>(simd, n);
            check_both::<T, _, 17, 31, 31, true>(simd, n);
            check_both::<T, _, 33, 33, 33, true>(simd, n);
            check_both::<T, _, 32, 48, 0, true>(simd, n);
            check_both::<T, _, 65, 64, 64, true>(simd, n);
            check_both::<T, _, 5, 129, 129, true>(simd, n);
            check_both::<T, _, 129, 10, 10, true>(simd, n);
        });
        // One part of a row, or of several the last one.
        on_each!(f32, |T, simd| {
            check_both::<T, _, 6, 84, 84, false>(simd, n);
            check_both::<T, _, 4, 120, 120, false>(simd, n);
            check_both::<T, _, 3, 250, 250, false>(simd, n);
        });
        on_each!(f64, |T, simd| {
            check_both::<T, _, 9, 15, 15, true>(simd, n);
            check_both::<T, _, 31, 17, 0, true>(simd, n);
            check_both::<T, _, 16, 65, 65, true>(simd, n);
        });
    }
}

/// Sums longer than a piece of the product.
#[test]
fn long_sums() {
    for n in [1, 4, 5] {
        on_each!(f32, |T, simd| {
            check_both::<T, _, 1030, 7, 7, true>(simd, n);
            check_both::<T, _, 1540, 18, 18, true>(simd, n);
            check_both::<T, _, 97, 49, 49, true>(simd, n);
            check_both::<T, _, 20, 1100, 0, true>(simd, n);
        });
        on_each!(f64, |T, simd| check_both::<T, _, 1025, 9, 0, true>(simd, n));
    }
}

/// More inputs than a tile or two: as in training.
#[test]
fn a_whole_micro_batch() {
    on_each!(|T, simd| check_both::<T, _, 40, 20, 20, true>(simd, 64));
}

/// No input is no work: nothing is added, nothing panics.
#[test]
fn empty_micro_batch() {
    on_each!(|T, simd| check_both::<T, _, 7, 5, 5, true>(simd, 0));
}
