//! Convolution against the naive kernels: forward into each stage, with each store, dW, db, dX.

use proptest::prelude::*;

use super::shapes::*;
use super::{Data, Source, abs, any_data, assert_close, cases, memory::Guarded, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, Gelu, Identity, LeakyRelu, Relu, Silu};
use crate::kernels::conv::{self, ConvSpec, Forward, forward_work};
use crate::kernels::conv_backward::{self, Backward, backward_work};
use crate::kernels::input_gradient::{Added, InputGradient, Unwanted, Written};
use crate::kernels::operands::{self, Maps};
use crate::kernels::reference::{self, Order};
use crate::kernels::simd::Simd;
use crate::kernels::stage::{AvgPool, MaxPool, MaxPoolIndexed, NoPool, PoolSpec, Stage, StageBackward, Wants};
use crate::kernels::store::{Affine, Bias, NoSkip, Normed, Skip, SkipInPlace, Summand};
use crate::plain::{Plain, elements, elements_mut};

/// Its slope is a power of two: whole numbers stay exact.
const LEAKY: LeakyRelu = LeakyRelu::new(0.25);

/// ε of the batch normalisations: with the variances of [`Operands`] whole numbers stay exact.
const EPSILON: f64 = 0.25;

/// The types of a convolution's operands: on stable Rust their lengths can only be written for one convolution at a time.
trait Case: ConvSpec + PoolSpec + Default {
    /// The input.
    type X<T: Scalar>: Plain<T>;
    /// The weights.
    type W<T: Scalar>: Plain<T>;
    /// The biases.
    type B<T: Scalar>: Plain<T>;
    /// γ and β, or means and variances.
    type N<T: Scalar>: Plain<T>;
    /// The convolution's map.
    type Z<T: Scalar>: Plain<T>;
    /// The joined map of which the convolution's is a slice.
    type J<T: Scalar>: Plain<T> + Copy;
    /// What leaves the pooling.
    type Y<T: Scalar>: Plain<T>;
    /// The places of the maxima.
    type I: Plain<u8>;

    /// How the input and the output lie.
    const ORDERS: [Order; 2] = [if Self::PLANES { Order::Planes } else { Order::Pixels }, Order::Pixels];
}

macro_rules! case {
    ($($case:ty),*) => {$(
        impl Case for $case {
            type X<T: Scalar> = [T; <$case as ConvSpec>::CONV.input.len()];
            type W<T: Scalar> = [T; <$case as ConvSpec>::CONV.out_channels * <$case as ConvSpec>::CONV.taps()];
            type B<T: Scalar> = [T; <$case as ConvSpec>::CONV.biases()];
            type N<T: Scalar> = [[T; <$case as ConvSpec>::CONV.out_channels]; 2];
            type Z<T: Scalar> = [T; <$case as ConvSpec>::CONV.output().len()];
            type J<T: Scalar> = [T; {
                let output = <$case as ConvSpec>::CONV.output();
                output.h * output.w * slice(output).total
            }];
            type Y<T: Scalar> = [T; <$case as PoolSpec>::POOL.output().len()];
            type I = [u8; {
                let pool = <$case as PoolSpec>::POOL;
                pool.output().len() * if pool.kernel[0] * pool.kernel[1] > 256 { 2 } else { 1 }
            }];
        }
    )*};
}

impl<C: Case> Case for InPlanes<C> {
    type X<T: Scalar> = C::X<T>;
    type W<T: Scalar> = C::W<T>;
    type B<T: Scalar> = C::B<T>;
    type N<T: Scalar> = C::N<T>;
    type Z<T: Scalar> = C::Z<T>;
    type J<T: Scalar> = C::J<T>;
    type Y<T: Scalar> = C::Y<T>;
    type I = C::I;
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
    norm: Guarded<C::N<T>>,
    statistics: Guarded<C::N<T>>,
    skip: Guarded<C::Z<T>>,
}

/// What a store makes of the sums: `scale[c] · sum + shift[c] + skip`, written out for the naive kernels.
struct Store<T> {
    scale: Vec<T>,
    shift: Vec<T>,
    skip: bool,
}

impl<T: Scalar, C: Case> Operands<T, C> {
    fn new(draw: Draw) -> Self {
        let mut source = Source::new(draw.seed, draw.data);
        let (x, skip) = (source.items(draw.images), source.items(draw.images));
        let (weight, bias, norm) = (source.item(), source.item(), source.item());
        let mut statistics = source.item::<T, C::N<T>>();
        for (c, variance) in statistics[0].flat_mut().iter_mut().skip(C::CONV.out_channels).enumerate() {
            *variance = match draw.data {
                // With ε 1 or 4: roots and quotients are exact.
                Data::Whole => T::of([0.75, 3.75][c % 2]),
                Data::Fractions => variance.abs() + T::of(0.5),
            };
        }
        Operands { source, x, weight, bias, norm, statistics, skip }
    }

