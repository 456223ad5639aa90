//! Convolution against the naive kernels: forward into each stage, dW, db, dX.

use proptest::prelude::*;

use super::gemm::any_data;
use super::shapes::*;
use super::{Data, Source, abs, assert_close, cases, memory::Guarded, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, Gelu, LeakyRelu, Relu, Silu};
use crate::kernels::conv::{ConvSpec, forward, forward_work};
use crate::kernels::conv_backward::{backward, backward_work};
use crate::kernels::reference;
use crate::kernels::simd::Simd;
use crate::kernels::stage::{AvgPool, MaxPool, MaxPoolIndexed, NoPool, PoolSpec, Stage, StageBackward, places};
use crate::plain::Plain;

/// Its slope is a power of two: whole numbers stay exact.
const LEAKY: LeakyRelu = LeakyRelu::new(0.25);

/// The types of a convolution's operands: on stable Rust their lengths can only be written for one convolution at a time.
trait Case: ConvSpec + PoolSpec + Default {
    /// The input.
    type X<T: Scalar>: Plain<T>;
    /// The weights.
    type W<T: Scalar>: Plain<T>;
    /// The biases.
    type B<T: Scalar>: Plain<T>;
    /// The convolution's map.
    type Z<T: Scalar>: Plain<T>;
    /// What leaves the pooling.
    type Y<T: Scalar>: Plain<T>;
    /// The places of the maxima.
    type I: Plain<u8>;
    /// Workspace forward, without and with pooling, and backward.
    type Forward<T: Scalar>: Plain<T>;
    type ForwardPool<T: Scalar>: Plain<T>;
    type Backward<T: Scalar>: Plain<T>;
    type BackwardPool<T: Scalar>: Plain<T>;
}

macro_rules! case {
    ($($case:ty),*) => {$(
        impl Case for $case {
            type X<T: Scalar> = [T; <$case as ConvSpec>::CONV.input.len()];
            type W<T: Scalar> = [T; <$case as ConvSpec>::CONV.out_channels * <$case as ConvSpec>::CONV.taps()];
            type B<T: Scalar> = [T; <$case as ConvSpec>::CONV.biases()];
            type Z<T: Scalar> = [T; <$case as ConvSpec>::CONV.output().len()];
            type Y<T: Scalar> = [T; <$case as PoolSpec>::POOL.output().len()];
            type I = [u8; {
                let pool = <$case as PoolSpec>::POOL;
                pool.output().len() * if pool.kernel[0] * pool.kernel[1] > 256 { 2 } else { 1 }
            }];
            type Forward<T: Scalar> = [T; forward_work(&<$case as ConvSpec>::CONV, None)];
            type ForwardPool<T: Scalar> = [T; forward_work(&<$case as ConvSpec>::CONV, Some(<$case as PoolSpec>::POOL))];
            type Backward<T: Scalar> = [T; backward_work(&<$case as ConvSpec>::CONV, None)];
            type BackwardPool<T: Scalar> = [T; backward_work(&<$case as ConvSpec>::CONV, Some(<$case as PoolSpec>::POOL))];
        }
    )*};
}

/// What varies at run time.
#[derive(Clone, Copy, Debug)]
struct Draw {
    images: usize,
    seed: u64,
    data: Data,
}

/// The operands of a micro-batch.
struct Operands<T: Scalar, C: Case> {
    source: Source,
    x: Guarded<C::X<T>>,
    weight: Guarded<C::W<T>>,
    bias: Guarded<C::B<T>>,
}

impl<T: Scalar, C: Case> Operands<T, C> {
    fn new(draw: Draw) -> Self {
        let mut source = Source::new(draw.seed, draw.data);
        Operands { x: source.items(draw.images), weight: source.item(), bias: source.item(), source }
    }

