//! Batch normalisation: against its definition, and its gradients against differences.

use proptest::prelude::*;

use super::{Data, Source, assert_close, cases, memory::Guarded, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, Identity, LeakyRelu, Relu, Silu, Tanh};
use crate::kernels::simd::Simd;
use crate::kernels::{batch_norm, reference};
use crate::plain::Plain;

const EPSILON: f64 = 1e-5;

/// `C` channels twice, what is kept of them, maps of `P` pixels.
type Twice<T, const C: usize> = [[T; C]; 2];
type Kept<T, const C: usize> = [[T; C]; batch_norm::KEPT];
type Map<T, const C: usize, const P: usize> = [[T; C]; P];

/// All elements of all images.
fn all<T: Scalar, X: Plain<T>>(x: &[X]) -> Vec<T> {
    x.iter().flat_map(|x| x.flat()).copied().collect()
}

/// `y` and what is kept, some images at a time.
fn forward_tape<T: Scalar, S: Simd<T>, A: Activation<T>, const C: usize, const P: usize>(
    simd: S, norm: &Twice<T, C>, act: A, x: &[Map<T, C, P>], y: &mut [Map<T, C, P>], kept: &mut Kept<T, C>,
    at_a_time: usize,
) {
    for (i, x) in x.chunks(at_a_time).enumerate() {
        batch_norm::moments(simd, x, i * at_a_time, kept);
    }
    batch_norm::settle(EPSILON, x.len(), P, kept);
    for (x, y) in x.chunks(at_a_time).zip(y.chunks_mut(at_a_time)) {
        batch_norm::normalise(simd, norm, act, x, y, kept);
    }
}

/// What backward adds to: γ's and β's gradients, and the statistics.
type Learned<T, const C: usize> = (Twice<T, C>, Twice<T, C>);

/// `dy` becomes `dx`, some images at a time.
#[allow(clippy::too_many_arguments, reason = "operands and gradients of one step")]
fn backward<T: Scalar, S: Simd<T>, A: Activation<T>, const C: usize, const P: usize>(
    simd: S, norm: &Twice<T, C>, act: A, x: &[Map<T, C, P>], y: &[Map<T, C, P>], dy: &mut [Map<T, C, P>],
    kept: &Kept<T, C>, (d_norm, d_statistics): &mut Learned<T, C>, share: T, at_a_time: usize,
) {
    // More room than it needs: other layers have more channels.
    let mut sums = [[T::nan(); C]; 4];
    for (i, ((x, y), dy)) in x.chunks(at_a_time).zip(y.chunks(at_a_time)).zip(dy.chunks_mut(at_a_time)).enumerate() {
        batch_norm::backward_sums(simd, act, x, y, dy, kept, i * at_a_time, &mut sums);
    }
    batch_norm::backward_settle(norm, x.len(), P, kept, &mut sums, d_norm, d_statistics, share);
    for (x, dy) in x.chunks(at_a_time).zip(dy.chunks_mut(at_a_time)) {
        batch_norm::backward_in_place(simd, x, dy, kept, &sums);
    }
}

