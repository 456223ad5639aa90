//! Element-wise steps: activations against their formulas in double precision, softmax against its definition.

use super::{Data, Source, assert_close, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::*;
use crate::kernels::map;
use crate::kernels::simd::Simd;
use crate::shape::Shape;

/// Places around every kink, and far out, where a careless formula overflows.
const PLACES: [f64; 28] = [
    -1e30, -800.0, -90.0, -20.0, -6.0, -3.5, -3.0, -2.5, -1.0, -0.5, -0.1, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.1, 0.5,
    1.0, 2.5, 3.0, 3.5, 5.9, 6.0, 7.0, 20.0, 90.0, 800.0,
];

/// Values and derivatives at the places: through the kernels, in both precisions, on each instruction set.
fn check<A>(act: A, value: fn(f64) -> f64, derivative: fn(f64) -> f64)
where
    A: Activation<f32> + Activation<f64> + core::fmt::Debug,
{
    fn run<T: Scalar, S: Simd<T>, A: Activation<T> + core::fmt::Debug>(
        simd: S, act: A, value: fn(f64) -> f64, derivative: fn(f64) -> f64,
    ) {
        let x: [T; 28] = PLACES.map(T::of);
        let (mut y, mut in_place, mut dy) = ([T::nan(); 28], x, [T::of(2.0); 28]);
        map::forward(simd, act, &[x], core::slice::from_mut(&mut y));
        map::forward_in_place(simd, act, core::slice::from_mut(&mut in_place));
        assert_eq!(y, in_place);
        map::backward_in_place(simd, act, &[if A::MONOTONE { y } else { x }], core::slice::from_mut(&mut dy));
        for i in 0..x.len() {
            let z = x[i].as_f64();
            let eps = T::epsilon().as_f64();
            let (wanted, error) = (value(z), (y[i].as_f64() - value(z)).abs());
            assert!(error <= eps * (16.0 * wanted.abs() + 1e-6), "{act:?}({z}) = {}, wanted {wanted}", y[i]);
            // From the output the derivative has the output's rounding: absolute errors of some units in the last place of 1.
            let wanted = 2.0 * derivative(z);
            let error = (dy[i].as_f64() - wanted).abs();
            assert!(error <= eps * 32.0 * (1.0 + wanted.abs()), "{act:?}′({z}) = {} / 2, wanted {wanted} / 2", dy[i]);
        }
        if A::MONOTONE {
            assert!(y.is_sorted(), "{act:?} falls");
        }
        assert!(act.apply(T::nan()).is_nan(), "{act:?} hides what is not a number");
    }
    on_each!(|T, simd| run::<T, _, A>(simd, act, value, derivative));
}

/// Vectors are, lane by lane, what the functions are, at what is no ordinary number too, and behind the last whole vector.
#[test]
fn activations_of_vectors() {
    fn run<T: Scalar, S: Simd<T>, A: Activation<T> + core::fmt::Debug>(simd: S, act: A) {
        let bits =
            |values: [T; 19]| values.map(|value| (value.is_nan(), value.is_sign_negative(), value.as_f64().to_bits()));
        let places = [-0.0, 0.0, 6.0, -6.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-30, 1.0, 7.0];
        let x: [T; 19] = core::array::from_fn(|i| T::of(places[i % places.len()]));
        let (mut y, mut dy) = (x, [T::of(2.0); 19]);
        map::forward_in_place(simd, act, core::slice::from_mut(&mut y));
        map::backward_in_place(simd, act, &[x], core::slice::from_mut(&mut dy));
        let [wanted, gradient] = [x.map(|x| act.apply(x)), x.map(|x| act.backward(x, T::of(2.0)))];
        for (found, wanted) in [(y, wanted), (dy, gradient)] {
            for (i, (found, wanted)) in bits(found).into_iter().zip(bits(wanted)).enumerate() {
                assert!(found.0 && wanted.0 || found == wanted, "{act:?} at {}", x[i]);
            }
        }
    }
    on_each!(|T, simd| {
        run::<T, _, _>(simd, Identity);
        run::<T, _, _>(simd, Relu);
        run::<T, _, _>(simd, Relu6);
        run::<T, _, _>(simd, LeakyRelu::new(0.25));
    });
}

fn logistic(z: f64) -> f64 {
    if z > 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
}

fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / 2.0_f64.sqrt())
}

