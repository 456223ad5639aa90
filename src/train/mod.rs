//! Training: epochs, batches, threads, checkpoints, progress.
//!
//! [`Trainer`] is the loop; [`evaluate`] and [`Confusion`] tell how well a network does. Whoever writes the loop themselves needs
//! [`Network::loss_and_grad`](crate::Network::loss_and_grad) and an [`Optimizer`](crate::optim::Optimizer) alone.
//!
//! Three promises. The same seed gives the same bits on any number of threads: a batch is cut into lanes whose number
//! does not depend on them, and all sums have a fixed order. A run that was resumed gives the same bits as one that was not
//! interrupted: order and learning rate are functions of the place in the run. And a run that fails leaves the network
//! as it was after the last good epoch.

mod batch;
#[cfg(feature = "weights")]
mod checkpoint;
mod confusion;
mod crew;
mod error;
mod evaluate;
mod fit;
#[cfg(test)]
pub(crate) mod fixture;
mod handle;
mod lanes;
mod progress;
mod report;
mod samples;
#[cfg(test)]
mod tests;
mod trainer;

pub use batch::{All, Batch};
pub use confusion::Confusion;
pub use error::{Set, TrainError};
pub use evaluate::{Evaluation, evaluate};
pub use handle::AsNetwork;
pub use report::{Continue, EpochReport, Report};
pub use samples::{Items, Samples};
pub use trainer::Trainer;