/// Forward in training and at inference, against the definition in double precision.
fn check_forward<T: Scalar, S: Simd<T>, A: Activation<T> + Activation<f64>, const C: usize, const P: usize>(
    simd: S, act: A, images: usize, seed: u64,
) {
    let mut source = Source::new(seed, Data::Fractions);
    let (norm, x) = (source.item::<T, Twice<T, C>>(), source.items::<T, Map<T, C, P>>(images));
    let (mut y, mut kept) = (nans::<T, Map<T, C, P>>(images), nans::<T, Kept<T, C>>(1));
    forward_tape(simd, &norm[0], act, &x, &mut y, &mut kept[0], images);
    // As many at a time as one likes: the same bits.
    let (mut y_apart, mut kept_apart) = (nans::<T, Map<T, C, P>>(images), nans::<T, Kept<T, C>>(1));
    forward_tape(simd, &norm[0], act, &x, &mut y_apart, &mut kept_apart[0], 1 + seed as usize % 3);
    assert!(all::<T, _>(&y) == all::<T, _>(&y_apart) && kept[0] == kept_apart[0]);

    let double = |values: Vec<T>| values.into_iter().map(Scalar::as_f64).collect::<Vec<f64>>();
    let (x_64, norm_64) = (double(all(&x)), double(all(&norm)));
    let params = [&norm_64[..C], &norm_64[C..]];
    let (mut mean, mut variance) = ([0.0; C], [0.0; C]);
    reference::batch_norm_moments(&x_64, &mut mean, &mut variance);
    let wanted = |mean: &[f64], variance: &[f64]| -> (Vec<T>, Vec<T>) {
        let mut wanted = vec![0.0; x_64.len()];
        reference::batch_norm_forward(params, [mean, variance], EPSILON, &x_64, &mut wanted);
        // Where the deviation is small, what is divided by it has its rounding magnified.
        let scale = (0..wanted.len()).map(|i| T::of(2.0 + 4.0 / (variance[i % C] + EPSILON).sqrt())).collect();
        (wanted.into_iter().map(|z| T::of(Activation::<f64>::apply(act, z))).collect(), scale)
    };
    let (values, scale) = wanted(&mean, &variance);
    // Errors of the variance count most where it is least, with few pixels of nearly the same value.
    let worst = variance.iter().map(|v| 1.0 / (v + EPSILON)).fold(1.0, f64::max).sqrt() as usize;
    assert_close("y", Data::Fractions, &all::<T, _>(&y), &values, &scale, 16 * (1 + worst));
    let mean_t = mean.map(T::of);
    assert_close("mean", Data::Fractions, &kept[0][0], &mean_t, &[T::one(); C], 8);
    let r: [T; C] = core::array::from_fn(|c| T::of((variance[c] + EPSILON).sqrt().recip()));
    assert_close("1 / deviation", Data::Fractions, &kept[0][1], &r, &r, 16 * (1 + worst));

    // Inference, with those of the batch and with others.
    let mut statistics = Guarded::<Twice<T, C>>::zeroed(1);
    (statistics[0][0], statistics[0][1]) = (mean_t, variance.map(T::of));
    y.iter_mut().for_each(|y| y.flat_mut().fill(T::nan()));
    batch_norm::forward(simd, &norm[0], &statistics[0], EPSILON, act, &x, &mut y);
    assert_close("y at inference", Data::Fractions, &all::<T, _>(&y), &values, &scale, 16 * (1 + worst));
    let (mean, variance) = ([0.25; C], core::array::from_fn::<f64, C, _>(|c| 0.5 + c as f64));
    (statistics[0][0], statistics[0][1]) = (mean.map(T::of), variance.map(T::of));
    batch_norm::forward(simd, &norm[0], &statistics[0], EPSILON, act, &x, &mut y);
    let (values, scale) = wanted(&mean, &variance);
    assert_close("y with other statistics", Data::Fractions, &all::<T, _>(&y), &values, &scale, 16);
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn values(images in 1_usize..=5, seed: u64) {
        on_each!(|T, simd| {
            check_forward::<T, _, _, 1, 1>(simd, Identity, images, seed);
            check_forward::<T, _, _, 3, 7>(simd, Relu, images, seed);
            check_forward::<T, _, _, 6, 25>(simd, LeakyRelu::new(0.25), images, seed);
            check_forward::<T, _, _, 8, 4>(simd, Identity, images, seed);
            check_forward::<T, _, _, 9, 3>(simd, Relu, images, seed);
            check_forward::<T, _, _, 16, 12>(simd, Tanh, images, seed);
            check_forward::<T, _, _, 21, 1>(simd, Silu, images, seed);
            check_forward::<T, _, _, 64, 9>(simd, Relu, images, seed);
        });
    }
}

