//! The kernels: everything that computes. The only unsafe code of the crate lies here and in the flat views of `plain.rs`.
#![allow(unsafe_code, reason = "vector loads and stores need pointers; each block states the checked fact it rests on")]

pub mod simd;
