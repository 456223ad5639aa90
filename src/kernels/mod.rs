//! The kernels: everything that computes. The only unsafe code of the crate lies here and in the flat views of `plain.rs`.
//!
//! From the top: a network's pass calls [`conv::forward`], which lays out its input ([`im2col`]), multiplies
//! ([`gemm`]) by one of two micro-kernels ([`tile`]) over vectors ([`simd`]), and hands rows to a [`stage`].
#![allow(unsafe_code, reason = "vector loads and stores need pointers; each block states the checked fact it rests on")]

pub mod activation;
pub mod arena;
pub mod batch_norm;
mod channels;
pub mod conv;
pub mod conv_backward;
pub mod correlate;
pub mod gemm;
pub mod host;
pub mod linear;
pub mod map;
pub mod pool;
pub mod reference;
pub mod simd;
pub mod stage;
pub mod sums;
pub mod tile;
pub mod window;
pub mod winograd;

#[cfg(all(test, feature = "std"))]
mod tests;