/// Far from 0 a variance by the mean of squares would have no digit left, and a sum of many large values few.
#[test]
fn far_from_zero() {
    fn check<T: Scalar, S: Simd<T>>(simd: S) {
        const P: usize = 900;
        let mut source = Source::new(4, Data::Fractions);
        let mut x = source.items::<T, Map<T, 5, P>>(8);
        // Uniform on ±√3 has deviation 1; every image has a mean of its own.
        for (i, image) in x.iter_mut().enumerate() {
            for x in image.flat_mut() {
                *x = T::of(x.as_f64() * 3.0_f64.sqrt() + 1e3 + i as f64 * 0.01);
            }
        }
        let norm: Twice<T, 5> = [[T::one(); 5], [T::zero(); 5]];
        let (mut y, mut kept) = (nans::<T, Map<T, 5, P>>(8), nans::<T, Kept<T, 5>>(1));
        forward_tape(simd, &norm, Identity, &x, &mut y, &mut kept[0], 3);
        let x: Vec<f64> = all(&x).into_iter().map(T::as_f64).collect();
        let (mut mean, mut variance) = ([0.0; 5], [0.0; 5]);
        reference::batch_norm_moments(&x, &mut mean, &mut variance);
        for c in 0..5 {
            let found = kept[0][1][c].as_f64().powi(-2) - EPSILON;
            assert!((found / variance[c] - 1.0).abs() < 1e-4, "variance {found} instead of {}", variance[c]);
            let found = kept[0][0][c].as_f64();
            assert!((found - mean[c]).abs() < 2e-4, "mean {found} instead of {}", mean[c]);
        }
        for (i, y) in all::<T, _>(&y).into_iter().enumerate() {
            let wanted = (x[i] - mean[i % 5]) / variance[i % 5].sqrt();
            assert!((y.as_f64() - wanted).abs() < 5e-4, "{y} instead of {wanted}");
        }
    }
    on_each!(|T, simd| check::<T, _>(simd));
}

/// The gradient of `Σ dy · y` with respect to everything, by central differences in double precision.
fn check_gradients<S: Simd<f64>, A: Activation<f64>, const C: usize, const P: usize>(simd: S, act: A, images: usize) {
    let mut source = Source::new(9, Data::Fractions);
    let (mut norm, mut x) = (source.item::<f64, Twice<f64, C>>(), source.items::<f64, Map<f64, C, P>>(images));
    let dy = source.items::<f64, Map<f64, C, P>>(images);
    let run = |norm: &Twice<f64, C>, x: &[Map<f64, C, P>]| {
        let (mut y, mut kept) = (nans::<f64, Map<f64, C, P>>(images), nans::<f64, Kept<f64, C>>(1));
        forward_tape(simd, norm, act, x, &mut y, &mut kept[0], 2);
        (y, kept)
    };
    let loss = |norm: &Twice<f64, C>, x: &[Map<f64, C, P>]| -> f64 {
        all::<f64, _>(&run(norm, x).0).iter().zip(all::<f64, _>(&dy)).map(|(y, dy)| y * dy).sum()
    };
    let (y, kept) = run(&norm[0], &x);
    let mut dx = Guarded::<Map<f64, C, P>>::zeroed(images);
    dx.copy_from_slice(&dy);
    // What is added to begins with something.
    let mut learned = ([[0.5; C]; 2], [[0.25; C]; 2]);
    backward(simd, &norm[0], act, &x, &y, &mut dx, &kept[0], &mut learned, 0.125, 2);
    // As many at a time as one likes: the same bits.
    let (mut at_once, mut learned_at_once) = (dy.to_vec(), ([[0.5; C]; 2], [[0.25; C]; 2]));
    backward(simd, &norm[0], act, &x, &y, &mut at_once, &kept[0], &mut learned_at_once, 0.125, images);
    assert!(all::<f64, _>(&at_once) == all::<f64, _>(&dx) && learned == learned_at_once);
    let (d_norm, d_statistics) = learned;
    let compare = |what: &str, found: f64, wanted: f64| {
        assert!((found - wanted).abs() <= 1e-6 * (1.0 + wanted.abs()), "{what}: {found} instead of {wanted}");
    };
    const STEP: f64 = 1e-5;
    for i in 0..2 * C {
        let at = norm[0].flat()[i];
        norm[0].flat_mut()[i] = at + STEP;
        let above = loss(&norm[0], &x);
        norm[0].flat_mut()[i] = at - STEP;
        let below = loss(&norm[0], &x);
        norm[0].flat_mut()[i] = at;
        compare("d norm", d_norm.flat()[i] - 0.5, (above - below) / (2.0 * STEP));
    }
    for (image, i) in (0..images).flat_map(|image| (0..C * P).map(move |i| (image, i))) {
        let at = x[image].flat()[i];
        x[image].flat_mut()[i] = at + STEP;
        let above = loss(&norm[0], &x);
        x[image].flat_mut()[i] = at - STEP;
        let below = loss(&norm[0], &x);
        x[image].flat_mut()[i] = at;
        compare("dx", dx[image].flat()[i], (above - below) / (2.0 * STEP));
    }
    let (mut mean, mut variance) = ([0.0; C], [0.0; C]);
    reference::batch_norm_moments(&all::<f64, _>(&x), &mut mean, &mut variance);
    let (weight, count) = (0.125 * images as f64, (images * P) as f64);
    for c in 0..C {
        compare("mean", d_statistics[0][c], 0.25 + weight * mean[c]);
        let unbiased = variance[c] * count / (count - 1.0).max(1.0);
        compare("variance", d_statistics[1][c], 0.25 + weight * unbiased);
    }
}

