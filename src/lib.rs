//! Convolutional networks declared in a macro.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

// `network!` writes absolute paths `::tenonet::…`; so can our own tests.
extern crate self as tenonet;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
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
/// Declares a network: a struct of its layers' parameters that implements [`Network`].
///
/// ```
/// use tenonet::prelude::*;
///
/// const CLASSES: usize = 10;
///
/// network! {
///     /// LeNet-5 for 28 × 28 grey digits.
///     #[budget(weights = 256 * 1024, scratch = 64 * 1024, macs = 500_000)]
///     pub struct LeNet([1, 28, 28] -> [CLASSES]) {
///         conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
///         conv2: conv(16, kernel = 5), relu, max_pool(2),
///         flatten,
///         fc1: linear(120), relu,
///         fc2: linear(84), relu,
///         fc3: linear(CLASSES),
///     }
/// }
///
/// assert_eq!((LeNet::PARAMS, LeNet::MACS), (61_706, 416_520));
/// ```
///
/// Every number is a literal or any `const` expression of type `usize`. All faults of a declaration are told at once, each at the token that is wrong.
///
/// # The header
/// `[channels, height, width]` or `[features]` for input and output; the output is checked against the layers. Attributes
/// and doc comments go to the struct. `#[budget(…)]` limits `weights`, `scratch` and `tape` in bytes of the `f32` network, and
/// `macs` in multiply-adds of one input; what exceeds them does not compile.
///
/// # Layers
/// `name: kind(arguments)`; the name is the field and the prefix in weight files. Without one, a layer is called by its kind and position, counted from 0.
///
/// | Layer | Arguments |
/// |---|---|
/// | `conv(channels, kernel = k)` | `stride` (1), `padding` (0), `dilation` (1), `groups` (1, or `depthwise`), `bias` (`true`) |
/// | `max_pool(window)`, `avg_pool(window)` | `stride` (the window), `padding` (0), `floor` or `ceil` where the windows leave a rest |
/// | `global_avg_pool` | |
/// | `linear(features)` | `bias` (`true`) |
/// | `flatten`, `softmax` | |
/// | `conv1d`, `max_pool1d`, `avg_pool1d` | as above on signals, `[channels, 1, length]`: one number along the length |
/// | `relu`, `relu6`, `sigmoid`, `tanh`, `gelu`, `silu`, `hard_sigmoid`, `hard_swish`, `softplus` | |
/// | `leaky_relu(slope)`, `elu(scale)` | an `f64`; `elu` alone has scale 1 |
///
/// Kernel, window, stride and dilation are one number or a pair `(rows, columns)`. Padding is one number, `(rows, columns)`,
/// `(top, bottom, left, right)`, `valid` (none), or for `conv` `same` (TensorFlow's rule: the odd zero goes to the bottom and the right).
///
/// # What is there
/// The struct `Name<T = f32>` with a field for each layer with parameters, `NameScratch` and `NameWorkspace` for its memory,
/// [`Network`] for all element types, and for `f32` its constants and constructors as items of the type itself.
pub use tenonet_macros::network;
pub use tenonet_shape as shape;
pub use tensor::{FeatureMap, Tensor};
#[cfg(feature = "std")]
pub use workspace::BatchWorkspace;
pub use workspace::{Scratch, Workspace, WorkspaceParts};
