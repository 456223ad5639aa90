//! Threads: the only file of the trainer that knows whether there are any. No result depends on how many.

#[cfg(feature = "rayon")]
use rayon::prelude::*;

use crate::Scalar;
#[cfg(feature = "rayon")]
use crate::optim::elements::PART;
use crate::optim::elements::{On, each};
use crate::optim::{Optimizer, OptimizerError};

use super::TrainError;

/// Who does the work.
pub(super) enum Crew {
    /// The calling thread, in plain loops.
    Caller,
    /// Rayon's global pool.
    #[cfg(feature = "rayon")]
    Everyone,
    /// A pool of the trainer's own.
    #[cfg(feature = "rayon")]
    Own(rayon::ThreadPool),
}

impl Crew {
    /// All cores; without the feature `rayon` the calling thread.
    pub(super) fn all() -> Self {
        #[cfg(feature = "rayon")]
        return Crew::Everyone;
        #[cfg(not(feature = "rayon"))]
        return Crew::Caller;
    }

    /// So many threads, all cores if not told; without the feature `rayon` it is the calling thread.
    pub(super) fn new(threads: Option<usize>) -> Result<Self, TrainError> {
        match threads {
            None => Ok(Self::all()),
            Some(1) => Ok(Crew::Caller),
            Some(threads) => Self::own(threads),
        }
    }

    #[cfg(feature = "rayon")]
    fn own(threads: usize) -> Result<Self, TrainError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map(Crew::Own).map_err(|error| TrainError::Threads { threads, reason: error.to_string() })
    }

    #[cfg(not(feature = "rayon"))]
    fn own(_threads: usize) -> Result<Self, TrainError> {
        Ok(Crew::Caller)
    }

    /// How many threads work at a time.
    pub(super) fn threads(&self) -> usize {
        match self {
            Crew::Caller => 1,
            #[cfg(feature = "rayon")]
            _ => self.within(rayon::current_num_threads),
        }
    }

    /// The number of the calling thread, 0 where it is not one of a crew's.
    pub(super) fn thread() -> usize {
        #[cfg(feature = "rayon")]
        return rayon::current_thread_index().unwrap_or_default();
        #[cfg(not(feature = "rayon"))]
        return 0;
    }

    /// Runs work that uses rayon, where it is to run.
    #[cfg(feature = "rayon")]
    fn within<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Crew::Own(pool) => pool.install(work),
            Crew::Caller | Crew::Everyone => work(),
        }
    }

    /// Both, at the same time if there are threads.
    pub(super) fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        match self {
            Crew::Caller => {
                a();
                b();
            }
            #[cfg(feature = "rayon")]
            _ => {
                self.within(|| rayon::join(a, b));
            }
        }
    }

    /// `work(0), …, work(count − 1)` in this order, wherever they were computed.
    pub(super) fn collect<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Send + Sync) -> Vec<R> {
        match self {
            Crew::Caller => (0..count).map(work).collect(),
            #[cfg(feature = "rayon")]
            _ => self.within(|| (0..count).into_par_iter().map(work).collect()),
        }
    }

    /// A step of the optimizer.
    pub(super) fn step<T: Scalar>(
        &self, optimizer: &mut impl Optimizer<T>, params: &mut [T], grads: &[T],
    ) -> Result<(), OptimizerError> {
        match self {
            #[cfg(feature = "rayon")]
            Crew::Everyone | Crew::Own(_) if params.len() > PART => self.within(|| optimizer.par_step(params, grads)),
            _ => optimizer.step(params, grads),
        }
    }

    /// `to += from`, element by element.
    pub(super) fn add<T: Scalar>(&self, to: &mut [T], from: &[T]) {
        match self {
            #[cfg(feature = "rayon")]
            Crew::Everyone | Crew::Own(_) if to.len() > PART => {
                self.within(|| each(On::Everyone, to, from, [], add));
            }
            _ => each(On::Caller, to, from, [], add),
        }
    }
}

#[inline(always)]
fn add<T: Scalar>(to: &mut [T], from: &[T], []: [&mut [T]; 0]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Sgd;

    /// Sizes around a part, beyond which threads share a sum, and around several.
    #[test]
    fn all_crews_do_the_same() {
        for crew in [Crew::Caller, Crew::all(), Crew::new(Some(2)).unwrap(), Crew::new(Some(0)).unwrap()] {
            for len in [
                0,
                1,
                1000,
                (1 << 14) + 1,
                (1 << 15) - 1,
                1 << 15,
                (1 << 15) + 1,
                (1 << 16) - 1,
                1 << 16,
                (1 << 17) + 5,
            ] {
                let mut to: Vec<f32> = (0..len).map(|i| i as f32).collect();
                crew.add(&mut to, &vec![0.5; len]);
                assert!(to.iter().enumerate().all(|(i, &sum)| sum == i as f32 + 0.5), "{len}");
                crew.step(&mut Sgd::new(0.5), &mut to, &vec![1.0; len]).unwrap();
                assert!(to.iter().enumerate().all(|(i, &param)| param == i as f32), "{len}");
            }
            assert!(crew.collect(100, |i| i).into_iter().eq(0..100));
            let (mut left, mut right) = (0, 0);
            crew.join(|| left = 1, || right = 2);
            assert_eq!((left, right), (1, 2));
        }
    }
}
