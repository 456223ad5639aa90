//! Transposed convolutions of every kind.

use proptest::prelude::*;

use super::shapes::{Sliced, assert_slice, slice};
use super::{Data, Source, abs, any_data, assert_close, cases, memory::Guarded, nans, on_each};
use crate::Scalar;
use crate::kernels::activation::{Activation, Identity, LeakyRelu};
use crate::kernels::conv_transpose::{Backward, ConvTransposeSpec, Forward, backward_work};
use crate::kernels::input_gradient::{Added, Written};
use crate::kernels::reference::{self, Order::Pixels};
use crate::kernels::simd::Simd;
use crate::plain::Plain;
use crate::shape::{ConvTranspose, Shape};

/// A transposed convolution with the types of its operands.
trait Case: ConvTransposeSpec + Default {
    type X<T: Scalar>: Plain<T>;
    type W<T: Scalar>: Plain<T>;
    type B<T: Scalar>: Plain<T>;
    type Y<T: Scalar>: Plain<T>;
    /// The joined map of which the output is a slice.
    type J<T: Scalar>: Plain<T> + Copy;
}

macro_rules! cases_of {
    ($($name:ident: $conv:expr;)*) => {
        $(
            #[derive(Clone, Copy, Default)]
            struct $name;

            impl ConvTransposeSpec for $name {
                const TRANSPOSED: ConvTranspose = $conv;
            }

            impl Case for $name {
                type X<T: Scalar> = [T; $name::TRANSPOSED.input.len()];
                type W<T: Scalar> = [T; $name::TRANSPOSED.weights()];
                type B<T: Scalar> = [T; $name::TRANSPOSED.biases()];
                type Y<T: Scalar> = [T; $name::TRANSPOSED.output().len()];
                type J<T: Scalar> = [T; {
                    let output = $name::TRANSPOSED.output();
                    output.h * output.w * slice(output).total
                }];
            }
        )*

        fn check_all<T: Scalar, S: Simd<T>>(simd: S, images: usize, seed: u64, data: Data) {
            $(
                check::<T, S, $name, _>(simd, Identity, images, seed, data);
                check::<T, S, $name, _>(simd, LeakyRelu::new(0.5), images, seed, data);
            )*
        }

        #[test]
        fn cases_have_no_fault() {
            $(assert!($name::TRANSPOSED.faults().is_empty(), "{}", stringify!($name));)*
        }
    };
}

const fn conv(
    [c, h, w]: [usize; 3], out_channels: usize, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 4],
) -> ConvTranspose {
    ConvTranspose { stride, padding, ..ConvTranspose::new(Shape::new(c, h, w), out_channels, kernel) }
}

cases_of! {
    Plain3: conv([3, 4, 5], 2, [3, 3], [1, 1], [0; 4]);
    Double: conv([17, 3, 4], 9, [4, 4], [2, 2], [1; 4]);
    DoubleExact: ConvTranspose { output_padding: [1; 2], ..conv([5, 4, 3], 7, [3, 3], [2, 2], [1; 4]) };
    SideBySide: conv([4, 3, 3], 6, [2, 2], [2, 2], [0; 4]);
    Gaps: ConvTranspose { output_padding: [2, 1], bias: false, ..conv([3, 3, 4], 5, [2, 1], [3, 2], [0; 4]) };
    Lopsided: conv([2, 5, 4], 3, [2, 5], [1, 3], [0, 1, 3, 2]);
    Beyond: conv([2, 6, 5], 3, [2, 2], [1, 1], [3, 2, 2, 1]);
    Dilated: ConvTranspose { dilation: [2, 3], ..conv([3, 4, 3], 4, [3, 2], [1, 2], [1, 2, 0, 3]) };
    // The output is put on by more than the stride: the convolution across would have more outputs.
    DilatedBeyond: ConvTranspose { dilation: [3, 2], output_padding: [2, 1], ..conv([3, 4, 3], 4, [2, 3], [1, 1], [0; 4]) };
    Alike: ConvTranspose { dilation: [2, 2], output_padding: [1, 1], ..conv([4, 3, 3], 3, [3, 2], [2, 2], [1, 0, 0, 1]) };
    Grouped: ConvTranspose { groups: 2, ..conv([6, 3, 4], 4, [3, 2], [2, 1], [1, 0, 0, 1]) };
    GroupedWide: ConvTranspose { groups: 3, bias: false, ..conv([6, 3, 2], 54, [2, 2], [2, 2], [0; 4]) };
    Separate: ConvTranspose { groups: 5, ..conv([5, 4, 3], 5, [3, 3], [2, 2], [1; 4]) };
    SeparateWide: ConvTranspose { groups: 37, output_padding: [1, 0], ..conv([37, 2, 3], 37, [2, 3], [2, 1], [0, 0, 1, 1]) };
    SeparateTwice: ConvTranspose { groups: 3, ..conv([3, 3, 3], 6, [3, 3], [2, 2], [1; 4]) };
    One: conv([1, 1, 1], 1, [1, 1], [1, 1], [0; 4]);
    FromVector: conv([40, 1, 1], 33, [4, 3], [1, 1], [0; 4]);
    Signal: conv([3, 1, 9], 2, [1, 5], [1, 2], [0, 0, 2, 1]);
    Pointwise: conv([20, 3, 3], 35, [1, 1], [1, 1], [0; 4]);
}

