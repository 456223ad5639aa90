//! Factors and summands of channels, and layer normalisation.

use proptest::prelude::*;

use super::{Data, Source, any_data, assert_close, cases, nans, on_each};
use crate::Scalar;
use crate::kernels::simd::Simd;
use crate::kernels::{layer_norm, reference, scale};
use crate::plain::Plain;

fn check_scale<T: Scalar, S: Simd<T>, const C: usize, const P: usize>(simd: S, images: usize, seed: u64, data: Data) {
    let mut source = Source::new(seed, data);
    let (x, dy) = (source.items::<T, [[T; C]; P]>(images), source.items::<T, [[T; C]; P]>(images));
    let (weight, mut dw, mut db) = (source.item::<T, [T; C]>(), source.item::<T, [T; C]>(), source.item::<T, [T; C]>());
    let (mut wanted_dw, mut wanted_db) = (dw[0], db[0]);
    let [mut y, mut in_place, mut sum, mut sum_in_place, mut d] =
        core::array::from_fn(|_| nans::<T, [[T; C]; P]>(images));
    for (to, from) in [(&mut in_place, &x), (&mut sum_in_place, &x), (&mut d, &dy)] {
        to.copy_from_slice(from);
    }
    scale::forward(simd, &weight[0], &x, &mut y);
    scale::forward_in_place(simd, &weight[0], &mut in_place);
    scale::shift_forward(simd, &weight[0], &x, &mut sum);
    scale::shift_forward_in_place(simd, &weight[0], &mut sum_in_place);
    scale::shift_backward(simd, &dy, &mut db[0]);
    scale::backward_in_place(simd, &weight[0], &x, &mut d, &mut dw[0]);
    for (i, p, c) in (0..images).flat_map(|i| (0..P).flat_map(move |p| (0..C).map(move |c| (i, p, c)))) {
        assert_eq!([y[i][p][c], in_place[i][p][c]], [x[i][p][c] * weight[0][c]; 2]);
        assert_eq!([sum[i][p][c], sum_in_place[i][p][c]], [x[i][p][c] + weight[0][c]; 2]);
        assert_eq!(d[i][p][c], dy[i][p][c] * weight[0][c]);
        wanted_dw[c] += dy[i][p][c] * x[i][p][c];
        wanted_db[c] += dy[i][p][c];
    }
    let bound = [T::of((1 + images * P) as f64); C];
    assert_close("dw", data, &dw[0], &wanted_dw, &bound, images * P + 2);
    assert_close("db", data, &db[0], &wanted_db, &bound, images * P + 2);
}

fn check_norm<T: Scalar, S: Simd<T>, const N: usize>(simd: S, images: usize, seed: u64) {
    let mut source = Source::new(seed, Data::Fractions);
    let (x, dy) = (source.items::<T, [T; N]>(images), source.items::<T, [T; N]>(images));
    let (norm, mut d_norm) = (source.item::<T, [[T; N]; 2]>(), source.item::<T, [[T; N]; 2]>());
    let mut wanted_d = d_norm[0];
    let (mut y, mut d) = (nans::<T, [T; N]>(images), nans::<T, [T; N]>(images));
    d.copy_from_slice(&dy);
    layer_norm::forward(simd, &norm[0], 1e-2, &x, &mut y);
    layer_norm::backward_in_place(simd, &norm[0], 1e-2, &x, &mut d, &mut d_norm[0]);
    for i in 0..images {
        let (mut wanted, mut dx) = ([T::nan(); N], [T::nan(); N]);
        reference::layer_norm_forward([&norm[0][0], &norm[0][1]], 1e-2, &x[i], &mut wanted);
        let [d_gamma, d_beta] = &mut wanted_d;
        reference::layer_norm_backward(&norm[0][0], 1e-2, &x[i], &dy[i], [d_gamma, d_beta], &mut dx);
        // r is 10 at most.
        assert_close("y", Data::Fractions, &y[i], &wanted, &[T::of(20.0); N], N + 16);
        assert_close("dx", Data::Fractions, &d[i], &dx, &[T::of(100.0); N], 4 * N + 16);
    }
    assert_close("d norm", Data::Fractions, d_norm[0].flat(), wanted_d.flat(), &vec![T::of(100.0); 2 * N], N + 16);
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn scales(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| {
            check_scale::<T, _, 5, 7>(simd, images, seed, data);
            check_scale::<T, _, 16, 4>(simd, images, seed, data);
            check_scale::<T, _, 37, 3>(simd, images, seed, data);
            check_scale::<T, _, 1, 9>(simd, images, seed, data);
        });
    }

    #[test]
    fn layer_norms(images in 0_usize..=3, seed: u64) {
        on_each!(|T, simd| {
            check_norm::<T, _, 1>(simd, images, seed);
            check_norm::<T, _, 31>(simd, images, seed);
            check_norm::<T, _, 32>(simd, images, seed);
            check_norm::<T, _, 33>(simd, images, seed);
            check_norm::<T, _, 150>(simd, images, seed);
        });
    }
}

/// Far from 0 the mean does not swallow the variance.
#[test]
fn layer_norm_of_a_large_mean() {
    let x: [f32; 96] = core::array::from_fn(|i| 1e4 + (i % 2) as f32);
    let norm = [[1.0_f32; 96], [0.0; 96]];
    on_each!(f32, |T, simd| {
        let mut y = [[0.0; 96]];
        layer_norm::forward(simd, &norm, 1e-9, &[x], &mut y);
        assert!(y[0].iter().enumerate().all(|(i, y)| (y - if i % 2 == 0 { -1.0 } else { 1.0 }).abs() < 1e-5), "{y:?}");
    });
}
