//! [`evaluate`]: what a network does on samples it does not learn from.

use crate::Scalar;
use crate::loss::{BatchError, Loss};
use crate::network::batch::{BatchScratch, with_kept};
use crate::network::{Network, check_batch};
use crate::plain;

use super::crew::Crew;
use super::lanes::Sums;
use super::{AsNetwork, Samples};

/// How well a network does on a set of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Samples.
    pub samples: usize,
    /// The mean loss; NaN without samples.
    pub loss: f64,
    /// The part of the outputs that is right, 0 to 1; `None` if the loss knows no right and wrong, or without samples.
    pub accuracy: Option<f64>,
}

/// Evaluates a network on all cores (feature `rayon`). The result does not depend on how many.
///
/// # Errors
/// If inputs and targets differ in number, or the loss refuses a target.
pub fn evaluate<N, S, E>(net: &impl AsNetwork<N>, samples: &S, loss: &E) -> Result<Evaluation, BatchError>
where
    N: Network,
    S: Samples<Input = N::Input> + ?Sized,
    S::Target: Sync,
    E: Loss<N::Output, S::Target>,
{
    let (inputs, targets) = (samples.inputs(), samples.targets());
    check_batch::<N, S::Target, E>(inputs, targets, loss)?;
    Ok(evaluate_on(&Crew::all(), net.as_network(), inputs, targets, loss))
}

/// As [`evaluate`], with targets that have been checked.
pub(super) fn evaluate_on<N: Network, L: Sync, E: Loss<N::Output, L>>(
    crew: &Crew, net: &N, inputs: &[N::Input], targets: &[L], loss: &E,
) -> Evaluation {
    let parts = outputs(crew, net, inputs, |first, outputs| {
        let mut sums = Sums::default();
        for (y, target) in outputs.iter().zip(&targets[first..]) {
            sums.loss += loss.value(y, target).as_f64();
            sums.judge(loss.accuracy(y, target));
            sums.samples += 1;
        }
        sums
    });
    // In the samples' order, whoever computed what.
    let mut sums = Sums::default();
    parts.into_iter().for_each(|part| sums.add(part));
    Evaluation { samples: inputs.len(), loss: sums.mean_loss(), accuracy: sums.accuracy() }
}

/// Runs the network in micro-batches and has `look` see the outputs of each, with the index of its first input; yields what it yields, in order.
pub(super) fn outputs<N: Network, R: Send>(
    crew: &Crew, net: &N, inputs: &[N::Input], look: impl Fn(usize, &[N::Output]) -> R + Send + Sync,
) -> Vec<R> {
    crew.collect(inputs.len().div_ceil(N::INFER_BATCH), |i| {
        let first = i * N::INFER_BATCH;
        let x = &inputs[first..inputs.len().min(first + N::INFER_BATCH)];
        with_kept(|kept: &mut Kept<N>| {
            let y = &mut kept.outputs[..x.len()];
            kept.scratch.infer(net, x, y);
            look(first, y)
        })
    })
}

/// What a thread keeps for a micro-batch.
struct Kept<N: Network> {
    scratch: BatchScratch<N>,
    outputs: Box<[N::Output]>,
}

impl<N: Network> Default for Kept<N> {
    fn default() -> Self {
        Kept { scratch: BatchScratch::default(), outputs: plain::zeroed_slice(N::INFER_BATCH) }
    }
}