    /// The convolution's map of one image, and the sums of its absolute products.
    fn map(&self, image: usize) -> [Vec<T>; 2] {
        let conv = &C::CONV;
        let (x, w, b) = (self.x[image].flat(), self.weight[0].flat(), self.bias[0].flat());
        let mut z = vec![T::nan(); conv.output().len()];
        reference::conv_forward(conv, x, w, b, &mut z);
        let mut scale = z.clone();
        reference::conv_forward(conv, &abs(x), &abs(w), &abs(b), &mut scale);
        [z, scale]
    }

    /// Rounding errors of one sum of products, activated: an activation is at most twice as steep as the identity, and rounds itself.
    fn roundings() -> usize {
        2 * (C::CONV.taps() + 4) + 16
    }

    /// Runs the fast kernel into a stage, and the naive ones into `wanted`, given the activated map.
    fn check_stage<S: Simd<T>, A: Activation<T>, P: Stage<T>, Y: Plain<T>, K: Plain<T>>(
        &self, simd: S, act: A, stage: P, pool: impl Fn(&[T], &mut [T]),
    ) -> (Guarded<Y>, Guarded<K>) {
        let images = self.x.len();
        let (mut y, mut work) = (nans::<T, Y>(images), nans::<T, K>(1));
        forward(simd, C::default(), &self.x, &self.weight[0], &self.bias[0], act, stage, &mut y, &mut work[0]);
        for image in 0..images {
            let [mut z, scale] = self.map(image);
            let mut scale: Vec<T> = scale.iter().zip(&z).map(|(s, z)| *s + act.apply(*z).abs()).collect();
            z.iter_mut().for_each(|z| *z = act.apply(*z));
            let (mut wanted, mut most) = (vec![T::nan(); Y::LEN], vec![T::nan(); Y::LEN]);
            pool(&z, &mut wanted);
            if let Some(pool) = P::POOL {
                reference::max_pool_forward(&pool, &scale, &mut most, &mut vec![0; Y::LEN]);
                scale = most;
            }
            assert_close("y", self.source.data, y[image].flat(), &wanted, &scale, Self::roundings());
        }
        (y, work)
    }

    /// Runs the fast backward pass, and the naive one from `dz`, given dy.
    fn check_backward<const DX: bool, S: Simd<T>, A: Activation<T>, P: StageBackward<T>, Y: Plain<T>, K: Plain<T>>(
        &mut self, simd: S, act: A, stage: P, y: &[Y], dz: impl Fn(usize, &[T]) -> Vec<T>,
    ) {
        let (conv, images) = (&C::CONV, self.x.len());
        let mut dy = self.source.items::<T, Y>(images);
        let dz: Vec<Vec<T>> = (0..images).map(|image| dz(image, dy[image].flat())).collect();
        // Gradients are added to what is there; dx is written.
        let (mut dw, mut db) = (self.source.item::<T, C::W<T>>(), self.source.item::<T, C::B<T>>());
        let (mut dw_wanted, mut db_wanted) = (dw[0].flat().to_vec(), db[0].flat().to_vec());
        let (mut dw_scale, mut db_scale) = (abs(&dw_wanted), abs(&db_wanted));
        let (mut dx, mut work) = (nans::<T, C::X<T>>(if DX { images } else { 0 }), nans::<T, K>(1));
        let weight = &self.weight[0];
        backward::<DX, _, _, _, _, _, _, _, _, _, _>(
            simd,
            C::default(),
            &self.x,
            weight,
            act,
            stage,
            y,
            &mut dy,
            &mut dw[0],
            &mut db[0],
            &mut dx,
            &mut work[0],
        );
        for (image, dz) in dz.iter().enumerate() {
            let x = self.x[image].flat();
            reference::conv_backward_params(conv, x, dz, &mut dw_wanted, &mut db_wanted);
            reference::conv_backward_params(conv, &abs(x), &abs(dz), &mut dw_scale, &mut db_scale);
            if DX {
                let mut wanted = vec![T::nan(); C::X::<T>::LEN];
                let mut scale = wanted.clone();
                reference::conv_backward_input(conv, weight.flat(), dz, &mut wanted);
                reference::conv_backward_input(conv, &abs(weight.flat()), &abs(dz), &mut scale);
                let products = conv.group_outputs() * conv.kernel[0] * conv.kernel[1];
                assert_close("dx", self.source.data, dx[image].flat(), &wanted, &scale, products + 8);
            }
        }
        let products = images * conv.output().h * conv.output().w + 8;
        assert_close("dw", self.source.data, dw[0].flat(), &dw_wanted, &dw_scale, products);
        assert_close("db", self.source.data, db[0].flat(), &db_wanted, &db_scale, products);
    }
}

