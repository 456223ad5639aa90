//! Padding as a layer. Channels do not see each other: each is an image of its own, as in poolings.

use super::Layer;
use crate::kernels::pad::{self, PadSpec};
use crate::kernels::simd::Portable;
use crate::scalar::Scalar;
use crate::shape::{Pad, PadMode, Shape};
use crate::tensor::Tensor;

macro_rules! pad_layer {
    ($(#[$doc:meta])* $name:ident, $on:ident, $mode:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<const TOP: usize, const BOTTOM: usize, const LEFT: usize, const RIGHT: usize>;

        impl<const TOP: usize, const BOTTOM: usize, const LEFT: usize, const RIGHT: usize>
            $name<TOP, BOTTOM, LEFT, RIGHT>
        {
            /// The padding of an input of `c × h × w`.
            pub const fn shape(c: usize, h: usize, w: usize) -> Pad {
                Pad { input: Shape::new(c, h, w), padding: [TOP, BOTTOM, LEFT, RIGHT], mode: PadMode::$mode }
            }
        }

        /// The padding of one channel.
        #[derive(Clone, Copy)]
        struct $on<const H: usize, const W: usize, L>(L);

        impl<
            const TOP: usize,
            const BOTTOM: usize,
            const LEFT: usize,
            const RIGHT: usize,
            const H: usize,
            const W: usize,
        > PadSpec for $on<H, W, $name<TOP, BOTTOM, LEFT, RIGHT>>
        {
            const PAD: Pad = $name::<TOP, BOTTOM, LEFT, RIGHT>::shape(1, H, W);
        }

        impl<
            const TOP: usize,
            const BOTTOM: usize,
            const LEFT: usize,
            const RIGHT: usize,
            const C: usize,
            const H: usize,
            const W: usize,
            const OH: usize,
            const OW: usize,
            T: Scalar,
        > Layer<Tensor<C, H, W, T>, Tensor<C, OH, OW, T>> for $name<TOP, BOTTOM, LEFT, RIGHT>
        {
            fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, OH, OW, T> {
                const { check(&Self::shape(C, H, W), OH, OW, stringify!($name)) };
                let mut y = Tensor::zeros();
                pad::forward(Portable, $on::<H, W, Self>(*self), &x.0, &mut y.0);
                y
            }

            fn backward(
                &self, _: &Tensor<C, H, W, T>, _: &Tensor<C, OH, OW, T>, dy: &Tensor<C, OH, OW, T>, _: &mut Self,
            ) -> Tensor<C, H, W, T> {
                const { check(&Self::shape(C, H, W), OH, OW, stringify!($name)) };
                let mut dx = Tensor::zeros();
                pad::backward(Portable, $on::<H, W, Self>(*self), &dy.0, &mut dx.0);
                dx
            }
        }
    };
}

pad_layer!(
    /// Rows and columns of zeros around a map.
    ZeroPad2d, ZeroOn, Zero
);
pad_layer!(
    /// Rows and columns around a map that mirror it at its edges, which are not repeated: fewer on each side than the map has.
    ReflectPad2d, ReflectOn, Reflect
);
pad_layer!(
    /// Rows and columns around a map that repeat its edges.
    ReplicatePad2d, ReplicateOn, Replicate
);

/// Checks a layer against its input and output when compiling.
const fn check(pad: &Pad, oh: usize, ow: usize, name: &str) {
    pad.faults().deny_all(name);
    pad.output().deny_other(Shape::new(pad.input.c, oh, ow), name);
}
