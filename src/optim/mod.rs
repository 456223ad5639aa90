//! Optimizers: how parameters follow their gradient. All of them work on flat slices, without an allocator if need be.
//!
//! ```
//! use tenonet::optim::{Optimizer, Sgd};
//!
//! let (mut params, grads) = ([1.0_f32, 2.0], [0.5, -0.5]);
//! let mut sgd = Sgd::with_storage(0.1, [0.0; 2]).momentum(0.9);   // the state in an array: no allocator
//! sgd.step(&mut params, &grads)?;
//! assert_eq!(params, [0.95, 2.05]);
//! # Ok::<(), tenonet::optim::OptimizerError>(())
//! ```

use core::fmt;

use crate::Scalar;

mod adam;
pub(crate) mod elements;
mod sgd;
mod storage;

pub use adam::{Adam, AdamW, Adaptive};
pub use sgd::Sgd;
pub use storage::{DefaultStorage, Storage};

/// A rule that changes parameters by their gradient.
///
/// Its state (momenta and the like) is readable and writable as named slices of one value per parameter and a count of
/// steps: with its settings, that is all a checkpoint needs.
pub trait Optimizer<T: Scalar>: Send {
    /// One step: changes `params` by `grads`. `grads[i]` belongs to `params[i]`.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), or if the slices' lengths differ; then nothing has changed.
    fn step(&mut self, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError>;

    /// As [`step`](Self::step), to the bit, on the threads of rayon's current pool: the trainer's way for large networks. A rule that does not share its elements makes
    /// the step by itself.
    ///
    /// # Errors
    /// As `step`.
    #[cfg(feature = "rayon")]
    fn par_step(&mut self, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError> {
        self.step(params, grads)
    }

    /// Makes room for the state of `params` parameters; [`step`](Self::step) does it too.
    ///
    /// # Errors
    /// If a setting is out of its range or the state has another length.
    fn prepare(&mut self, params: usize) -> Result<(), OptimizerError>;

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate: schedules do before every step.
    fn set_learning_rate(&mut self, rate: f64);

    /// The rule's name, as in checkpoints: `sgd`, `adam`, `adamw`.
    fn kind(&self) -> &'static str;

    /// Calls `each` with the name and value of every setting; a switch is 0 or 1.
    fn settings(&self, each: &mut dyn FnMut(&'static str, f64));

    /// Steps taken.
    fn steps(&self) -> u64;

    /// Sets the count of steps, when a state is restored.
    fn set_steps(&mut self, steps: u64);

    /// The names of the state's slices; none for a rule that keeps nothing.
    fn state_names(&self) -> &'static [&'static str];

    /// The state's slice of the name with this index; empty before [`prepare`](Self::prepare), and if there is no such name.
    fn state(&self, index: usize) -> &[T];

    /// The state's slice of the name with this index; empty before [`prepare`](Self::prepare), and if there is no such name.
    fn state_mut(&mut self, index: usize) -> &mut [T];
}

/// Borrowed optimizers are optimizers, so that one can be lent to a trainer and kept.
impl<T: Scalar, O: Optimizer<T> + ?Sized> Optimizer<T> for &mut O {
    fn step(&mut self, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError> {
        (**self).step(params, grads)
    }

    #[cfg(feature = "rayon")]
    fn par_step(&mut self, params: &mut [T], grads: &[T]) -> Result<(), OptimizerError> {
        (**self).par_step(params, grads)
    }

    fn prepare(&mut self, params: usize) -> Result<(), OptimizerError> {
        (**self).prepare(params)
    }

    fn learning_rate(&self) -> f64 {
        (**self).learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        (**self).set_learning_rate(rate);
    }

    fn kind(&self) -> &'static str {
        (**self).kind()
    }

    fn settings(&self, each: &mut dyn FnMut(&'static str, f64)) {
        (**self).settings(each);
    }

    fn steps(&self) -> u64 {
        (**self).steps()
    }

    fn set_steps(&mut self, steps: u64) {
        (**self).set_steps(steps);
    }

    fn state_names(&self) -> &'static [&'static str] {
        (**self).state_names()
    }

    fn state(&self, index: usize) -> &[T] {
        (**self).state(index)
    }

    fn state_mut(&mut self, index: usize) -> &mut [T] {
        (**self).state_mut(index)
    }
}

/// Why an optimizer refused a step. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum OptimizerError {
    /// Parameters and gradients are not as many.
    Lengths {
        /// Parameters.
        params: usize,
        /// Gradients.
        grads: usize,
    },
    /// A state's memory has not one element for each parameter.
    State {
        /// The state's name.
        name: &'static str,
        /// Its elements.
        found: usize,
        /// Parameters.
        wanted: usize,
    },
    /// A setting is out of its range.
    Setting {
        /// The setting's name.
        name: &'static str,
        /// Its value.
        found: f64,
        /// The range.
        wanted: &'static str,
    },
}

impl fmt::Display for OptimizerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lengths { params, grads } => write!(f, "optimizer: {params} parameters, but {grads} gradients"),
            Self::State { name, found, wanted } => {
                write!(f, "optimizer: the memory for `{name}` has {found} elements, but there are {wanted} parameters")
            }
            Self::Setting { name, found, wanted } => write!(f, "optimizer: `{name}` is {found}, but must be {wanted}"),
        }
    }
}

impl core::error::Error for OptimizerError {}

/// The length that parameters and gradients share.
fn same_length<T>(params: &[T], grads: &[T]) -> Result<usize, OptimizerError> {
    if params.len() == grads.len() {
        Ok(params.len())
    } else {
        Err(OptimizerError::Lengths { params: params.len(), grads: grads.len() })
    }
}

/// Makes room in a storage.
fn fit<T, S: Storage<T>>(storage: &mut S, name: &'static str, wanted: usize) -> Result<(), OptimizerError> {
    if storage.fit(wanted) {
        Ok(())
    } else {
        Err(OptimizerError::State { name, found: storage.values().len(), wanted })
    }
}

/// Refuses a setting that is negative, infinite or not a number.
fn not_negative(name: &'static str, found: f64) -> Result<(), OptimizerError> {
    if (0.0..f64::INFINITY).contains(&found) {
        Ok(())
    } else {
        Err(OptimizerError::Setting { name, found, wanted: "0 or more, and finite" })
    }
}

/// Refuses a setting that is not the weight of a running mean.
fn below_one(name: &'static str, found: f64) -> Result<(), OptimizerError> {
    if (0.0..1.0).contains(&found) {
        Ok(())
    } else {
        Err(OptimizerError::Setting { name, found, wanted: "at least 0 and below 1" })
    }
}
