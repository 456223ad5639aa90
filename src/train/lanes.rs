//! Lanes: the gradient of a batch, in parts that threads can share.
//!
//! A batch is cut into a fixed number of lanes, whatever the number of threads. A lane goes through its samples in order and sums their
//! gradient in its own memory; lanes are added in a fixed tree: 0 += 1, 2 += 3, …; 0 += 2, 4 += 6, …, by the thread that has made them.
//! Every sum has one order, so its bits are the same on any number of threads.

use std::sync::Mutex;

use crate::Scalar;
use crate::aligned::{Aligned, AlignedSlice};
use crate::augment::{Augment, Draws};
use crate::kernels::dropout::Masks;
use crate::loss::{BatchError, Loss, TargetFault};
use crate::network::{BatchWorkspace, Network};
use crate::plain::{self, Plain};
use crate::tensor::FeatureMap;

use super::crew::Crew;

/// The lanes of a trainer, with the memory that they need: a lane keeps its sums, and what it works in is a thread's. A lane's own would be far from the core when its turn comes (steps of
/// ResNet-8 and MobileNetV1, four lanes on one thread: 0.87 and 0.84 of the time). It is made where a thread runs its first lane; nothing else is allocated for a batch.
pub(super) struct Lanes<'a, N: Network, L> {
    lanes: Vec<Lane<'a, N, L>>,
    desks: Vec<Mutex<Option<Desk<N>>>>,
}

/// One lane.
struct Lane<'a, N: Network, L> {
    grad: Box<Aligned<N>>,
    /// Of a micro-batch.
    targets: Vec<&'a L>,
    result: Result<Sums, BatchError>,
}

/// What a thread works in.
struct Desk<N: Network> {
    /// A micro-batch, gathered from the data set: passes want it in one piece.
    inputs: AlignedSlice<N::Input>,
    workspace: BatchWorkspace<N>,
}

impl<N: Network> Default for Desk<N> {
    fn default() -> Self {
        Desk { inputs: AlignedSlice::zeroed(N::MICRO_BATCH), workspace: BatchWorkspace::new() }
    }
}

/// Lends a desk that nobody is at, if there is one the thread's own.
fn at_desk<N: Network, R>(desks: &[Mutex<Option<Desk<N>>>], own: usize, work: impl FnOnce(&mut Desk<N>) -> R) -> R {
    for i in 0..desks.len() {
        if let Ok(mut desk) = desks[(own + i) % desks.len()].try_lock() {
            return work(desk.get_or_insert_default());
        }
    }
    // A loss or an augmentation that waits for other work of the pool may be given a lane meanwhile.
    work(&mut Desk::default())
}

/// Sums over samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) loss: f64,
    /// What was right, of the samples for which that means something.
    pub(super) right: f64,
    pub(super) judged: u64,
    pub(super) samples: u64,
}

impl Sums {
    pub(super) fn add(&mut self, other: Sums) {
        self.loss += other.loss;
        self.right += other.right;
        self.judged += other.judged;
        self.samples += other.samples;
    }

    /// Counts an output that has been judged by [`Loss::accuracy`].
    pub(super) fn judge(&mut self, accuracy: Option<f64>) {
        if let Some(right) = accuracy {
            self.right += right;
            self.judged += 1;
        }
    }

    pub(super) fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    /// The part that was right; `None` if nothing was judged.
    pub(super) fn accuracy(&self) -> Option<f64> {
        (self.judged > 0).then(|| self.right / self.judged as f64)
    }
}

/// A loss against borrowed targets: they are gathered as references, for a target may be as large as an image.
struct Lent<'e, E>(&'e E);

impl<O: FeatureMap, L, E: Loss<O, L>> Loss<O, &L> for Lent<'_, E> {
    fn value(&self, output: &O, target: &&L) -> O::Scalar {
        self.0.value(output, target)
    }

    fn value_and_grad(&self, output: &O, target: &&L, d_output: &mut O) -> O::Scalar {
        self.0.value_and_grad(output, target, d_output)
    }

    fn check(&self, target: &&L) -> Result<(), TargetFault> {
        self.0.check(target)
    }

    fn accuracy(&self, output: &O, target: &&L) -> Option<f64> {
        self.0.accuracy(output, target)
    }
}

/// What a batch is taken from.
pub(super) struct Source<'a, I, L, E> {
    pub(super) inputs: &'a [I],
    pub(super) targets: &'a [L],
    pub(super) loss: &'a E,
    pub(super) augmentation: &'a dyn Augment<I>,
    pub(super) seed: u64,
    /// Counted from 0.
    pub(super) epoch: u64,
}

impl<'a, N: Network, L: Sync> Lanes<'a, N, L> {
    /// So many lanes, for these threads.
    pub(super) fn new(count: usize, crew: &Crew) -> Self {
        let desks = (0..count.min(crew.threads())).map(|_| Mutex::default()).collect();
        Lanes { lanes: (0..count).map(|_| Lane::new()).collect(), desks }
    }

