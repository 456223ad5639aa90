//! `concat { … }`: each branch is put into the joined map as soon as it is there, so that no two branches live longer than they must; at inference
//! a convolution that ends a branch writes there itself.

use super::memory::last_reads;
use super::{Builder, Kernel, Mode, Operand, Order, Part, Step, Value, is_either, seen};
use crate::check::known_source;
use crate::ir::{Network, Op, Source};

/// How far the branches of a concat are joined.
#[derive(Clone, Copy, Default)]
pub struct Joined {
    /// Branches that have their place.
    branches: usize,
    /// The step that put the last of them there.
    map: Option<Operand>,
}

impl Builder<'_> {
    /// Joins what there is of all that a layer is a branch's end of.
    pub(super) fn join_branches(&mut self, layer: usize) {
        for index in 0..self.readers[layer].len() {
            let reader = self.readers[layer][index];
            if matches!(self.network.layers[reader].op, Op::Concat(_)) {
                self.join(reader);
            }
        }
    }

    /// Puts the next branches that are there into the joined map; yields that, if it has one branch at least.
    pub(super) fn join(&mut self, concat: usize) -> Option<Value> {
        let network = self.network;
        let Op::Concat(block) = &network.layers[concat].op else { return None };
        for (branch, end) in
            block.branches.iter().map(|branch| branch.end).enumerate().skip(self.joined[concat].branches)
        {
            if matches!(end, Source::Layer(layer) if self.values[layer].is_none()) {
                break;
            }
            let x = self.arrives(end).operand;
            let kernel = Kernel::Part(Part { layer: concat, branch });
            let map = self.push(kernel, x, self.joined[concat].map, Source::Layer(concat));
            self.joined[concat] = Joined { branches: branch + 1, map: Some(map) };
        }
        let order = if is_either(network.layers[concat].output) { Order::Either } else { Order::Pixels };
        self.joined[concat].map.map(|operand| Value { operand, order })
    }
}

/// Convolutions that end a branch store it into the joined map: no map of their own, and no copy.
pub(super) fn store_into_joined(network: &Network, steps: &[Step]) -> Vec<Step> {
    let ends = last_reads(steps);
    let stored: Vec<Option<Part>> = (0..steps.len()).map(|time| stored(network, steps, &ends, time)).collect();
    let mut kept: Vec<Step> = Vec::with_capacity(steps.len());
    // Where each step's value is written now.
    let mut writers: Vec<usize> = Vec::with_capacity(steps.len());
    for (mut step, part) in steps.iter().cloned().zip(stored) {
        for operand in [Some(&mut step.x), step.skip.as_mut()].into_iter().flatten() {
            if let Operand::Step(read) = operand {
                *read = writers[*read];
            }
        }
        match (part, kept.last_mut()) {
            (Some(_), Some(conv)) => {
                if let Kernel::Conv { part: of, .. } | Kernel::ConvTranspose { part: of, .. } = &mut conv.kernel {
                    *of = part;
                }
                (conv.skip, conv.shape) = (step.skip, step.shape);
            }
            _ => kept.push(step),
        }
        writers.push(kept.len() - 1);
    }
    kept
}

/// The branch that the step at `time` puts into a joined map, if the step before it is a convolution that can write there itself.
///
/// One with a pooling or a sum cannot: the rows that are pooled and the map that is added have pixels of its channels alone.
fn stored(network: &Network, steps: &[Step], ends: &[usize], time: usize) -> Option<Part> {
    let (Kernel::Part(part), Some(before)) = (&steps[time].kernel, time.checked_sub(1)) else { return None };
    let conv = &steps[before];
    let is_conv = matches!(conv.kernel, Kernel::Conv { pool: None, .. } | Kernel::ConvTranspose { .. });
    // A flattened map has other channels.
    let is_whole = match &network.layers[part.layer].op {
        Op::Concat(concat) => seen(network, Mode::Inference, concat.branches[part.branch].end) == conv.shape,
        _ => false,
    };
    let is_read_here_alone = steps[time].x == Operand::Step(before) && ends[before] == time;
    let can = is_conv && conv.skip.is_none() && is_whole && is_read_here_alone;
    (can && needs_no_more(network, steps, ends, time)).then_some(*part)
}

/// Whether the joined map beside what the convolution before `time` reads takes no more memory than the copy at `time` does.
///
/// A later branch finds the joined map there. For the first one it would be there a step too early, unless what the convolution reads
/// is alive at the copy as well, or as small as the branch that is copied.
fn needs_no_more(network: &Network, steps: &[Step], ends: &[usize], time: usize) -> bool {
    let (x, part) = (steps[time - 1].x, &steps[time]);
    let Operand::Step(x) = x else { return true };
    let (read, written) = (known_source(network, steps[x].shape), known_source(network, steps[time - 1].shape));
    let is_as_small = matches!((read, written), (Some(read), Some(written)) if read.len() <= written.len());
    part.skip.is_some() || ends[x] > time || is_as_small
}