#[test]
fn activations() {
    check(Identity, |z| z, |_| 1.0);
    check(Relu, |z| z.max(0.0), |z| f64::from(z > 0.0));
    check(Relu6, |z| z.clamp(0.0, 6.0), |z| f64::from(z > 0.0 && z < 6.0));
    check(LeakyRelu::new(0.25), |z| if z > 0.0 { z } else { 0.25 * z }, |z| if z > 0.0 { 1.0 } else { 0.25 });
    check(Elu::new(1.5), |z| if z > 0.0 { z } else { 1.5 * z.exp_m1() }, |z| if z > 0.0 { 1.0 } else { 1.5 * z.exp() });
    check(Sigmoid, logistic, |z| logistic(z) * logistic(-z));
    check(Tanh, f64::tanh, |z| 1.0 / z.cosh().powi(2));
    check(Gelu, |z| z * cdf(z), |z| cdf(z) + z * (-0.5 * z * z).exp() / (2.0 * core::f64::consts::PI).sqrt());
    check(Silu, |z| z * logistic(z), |z| logistic(z) * (1.0 + z * logistic(-z)));
    check(HardSigmoid, |z| ((z + 3.0) / 6.0).clamp(0.0, 1.0), |z| f64::from(z > -3.0 && z < 3.0) / 6.0);
    check(
        HardSwish,
        |z| z * ((z + 3.0) / 6.0).clamp(0.0, 1.0),
        |z| {
            if z <= -3.0 {
                0.0
            } else if z >= 3.0 {
                1.0
            } else {
                z / 3.0 + 0.5
            }
        },
    );
    check(Softplus, |z| z.max(0.0) + (-z.abs()).exp().ln_1p(), logistic);
}

/// The numbers that would make a function fall, or not be one, are refused.
#[test]
fn slopes_are_checked() {
    for bad in [-0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(std::panic::catch_unwind(|| LeakyRelu::new(bad)).is_err(), "LeakyRelu::new({bad})");
        assert!(std::panic::catch_unwind(|| Elu::new(bad)).is_err(), "Elu::new({bad})");
    }
}

fn check_softmax<T: Scalar, S: Simd<T>, const C: usize, const P: usize>(simd: S, data: Data) {
    let mut source = Source::new(5, data);
    let x = source.items::<T, [[T; C]; P]>(3);
    let mut y = nans::<T, [[T; C]; P]>(3);
    map::softmax_forward(simd, C, &x, &mut y);
    let mut in_place = source.items::<T, [[T; C]; P]>(3);
    map::copy(&x, &mut in_place);
    map::softmax_forward_in_place(simd, C, &mut in_place);
    assert_eq!(*y, *in_place);
    let dy = source.items::<T, [[T; C]; P]>(3);
    let mut dx = source.items::<T, [[T; C]; P]>(3);
    map::copy(&dy, &mut dx);
    map::softmax_backward_in_place(simd, C, &y, &mut dx);
    for i in 0..3 {
        for p in 0..P {
            let exp: Vec<f64> = (0..C).map(|c| x[i][p][c].as_f64().exp()).collect();
            let sum: f64 = exp.iter().sum();
            let wanted: Vec<f64> = exp.iter().map(|e| e / sum).collect();
            let dot: f64 = (0..C).map(|c| wanted[c] * dy[i][p][c].as_f64()).sum();
            for c in 0..C {
                let scale = [T::of(wanted[c])];
                assert_close("softmax", Data::Fractions, &[y[i][p][c]], &[T::of(wanted[c])], &scale, C + 16);
                let d = wanted[c] * (dy[i][p][c].as_f64() - dot);
                assert_close("d softmax", Data::Fractions, &[dx[i][p][c]], &[T::of(d)], &[T::of(16.0)], C + 16);
            }
        }
    }
}