#[test]
fn gradients() {
    on_each!(f64, |T, simd| {
        let _: T = 0.0;
        check_gradients::<_, _, 3, 7>(simd, Identity, 2);
        check_gradients::<_, _, 6, 4>(simd, Tanh, 3);
        check_gradients::<_, _, 8, 5>(simd, Tanh, 1);
        check_gradients::<_, _, 17, 1>(simd, Identity, 6);
        check_gradients::<_, _, 20, 2>(simd, Tanh, 2);
    });
}

/// One pixel alone is its own mean; no images at all are no fault.
#[test]
fn one_and_none() {
    on_each!(|T, simd| {
        let norm: Twice<T, 2> = [[2.0, 3.0], [0.5, -0.5]];
        let (x, mut y, mut kept) = ([[[7.0, -3.0]]], [[[9.0; 2]]], [[9.0; 2]; 3]);
        forward_tape(simd, &norm, Identity, &x[..0], &mut y[..0], &mut kept, 1);
        assert_eq!(kept, [[9.0; 2]; 3]);
        batch_norm::moments(simd, &x[..0], 0, &mut kept);
        assert_eq!(kept, [[9.0; 2]; 3]);
        forward_tape(simd, &norm, Identity, &x, &mut y, &mut kept, 1);
        assert_eq!((y[0][0], kept[0]), ([0.5, -0.5], [7.0, -3.0]));
        let (mut dy, mut learned) = ([[[1.0, 1.0]]], ([[0.0; 2]; 2], [[0.0; 2]; 2]));
        let share: T = 1.0;
        backward(simd, &norm, Identity, &x, &y, &mut dy, &kept, &mut learned, share, 1);
        // The variance of one value is taken as 0.
        assert_eq!((dy, learned.0), ([[[0.0; 2]]], [[0.0; 2], [1.0; 2]]));
        assert_eq!(learned.1, [[7.0, -3.0], [0.0; 2]]);
        backward(simd, &norm, Identity, &x[..0], &y[..0], &mut dy[..0], &kept, &mut learned, share, 1);
        assert_eq!((learned.0[1], learned.1[0]), ([1.0; 2], [7.0, -3.0]));
    });
}
