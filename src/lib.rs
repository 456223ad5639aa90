//! Convolutional networks declared in a macro.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

// `network!` writes absolute paths `::tenonet::…`; so can our own tests.
extern crate self as tenonet;

#[cfg(feature = "std")]
mod batch;
#[cfg(feature = "std")]
pub mod init;
#[doc(hidden)]
pub mod kernels;
pub mod layers;
pub mod loss;
mod network;
pub mod optim;
#[allow(unsafe_code, reason = "flat views of plain data; each block states the fact it rests on")]
mod plain;
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

/// What most programs need: `use tenonet::prelude::*`.
pub mod prelude {
    pub use crate::layers::*;
    pub use crate::loss::{Loss, SoftmaxCrossEntropy, SquaredError};
    pub use crate::optim::{Adam, AdamW, Optimizer, Sgd};
    pub use crate::schedule::{Constant, Cosine, Schedule, StepDecay};
    #[cfg(feature = "std")]
    pub use crate::train::{All, Confusion, Samples, Trainer, evaluate};
    pub use crate::{Network, Plain, Scalar, Scratch, Tensor, Workspace};
}

pub use network::{LayerInfo, Network, Role, TensorInfo};
pub use plain::Plain;
pub use scalar::Scalar;
pub use tenonet_shape as shape;
pub use tensor::{FeatureMap, Tensor};
#[cfg(feature = "std")]
pub use workspace::BatchWorkspace;
pub use workspace::{Scratch, Workspace, WorkspaceParts};