fn check<T: Scalar, S: Simd<T>, C: Case, A: Activation<T>>(simd: S, act: A, images: usize, seed: u64, data: Data) {
    let conv = &C::TRANSPOSED;
    let mut source = Source::new(seed, data);
    let (x, weight, bias) =
        (source.items::<T, C::X<T>>(images), source.item::<T, C::W<T>>(), source.item::<T, C::B<T>>());
    let mut y = nans::<T, C::Y<T>>(images);
    simd.vectorize(Forward { spec: C::default(), x: &x, weight: &weight[0], bias: &bias[0], act, y: &mut y });

    let taps = conv.group_inputs() * conv.kernel[0] * conv.kernel[1];
    for i in 0..images {
        let (mut wanted, mut scale) = (vec![T::nan(); C::Y::<T>::LEN], vec![T::nan(); C::Y::<T>::LEN]);
        reference::conv_transpose_forward(
            conv,
            [Pixels; 2],
            x[i].flat(),
            weight[0].flat(),
            bias[0].flat(),
            &mut wanted,
        );
        let (x, weight, bias) = (abs(x[i].flat()), abs(weight[0].flat()), abs(bias[0].flat()));
        reference::conv_transpose_forward(conv, [Pixels; 2], &x, &weight, &bias, &mut scale);
        wanted.iter_mut().for_each(|y| *y = act.apply(*y));
        assert_close("y", data, y[i].flat(), &wanted, &scale, taps + 4);
    }

    let mut dy = source.items::<T, C::Y<T>>(images);
    let dz: Vec<Vec<T>> = (0..images)
        .map(|i| dy[i].flat().iter().zip(y[i].flat()).map(|(dy, y)| *dy * act.derivative(*y)).collect())
        .collect();
    let (mut dw, mut db) = (source.item::<T, C::W<T>>(), source.item::<T, C::B<T>>());
    let (mut wanted_dw, mut wanted_db) = (dw[0].flat().to_vec(), db[0].flat().to_vec());
    let (mut scale_dw, mut scale_db) = (abs(&wanted_dw), abs(&wanted_db));
    let mut dx = nans::<T, C::X<T>>(images);
    let mut work = vec![T::nan(); backward_work(conv)];
    simd.vectorize(Backward {
        spec: C::default(),
        x: &x,
        weight: &weight[0],
        act,
        y: &y,
        dy: &mut dy,
        dw: &mut dw[0],
        db: &mut db[0],
        dx: Written(&mut dx[..]),
        work: &mut work[..],
    });
    for i in 0..images {
        let (x, dz) = (x[i].flat(), &dz[i]);
        reference::conv_transpose_backward_params(conv, [Pixels; 2], x, dz, &mut wanted_dw, &mut wanted_db);
        reference::conv_transpose_backward_params(conv, [Pixels; 2], &abs(x), &abs(dz), &mut scale_dw, &mut scale_db);
        let (mut wanted, mut scale) = (vec![T::nan(); x.len()], vec![T::nan(); x.len()]);
        reference::conv_transpose_backward_input(conv, [Pixels; 2], weight[0].flat(), dz, &mut wanted);
        reference::conv_transpose_backward_input(conv, [Pixels; 2], &abs(weight[0].flat()), &abs(dz), &mut scale);
        assert_close("dx", data, dx[i].flat(), &wanted, &scale, conv.fan_out() + 4);
    }
    let sums = images * C::Y::<T>::LEN + 4;
    assert_close("dw", data, dw[0].flat(), &wanted_dw, &scale_dw, sums);
    assert_close("db", data, db[0].flat(), &wanted_db, &scale_db, sums);
}

