//! Pooling of every kind.

use proptest::prelude::*;

use super::{Data, Source, any_data, assert_close, cases, memory::Guarded, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, Relu};
use crate::kernels::global_max;
use crate::kernels::pool::*;
use crate::kernels::reference;
use crate::kernels::simd::{Run, Simd};
use crate::kernels::stage::{AvgPool, MaxPool, MaxPoolIndexed, NoPool, PoolSpec, Stage, StageBackward, places};
use crate::kernels::window::are_apart;
use crate::plain::Plain;
use crate::shape::{Pool, Rounding, Shape};

/// A pooling with the types of its operands.
trait Case: PoolSpec + Default {
    type X<T: Scalar>: Plain<T>;
    type Y<T: Scalar>: Plain<T>;
    type I: Plain<u8>;
}

macro_rules! cases_of {
    ($($name:ident: $pool:expr, index $bytes:literal;)*) => {
        $(
            #[derive(Clone, Copy, Default)]
            struct $name;

            impl PoolSpec for $name {
                const POOL: Pool = $pool;
            }

            impl Case for $name {
                type X<T: Scalar> = [T; $name::POOL.input.len()];
                type Y<T: Scalar> = [T; $name::POOL.output().len()];
                type I = [[u8; $bytes]; $name::POOL.output().len()];
            }
        )*

        fn check_all<T: Scalar, S: Simd<T>>(simd: S, images: usize, seed: u64, data: Data) {
            $(check::<T, S, $name>(simd, images, seed, data);)*
        }

        #[test]
        fn cases_have_no_fault() {
            $(assert!($name::POOL.faults().is_empty(), "{}", stringify!($name));)*
        }
    };
}

const fn pool(
    input: [usize; 3], kernel: [usize; 2], stride: [usize; 2], padding: [usize; 4], rounding: Rounding,
) -> Pool {
    Pool { input: Shape::new(input[0], input[1], input[2]), kernel, stride, padding, rounding }
}

use Rounding::{Ceil, Exact, Floor};

cases_of! {
    Halves: pool([3, 8, 6], [2, 2], [2, 2], [0; 4], Exact), index 1;
    ResNet: pool([2, 12, 11], [3, 3], [2, 2], [1; 4], Floor), index 1;
    Overlapping: pool([2, 7, 9], [3, 2], [1, 1], [0; 4], Exact), index 1;
    Gaps: pool([2, 9, 10], [2, 1], [3, 4], [0; 4], Floor), index 1;
    Partial: pool([2, 7, 8], [3, 3], [3, 3], [0; 4], Ceil), index 1;
    PartialPadded: pool([2, 5, 6], [2, 3], [2, 2], [1, 1, 2, 1], Ceil), index 1;
    Lopsided: pool([1, 6, 5], [4, 3], [2, 3], [3, 0, 0, 2], Floor), index 1;
    PaddedBeyond: pool([2, 1, 2], [3, 3], [1, 1], [2, 2, 2, 2], Exact), index 1;
    Whole: pool([4, 5, 3], [5, 3], [5, 3], [0; 4], Exact), index 1;
    One: pool([5, 3, 2], [1, 1], [1, 1], [0; 4], Exact), index 1;
    Signal: pool([2, 1, 33], [1, 4], [1, 3], [0, 0, 1, 2], Floor), index 1;
    LeNet: pool([6, 10, 10], [2, 2], [2, 2], [0; 4], Exact), index 1;
    Vectors: pool([32, 4, 6], [2, 2], [2, 2], [0; 4], Exact), index 1;
    Odd: pool([17, 7, 5], [2, 2], [2, 2], [0; 4], Floor), index 1;
    Three: pool([3, 9, 8], [3, 2], [3, 3], [0; 4], Floor), index 1;
    Ragged: pool([27, 4, 7], [2, 2], [2, 2], [0; 4], Floor), index 1;
    RaggedGaps: pool([44, 5, 6], [1, 2], [2, 3], [0; 4], Floor), index 1;
    Wide: pool([20, 5, 9], [2, 3], [4, 3], [0; 4], Floor), index 1;
    ManyOverlapping: pool([13, 6, 7], [3, 3], [2, 2], [1; 4], Floor), index 1;
    Global: pool([40, 3, 3], [3, 3], [3, 3], [0; 4], Exact), index 1;
    LargeApart: pool([5, 35, 20], [17, 20], [17, 20], [0; 4], Floor), index 2;
    Large: pool([1, 40, 20], [20, 17], [10, 3], [0; 4], Exact), index 2;
}

