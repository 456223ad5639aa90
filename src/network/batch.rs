//! Whole batches on the host: [`Network::forward_batch`] and [`Network::loss_and_grad`] with memory that threads keep.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

use crate::aligned::AlignedSlice;
use crate::kernels::dropout::Masks;
use crate::loss::{BatchError, Loss};
use crate::network::BatchWorkspace;
use crate::network::{Infer, Network, check_batch};
use crate::scalar::Scalar;

thread_local! {
    /// One value of each type that this thread has needed.
    static KEPT: RefCell<HashMap<TypeId, Box<dyn Any>>> = RefCell::default();
}

/// Lends the thread's value of type `W`, made by `W::default()` at the first call.
///
/// The value is taken out while it is lent, so that a nested call finds none and makes another.
pub(crate) fn with_kept<W: Default + 'static, R>(f: impl FnOnce(&mut W) -> R) -> R {
    let kept = KEPT.with_borrow_mut(|map| map.get_mut(&TypeId::of::<Option<Box<W>>>()).and_then(take_kept::<W>));
    let mut value = kept.unwrap_or_default();
    let result = f(&mut value);
    KEPT.with_borrow_mut(|map| {
        let slot = map.entry(TypeId::of::<Option<Box<W>>>()).or_insert_with(|| Box::new(None::<Box<W>>));
        if let Some(slot) = slot.downcast_mut::<Option<Box<W>>>() {
            *slot = Some(value);
        }
    });
    result
}

fn take_kept<W: 'static>(slot: &mut Box<dyn Any>) -> Option<Box<W>> {
    slot.downcast_mut::<Option<Box<W>>>().and_then(Option::take)
}

/// A scratch for a micro-batch.
pub(crate) struct BatchScratch<N: Network> {
    activations: AlignedSlice<N::Activations>,
}

impl<N: Network> Default for BatchScratch<N> {
    fn default() -> Self {
        BatchScratch { activations: AlignedSlice::zeroed(N::INFER_BATCH) }
    }
}

impl<N: Network> BatchScratch<N> {
    /// `y[i] ← net(x[i])` for a micro-batch at most.
    pub(crate) fn infer(&mut self, net: &N, x: &[N::Input], y: &mut [N::Output]) {
        N::Scalar::dispatch(Infer { net, x, y, activations: &mut self.activations });
    }
}

pub(crate) fn forward<N: Network>(net: &N, inputs: &[N::Input], outputs: &mut [N::Output]) -> Result<(), BatchError> {
    if inputs.len() != outputs.len() {
        return Err(BatchError::Lengths { inputs: inputs.len(), others: outputs.len() });
    }
    let micro = |(x, y): (&[N::Input], &mut [N::Output])| {
        with_kept(|scratch: &mut BatchScratch<N>| scratch.infer(net, x, y));
    };
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        inputs.par_chunks(N::INFER_BATCH).zip(outputs.par_chunks_mut(N::INFER_BATCH)).for_each(micro);
    }
    #[cfg(not(feature = "rayon"))]
    inputs.chunks(N::INFER_BATCH).zip(outputs.chunks_mut(N::INFER_BATCH)).for_each(micro);
    Ok(())
}

pub(crate) fn loss_and_grad<N: Network, L: Sync, E: Loss<N::Output, L>>(
    net: &N, inputs: &[N::Input], targets: &[L], loss: &E, grad: &mut N, masks: Masks,
) -> Result<N::Scalar, BatchError> {
    check_batch::<N, L, E>(inputs, targets, loss)?;
    grad.flat_mut().fill(N::Scalar::default());
    if inputs.is_empty() {
        return Ok(N::Scalar::default());
    }
    let scale = N::Scalar::of(1.0 / inputs.len() as f64);
    let sum = with_kept(|workspace: &mut BatchWorkspace<N>| {
        net.accumulate_grad(inputs, targets, loss, scale, grad, workspace.as_parts().masks(masks))
    })?;
    Ok(sum * scale)
}