    fn bias(&self) -> Bias<'_, C::B<T>> {
        Bias(&self.bias[0])
    }

    fn normed(&self) -> Normed<'_, C::B<T>, C::N<T>, C::N<T>> {
        Normed { bias: &self.bias[0], norm: &self.norm[0], statistics: &self.statistics[0], epsilon: EPSILON }
    }

    /// The biases of each channel, written out.
    fn biases(&self) -> Vec<T> {
        let bias = self.bias[0].flat();
        (0..C::CONV.out_channels).map(|o| bias.get(o).copied().unwrap_or(T::zero())).collect()
    }

    fn plain_store(&self) -> Store<T> {
        Store { scale: vec![T::one(); C::CONV.out_channels], shift: self.biases(), skip: false }
    }

    /// `(sum + bias − mean) · γ / √(variance + ε) + β`.
    fn normed_store(&self) -> Store<T> {
        let (norm, statistics) = (self.norm[0].flat(), self.statistics[0].flat());
        let channels = C::CONV.out_channels;
        let scale: Vec<T> =
            (0..channels).map(|o| norm[o] / (statistics[channels + o] + T::of(EPSILON)).sqrt()).collect();
        let shift = self.biases().into_iter().enumerate();
        let shift = shift.map(|(o, bias)| (bias - statistics[o]) * scale[o] + norm[channels + o]).collect();
        Store { scale, shift, skip: false }
    }

    /// The convolution's map of one image as it is stored, and the sums of the absolute values of what was added up.
    fn map(&self, store: &Store<T>, image: usize) -> [Vec<T>; 2] {
        let (x, w) = (self.x[image].flat(), self.weight[0].flat());
        let skip = if store.skip { self.skip[image].flat() } else { &[] };
        let one = |x: &[T], w: &[T], scale: &[T], shift: &[T], skip: &[T]| {
            let mut z = vec![T::nan(); C::CONV.output().len()];
            reference::conv_forward(&C::CONV, C::ORDERS, x, w, &[], &mut z);
            reference::finish(scale, shift, skip, Identity, &mut z);
            z
        };
        // What is cancelled within a shift has its roundings too: it is of fewer than 8 for fractions.
        let shift: Vec<T> = store.shift.iter().map(|s| s.abs() + T::of(8.0)).collect();
        [one(x, w, &store.scale, &store.shift, skip), one(&abs(x), &abs(w), &abs(&store.scale), &shift, &abs(skip))]
    }

    /// What is compared, of which convolution.
    fn told(what: &str) -> String {
        format!("{what} of {}, {:?}, in {:?}", core::any::type_name::<C>(), C::CONV, C::ORDERS[0])
    }

    /// Rounding errors of one sum of products, stored: an activation is at most twice as steep as the identity, and rounds itself.
    fn roundings() -> usize {
        2 * (C::CONV.taps() + 8) + 16
    }

    /// Asserts that sums are what they should be: to the bit for whole numbers, but not in Winograd's tiles with 36 places, whose constants have divisors of 3.
    /// There all are compared as fractions, and with the largest.
    #[track_caller]
    fn assert_sums(&self, what: &str, tile: Option<[usize; 2]>, [found, wanted, scale]: [&[T]; 3], roundings: usize) {
        let divided = matches!(tile, Some([4, 3] | [2, 5]));
        let data = if divided { Data::Fractions } else { self.source.data };
        assert_close(&Self::told(what), data, found, wanted, scale, roundings);
        if divided {
            let largest = wanted.iter().fold(T::zero(), |most, value| most.max(value.abs()));
            let what = Self::told(&format!("{what}, by the largest,"));
            // Of f32 this is 0.8 · 10⁻⁵.
            assert_close(&what, data, found, wanted, &vec![largest; wanted.len()], 64);
        }
    }

    /// Runs the fast kernel into a stage, and the naive ones into `wanted`, given the activated map.
    #[allow(clippy::too_many_arguments, reason = "what is told to the kernel, and beside it to the naive ones")]
    fn check_stage<S: Simd<T>, F: Affine<T>, R: Summand<T>, A: Activation<T>, P: Stage<T>, Y: Plain<T>>(
        &self, simd: S, affine: F, skip: R, store: &Store<T>, act: A, stage: P, pool: impl Fn(&[T], &mut [T]),
    ) -> Guarded<Y> {
        let images = self.x.len();
        let mut y = self.source.nans::<T, Y>(images);
        self.run(simd, (&self.x[..], &mut y[..]), affine, skip, act, stage);
        for image in 0..images {
            let [mut z, scale] = self.map(store, image);
            let mut scale: Vec<T> = scale.iter().zip(&z).map(|(s, z)| *s + act.apply(*z).abs()).collect();
            z.iter_mut().for_each(|z| *z = act.apply(*z));
            let (mut wanted, mut most) = (vec![T::nan(); Y::LEN], vec![T::nan(); Y::LEN]);
            pool(&z, &mut wanted);
            if let Some(pool) = P::POOL {
                reference::max_pool_forward(&pool, &scale, &mut most, &mut vec![0; Y::LEN]);
                scale = most;
            }
            let tile = conv::winograd_tile(&C::CONV, C::PLANES, P::POOL);
            self.assert_sums("y", tile, [y[image].flat(), &wanted, &scale], Self::roundings());
        }
        y
    }

    /// Runs the fast kernel.
    fn run<S: Simd<T>, F: Affine<T>, R: Summand<T>, A: Activation<T>, P: Stage<T>, M: Maps<T>>(
        &self, simd: S, maps: M, affine: F, skip: R, act: A, stage: P,
    ) {
        let mut work = self.source.nans::<T, T>(forward_work(&C::CONV, C::PLANES, P::POOL, P::WANTS, F::SCALES));
        simd.vectorize(Forward {
            spec: C::default(),
            maps,
            weight: &self.weight[0],
            affine,
            skip,
            act,
            stage,
            work: &mut work[..],
        });
    }

    /// Pooled maps in the place of those that arrive are what they are in a place of their own.
    fn check_over<S: Simd<T>, F: Affine<T>, A: Activation<T>, P: Stage<T>, Y: Plain<T>>(
        &self, simd: S, affine: F, act: A, stage: P, y: &[Y],
    ) {
        let mut maps = self.source.nans::<T, C::X<T>>(self.x.len());
        elements_mut::<T, _>(&mut maps).copy_from_slice(elements(&self.x));
        self.run(simd, operands::Over::<C::X<T>, Y>::new(&mut maps), affine, NoSkip, act, stage);
        assert!(elements(y) == &elements::<T, _>(&maps)[..elements(y).len()], "{}", Self::told("in place"));
    }

    /// A sum in the place of one of its sides is what it is in a place of its own.
    fn check_sum_in_place<S: Simd<T>, F: Affine<T>>(&self, simd: S, affine: F) {
        let (mut apart, mut sum) = (self.source.nans(self.x.len()), self.source.nans::<T, C::Z<T>>(self.x.len()));
        self.run(simd, (&self.x[..], &mut apart[..]), affine, Skip(&self.skip), Relu, NoPool);
        elements_mut::<T, _>(&mut sum).copy_from_slice(elements(&self.skip));
        self.run(simd, (&self.x[..], &mut sum[..]), affine, SkipInPlace, Relu, NoPool);
        assert!(elements::<T, C::Z<T>>(&apart) == elements::<T, _>(&sum), "{}", Self::told("in place"));
    }

    /// A slice of a joined map.
    fn check_slice<S: Simd<T>, F: Affine<T>>(&self, simd: S, affine: F, store: &Store<T>) {
        let images = self.x.len();
        let own: Guarded<C::Z<T>> = self.check_stage(simd, affine, NoSkip, store, LEAKY, NoPool, no_pool);
        let [mut before, mut joined] = [(); 2].map(|()| self.source.nans::<T, C::J<T>>(images));
        elements_mut(&mut before).iter_mut().enumerate().for_each(|(i, element)| *element = T::of((i % 7) as f64));
        joined.copy_from_slice(&before);
        let mut work = self.source.nans::<T, T>(forward_work(&C::CONV, C::PLANES, None, Wants::Rows, F::SCALES));
        simd.vectorize(Forward {
            spec: Sliced::<C>::default(),
            maps: (&self.x[..], &mut joined[..]),
            weight: &self.weight[0],
            affine,
            skip: NoSkip,
            act: LEAKY,
            stage: NoPool,
            work: &mut work[..],
        });
        for image in 0..images {
            let [own, before, joined] = [own[image].flat(), before[image].flat(), joined[image].flat()];
            assert_slice(&Self::told("slice"), slice(C::CONV.output()), own, before, joined);
        }
    }

    /// Runs the fast backward pass, and the naive one from `dz`, given dy.
    fn check_backward<G: Goes, S: Simd<T>, A: Activation<T>, P: StageBackward<T>, Y: Plain<T>>(
        &mut self, simd: S, act: A, stage: P, y: &[Y], dz: impl Fn(usize, &[T]) -> Vec<T>,
    ) {
        let (conv, images) = (&C::CONV, self.x.len());
        let mut dy = self.source.items::<T, Y>(images);
        let dz: Vec<Vec<T>> = (0..images).map(|image| dz(image, dy[image].flat())).collect();
        // Gradients are added to what is there; dx is written.
        let (mut dw, mut db) = (self.source.item::<T, C::W<T>>(), self.source.item::<T, C::B<T>>());
        let (mut dw_wanted, mut db_wanted) = (dw[0].flat().to_vec(), db[0].flat().to_vec());
        let (mut dw_scale, mut db_scale) = (abs(&dw_wanted), abs(&db_wanted));
        let is_wanted = <G::To<'_, T, C::X<T>> as InputGradient<T>>::WANTED;
        let adds = <G::To<'_, T, C::X<T>> as InputGradient<T>>::ADDS;
        let mut dx = match (is_wanted, adds) {
            (false, _) => Guarded::zeroed(0),
            (true, false) => self.source.nans::<T, C::X<T>>(images),
            (true, true) => self.source.items::<T, C::X<T>>(images),
        };
        let before: Vec<Vec<T>> = dx.iter().map(|dx| dx.flat().to_vec()).collect();
        let mut work = self.source.nans::<T, T>(backward_work(conv, C::PLANES, P::POOL));
        let weight = &self.weight[0];
        simd.vectorize(Backward {
            spec: C::default(),
            x: &self.x,
            weight,
            act,
            stage,
            y,
            dy: &mut dy,
            dw: &mut dw[0],
            db: &mut db[0],
            dx: G::to(&mut dx[..]),
            work: &mut work[..],
        });
        for (image, dz) in dz.iter().enumerate() {
            let x = self.x[image].flat();
            reference::conv_backward_params(conv, C::ORDERS, x, dz, &mut dw_wanted, &mut db_wanted);
            reference::conv_backward_params(conv, C::ORDERS, &abs(x), &abs(dz), &mut dw_scale, &mut db_scale);
            if is_wanted {
                let mut wanted = vec![T::nan(); C::X::<T>::LEN];
                let mut scale = wanted.clone();
                reference::conv_backward_input(conv, C::ORDERS, weight.flat(), dz, &mut wanted);
                reference::conv_backward_input(conv, C::ORDERS, &abs(weight.flat()), &abs(dz), &mut scale);
                if adds {
                    wanted.iter_mut().zip(&before[image]).for_each(|(dx, before)| *dx += *before);
                    scale.iter_mut().zip(&before[image]).for_each(|(scale, before)| *scale += before.abs());
                }
                let products = conv.group_outputs() * conv.kernel[0] * conv.kernel[1];
                let tile = conv_backward::winograd_tile(conv, C::PLANES);
                self.assert_sums("dx", tile, [dx[image].flat(), &wanted, &scale], products + 8);
            }
        }
        let products = images * conv.output().h * conv.output().w + 8;
        let tile = conv_backward::weights_tile(conv, C::PLANES, P::PLACES.then_some(P::POOL).flatten());
        self.assert_sums("dw", tile, [dw[0].flat(), &dw_wanted, &dw_scale], products);
        assert_close(&Self::told("db"), self.source.data, db[0].flat(), &db_wanted, &db_scale, products);
    }
}