    /// The mean gradient over the samples that `batch` names, whose first one has these masks for dropout, in [`grad`](Self::grad); yields the sums of losses and hits.
    pub(super) fn run<E: Loss<N::Output, L>>(
        &mut self, net: &N, source: &Source<'a, N::Input, L, E>, batch: &[usize], masks: Masks, crew: &Crew,
    ) -> Result<Sums, BatchError> {
        let share = batch.len().div_ceil(self.lanes.len()).max(1);
        // A short last batch may leave lanes idle; how many depends on its length alone.
        let busy = batch.len().div_ceil(share);
        let (lanes, desks) = (&mut self.lanes[..busy], &self.desks);
        let scale = N::Scalar::of(1.0 / batch.len() as f64);
        sum_of(crew, lanes, 0, &|i, lane| {
            let part = &batch[i * share..batch.len().min((i + 1) * share)];
            let masks = masks.skip((i * share) as u64);
            lane.result = at_desk(desks, Crew::thread(), |desk| lane.run(net, source, part, scale, masks, desk));
        });
        let mut sums = Sums::default();
        for lane in lanes.iter() {
            sums.add(lane.result?);
        }
        Ok(sums)
    }

    /// The gradient of the last batch; there is one as soon as there is a lane.
    pub(super) fn grad(&self) -> Option<&N> {
        self.lanes.first().map(|lane| &lane.grad.0)
    }
}

/// `work(i, lane)` for these lanes, of which the first has number `first`; then that one has the sum of their gradients.
///
/// They are halved at a power of two, so that lanes are added in the same tree however many there are.
fn sum_of<'a, N: Network, L: Sync>(
    crew: &Crew, lanes: &mut [Lane<'a, N, L>], first: usize, work: &(impl Fn(usize, &mut Lane<'a, N, L>) + Sync),
) {
    match lanes {
        [] => return,
        [lane] => return work(first, lane),
        _ => {}
    }
    let half = lanes.len().next_power_of_two() / 2;
    let (left, right) = lanes.split_at_mut(half);
    crew.join(|| sum_of(crew, left, first, work), || sum_of(crew, right, first + half, work));
    if let ([to, ..], [from, ..]) = (left, right) {
        crew.add(to.grad.0.flat_mut(), from.grad.0.flat());
    }
}

impl<'a, N: Network, L: Sync> Lane<'a, N, L> {
    fn new() -> Self {
        Lane { grad: plain::zeroed_box(), targets: Vec::with_capacity(N::MICRO_BATCH), result: Ok(Sums::default()) }
    }

    fn run<E: Loss<N::Output, L>>(
        &mut self, net: &N, source: &Source<'a, N::Input, L, E>, part: &[usize], scale: N::Scalar, masks: Masks,
        Desk { inputs, workspace }: &mut Desk<N>,
    ) -> Result<Sums, BatchError> {
        self.grad.0.flat_mut().fill(N::Scalar::default());
        let mut sums = Sums::default();
        for (number, micro) in part.chunks(N::MICRO_BATCH).enumerate() {
            let inputs = &mut inputs[..micro.len()];
            self.gather(source, micro, inputs);
            let parts = workspace.as_parts().masks(masks.skip((number * N::MICRO_BATCH) as u64));
            let loss =
                net.accumulate_grad(inputs, &self.targets, &Lent(source.loss), scale, &mut self.grad.0, parts)?;
            sums.loss += loss.as_f64();
            sums.samples += micro.len() as u64;
            // The outputs are still in the workspace.
            for (y, target) in workspace.as_parts().outputs.iter().zip(&self.targets) {
                sums.judge(source.loss.accuracy(y, target));
            }
        }
        Ok(sums)
    }

    /// Copies samples of the data set, and changes the copies as the augmentation does.
    fn gather<E>(&mut self, source: &Source<'a, N::Input, L, E>, micro: &[usize], inputs: &mut [N::Input]) {
        self.targets.clear();
        for (input, &sample) in inputs.iter_mut().zip(micro) {
            input.flat_mut().copy_from_slice(source.inputs[sample].flat());
            // By the place in the data set, not in the batch: neither lanes nor the size of batches matter.
            source.augmentation.apply(input, &mut Draws::new(source.seed, source.epoch, sample as u64));
            self.targets.push(&source.targets[sample]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::fixture::Linear;

    #[test]
    fn a_desk_is_lent_once_at_a_time() {
        let desks: [Mutex<Option<Desk<Linear>>>; 2] = Default::default();
        let place = |desk: &mut Desk<Linear>| std::ptr::from_ref(desk).addr();
        let own = at_desk(&desks, 1, place);
        assert_eq!(at_desk(&desks, 3, place), own);
        at_desk(&desks, 1, |_| {
            let others = at_desk(&desks, 1, |desk| {
                let third = at_desk(&desks, 1, place);
                [place(desk), third]
            });
            assert!(!others.contains(&own) && others[0] != others[1]);
        });
        assert_eq!(at_desk(&desks, 1, place), own);
    }
}