#[test]
fn softmax() {
    for data in [Data::Whole, Data::Fractions] {
        on_each!(|T, simd| {
            check_softmax::<T, _, 10, 1>(simd, data);
            check_softmax::<T, _, 1, 1>(simd, data);
            check_softmax::<T, _, 3, 17>(simd, data);
        });
    }
}

/// Logits that overflow the exponential are probabilities like any others.
#[test]
fn softmax_of_large_logits() {
    on_each!(|T, simd| {
        let mut y = [[3e4 as T, 3e4, -3e4]];
        map::softmax_forward_in_place(simd, 3, &mut y);
        assert_eq!(y, [[0.5, 0.5, 0.0]]);
    });
}

/// `[C][H][W]` and `[H][W][C]`, of every size around the blocks.
fn check_orders<T: Scalar, S: Simd<T>, const C: usize, const H: usize, const W: usize>(simd: S, images: usize) {
    let shape = Shape::new(C, H, W);
    let x = Source::new(6, Data::Fractions).items::<T, [[[T; W]; H]; C]>(images);
    let mut pixels = nans::<T, [[[T; C]; W]; H]>(images);
    map::to_pixels(simd, shape, &x, &mut pixels);
    for (c, h, w) in (0..C).flat_map(|c| (0..H).flat_map(move |h| (0..W).map(move |w| (c, h, w)))) {
        assert!((0..images).all(|i| pixels[i][h][w][c] == x[i][c][h][w]), "{shape:?}");
    }
    let mut planes = nans::<T, [[[T; W]; H]; C]>(images);
    map::to_planes(simd, shape, &pixels, &mut planes);
    assert_eq!(*planes, *x);
}

#[test]
fn orders() {
    on_each!(|T, simd| {
        check_orders::<T, _, 1, 3, 5>(simd, 2);
        check_orders::<T, _, 7, 1, 1>(simd, 2);
        check_orders::<T, _, 16, 5, 5>(simd, 2);
        check_orders::<T, _, 3, 9, 7>(simd, 1);
        check_orders::<T, _, 2, 1, 2>(simd, 3);
        check_orders::<T, _, 21, 4, 8>(simd, 1);
        check_orders::<T, _, 64, 12, 12>(simd, 1);
        check_orders::<T, _, 5, 2, 2>(simd, 0);
    });
}

/// A shape that is not that of the operands is a const expression gone wrong: nothing is read or written beyond them.
#[test]
fn a_wrong_shape_stays_inside() {
    let (x, mut y) = ([[1.0_f32; 12]], [[7.0_f32; 12]]);
    for shape in [Shape::new(4, 4, 4), Shape::new(2, 2, 2), Shape::new(0, 2, 2), Shape::new(usize::MAX, 2, 2)] {
        on_each!(f32, |T, simd| map::to_pixels(simd, shape, &x, &mut y));
        assert_eq!(y, [[7.0; 12]]);
    }
}

#[test]
fn sums_of_maps() {
    fn check<T: Scalar, S: Simd<T>, const N: usize>(simd: S) {
        let mut source = Source::new(7, Data::Fractions);
        let (x, skip) = (source.items::<T, [T; N]>(2), source.items::<T, [T; N]>(2));
        let (mut y, mut in_place) = (nans::<T, [T; N]>(2), nans::<T, [T; N]>(2));
        map::add_forward(simd, Relu, &x, &skip, &mut y);
        map::copy(&x, &mut in_place);
        map::add_forward_in_place(simd, Relu, &skip, &mut in_place);
        let mut dx = nans::<T, [T; N]>(2);
        map::copy(&x, &mut dx);
        map::accumulate(simd, &mut dx, &skip);
        for (i, k) in (0..2).flat_map(|i| (0..N).map(move |k| (i, k))) {
            let sum = x[i][k] + skip[i][k];
            assert_eq!(dx[i][k], sum);
            assert_eq!([y[i][k], in_place[i][k]], [Relu.apply(sum); 2]);
        }
    }
    on_each!(|T, simd| {
        check::<T, _, 1>(simd);
        check::<T, _, 35>(simd);
        check::<T, _, 64>(simd);
    });
}
