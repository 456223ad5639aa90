//! Padding and upsampling.

use proptest::prelude::*;

use super::{Data, Source, any_data, assert_close, cases, nans, on_each};
use crate::Scalar;
use crate::kernels::pad::{self, PadSpec};
use crate::kernels::reference;
use crate::kernels::simd::Simd;
use crate::kernels::upsample::{self, UpsampleSpec};
use crate::plain::Plain;
use crate::shape::{Pad, PadMode, Shape, Upsample, UpsampleMode};

const fn padding([c, h, w]: [usize; 3], padding: [usize; 4], mode: PadMode) -> Pad {
    Pad { input: Shape::new(c, h, w), padding, mode }
}

const fn larger([c, h, w]: [usize; 3], factor: [usize; 2], mode: UpsampleMode) -> Upsample {
    Upsample { input: Shape::new(c, h, w), factor, mode }
}

/// Each case by itself: the types of its operands are its lengths.
macro_rules! cases_of {
    ($check:ident($spec:ident, $constant:ident: $kind:ty, $function:ident), $($name:ident: $value:expr;)*) => {
        $(
            #[derive(Clone, Copy)]
            struct $name;

            impl $spec for $name {
                const $constant: $kind = $value;
            }
        )*

        fn $function<T: Scalar, S: Simd<T>>(simd: S, images: usize, seed: u64, data: Data) {
            $(
                assert!($name::$constant.faults().is_empty());
                $check::<T, S, _, [T; $name::$constant.input.len()], [T; $name::$constant.output().len()]>(
                    simd, $name, images, seed, data,
                );
            )*
        }
    };
}

use PadMode::{Reflect, Replicate, Zero};
use UpsampleMode::{Bilinear, Nearest};

cases_of! {
    check_pad(PadSpec, PAD: Pad, check_pads),
    Nothing: padding([3, 4, 5], [0; 4], Zero);
    Zeros: padding([5, 3, 4], [1, 2, 3, 0], Zero);
    ZerosWide: padding([17, 1, 2], [3, 0, 0, 4], Zero);
    Mirror: padding([5, 4, 3], [3, 2, 1, 2], Reflect);
    MirrorOne: padding([2, 1, 6], [0, 0, 5, 5], Reflect);
    MirrorBelow: padding([1, 5, 1], [0, 4, 0, 0], Reflect);
    Edges: padding([4, 3, 2], [2, 5, 4, 1], Replicate);
    EdgesOfOne: padding([33, 1, 1], [2, 1, 1, 3], Replicate);
}

cases_of! {
    check_upsample(UpsampleSpec, UPSAMPLE: Upsample, check_upsamples),
    Same: larger([3, 4, 5], [1, 1], Nearest);
    Twice: larger([5, 3, 4], [2, 2], Nearest);
    Rows: larger([17, 2, 3], [3, 1], Nearest);
    Columns: larger([1, 1, 7], [1, 4], Nearest);
    SameSmooth: larger([3, 4, 5], [1, 1], Bilinear);
    TwiceSmooth: larger([5, 3, 4], [2, 2], Bilinear);
    RowsSmooth: larger([17, 2, 3], [3, 1], Bilinear);
    ColumnsSmooth: larger([2, 1, 7], [5, 4], Bilinear);
    OneSmooth: larger([6, 1, 1], [3, 2], Bilinear);
}

fn check_pad<T: Scalar, S: Simd<T>, P: PadSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, spec: P, images: usize, seed: u64, data: Data,
) {
    let mut source = Source::new(seed, data);
    let (x, dy) = (source.items::<T, X>(images), source.items::<T, Y>(images));
    let (mut y, mut dx) = (nans::<T, Y>(images), nans::<T, X>(images));
    pad::forward(simd, spec, &x, &mut y);
    pad::backward(simd, spec, &dy, &mut dx);
    for i in 0..images {
        let (mut wanted, mut gradient) = (vec![T::nan(); Y::LEN], vec![T::nan(); X::LEN]);
        reference::pad_forward(&P::PAD, x[i].flat(), &mut wanted);
        assert_eq!(y[i].flat(), wanted);
        reference::pad_backward(&P::PAD, dy[i].flat(), &mut gradient);
        let scale = vec![T::of(4.0 * Y::LEN as f64); X::LEN];
        assert_close("dx", data, dx[i].flat(), &gradient, &scale, 2);
    }
}

fn check_upsample<T: Scalar, S: Simd<T>, U: UpsampleSpec, X: Plain<T>, Y: Plain<T>>(
    simd: S, spec: U, images: usize, seed: u64, data: Data,
) {
    let mut source = Source::new(seed, data);
    let (x, dy) = (source.items::<T, X>(images), source.items::<T, Y>(images));
    let (mut y, mut dx) = (nans::<T, Y>(images), nans::<T, X>(images));
    upsample::forward(simd, spec, &x, &mut y);
    upsample::backward(simd, spec, &dy, &mut dx);
    for i in 0..images {
        let (mut wanted, mut gradient) = (vec![T::nan(); Y::LEN], vec![T::nan(); X::LEN]);
        reference::upsample_forward(&U::UPSAMPLE, x[i].flat(), &mut wanted);
        reference::upsample_backward(&U::UPSAMPLE, dy[i].flat(), &mut gradient);
        // Shares are no whole numbers; an element has some in at most the outputs of two factors around it.
        let reach = 4 * Y::LEN / X::LEN;
        assert_close("y", Data::Fractions, y[i].flat(), &wanted, &vec![T::of(4.0); Y::LEN], 8);
        let scale = vec![T::of(4.0 * reach as f64); X::LEN];
        assert_close("dx", Data::Fractions, dx[i].flat(), &gradient, &scale, reach + 8);
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn pads(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| check_pads::<T, _>(simd, images, seed, data));
    }

    #[test]
    fn upsamples(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| check_upsamples::<T, _>(simd, images, seed, data));
    }
}
