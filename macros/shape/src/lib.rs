//! The shape arithmetic of convolutional layers, as `const fn`s without dependencies.
//!
//! Each layer is described by one plain struct ([`Conv`], [`ConvTranspose`], [`Pool`], [`Pad`], [`Upsample`], [`Linear`], [`BatchNorm`], [`LayerNorm`], [`Residual`], [`Concat`]) that knows its output shape, its
//! parameters, its multiply-adds, and its [`Fault`]s. The macro `network!` evaluates them while it expands, wherever all
//! numbers are literals; the code that it emits evaluates the same functions in `const` items, wherever a number is a `const` expression.
//! So both speak of a fault in the same words ([`Fault::headline`], [`Fault::note`], [`Fault::help`]), and both place
//! activations in memory by the same rule ([`place()`]).
//!
//! Every function is total: a faulty layer still has an output shape of at least one element, so a fault is told once
//! and does not set off an arithmetic overflow behind it.
#![no_std]
#![forbid(unsafe_code)]

mod batch_norm;
mod concat;
mod conv;
mod conv_transpose;
mod dropout;
mod fault;
mod layer_norm;
mod linear;
mod pad;
mod place;
mod pool;
mod residual;
mod shape;
mod text;
mod upsample;

pub use batch_norm::{BatchNorm, deny_epsilon, epsilon_text};
pub use concat::Concat;
pub use conv::{Conv, same_padding};
pub use conv_transpose::ConvTranspose;
pub use dropout::{deny_probability, probability_text};
pub use fault::{Axis, Fault, Faults, Field, deny_excess};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use pad::{Pad, PadMode};
pub use place::{Life, Placement, load, place, room};
pub use pool::{Pool, Rounding};
pub use residual::Residual;
pub use shape::Shape;
pub use text::Text;
pub use upsample::{Between, Upsample, UpsampleMode};
