//! Linear layers over micro-batches.

use super::{Data, Source, abs, assert_close, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, LeakyRelu, Tanh};
use crate::kernels::linear::{backward, forward};
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
    let weight = source.item::<T, [[T; I]; O]>();
    let bias = source.item::<T, [T; BIASES]>();
    let mut y = nans::<T, [T; O]>(n);
    forward(simd, &x, &weight[0], &bias[0], act, &mut y);
    let flat: Vec<T> = weight[0].as_flattened().to_vec();
    for i in 0..n {
        let (mut wanted, mut scale) = (vec![T::nan(); O], vec![T::nan(); O]);
        reference::linear_forward(&x[i], &flat, &bias[0], &mut wanted);
        reference::linear_forward(&abs(&x[i]), &abs(&flat), &abs(&bias[0]), &mut scale);
        wanted.iter_mut().for_each(|y| *y = act.apply(*y));
        assert_close("y", data, &y[i], &wanted, &scale, 2 * I + 16);
    }

    let mut dy = source.items::<T, [T; O]>(n);
    let dz: Vec<Vec<T>> = (0..n).map(|i| (0..O).map(|o| dy[i][o] * act.derivative(y[i][o])).collect()).collect();
    let (mut dw, mut db) = (source.item::<T, [[T; I]; O]>(), source.item::<T, [T; BIASES]>());
    let (mut dw_wanted, mut db_wanted) = (dw[0].as_flattened().to_vec(), db[0].to_vec());
    let (mut dw_scale, mut db_scale) = (abs(&dw_wanted), abs(&db_wanted));
    let mut dx = nans::<T, [T; I]>(if DX { n } else { 0 });
    backward::<DX, _, _, _, _, _, _, _>(simd, &x, &weight[0], act, &y, &mut dy, &mut dw[0], &mut db[0], &mut dx);
    for i in 0..n {
        let (mut wanted, mut scale) = (vec![T::nan(); I], vec![T::nan(); I]);
        reference::linear_backward(&x[i], &flat, &dz[i], &mut dw_wanted, &mut db_wanted, &mut wanted);
        reference::linear_backward(&abs(&x[i]), &abs(&flat), &abs(&dz[i]), &mut dw_scale, &mut db_scale, &mut scale);
        if DX {
            assert_close("dx", data, &dx[i], &wanted, &scale, O + 8);
        }
    }
    assert_close("dw", data, dw[0].as_flattened(), &dw_wanted, &dw_scale, n + 8);
    assert_close("db", data, &db[0], &db_wanted, &db_scale, n + 8);
}

/// Both sorts of data for one layer: whole numbers through a piecewise linear activation, fractions through a curve.
fn check_both<T: Scalar, S: Simd<T>, const I: usize, const O: usize, const BIASES: usize, const DX: bool>(
    simd: S, n: usize,
) {
    check::<T, S, _, I, O, BIASES, DX>(simd, LEAKY, n, Data::Whole);
    check::<T, S, _, I, O, BIASES, DX>(simd, Tanh, n, Data::Fractions);
}

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

#[test]
fn long_sums() {
    for n in [1, 4, 5] {
        on_each!(f32, |T, simd| {
            check_both::<T, _, 1030, 7, 7, true>(simd, n);
            check_both::<T, _, 97, 49, 49, true>(simd, n);
        });
        on_each!(f64, |T, simd| check_both::<T, _, 520, 9, 0, true>(simd, n));
    }
}

/// No input is no work: nothing is added, nothing panics.
#[test]
fn empty_micro_batch() {
    on_each!(|T, simd| check_both::<T, _, 7, 5, 5, true>(simd, 0));
}