fn no_pool<T: Scalar>(z: &[T], y: &mut [T]) {
    y.copy_from_slice(z);
}

/// Where dX goes in a test.
trait Goes {
    type To<'a, T: Scalar, X: Plain<T> + 'a>: InputGradient<T>;

    fn to<T: Scalar, X: Plain<T>>(dx: &mut [X]) -> Self::To<'_, T, X>;
}

/// Nothing wants it.
struct Nowhere;
/// It is written.
struct Fresh;
/// It is added to what is there.
struct OnTop;

impl Goes for Nowhere {
    type To<'a, T: Scalar, X: Plain<T> + 'a> = Unwanted;

    fn to<T: Scalar, X: Plain<T>>(_: &mut [X]) -> Unwanted {
        Unwanted
    }
}

impl Goes for Fresh {
    type To<'a, T: Scalar, X: Plain<T> + 'a> = Written<'a, X>;

    fn to<T: Scalar, X: Plain<T>>(dx: &mut [X]) -> Written<'_, X> {
        Written(dx)
    }
}

impl Goes for OnTop {
    type To<'a, T: Scalar, X: Plain<T> + 'a> = Added<'a, X>;

    fn to<T: Scalar, X: Plain<T>>(dx: &mut [X]) -> Added<'_, X> {
        Added(dx)
    }
}

