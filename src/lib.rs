//! Convolutional networks declared in a macro.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

// `network!` writes absolute paths `::tenonet::…`; so can our own tests.
extern crate self as tenonet;

#[cfg(any(feature = "weights", feature = "plot"))]
mod atomic;
#[cfg(feature = "std")]
mod batch;
#[cfg(feature = "data")]
pub mod data;
#[cfg(feature = "std")]
pub mod init;
#[doc(hidden)]
pub mod kernels;
pub mod layers;
pub mod loss;
mod network;
pub mod optim;
#[cfg(feature = "std")]
mod order;
#[allow(unsafe_code, reason = "flat views of plain data; each block states the fact it rests on")]
mod plain;
#[cfg(feature = "plot")]
pub mod plot;
mod portable;
mod scalar;
pub mod schedule;
mod summary;
#[allow(unsafe_code, reason = "marks tensors as plain data")]
mod tensor;
#[cfg(feature = "std")]
pub mod train;
#[cfg(feature = "weights")]
pub mod weights;
#[allow(unsafe_code, reason = "marks workspaces as zeroable")]
mod workspace;

/// What expansions of `network!` name. Not for users: it may change with every version.
#[doc(hidden)]
pub mod __private {
    pub use core::option::Option;

    pub use bytemuck::Zeroable;
    #[cfg(feature = "std")]
    pub use rand::Rng;
    #[cfg(feature = "std")]
    pub use std::boxed::Box;

    pub use crate::__with_std as with_std;
    pub use crate::kernels::arena::{Arena, At, first, first_mut};
    pub use crate::kernels::conv::ConvSpec;
    pub use crate::kernels::simd::Simd;
    pub use crate::kernels::stage::{AvgPool, MaxPool, MaxPoolIndexed, NoPool, PoolSpec};
    pub use crate::kernels::{conv, conv_backward, linear, map, pool};
    pub use crate::summary::Summary;
    pub use crate::{LayerInfo, Network, Plain, Role, Scalar, Scratch, TensorInfo, layers};

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

/// What most programs need: `use tenonet::prelude::*`.
pub mod prelude {
    pub use crate::layers::*;
    pub use crate::loss::{Loss, SoftmaxCrossEntropy, SquaredError};
    pub use crate::optim::{Adam, AdamW, Optimizer, Sgd};
    pub use crate::schedule::{Constant, Cosine, Schedule, StepDecay};
    #[cfg(feature = "std")]
    pub use crate::train::{All, Confusion, Samples, Trainer, evaluate};
    pub use crate::{Network, Plain, Scalar, Scratch, Tensor, Workspace, network};
}

pub use network::{LayerInfo, Network, Role, TensorInfo};
pub use plain::Plain;
pub use scalar::Scalar;
pub use tenonet_macros::network;
pub use tenonet_shape as shape;
pub use tensor::{FeatureMap, Tensor};
#[cfg(feature = "std")]
pub use workspace::BatchWorkspace;
pub use workspace::{Scratch, Workspace, WorkspaceParts};