fn check<T: Scalar, S: Simd<T>, C: Case>(simd: S, images: usize, seed: u64, data: Data) {
    let (pool, spec) = (&C::POOL, C::default());
    let mut source = Source::new(seed, data);
    let x = source.items::<T, C::X<T>>(images);
    let dy = source.items::<T, C::Y<T>>(images);
    let len = C::Y::<T>::LEN;
    let (mut max, mut indexed, mut avg) =
        (nans::<T, C::Y<T>>(images), nans::<T, C::Y<T>>(images), nans::<T, C::Y<T>>(images));
    let (mut max_dx, mut avg_dx) = (nans::<T, C::X<T>>(images), nans::<T, C::X<T>>(images));
    let mut index = Guarded::<C::I>::zeroed(images);
    max_forward(simd, spec, &x, &mut max);
    max_forward_indexed(simd, spec, &x, &mut indexed, &mut index);
    max_backward(simd, spec, &dy, &index, &mut max_dx);
    avg_forward(simd, spec, &x, &mut avg);
    avg_backward(simd, spec, &dy, &mut avg_dx);
    if are_apart(pool) {
        check_stage::<T, S, C>(simd, &x, &dy);
    }
    for i in 0..images {
        let (mut y, mut dx) = (vec![T::nan(); len], vec![T::nan(); C::X::<T>::LEN]);
        let mut taken = vec![usize::MAX; len];
        reference::max_pool_forward(pool, x[i].flat(), &mut y, &mut taken);
        assert_eq!(max[i].flat(), y);
        assert_eq!(indexed[i].flat(), y);
        assert_eq!(places(index[i].flat(), C::I::LEN / len).collect::<Vec<_>>(), taken);
        reference::max_pool_backward(pool, dy[i].flat(), &taken, &mut dx);
        assert_eq!(max_dx[i].flat(), dx);

        let whole = pool.kernel[0] * pool.kernel[1];
        reference::avg_pool_forward(pool, x[i].flat(), &mut y);
        assert_close("mean", Data::Fractions, avg[i].flat(), &y, &vec![T::of(8.0); len], whole + 2);
        reference::avg_pool_backward(pool, dy[i].flat(), &mut dx);
        let scale = vec![T::of(8.0 * whole as f64); dx.len()];
        assert_close("d mean", Data::Fractions, avg_dx[i].flat(), &dx, &scale, whole + 2);
    }
}

/// As the end of a convolution, row by row: the same values, places and gradients, whatever lies behind the slices.
fn check_stage<T: Scalar, S: Simd<T>, C: Case>(simd: S, x: &[C::X<T>], dy: &[C::Y<T>]) {
    let (pool, spec, out) = (&C::POOL, C::default(), C::POOL.output());
    let (pitch, len) = (pool.input.w * pool.input.c, out.w * out.c);
    let mut index = Guarded::<C::I>::zeroed(x.len());
    for image in 0..x.len() {
        // A monotone activation in front.
        let x: Vec<T> = x[image].flat().iter().map(|x| Relu.apply(*x)).collect();
        let (mut y, mut mean) = (vec![T::nan(); C::Y::<T>::LEN], vec![T::nan(); C::Y::<T>::LEN]);
        let mut taken = vec![usize::MAX; y.len()];
        reference::max_pool_forward(pool, &x, &mut y, &mut taken);
        reference::avg_pool_forward(pool, &x, &mut mean);
        for r in 0..out.h {
            // Exactly the rows that are covered, and exactly the row that leaves.
            let mut rows = Guarded::<T>::zeroed(pool.kernel[0] * pitch);
            rows.copy_from_slice(&x[r * pool.stride[0] * pitch..][..pool.kernel[0] * pitch]);
            let mut row = Guarded::<T>::zeroed(len);
            let wanted = &y[r * len..][..len];
            let is = |what: &str, row: &mut [T]| {
                assert_eq!(row, wanted, "{what}");
                row.fill(T::nan());
            };
            simd.vectorize(Run(|| MaxPool(spec).row(simd, image, r, &rows, &mut row)));
            is("at inference", &mut row);
            simd.vectorize(Run(|| {
                MaxPoolIndexed { pool: spec, index: &mut index }.row(simd, image, r, &rows, &mut row);
            }));
            is("in training", &mut row);
            simd.vectorize(Run(|| AvgPool(spec).row(simd, image, r, &rows, &mut row)));
            let scale = vec![T::of(8.0); len];
            assert_close(
                "mean",
                Data::Fractions,
                &row,
                &mean[r * len..][..len],
                &scale,
                pool.kernel[0] * pool.kernel[1] + 2,
            );
        }
        assert_eq!(places(index[image].flat(), C::I::LEN / y.len()).collect::<Vec<_>>(), taken);

        let mut d: Vec<T> = dy[image].flat().to_vec();
        let (mut dz, mut wanted) = (Guarded::<T>::zeroed(x.len()), vec![T::nan(); x.len()]);
        dz.fill(T::nan());
        simd.vectorize(Run(|| {
            let stage = MaxPoolIndexed { pool: spec, index: &mut index };
            stage.backward(simd, image, Relu, &y, &mut d, &mut dz, &mut []);
        }));
        let scaled: Vec<T> = dy[image].flat().iter().zip(&y).map(|(dy, y)| *dy * Relu.derivative(*y)).collect();
        reference::max_pool_backward(pool, &scaled, &taken, &mut wanted);
        assert_eq!(*dz, *wanted);
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn windows(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| check_all::<T, _>(simd, images, seed, data));
    }
}