/// Without pooling: forward, dW, db and dX where it goes.
fn check_plain<G: Goes, T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let mut operands = Operands::<T, C>::new(draw);
    let store = operands.plain_store();
    let y: Guarded<C::Z<T>> = operands.check_stage(simd, operands.bias(), NoSkip, &store, LEAKY, NoPool, no_pool);
    let dz = |image: usize, dy: &[T]| -> Vec<T> {
        dy.iter().zip(y[image].flat()).map(|(dy, y)| *dy * LEAKY.derivative(*y)).collect()
    };
    operands.check_backward::<G, _, _, _, C::Z<T>>(simd, LEAKY, NoPool, &y, dz);
}

/// Of an input in pixels.
fn check<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_plain::<Fresh, T, S, C>(simd, draw);
}

/// Of an input in pixels that another step has read, too.
fn check_added<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_plain::<OnTop, T, S, C>(simd, draw);
}

/// Of an input in planes, which is the network's own: nothing wants its gradient.
fn check_planes<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_plain::<Nowhere, T, S, InPlanes<C>>(simd, draw);
}

/// The stores of inference without pooling: a normalisation, a second summand, and both.
fn check_store<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let operands = Operands::<T, C>::new(draw);
    let (plain, normed) = (operands.plain_store(), operands.normed_store());
    let (added, normed_added) = (operands.plain_store().added(), operands.normed_store().added());
    let skip = Skip(&operands.skip);
    operands.check_sum_in_place(simd, operands.normed());
    type Z<T, C> = <C as Case>::Z<T>;
    let _: Guarded<Z<T, C>> = operands.check_stage(simd, operands.bias(), NoSkip, &plain, Identity, NoPool, no_pool);
    let _: Guarded<Z<T, C>> = operands.check_stage(simd, operands.normed(), NoSkip, &normed, LEAKY, NoPool, no_pool);
    let _: Guarded<Z<T, C>> = operands.check_stage(simd, operands.bias(), skip, &added, LEAKY, NoPool, no_pool);
    let _: Guarded<Z<T, C>> =
        operands.check_stage(simd, operands.normed(), skip, &normed_added, LEAKY, NoPool, no_pool);
}

