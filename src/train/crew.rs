//! Threads: the only file of the trainer that knows whether there are any. No result depends on how many.

use crate::Scalar;

use super::TrainError;

/// Where work is done: rayon's pool, a pool of its own, or (without the feature `rayon`) the calling thread.
pub(super) struct Crew {
    #[cfg(feature = "rayon")]
    pool: Option<rayon::ThreadPool>,
}

impl Crew {
    /// All cores, by rayon's global pool.
    pub(super) fn global() -> Self {
        Crew {
            #[cfg(feature = "rayon")]
            pool: None,
        }
    }

    /// So many threads, all cores if not told; without the feature `rayon` it is the calling thread.
    pub(super) fn new(threads: Option<usize>) -> Result<Self, TrainError> {
        #[cfg(feature = "rayon")]
        if let Some(threads) = threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| TrainError::Threads { threads, reason: error.to_string() })?;
            return Ok(Crew { pool: Some(pool) });
        }
        let _ = threads;
        Ok(Self::global())
    }

    #[cfg(feature = "rayon")]
    fn within<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// `work(i, &mut items[i])` for every item.
    #[cfg(feature = "rayon")]
    pub(super) fn each<I: Send>(&self, items: &mut [I], work: impl Fn(usize, &mut I) + Send + Sync) {
        use rayon::prelude::*;
        self.within(|| items.par_iter_mut().with_max_len(1).enumerate().for_each(|(i, item)| work(i, item)));
    }

    /// `work(i, &mut items[i])` for every item.
    #[cfg(not(feature = "rayon"))]
    pub(super) fn each<I>(&self, items: &mut [I], work: impl Fn(usize, &mut I)) {
        items.iter_mut().enumerate().for_each(|(i, item)| work(i, item));
    }

    /// `work(0), …, work(count − 1)` in this order, wherever they were computed.
    #[cfg(feature = "rayon")]
    pub(super) fn collect<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Send + Sync) -> Vec<R> {
        use rayon::prelude::*;
        self.within(|| (0..count).into_par_iter().map(work).collect())
    }

    /// `work(0), …, work(count − 1)` in this order, wherever they were computed.
    #[cfg(not(feature = "rayon"))]
    pub(super) fn collect<R>(&self, count: usize, work: impl Fn(usize) -> R) -> Vec<R> {
        (0..count).map(work).collect()
    }

    /// `to += from`, element by element.
    pub(super) fn add<T: Scalar>(&self, to: &mut [T], from: &[T]) {
        // Below 2¹⁶ elements a sum takes less time than waking a thread.
        #[cfg(feature = "rayon")]
        if to.len() >= 1 << 16 {
            use rayon::prelude::*;
            return self
                .within(|| to.par_chunks_mut(1 << 14).zip(from.par_chunks(1 << 14)).for_each(|(a, b)| add(a, b)));
        }
        add(to, from);
    }
}

fn add<T: Scalar>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
