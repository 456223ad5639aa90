//! Pooling of every kind.

use proptest::prelude::*;

use super::gemm::any_data;
use super::{Data, Source, assert_close, cases, memory::Guarded, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::Identity;
use crate::kernels::pool::*;
use crate::kernels::reference;
use crate::kernels::simd::Simd;
use crate::kernels::stage::{Band, MaxPool, PoolSpec, Stage, places};
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
    let mut x = [[1.0_f32, f32::NAN, 7.0, 2.0], [f32::NEG_INFINITY; 4]].map(|row| [row]);
    x[0][0].reverse();
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

/// A band is built by safe code: rows so far apart that their distance wraps are no rows, and nothing outside is read.
#[test]
fn a_pitch_that_wraps_reads_nothing() {
    #[derive(Clone, Copy)]
    struct Window;
    impl PoolSpec for Window {
        const POOL: Pool = pool([1, 3, 3], [3, 3], [3, 3], [0; 4], Exact);
    }
    for pitch in [usize::MAX, 1 << (usize::BITS - 1), (1 << (usize::BITS - 1)) + 1] {
        let (sums, mut y) = ([1.0_f32; 64], [0.0; 1]);
        let band = Band { image: 0, channel: 0, row: 0, sums: &sums, pitch };
        MaxPool(Window).forward(band, 3, 0.0, Identity, &mut y);
        assert_eq!(y, [0.0]);
    }
}

#[test]
fn global_average() {
    fn check<T: Scalar, S: Simd<T>>(simd: S) {
        let mut source = Source::new(3, Data::Whole);
        let (x, dy) = (source.items::<T, [[[T; 8]; 4]; 5]>(3), source.items::<T, [T; 5]>(3));
        let (mut y, mut dx) = (nans::<T, [T; 5]>(3), nans::<T, [[[T; 8]; 4]; 5]>(3));
        global_avg_forward(simd, &x, &mut y);
        global_avg_backward(simd, &dy, &mut dx);
        for (i, c) in (0..3).flat_map(|i| (0..5).map(move |c| (i, c))) {
            // 32 elements: the division is exact.
            let sum: T = x[i][c].as_flattened().iter().copied().sum();
            assert_eq!(y[i][c], sum / T::of(32.0));
            assert!(dx[i][c].as_flattened().iter().all(|dx| *dx == dy[i][c] / T::of(32.0)));
        }
    }
    on_each!(|T, simd| check::<T, _>(simd));
}