/// The same values once more.
fn copy<T: Scalar, X: Plain<T>>(source: &Source, values: &[X]) -> Guarded<X> {
    let mut copy = source.nans::<T, X>(values.len());
    copy.iter_mut().zip(values).for_each(|(to, from)| to.flat_mut().copy_from_slice(from.flat()));
    copy
}

/// dX on top of another gradient: that gradient, and what is written where there is none.
fn check_added<T: Scalar, S: Simd<T>, C: Case>(simd: S, images: usize, seed: u64, data: Data) {
    let mut source = Source::new(seed, data);
    let (x, y) = (source.items::<T, C::X<T>>(images), source.items::<T, C::Y<T>>(images));
    let (weight, dy) = (source.item::<T, C::W<T>>(), source.items::<T, C::Y<T>>(images));
    let (mut written, before) = (source.nans::<T, C::X<T>>(images), source.items::<T, C::X<T>>(images));
    let mut added = copy::<T, _>(&source, &before);
    let mut work = vec![T::nan(); backward_work(&C::TRANSPOSED)];
    macro_rules! backward {
        ($dx:expr) => {{
            let (mut dw, mut db) = (source.item::<T, C::W<T>>(), source.item::<T, C::B<T>>());
            let mut gradient = copy::<T, _>(&source, &dy);
            simd.vectorize(Backward {
                spec: C::default(),
                x: &x,
                weight: &weight[0],
                act: LeakyRelu::new(0.5),
                y: &y,
                dy: &mut gradient,
                dw: &mut dw[0],
                db: &mut db[0],
                dx: $dx,
                work: &mut work[..],
            });
        }};
    }
    backward!(Written(&mut written[..]));
    backward!(Added(&mut added[..]));
    for i in 0..images {
        let wanted: Vec<T> = before[i].flat().iter().zip(written[i].flat()).map(|(a, b)| *a + *b).collect();
        assert!(added[i].flat() == wanted, "{}", core::any::type_name::<C>());
    }
}

/// Into a slice of a joined map: what a map of its own has, and nothing else is touched.
fn check_slice<T: Scalar, S: Simd<T>, C: Case>(simd: S, images: usize, seed: u64, data: Data) {
    let mut source = Source::new(seed, data);
    let (x, before) = (source.items::<T, C::X<T>>(images), source.items::<T, C::J<T>>(images));
    let (weight, bias) = (source.item::<T, C::W<T>>(), source.item::<T, C::B<T>>());
    let (mut own, mut joined) = (source.nans::<T, C::Y<T>>(images), source.nans::<T, C::J<T>>(images));
    joined.copy_from_slice(&before);
    let (weight, bias, act) = (&weight[0], &bias[0], LeakyRelu::new(0.5));
    simd.vectorize(Forward { spec: C::default(), x: &x, weight, bias, act, y: &mut own });
    simd.vectorize(Forward { spec: Sliced::<C>::default(), x: &x, weight, bias, act, y: &mut joined });
    for i in 0..images {
        let told = core::any::type_name::<C>();
        assert_slice(told, slice(C::TRANSPOSED.output()), own[i].flat(), before[i].flat(), joined[i].flat());
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn slices(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| {
            check_slice::<T, _, Double>(simd, images, seed, data);
            check_slice::<T, _, Gaps>(simd, images, seed, data);
            check_slice::<T, _, GroupedWide>(simd, images, seed, data);
            check_slice::<T, _, SeparateWide>(simd, images, seed, data);
            check_slice::<T, _, FromVector>(simd, images, seed, data);
        });
    }

    #[test]
    fn added_gradients(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| {
            check_added::<T, _, Double>(simd, images, seed, data);
            check_added::<T, _, SeparateWide>(simd, images, seed, data);
        });
    }

    #[test]
    fn transposed_convolutions(images in 0_usize..=3, seed: u64, data in any_data()) {
        on_each!(|T, simd| check_all::<T, _>(simd, images, seed, data));
    }
}