/// NaN is not hidden behind a number, and −∞ everywhere has a place.
#[test]
fn what_is_no_number_is_seen() {
    const LEAST: f32 = f32::NEG_INFINITY;
    // Two channels: 2, 7, NaN, 1, and −∞ alone.
    let x = [[2.0_f32, LEAST], [7.0, LEAST], [f32::NAN, LEAST], [1.0, LEAST]];
    #[derive(Clone, Copy)]
    struct Rows;
    impl PoolSpec for Rows {
        const POOL: Pool = pool([2, 1, 4], [1, 4], [1, 4], [0; 4], Exact);
    }
    on_each!(f32, |T, simd| {
        let (mut y, mut index) = ([[0.0 as T; 2]], [[9_u8; 2]]);
        max_forward_indexed(simd, Rows, &[x], &mut y, &mut index);
        assert!(y[0][0].is_nan() && y[0][1] == T::NEG_INFINITY);
        assert_eq!(index[0], [2, 0]);
    });
}

/// A stage is called by safe code: with slices that are too short it does nothing.
#[test]
fn slices_too_short_are_left_alone() {
    #[derive(Clone, Copy)]
    struct Window;
    impl PoolSpec for Window {
        const POOL: Pool = pool([3, 4, 4], [2, 2], [2, 2], [0; 4], Exact);
    }
    on_each!(|T, simd| {
        for (x, y, index) in [(23, 6, 12), (24, 5, 12), (0, 0, 0), (24, 6, 0)] {
            let (rows, mut row, mut indices) = (vec![1.0 as T; x], vec![7.0; y], vec![[9_u8; 12]; index / 12]);
            if index > 0 {
                MaxPool(Window).row(simd, 0, 0, &rows, &mut row);
                AvgPool(Window).row(simd, 0, 0, &rows, &mut row);
            }
            let mut stage = MaxPoolIndexed { pool: Window, index: &mut indices };
            stage.row(simd, 0, 0, &rows, &mut row);
            stage.row(simd, 0, 7, &rows, &mut row);
            assert!(row.iter().all(|y| *y == 7.0) && indices.as_flattened().iter().all(|place| *place == 9));
            let mut dz = [7.0; 48];
            Stage::<T>::row(&mut NoPool, simd, 0, 0, &rows, &mut row);
            let stage = MaxPoolIndexed { pool: Window, index: &mut indices };
            stage.backward(simd, 0, Relu, &row, &mut vec![1.0; y], &mut dz[..x], &mut []);
            assert!(dz[x..].iter().all(|dz| *dz == 7.0));
        }
    });
}

