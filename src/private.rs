//! What expansions of `network!` name. Not for users: it may change with every version.

pub use core::option::Option;

pub use bytemuck::Zeroable;
#[cfg(feature = "std")]
pub use rand::Rng;
#[cfg(feature = "std")]
pub use std::boxed::Box;

#[cfg(feature = "std")]
pub use crate::init::Init;
#[cfg(feature = "weights")]
pub use crate::weights::WeightsError;
#[cfg(feature = "weights")]
pub use core::convert::AsRef;
#[cfg(feature = "weights")]
pub use core::result::Result;
#[cfg(feature = "weights")]
pub use std::path::Path;

pub use crate::__with_std as with_std;
pub use crate::__with_weights as with_weights;
pub use crate::embed::{EmbeddedFile, EmbeddedTensor, embed};
pub use crate::fold;
pub use crate::kernels::arena::{
    Arena, At, Lent, Near, Pixels, between, between_mut, equal_parts, first, first_mut, inputs_at_a_time,
};
pub use crate::kernels::conv::ConvSpec;
pub use crate::kernels::conv_transpose::ConvTransposeSpec;
pub use crate::kernels::dropout::Masks;
pub use crate::kernels::input_gradient::{Added, Unwanted, Written};
pub use crate::kernels::operands::Over;
pub use crate::kernels::pad::PadSpec;
pub use crate::kernels::simd::Simd;
pub use crate::kernels::stage::{AvgPool, MaxPool, MaxPoolIndexed, NoPool, PoolSpec, Wants};
pub use crate::kernels::store::{Bias, NoSkip, Normed, Skip, SkipInPlace};
pub use crate::kernels::upsample::UpsampleSpec;
pub use crate::kernels::{
    batch_norm, concat, conv, conv_backward, conv_transpose, dropout, global_max, layer_norm, linear, map, pad, pool,
    scale, upsample,
};
pub use crate::shape::{Life, Placement};
pub use crate::{LayerInfo, MemoryOrder, Names, Network, Plain, Role, Scalar, Scratch, Summary, TensorInfo, layers};

/// The largest of some sizes; 0 of none.
pub const fn largest(sizes: &[usize]) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < sizes.len() {
        if sizes[i] > most {
            most = sizes[i];
        }
        i += 1;
    }
    most
}

/// Items for builds with the feature `std` alone: a feature of this crate, not of the one that declares a network.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "std")]
macro_rules! __with_std {
    ($($items:tt)*) => { $($items)* };
}

/// Items for builds with the feature `std` alone: a feature of this crate, not of the one that declares a network.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "std"))]
macro_rules! __with_std {
    ($($items:tt)*) => {};
}

/// As `__with_std`, for the feature `weights`.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "weights")]
macro_rules! __with_weights {
    ($($items:tt)*) => { $($items)* };
}

/// As `__with_std`, for the feature `weights`.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "weights"))]
macro_rules! __with_weights {
    ($($items:tt)*) => {};
}
