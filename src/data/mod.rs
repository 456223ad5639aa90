//! Data sets: the digits that ship with the crate, MNIST and CIFAR-10 from a folder of the user's, IDX files in general.
//!
//! [`digits`] needs nothing; [`mnist`] reads four files, [`cifar10`] six; [`Idx`] reads any IDX file into tensors or labels.
//! What they yield is a [`Dataset`], which splits, shuffles, normalises and hands out batches. Random changes of inputs while a network
//! learns are in [`augment`](crate::augment).

mod cifar;
mod dataset;
mod digits;
mod error;
mod folder;
mod idx;
mod mnist;

pub use cifar::{Cifar10, cifar10, cifar10_batch};
pub use dataset::Dataset;
pub use digits::digits;
pub use error::{CifarFault, DataError, IdxFault};
pub use idx::{ElementType, Idx};
pub use mnist::{Mnist, mnist};
