//! Pooling by windows, and over whole maps.
//!
//! The kernels take maps in pixels. Channels do not see each other, and the plane of a channel is a map of one channel, in which the two orders are
//! the same: so here each channel is an image of its own.

use super::Layer;
use crate::kernels::simd::Portable;
use crate::kernels::stage::PoolSpec;
use crate::kernels::{global_max, pool};
use crate::scalar::Scalar;
use crate::shape::{Pool, Rounding, Shape};
use crate::tensor::Tensor;

macro_rules! pool_layer {
    ($(#[$doc:meta])* $name:ident, $spec:ident) => {
        $(#[$doc])*
        ///
        /// Windows of `KH × KW`, `SH` rows and `SW` columns apart (side by side unless said), with `PAD_H` rows and `PAD_W`
        /// columns of padding on each side. What the windows do not cover is dropped if `FLOOR`; otherwise it is a compile error.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<
            const KH: usize,
            const KW: usize,
            const SH: usize = KH,
            const SW: usize = KW,
            const PAD_H: usize = 0,
            const PAD_W: usize = 0,
            const FLOOR: bool = false,
        >;

        impl<const KH: usize, const KW: usize, const SH: usize, const SW: usize, const PAD_H: usize,
            const PAD_W: usize, const FLOOR: bool> $name<KH, KW, SH, SW, PAD_H, PAD_W, FLOOR>
        {
            /// The pooling of an input of `c × h × w`.
            pub const fn shape(c: usize, h: usize, w: usize) -> Pool {
                Pool {
                    input: Shape::new(c, h, w),
                    kernel: [KH, KW],
                    stride: [SH, SW],
                    padding: [PAD_H, PAD_H, PAD_W, PAD_W],
                    rounding: if FLOOR { Rounding::Floor } else { Rounding::Exact },
                }
            }
        }

        /// The pooling of one channel.
        #[derive(Clone, Copy)]
        struct $spec<const H: usize, const W: usize, L>(L);

        impl<const KH: usize, const KW: usize, const SH: usize, const SW: usize, const PAD_H: usize,
            const PAD_W: usize, const FLOOR: bool, const H: usize, const W: usize>
            PoolSpec for $spec<H, W, $name<KH, KW, SH, SW, PAD_H, PAD_W, FLOOR>>
        {
            const POOL: Pool = $name::<KH, KW, SH, SW, PAD_H, PAD_W, FLOOR>::shape(1, H, W);
        }
    };
}

pool_layer!(
    /// The maximum of each window.
    MaxPool2d, MaxOn
);
pool_layer!(
    /// The mean of each window; padding counts as zeros.
    AvgPool2d, AvgOn
);

/// Checks a layer against its input and output when compiling.
const fn check(pool: &Pool, oh: usize, ow: usize, name: &str) {
    pool.faults().deny_all(name);
    pool.output().deny_other(Shape::new(pool.input.c, oh, ow), name);
}

impl<
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PAD_H: usize,
    const PAD_W: usize,
    const FLOOR: bool,
    const C: usize,
    const H: usize,
    const W: usize,
    const OH: usize,
    const OW: usize,
    T: Scalar,
> Layer<Tensor<C, H, W, T>, Tensor<C, OH, OW, T>> for MaxPool2d<KH, KW, SH, SW, PAD_H, PAD_W, FLOOR>
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, OH, OW, T> {
        const { check(&Self::shape(C, H, W), OH, OW, "MaxPool2d") };
        let mut y = Tensor::zeros();
        pool::max_forward(Portable, MaxOn::<H, W, Self>(*self), &x.0, &mut y.0);
        y
    }

    fn backward(
        &self, x: &Tensor<C, H, W, T>, _: &Tensor<C, OH, OW, T>, dy: &Tensor<C, OH, OW, T>, _: &mut Self,
    ) -> Tensor<C, H, W, T> {
        const { check(&Self::shape(C, H, W), OH, OW, "MaxPool2d") };
        let spec = MaxOn::<H, W, Self>(*self);
        let (mut y, mut dx) = (Tensor::<C, OH, OW, T>::zeros(), Tensor::zeros());
        // Written by hand, a layer keeps nothing between the passes: the places are found again.
        let mut index = [[[[0; 2]; OW]; OH]; C];
        pool::max_forward_indexed(Portable, spec, &x.0, &mut y.0, &mut index);
        pool::max_backward(Portable, spec, &dy.0, &index, &mut dx.0);
        dx
    }
}

impl<
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PAD_H: usize,
    const PAD_W: usize,
    const FLOOR: bool,
    const C: usize,
    const H: usize,
    const W: usize,
    const OH: usize,
    const OW: usize,
    T: Scalar,
> Layer<Tensor<C, H, W, T>, Tensor<C, OH, OW, T>> for AvgPool2d<KH, KW, SH, SW, PAD_H, PAD_W, FLOOR>
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, OH, OW, T> {
        const { check(&Self::shape(C, H, W), OH, OW, "AvgPool2d") };
        let mut y = Tensor::zeros();
        pool::avg_forward(Portable, AvgOn::<H, W, Self>(*self), &x.0, &mut y.0);
        y
    }

    fn backward(
        &self, _: &Tensor<C, H, W, T>, _: &Tensor<C, OH, OW, T>, dy: &Tensor<C, OH, OW, T>, _: &mut Self,
    ) -> Tensor<C, H, W, T> {
        const { check(&Self::shape(C, H, W), OH, OW, "AvgPool2d") };
        let mut dx = Tensor::zeros();
        pool::avg_backward(Portable, AvgOn::<H, W, Self>(*self), &dy.0, &mut dx.0);
        dx
    }
}

/// The mean of each channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GlobalAvgPool;

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, 1, 1, T>>
    for GlobalAvgPool
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, 1, 1, T> {
        let mut y = Tensor::zeros();
        pool::global_avg_forward(Portable, &x.0, &mut y.0);
        y
    }

    fn backward(
        &self, _: &Tensor<C, H, W, T>, _: &Tensor<C, 1, 1, T>, dy: &Tensor<C, 1, 1, T>, _: &mut Self,
    ) -> Tensor<C, H, W, T> {
        let mut dx = Tensor::zeros();
        pool::global_avg_backward(Portable, &dy.0, &mut dx.0);
        dx
    }
}

/// The maximum of each channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GlobalMaxPool;

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, 1, 1, T>>
    for GlobalMaxPool
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, 1, 1, T> {
        let mut y = Tensor::zeros();
        global_max::forward(Portable, &x.0, &mut y.0);
        y
    }

    fn backward(
        &self, x: &Tensor<C, H, W, T>, _: &Tensor<C, 1, 1, T>, dy: &Tensor<C, 1, 1, T>, _: &mut Self,
    ) -> Tensor<C, H, W, T> {
        let (mut y, mut dx) = (Tensor::<C, 1, 1, T>::zeros(), Tensor::zeros());
        // As of `MaxPool2d`: the places are found again.
        let mut index = [[0; 4]; C];
        global_max::forward_indexed(Portable, &x.0, &mut y.0, &mut index);
        global_max::backward(Portable, &dy.0, &index, &mut dx.0);
        dx
    }
}