/// NaN wins in every place of a window, and the first of several is the one that is kept; so it is with all that equals.
#[test]
fn what_is_no_number_wins_wherever_it_is() {
    #[derive(Clone, Copy, Default)]
    struct Window;
    impl PoolSpec for Window {
        const POOL: Pool = pool([6, 2, 2], [2, 2], [2, 2], [0; 4], Exact);
    }
    on_each!(|T, simd| {
        for nans in 0..16_usize {
            let x: [[T; 6]; 4] = core::array::from_fn(|p| [if nans >> p & 1 == 1 { T::NAN } else { 5.0 }; 6]);
            let (mut y, mut index) = ([[0.0 as T; 6]], [[9_u8; 6]]);
            max_forward_indexed(simd, Window, &[x], &mut y, &mut index);
            let first = if nans == 0 { 0 } else { nans.trailing_zeros() as u8 };
            assert_eq!(index[0], [first; 6]);
            assert!(y[0].iter().all(|y| if nans == 0 { *y == 5.0 } else { y.is_nan() }));
            let mut without = [[0.0 as T; 6]];
            max_forward(simd, Window, &[x], &mut without);
            assert_eq!(without[0].map(T::to_bits), y[0].map(T::to_bits));
        }
    });
}

#[test]
fn global_average() {
    fn check<T: Scalar, S: Simd<T>, const C: usize, const P: usize>(simd: S) {
        let mut source = Source::new(3, Data::Whole);
        let (x, dy) = (source.items::<T, [[T; C]; P]>(3), source.items::<T, [T; C]>(3));
        let (mut y, mut dx) = (nans::<T, [T; C]>(3), nans::<T, [[T; C]; P]>(3));
        global_avg_forward(simd, &x, &mut y);
        global_avg_backward(simd, &dy, &mut dx);
        for (i, c) in (0..3).flat_map(|i| (0..C).map(move |c| (i, c))) {
            // Whole numbers: the sum is exact whatever its order.
            let sum: T = x[i].iter().map(|pixel| pixel[c]).sum();
            assert_eq!(y[i][c], sum / T::of(P as f64));
            assert!(dx[i].iter().all(|dx| dx[c] == dy[i][c] / T::of(P as f64)));
        }
    }
    on_each!(|T, simd| {
        check::<T, _, 5, 32>(simd);
        check::<T, _, 16, 49>(simd);
        check::<T, _, 37, 3>(simd);
        check::<T, _, 1, 1>(simd);
    });
}

fn check_global_max<T: Scalar, S: Simd<T>, const C: usize, const P: usize>(
    simd: S, images: usize, seed: u64, data: Data,
) {
    let mut source = Source::new(seed, data);
    let (mut x, dy) = (source.items::<T, [[T; C]; P]>(images), source.items::<T, [T; C]>(images));
    // What is no number, at a place that the seed gives.
    if let Some(first) = x.first_mut()
        && seed.is_multiple_of(3)
    {
        first[(seed % P as u64) as usize][(seed % C as u64) as usize] = T::nan();
    }
    let (mut y, mut kept) = (nans::<T, [T; C]>(images), nans::<T, [T; C]>(images));
    let (mut index, mut dx) = (Guarded::<[[u8; 4]; C]>::zeroed(images), nans::<T, [[T; C]; P]>(images));
    global_max::forward(simd, &x, &mut y);
    global_max::forward_indexed(simd, &x, &mut kept, &mut index);
    global_max::backward(simd, &dy, &index, &mut dx);
    for i in 0..images {
        let (mut most, mut pixels, mut gradient) = ([T::nan(); C], [0; C], vec![T::nan(); C * P]);
        reference::global_max_pool_forward(x[i].flat(), &mut most, &mut pixels);
        reference::global_max_pool_backward(&dy[i], &pixels, &mut gradient);
        let same = |one: &[T], other: &[T]| one.iter().zip(other).all(|(a, b)| a == b || a.is_nan() && b.is_nan());
        assert!(same(&y[i], &most) && same(&kept[i], &most));
        assert!(index[i].iter().zip(pixels).all(|(place, pixel)| u32::from_le_bytes(*place) as usize == pixel));
        assert_eq!(dx[i].flat(), gradient);
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn global_maximum(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| {
            check_global_max::<T, _, 5, 32>(simd, images, seed, data);
            check_global_max::<T, _, 16, 49>(simd, images, seed, data);
            check_global_max::<T, _, 37, 3>(simd, images, seed, data);
            check_global_max::<T, _, 1, 300>(simd, images, seed, data);
            check_global_max::<T, _, 1, 1>(simd, images, seed, data);
        });
    }
}
