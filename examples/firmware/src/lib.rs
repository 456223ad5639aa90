//! What the programs share: measuring instructions and stack.
#![no_std]

pub mod measure;