fn check_store_planes<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_store::<T, S, InPlanes<C>>(simd, draw);
}

/// A normalisation and a second summand alone: for many shapes.
fn check_normed_skip<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let operands = Operands::<T, C>::new(draw);
    let (store, skip) = (operands.normed_store().added(), Skip(&operands.skip));
    let _: Guarded<C::Z<T>> = operands.check_stage(simd, operands.normed(), skip, &store, Relu, NoPool, no_pool);
    operands.check_sum_in_place(simd, operands.normed());
}

/// Into a slice of a joined map: what a map of its own would have, and nothing else is touched.
fn check_slice<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let operands = Operands::<T, C>::new(draw);
    operands.check_slice(simd, operands.bias(), &operands.plain_store());
}

/// The same behind a normalisation.
fn check_normed_slice<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let operands = Operands::<T, C>::new(draw);
    operands.check_slice(simd, operands.normed(), &operands.normed_store());
}

fn check_slice_planes<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_slice::<T, S, InPlanes<C>>(simd, draw);
}

impl<T> Store<T> {
    /// With a second summand.
    fn added(self) -> Self {
        Store { skip: true, ..self }
    }
}

/// The place in its window that each output's entry names.
fn places<I: Plain<u8>>(index: &I, outputs: usize) -> Vec<usize> {
    let bytes = I::LEN / outputs;
    index
        .flat()
        .chunks_exact(bytes)
        .map(|e| e.iter().rev().fold(0, |place, byte| place << 8 | usize::from(*byte)))
        .collect()
}

/// Into max-pooling with places, and back.
fn check_indexed<G: Goes, T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let pool = &C::POOL;
    let mut operands = Operands::<T, C>::new(draw);
    let store = operands.plain_store();
    let mut index = Guarded::<C::I>::zeroed(draw.images);
    let max = |z: &[T], y: &mut [T]| reference::max_pool_forward(pool, z, y, &mut vec![0; C::Y::<T>::LEN]);
    let stage = MaxPoolIndexed { pool: C::default(), index: &mut index };
    let y: Guarded<C::Y<T>> = operands.check_stage(simd, operands.bias(), NoSkip, &store, Relu, stage, max);
    // The places: there the map has the maximum. (Which of equal ones is left open; so are those that ReLU made equal.)
    let all: Vec<Vec<usize>> = index.iter().map(|index| places(index, C::Y::<T>::LEN)).collect();
    for (image, index) in all.iter().enumerate() {
        let [z, scale] = operands.map(&store, image);
        let mut found = vec![T::nan(); C::Y::<T>::LEN];
        let mut most = found.clone();
        reference::each_window(pool, |out, place, input| {
            if place == index[out] {
                (found[out], most[out]) = (Relu.apply(z[input]), scale[input]);
            }
        });
        let tile = conv::winograd_tile(&C::CONV, C::PLANES, Some(*pool));
        let roundings = Operands::<T, C>::roundings();
        operands.assert_sums("maximum", tile, [&found, y[image].flat(), &most], roundings);
    }
    let dz = |image: usize, dy: &[T]| -> Vec<T> {
        let dy: Vec<T> = dy.iter().zip(y[image].flat()).map(|(dy, y)| *dy * Relu.derivative(*y)).collect();
        let mut dz = vec![T::nan(); C::CONV.output().len()];
        reference::max_pool_backward(pool, &dy, &all[image], &mut dz);
        dz
    };
    let stage = MaxPoolIndexed { pool: C::default(), index: &mut index };
    operands.check_backward::<G, _, _, _, C::Y<T>>(simd, Relu, stage, &y, dz);
}

fn check_max_pool<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_indexed::<Fresh, T, S, C>(simd, draw);
}

fn check_max_pool_added<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_indexed::<OnTop, T, S, C>(simd, draw);
}

fn check_max_pool_planes<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_indexed::<Nowhere, T, S, InPlanes<C>>(simd, draw);
}

/// The stages of inference: max-pooling behind monotone functions and another, average pooling; with and without a normalisation.
fn check_inference<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let pool = &C::POOL;
    let operands = Operands::<T, C>::new(draw);
    let (plain, normed) = (operands.plain_store(), operands.normed_store());
    let max = |z: &[T], y: &mut [T]| reference::max_pool_forward(pool, z, y, &mut vec![0; C::Y::<T>::LEN]);
    let avg = |z: &[T], y: &mut [T]| reference::avg_pool_forward(pool, z, y);
    let spec = C::default();
    type Y<T, C> = <C as Case>::Y<T>;
    let y: Guarded<Y<T, C>> = operands.check_stage(simd, operands.normed(), NoSkip, &normed, Relu, MaxPool(spec), max);
    let _: Guarded<Y<T, C>> = operands.check_stage(simd, operands.bias(), NoSkip, &plain, LEAKY, MaxPool(spec), max);
    let _: Guarded<Y<T, C>> = operands.check_stage(simd, operands.bias(), NoSkip, &plain, Gelu, MaxPool(spec), max);
    let mean: Guarded<Y<T, C>> = operands.check_stage(simd, operands.bias(), NoSkip, &plain, Silu, AvgPool(spec), avg);
    if !C::PLANES && C::CONV.pools_in_place(pool) {
        operands.check_over(simd, operands.normed(), Relu, MaxPool(spec), &y);
        operands.check_over(simd, operands.bias(), Silu, AvgPool(spec), &mean);
    }
}

