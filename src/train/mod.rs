//! Training: epochs, batches, threads, checkpoints, progress.
//!
//! [`Trainer`] is the loop; [`evaluate`] and [`Confusion`] tell how well a network does. Whoever writes the loop themselves needs
//! [`Network::loss_and_grad`](crate::Network::loss_and_grad) and an [`Optimizer`](crate::optim::Optimizer) alone.
//!
//! ```
//! use rand::{RngExt, SeedableRng};
//! use tenonet::prelude::*;
//!
//! network! {
//!     /// Tells on which side of a line a point lies.
//!     struct Sides([2] -> [2]) { fc1: linear(8), relu, fc2: linear(2) }
//! }
//!
//! let mut rng = rand::rngs::StdRng::seed_from_u64(1);
//! let points: Vec<Tensor<2>> = (0..200).map(|_| Tensor::from_fn(|_, _, _| rng.random::<f32>() - 0.5)).collect();
//! let sides: Vec<u8> = points.iter().map(|p| u8::from(p[0] > p[1])).collect();
//! let (train, test) = ((&points[..150], &sides[..150]), (&points[150..], &sides[150..]));
//!
//! let mut net = Sides::init(&mut rng);
//! let report = Trainer::new(&mut net)
//!     .loss(SoftmaxCrossEntropy)
//!     .optimizer(Sgd::new(0.1).momentum(0.9))
//!     .schedule(Cosine::new().warm_up(10))
//!     .batch(16).epochs(20).seed(7)
//!     .fit(&train, &test)?;
//! assert!(report.test_accuracy() > Some(0.9));
//! println!("{}", Confusion::of(&net, &test)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Three promises. The same seed gives the same bits on any number of threads: a batch is cut into lanes whose number
//! does not depend on them, and all sums have a fixed order. A run that was resumed gives the same bits as one that was not
//! interrupted: order, augmentation and learning rate are functions of the place in the run. And a run that fails leaves the network
//! as it was after the last good epoch.

mod batch;
#[cfg(feature = "weights")]
mod checkpoint;
mod confusion;
mod crew;
mod curve;
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
pub use curve::CurvePoint;
pub use error::{Set, TrainError};
pub use evaluate::{Evaluation, evaluate};
pub use handle::AsNetwork;
pub use report::{Continue, EpochReport, Report};
pub use samples::{Items, Samples};
pub use trainer::Trainer;
