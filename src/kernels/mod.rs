//! The kernels: everything that computes. The only unsafe code of the crate lies here and in the flat views of `plain.rs`.
//!
//! Inside a network maps lie in pixels order, `[H][W][C]`, and weights with their output channels innermost: whatever
//! computes does so along vectors of channels. From the top: a network's pass calls [`conv::forward`], a correlation
//! ([`correlate`], or [`winograd`] for kernels of 3 × 3 and 5 × 5, or one product of many pixels, `pointwise`) by the one micro-kernel ([`tile`]) over
//! vectors ([`simd`]), whose [`epilogue`] ([`store`]) applies bias, normalisation, residual and activation, and writes to the slice of a joined map where the
//! convolution ends a branch ([`concat`]); a [`stage`] pools rows while they are hot. Three cases have loops of their own, where channels do not see
//! each other, are too few, or most gradients are zero: `depthwise`, `planar` and `pooled`. Maps and workspaces lie in the [`arena`] of a network's scratch or tape; what a host's thread keeps
//! beside it, for [`winograd`], is a [`space`].
#![allow(unsafe_code, reason = "vector loads and stores need pointers; each block states the checked fact it rests on")]

pub mod activation;
pub mod arena;
pub mod batch_norm;
mod channels;
pub mod concat;
pub mod conv;
pub mod conv_backward;
pub mod conv_transpose;
pub mod correlate;
mod depthwise;
pub mod dropout;
pub mod epilogue;
pub mod gemm;
pub mod global_max;
pub mod host;
pub mod input_gradient;
pub mod layer_norm;
pub mod linear;
pub mod map;
pub mod operands;
pub mod pad;
mod planar;
mod pointwise;
pub mod pool;
mod pooled;
pub mod reference;
pub mod scale;
pub mod simd;
pub mod space;
pub mod stage;
pub mod store;
mod sums;
pub mod tile;
pub mod upsample;
mod vectors;
pub mod window;
pub mod winograd;
pub mod work;

#[cfg(all(test, feature = "std"))]
mod tests;