fn check_inference_planes<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    check_inference::<T, S, InPlanes<C>>(simd, draw);
}

/// ⟨conv x, dz⟩ = ⟨x, dx⟩ = ⟨w, dw⟩, exactly for whole numbers: the passes are one linear map and its transposes.
fn check_adjoint<T: Scalar, S: Simd<T>, C: Case>(simd: S, draw: Draw) {
    let mut operands = Operands::<T, C>::new(Draw { data: Data::Whole, ..draw });
    operands.bias[0].flat_mut().fill(T::zero());
    let (images, store) = (draw.images, operands.plain_store());
    let y: Guarded<C::Z<T>> = operands.check_stage(simd, operands.bias(), NoSkip, &store, Identity, NoPool, no_pool);
    let mut dz = operands.source.items::<T, C::Z<T>>(images);
    let mut dx = operands.source.nans::<T, C::X<T>>(images);
    let (mut dw, mut db) = (Guarded::<C::W<T>>::zeroed(1), Guarded::<C::B<T>>::zeroed(1));
    let mut work = operands.source.nans::<T, T>(backward_work(&C::CONV, C::PLANES, None));
    simd.vectorize(Backward {
        spec: C::default(),
        x: &operands.x,
        weight: &operands.weight[0],
        act: Identity,
        stage: NoPool,
        y: &y,
        dy: &mut dz,
        dw: &mut dw[0],
        db: &mut db[0],
        dx: Written(&mut dx[..]),
        work: &mut work[..],
    });
    let dot = |a: &[T], b: &[T]| a.iter().zip(b).map(|(a, b)| a.as_f64() * b.as_f64()).sum::<f64>();
    let (mut out, mut input) = (0.0, 0.0);
    for image in 0..images {
        out += dot(y[image].flat(), dz[image].flat());
        input += dot(operands.x[image].flat(), dx[image].flat());
    }
    assert_eq!(out, input);
    assert_eq!(out, dot(operands.weight[0].flat(), dw[0].flat()));
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
random_cases!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39);
case!(
    LeNet1,
    LeNet2,
    Colours,
    Deep,
    Wide,
    Wider,
    Single,
    Pointwise,
    LongPointwise,
    PointwiseFactors,
    PointwiseRows,
    PointwiseStrided,
    Shortcut,
    ShortcutGroups,
    PointwisePadded,
    WholeMap,
    MostlyPadding,
    MostlyPaddingStrided,
    Sparse,
    Phases,
    Column,
    Signal,
    Depthwise,
    DepthwiseStrided,
    DepthwiseTwice,
    Groups,
    Gaps,
    WideRow,
    ManyPixels,
    LargeWindow,
    DepthwiseLong,
    DepthwiseSparse,
    FirstEight,
    FirstSparse,
    FirstSixteen,
    FirstBare,
    Tiled,
    TiledApart,
    TiledOver,
    TiledFive,
    TiledFiveOver,
    Over,
    OverDepthwise,
    ManyChannels,
    Few,
    Broad,
    Tall
);

fn draws() -> impl Strategy<Value = Draw> {
    (1_usize..=3, any::<u64>(), any_data()).prop_map(|(images, seed, data)| Draw { images, seed, data })
}