/// Without pooling: forward, dW, db and dX.
fn check<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let mut operands = Operands::<T, C>::new(draw);
    let no_pool = |z: &[T], y: &mut [T]| y.copy_from_slice(z);
    let (y, _) = operands.check_stage::<_, _, _, C::Z<T>, C::Forward<T>>(simd, LEAKY, NoPool, no_pool);
    let dz = |image: usize, dy: &[T]| -> Vec<T> {
        dy.iter().zip(y[image].flat()).map(|(dy, y)| *dy * LEAKY.derivative(*y)).collect()
    };
    operands.check_backward::<true, _, _, _, C::Z<T>, C::Backward<T>>(simd, LEAKY, NoPool, &y, dz);
}

/// Into max-pooling with places, and back.
fn check_max_pool<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let pool = &C::POOL;
    let mut operands = Operands::<T, C>::new(draw);
    let mut index = Guarded::<C::I>::zeroed(draw.images);
    let places_of = |z: &[T], y: &mut [T]| reference::max_pool_forward(pool, z, y, &mut vec![0; C::Y::<T>::LEN]);
    let stage = MaxPoolIndexed { pool: C::default(), index: &mut index };
    let (y, _) = operands.check_stage::<_, _, _, C::Y<T>, C::ForwardPool<T>>(simd, Relu, stage, places_of);
    let bytes = C::I::LEN / C::Y::<T>::LEN;
    let index_of = |index: &C::I| places(index.flat(), bytes).collect::<Vec<usize>>();
    // The places: there the map has the maximum. (Which of equal ones is left open; so are those that ReLU made equal.)
    let all: Vec<Vec<usize>> = index.iter().map(index_of).collect();
    for (image, index) in all.iter().enumerate() {
        let [z, scale] = operands.map(image);
        let mut found = vec![T::nan(); C::Y::<T>::LEN];
        let mut most = found.clone();
        reference::each_window(pool, |out, place, input| {
            if place == index[out] {
                (found[out], most[out]) = (Relu.apply(z[input]), scale[input]);
            }
        });
        assert_close("maximum", draw.data, &found, y[image].flat(), &most, Operands::<T, C>::roundings());
    }
    let dz = |image: usize, dy: &[T]| -> Vec<T> {
        let dy: Vec<T> = dy.iter().zip(y[image].flat()).map(|(dy, y)| *dy * Relu.derivative(*y)).collect();
        let mut dz = vec![T::nan(); C::CONV.output().len()];
        reference::max_pool_backward(pool, &dy, &all[image], &mut dz);
        dz
    };
    let stage = MaxPoolIndexed { pool: C::default(), index: &mut index };
    operands.check_backward::<true, _, _, _, C::Y<T>, C::BackwardPool<T>>(simd, Relu, stage, &y, dz);
}

/// The stages of inference: max-pooling behind a monotone function and another, average pooling.
fn check_inference<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let pool = &C::POOL;
    let operands = Operands::<T, C>::new(draw);
    let max = |z: &[T], y: &mut [T]| reference::max_pool_forward(pool, z, y, &mut vec![0; C::Y::<T>::LEN]);
    operands.check_stage::<_, _, _, C::Y<T>, C::ForwardPool<T>>(simd, Relu, MaxPool(C::default()), max);
    operands.check_stage::<_, _, _, C::Y<T>, C::ForwardPool<T>>(simd, Gelu, MaxPool(C::default()), max);
    let avg = |z: &[T], y: &mut [T]| reference::avg_pool_forward(pool, z, y);
    operands.check_stage::<_, _, _, C::Y<T>, C::ForwardPool<T>>(simd, Silu, AvgPool(C::default()), avg);
}

