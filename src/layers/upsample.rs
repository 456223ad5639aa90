//! Upsampling. Channels do not see each other: each is an image of its own, as in poolings.

use super::Layer;
use crate::kernels::simd::Portable;
use crate::kernels::upsample::{self, UpsampleSpec};
use crate::scalar::Scalar;
use crate::shape::{Shape, Upsample, UpsampleMode};
use crate::tensor::Tensor;

macro_rules! upsample_layer {
    ($(#[$doc:meta])* $name:ident, $on:ident, $mode:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<const FH: usize, const FW: usize>;

        impl<const FH: usize, const FW: usize>
            $name<FH, FW>
        {
            /// The upsampling of an input of `c × h × w`.
            pub const fn shape(c: usize, h: usize, w: usize) -> Upsample {
                Upsample { input: Shape::new(c, h, w), factor: [FH, FW], mode: UpsampleMode::$mode }
            }
        }

        /// The upsampling of one channel.
        #[derive(Clone, Copy)]
        struct $on<const H: usize, const W: usize, L>(L);

        impl<
            const FH: usize,
            const FW: usize,
            const H: usize,
            const W: usize,
        > UpsampleSpec for $on<H, W, $name<FH, FW>>
        {
            const UPSAMPLE: Upsample = $name::<FH, FW>::shape(1, H, W);
        }

        impl<
            const FH: usize,
            const FW: usize,
            const C: usize,
            const H: usize,
            const W: usize,
            const OH: usize,
            const OW: usize,
            T: Scalar,
        > Layer<Tensor<C, H, W, T>, Tensor<C, OH, OW, T>> for $name<FH, FW>
        {
            fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, OH, OW, T> {
                const { check(&Self::shape(C, H, W), OH, OW, stringify!($name)) };
                let mut y = Tensor::zeros();
                upsample::forward(Portable, $on::<H, W, Self>(*self), &x.0, &mut y.0);
                y
            }

            fn backward(
                &self, _: &Tensor<C, H, W, T>, _: &Tensor<C, OH, OW, T>, dy: &Tensor<C, OH, OW, T>, _: &mut Self,
            ) -> Tensor<C, H, W, T> {
                const { check(&Self::shape(C, H, W), OH, OW, stringify!($name)) };
                let mut dx = Tensor::zeros();
                upsample::backward(Portable, $on::<H, W, Self>(*self), &dy.0, &mut dx.0);
                dx
            }
        }
    };
}

upsample_layer!(
    /// `FH` rows and `FW` columns for each one, all alike.
    UpsampleNearest2d, NearestOn, Nearest
);
upsample_layer!(
    /// `FH` rows and `FW` columns for each one: weighted means of their neighbours (PyTorch's `align_corners = False`).
    UpsampleBilinear2d, BilinearOn, Bilinear
);

/// Checks a layer against its input and output when compiling.
const fn check(upsample: &Upsample, oh: usize, ow: usize, name: &str) {
    upsample.faults().deny_all(name);
    upsample.output().deny_other(Shape::new(upsample.input.c, oh, ow), name);
}
