//! Layers, one file each: shapes, parameters, forward beside backward.
//!
//! `network!` builds on the same types and kernels. Written by hand, a layer is a value; its input and output are
//! [`Tensor`](crate::Tensor)s whose sizes the compiler checks:
//!
//! ```
//! use tenonet::prelude::*;
//! use rand::SeedableRng;
//!
//! let mut rng = rand::rngs::StdRng::seed_from_u64(1);
//! let conv: Conv2d<1, 6, 5, 5> = Conv2d::init(&mut rng);
//! let x = Tensor::<1, 28, 28>::zeros();
//! let y: Tensor<6, 24, 24> = conv.forward(&x);
//! let p: Tensor<6, 12, 12> = MaxPool2d::<2, 2>.forward(&Relu.forward(&y));
//! # let _ = p;
//! ```

mod activation;
mod batch_norm;
mod conv;
mod conv_transpose;
mod dropout;
mod layer_norm;
mod linear;
mod pad;
mod pool;
mod scale;
mod upsample;
mod window;

pub use crate::kernels::activation::{
    Activation, Elu, Gelu, HardSigmoid, HardSwish, Identity, LeakyRelu, Relu, Relu6, Sigmoid, Silu, Softplus, Tanh,
};
pub use activation::{Flatten, Softmax};
pub use batch_norm::{BatchNorm, Statistics};
pub use conv::Conv2d;
pub use conv_transpose::ConvTranspose2d;
pub use dropout::Dropout;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use pad::{ReflectPad2d, ReplicatePad2d, ZeroPad2d};
pub use pool::{AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool2d};
pub use scale::{Bias, Scale};
pub use upsample::{UpsampleBilinear2d, UpsampleNearest2d};
pub use window::{Geometry, Window};

/// A layer from inputs `X` to outputs `Y`, both [`Tensor`](crate::Tensor)s.
///
/// The sizes of `Y` are given by the caller's type and checked against the layer's arithmetic when compiling.
#[diagnostic::on_unimplemented(
    message = "the layer `{Self}` does not map `{X}` to `{Y}`",
    label = "input `{X}`, output `{Y}`",
    note = "channels, features and the element type of input and output must be those of the layer; `flatten` makes a map into a vector"
)]
pub trait Layer<X, Y> {
    /// The output for `x`.
    fn forward(&self, x: &X) -> Y;

    /// From `x`, the output `y` and the gradient `dy` of a loss with respect to it:
    /// adds the gradient with respect to the parameters to `grad`, and yields the one with respect to `x`.
    fn backward(&self, x: &X, y: &Y, dy: &Y, grad: &mut Self) -> X;
}

/// Workspace for a layer written by hand, whose length is only known to the kernel: `$fast` gets at least `$len` elements.
///
/// Up to 4096 elements (16 KiB of f32) lie on the stack; more on the heap, with `std`. Without, `$naive` runs instead, which needs none.
macro_rules! with_work {
    ($len:expr, $t:ty, |$work:ident| $fast:expr, $naive:expr) => {{
        const SMALL: usize = 1 << 12;
        if const { $len <= SMALL } {
            let $work: &mut [$t] = &mut [<$t as num_traits::Zero>::zero(); SMALL];
            $fast
        } else {
            #[cfg(feature = "std")]
            {
                let $work: &mut [$t] = &mut $crate::plain::zeroed_slice::<$t>(const { $len });
                $fast
            }
            #[cfg(not(feature = "std"))]
            $naive
        }
    }};
}
pub(crate) use with_work;

/// Marks a layer of the two convolutions as plain data: `weight`, `bias` and a marker of its geometry.
macro_rules! plain_weights {
    ($layer:ident) => {
        // SAFETY: repr(C) of two nested arrays of T and a zero-sized, unaligned marker: all T, no padding.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<
            const IN: usize,
            const OUT: usize,
            const KH: usize,
            const KW: usize,
            T: Scalar,
            G: 'static,
            const GROUP_IN: usize,
            const BIASES: usize,
        > Plain<T> for $layer<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
        {
        }

        // SAFETY: arrays of T, for which zeroed memory is valid.
        #[allow(unsafe_code, reason = "marks the layer as plain data")]
        unsafe impl<
            const IN: usize,
            const OUT: usize,
            const KH: usize,
            const KW: usize,
            T: Scalar,
            G: 'static,
            const GROUP_IN: usize,
            const BIASES: usize,
        > bytemuck::Zeroable for $layer<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
        {
        }
    };
}
pub(crate) use plain_weights;