/// One element type and instruction set for each random shape, in turn: every instance is compiled.
macro_rules! random {
    ($draw:expr, $check:ident, $t:ty, $simd:expr, $($seed:literal)*) => {{
        $($check::<$t, _, Random<$seed>>($simd, $draw);)*
    }};
}

macro_rules! random_cases {
    ($($seed:literal)*) => { case!($(Random<$seed>),*); };
}
random_cases!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47);
case!(
    LeNet1,
    LeNet2,
    Deep,
    Pointwise,
    PointwiseStrided,
    WholeMap,
    MostlyPadding,
    Column,
    Signal,
    Depthwise,
    Bands,
    ManyBands,
    StridedBands,
    WideRow,
    LargeWindow
);

fn draws() -> impl Strategy<Value = Draw> {
    (1_usize..=3, any::<u64>(), any_data()).prop_map(|(images, seed, data)| Draw { images, seed, data })
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn random_shapes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check, f32, Portable, 0 1 2 3 4 5 6 7);
        random!(draw, check, f64, Portable, 8 9 10 11 12 13 14 15);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check, f32, simd, 16 17 18 19 20 21 22 23);
                random!(draw, check, f64, simd, 24 25 26 27 28 29 30 31);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check, f32, simd, 32 33 34 35 36 37 38 39);
                random!(draw, check, f64, simd, 40 41 42 43 44 45 46 47);
            }
        }
    }
}

/// Evaluates `$check` for each of the hand-picked convolutions.
macro_rules! picked {
    ($draw:expr, $check:ident, $t:ty, $simd:expr, $($case:ident)*) => {{
        $($check::<$t, _, $case>($simd, $draw);)*
    }};
}

#[test]
fn hand_picked_shapes() {
    for (seed, data) in [(1, Data::Whole), (2, Data::Fractions)] {
        let draw = Draw { images: 2, seed, data };
        on_each!(f32, |T, simd| {
            picked!(draw, check, T, simd, LeNet1 LeNet2 Deep Pointwise PointwiseStrided WholeMap MostlyPadding);
            picked!(draw, check, T, simd, Column Signal Depthwise Bands ManyBands StridedBands WideRow);
        });
    }
}

#[test]
fn pooling_behind_hand_picked_shapes() {
    for (seed, data) in [(1, Data::Whole), (2, Data::Fractions)] {
        let draw = Draw { images: 2, seed, data };
        on_each!(f32, |T, simd| {
            picked!(draw, check_max_pool, T, simd, LeNet1 LeNet2 Deep Depthwise Bands ManyBands LargeWindow);
            picked!(draw, check_inference, T, simd, LeNet1 Pointwise Signal Bands WideRow);
        });
        on_each!(f64, |T, simd| {
            picked!(draw, check_max_pool, T, simd, Pointwise Column StridedBands WideRow);
            picked!(draw, check_inference, T, simd, PointwiseStrided MostlyPadding Column StridedBands);
        });
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn pooling_behind_random_shapes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check_inference, f32, Portable, 0 1 2 3);
        random!(draw, check_max_pool, f64, Portable, 4 5 6 7);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check_max_pool, f32, simd, 8 9 10 11 12 13);
                random!(draw, check_inference, f64, simd, 14 15 16 17);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check_inference, f32, simd, 18 19 20 21 22 23);
                random!(draw, check_max_pool, f32, simd, 24 25 26 27 28 29);
                random!(draw, check_max_pool, f64, simd, 30 31 32 33);
            }
        }
    }
}
