//! `concat { … }`: each branch is put into the joined map as soon as it is there, so that no two branches live longer than they must.

use super::{Builder, Kernel, Operand, Order, Value, is_either};
use crate::ir::{Op, Source};

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
            let kernel = Kernel::Part { layer: concat, branch };
            let map = self.push(kernel, x, self.joined[concat].map, Source::Layer(concat));
            self.joined[concat] = Joined { branches: branch + 1, map: Some(map) };
        }
        let order = if is_either(network.layers[concat].output) { Order::Either } else { Order::Pixels };
        self.joined[concat].map.map(|operand| Value { operand, order })
    }
}