// Each instance of a kernel costs more than a second to compile: of the many combinations of shape, element type, instruction set and stage each pair is
// met somewhere.
proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn random_shapes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check, f32, Portable, 0 1 2 3 4);
        random!(draw, check, f64, Portable, 5 6 7);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check, f32, simd, 8 9 10 11 12 13);
                random!(draw, check, f64, simd, 14 15 16 17);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check, f32, simd, 18 19 20 21 22 23 24 25);
                random!(draw, check, f64, simd, 26 27 28 29);
            }
        }
    }

    #[test]
    fn random_shapes_in_planes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check_planes, f32, Portable, 30 31);
        random!(draw, check_planes, f64, Portable, 32);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check_planes, f32, simd, 33 34 35);
                random!(draw, check_planes, f64, simd, 36);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check_planes, f32, simd, 37 38 39 0 1);
                random!(draw, check_planes, f64, simd, 2);
            }
        }
    }

    #[test]
    fn stores_of_random_shapes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check_normed_skip, f32, Portable, 30 31);
        random!(draw, check_normed_skip, f64, Portable, 32);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check_normed_skip, f32, simd, 33 34 35);
                random!(draw, check_normed_skip, f64, simd, 36);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check_normed_skip, f32, simd, 3 4 5 6 7);
                random!(draw, check_normed_skip, f64, simd, 8);
            }
        }
    }

    #[test]
    fn slices_of_random_shapes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check_slice, f32, Portable, 0 1);
        random!(draw, check_slice, f64, Portable, 5);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check_slice, f32, simd, 8 9 10);
                random!(draw, check_slice, f64, simd, 14);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check_slice, f32, simd, 18 19 20 21);
                random!(draw, check_slice, f64, simd, 26);
            }
        }
    }

    #[test]
    fn pooling_behind_random_shapes(draw in draws()) {
        use crate::kernels::simd::Portable;
        random!(draw, check_inference, f32, Portable, 0);
        random!(draw, check_max_pool, f64, Portable, 4 5);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = super::avx2() {
                random!(draw, check_max_pool, f32, simd, 18 19 20);
                random!(draw, check_inference, f64, simd, 26 27);
            }
            if let Some(simd) = super::avx512() {
                random!(draw, check_inference, f32, simd, 8 9 10);
                random!(draw, check_max_pool, f32, simd, 11 12 13 35);
                random!(draw, check_max_pool, f64, simd, 14);
                random!(draw, check_max_pool_planes, f32, simd, 33 34);
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

/// Both sorts of data, operands at both borders.
const DRAWS: [Draw; 2] =
    [Draw { images: 2, seed: 1, data: Data::Whole }, Draw { images: 2, seed: 2, data: Data::Fractions }];

#[test]
fn hand_picked_shapes() {
    for draw in DRAWS {
        on_each!(f32, |T, simd| {
            picked!(draw, check, T, simd, Wide Wider Single Pointwise LongPointwise PointwiseStrided PointwisePadded);
            picked!(draw, check, T, simd, Shortcut ShortcutGroups);
            picked!(draw, check, T, simd, WholeMap MostlyPadding MostlyPaddingStrided Sparse Phases Column);
            picked!(draw, check, T, simd, DepthwiseStrided DepthwiseTwice DepthwiseLong DepthwiseSparse);
            picked!(draw, check, T, simd, Groups WideRow ManyPixels Tiled TiledFive);
        });
    }
}

/// Each way of computing dX, on top of another gradient.
#[test]
fn added_gradients() {
    for draw in DRAWS {
        on_each!(f32, |T, simd| {
            picked!(draw, check_added, T, simd, Wide LongPointwise PointwiseStrided Shortcut ShortcutGroups Sparse);
            picked!(draw, check_added, T, simd, MostlyPaddingStrided Tiled TiledFive DepthwiseStrided DepthwiseLong Groups);
            picked!(draw, check_max_pool_added, T, simd, LeNet2 Gaps Depthwise Tiled);
        });
        on_each!(f64, |T, simd| picked!(draw, check_added, T, simd, Shortcut Phases));
    }
}

/// So many channels that their tiles are of 2 × 2.
#[test]
fn many_channels() {
    for draw in DRAWS {
        let draw = Draw { images: 1, ..draw };
        on_each!(f32, |T, simd| picked!(draw, check, T, simd, ManyChannels));
    }
}

/// So many images that the tiles of dW take more than one product.
#[test]
fn many_tiles() {
    for draw in DRAWS {
        let draw = Draw { images: 5, ..draw };
        on_each!(f32, |T, simd| picked!(draw, check, T, simd, Tiled TiledFive));
    }
}

/// The hand-picked shapes go by the tiles that they are meant for.
#[test]
#[cfg(feature = "std")]
fn tiles() {
    assert_eq!(conv::winograd_tile(&Tiled::CONV, false, Some(Tiled::POOL)), Some([4, 3]));
    assert_eq!(conv::winograd_tile(&TiledApart::CONV, false, Some(TiledApart::POOL)), Some([2, 3]));
    assert_eq!(conv::winograd_tile(&ManyChannels::CONV, false, None), Some([2, 3]));
    assert_eq!(conv_backward::winograd_tile(&ManyChannels::CONV, false), Some([2, 3]));
    assert_eq!(conv::winograd_tile(&TiledOver::CONV, false, Some(TiledOver::POOL)), Some([4, 3]));
    assert_eq!(conv_backward::weights_tile(&Tiled::CONV, false, None), Some([4, 3]));
    assert_eq!(conv::winograd_tile(&TiledFive::CONV, false, None), Some([2, 5]));
    assert_eq!(conv_backward::winograd_tile(&TiledFive::CONV, false), Some([2, 5]));
    assert_eq!(conv_backward::weights_tile(&TiledFive::CONV, false, None), Some([2, 5]));
    assert_eq!(conv::winograd_tile(&TiledFiveOver::CONV, false, Some(TiledFiveOver::POOL)), Some([2, 5]));
    // By the places of the maxima.
    assert_eq!(conv_backward::weights_tile(&Tiled::CONV, false, Some(Tiled::POOL)), None);
    assert_eq!(conv_backward::weights_tile(&ManyChannels::CONV, false, None), None);
}

/// Those that pool in place, by Winograd's tiles and otherwise.
#[test]
fn pooled_in_place() {
    assert!(LeNet2::CONV.pools_in_place(&LeNet2::POOL) && TiledOver::CONV.pools_in_place(&TiledOver::POOL));
    assert!(TiledFiveOver::CONV.pools_in_place(&TiledFiveOver::POOL));
    assert!(Over::CONV.pools_in_place(&Over::POOL) && OverDepthwise::CONV.pools_in_place(&OverDepthwise::POOL));
    assert!(!Tiled::CONV.pools_in_place(&Tiled::POOL));
}

#[test]
fn hand_picked_shapes_in_planes() {
    for draw in DRAWS {
        on_each!(f32, |T, simd| {
            picked!(draw, check_planes, T, simd, Pointwise MostlyPaddingStrided Signal Depthwise Groups);
            picked!(draw, check_planes, T, simd, FirstEight FirstSparse FirstSixteen FirstBare);
        });
    }
}

#[test]
fn stores_of_hand_picked_shapes() {
    for draw in DRAWS {
        on_each!(f32, |T, simd| {
            picked!(draw, check_store, T, simd, Wider Tiled);
            picked!(draw, check_store_planes, T, simd, FirstEight FirstSixteen);
            picked!(draw, check_normed_skip, T, simd, Pointwise PointwiseFactors DepthwiseStrided DepthwiseLong);
            picked!(draw, check_normed_skip, T, simd, OverDepthwise Groups);
            picked!(draw, check_store, T, simd, PointwiseRows);
        });
        on_each!(f64, |T, simd| picked!(draw, check_normed_skip, T, simd, MostlyPadding PointwiseFactors));
    }
}

#[test]
fn slices_of_hand_picked_shapes() {
    for draw in DRAWS {
        on_each!(f32, |T, simd| {
            picked!(draw, check_slice, T, simd, Wide Wider Single Pointwise MostlyPadding DepthwiseStrided Groups Tiled);
            picked!(draw, check_slice, T, simd, DepthwiseLong);
            picked!(draw, check_normed_slice, T, simd, PointwiseFactors);
            picked!(draw, check_slice_planes, T, simd, Signal FirstEight);
        });
    }
}

#[test]
fn pooling_behind_hand_picked_shapes() {
    for draw in DRAWS {
        on_each!(f32, |T, simd| {
            picked!(draw, check_max_pool, T, simd, LeNet2 Deep Depthwise Gaps LargeWindow Broad Tall Tiled TiledApart);
            picked!(draw, check_max_pool, T, simd, TiledFive);
            picked!(draw, check_max_pool_planes, T, simd, LeNet1 Colours);
            picked!(draw, check_inference, T, simd, LeNet1 LeNet2 Tiled TiledApart TiledOver Over OverDepthwise);
            picked!(draw, check_inference, T, simd, TiledFive TiledFiveOver);
            picked!(draw, check_inference_planes, T, simd, Few Gaps WideRow);
        });
        on_each!(f64, |T, simd| {
            picked!(draw, check_max_pool, T, simd, Column Broad Tall);
            picked!(draw, check_inference, T, simd, Gaps);
            picked!(draw, check_inference_planes, T, simd, Few LeNet1);
        });
    }
}

#[test]
fn passes_are_adjoint() {
    for seed in 0..4 {
        let draw = Draw { images: 2, seed, data: Data::Whole };
        on_each!(f64, |T, simd| picked!(draw, check_adjoint, T, simd, Phases DepthwiseTwice));
    }
}

/// The gradient goes by the places that forward has left. Bytes that are none are taken as some place: nothing outside is read or written.
#[test]
fn places_that_no_window_has() {
    fn check<T: Scalar, S: Simd<T>>(simd: S) {
        let mut operands = Operands::<T, Tall>::new(DRAWS[1]);
        let y = operands.source.items::<T, <Tall as Case>::Y<T>>(2);
        let mut dy = operands.source.items::<T, <Tall as Case>::Y<T>>(2);
        let mut dx = operands.source.nans::<T, <Tall as Case>::X<T>>(2);
        let (mut dw, mut db) = (Guarded::<<Tall as Case>::W<T>>::zeroed(1), Guarded::<<Tall as Case>::B<T>>::zeroed(1));
        let mut work = operands.source.nans::<T, T>(backward_work(&Tall::CONV, false, Some(Tall::POOL)));
        let mut index = Guarded::<<Tall as Case>::I>::zeroed(2);
        index.iter_mut().for_each(|index| index.flat_mut().fill(u8::MAX));
        simd.vectorize(Backward {
            spec: Tall,
            x: &operands.x,
            weight: &operands.weight[0],
            act: Identity,
            stage: MaxPoolIndexed { pool: Tall, index: &mut index },
            y: &y,
            dy: &mut dy,
            dw: &mut dw[0],
            db: &mut db[0],
            dx: Written(&mut dx[..]),
            work: &mut work[..],
        });
        assert!(dw[0].flat().iter().chain(dx.iter().flat_map(|dx| dx.flat())).all(|value| value.is_finite()));
    }
    on_each!(f32, |T, simd| check::<T, _>(simd));
}

/// No image is no work: nothing is added, nothing panics.
#[test]
fn empty_micro_batch() {
    let draw = Draw { images: 0, seed: 1, data: Data::Whole };
    on_each!(f32, |T, simd| picked!(draw, check, T, simd, Wide Pointwise));
}
