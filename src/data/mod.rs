//! Data sets: the digits that ship with the crate, MNIST from a folder of the user's, IDX files in general.
//!
//! [`digits`] needs nothing; [`mnist`] reads four files; [`Idx`] reads any file of that form into tensors or labels.
//! What they yield is a [`Dataset`], which splits, shuffles, normalises and hands out batches.

mod dataset;
mod digits;
mod error;
mod idx;
mod mnist;

pub use dataset::Dataset;
pub use digits::digits;
pub use error::{DataError, IdxFault};
pub use idx::{ElementType, Idx};
pub use mnist::{Mnist, mnist};
