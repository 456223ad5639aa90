//! The plan of a network: which layers become one step, in inference and in training. Plain data; `expand` prints it.

use crate::ir::{Activation, Layer, Network, Num, Op, Pool, PoolKind};
use tenonet_shape::Rounding;

/// What the steps are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Everything that can be fused is.
    Inference,
    /// What backward must see stays apart.
    Training,
}

/// One step: a call of a kernel. Numbers are indices of the network's layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub kernel: Kernel,
    /// The last layer of the step: its output is the step's.
    pub last: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kernel {
    Conv {
        layer: usize,
        act: Option<usize>,
        pool: Option<usize>,
    },
    Linear {
        layer: usize,
        act: Option<usize>,
    },
    Pool {
        layer: usize,
    },
    GlobalAvgPool,
    /// An activation by itself.
    Map {
        layer: usize,
    },
    Softmax {
        layer: usize,
    },
    /// Nothing but a new shape.
    Copy,
}

impl Step {
    /// Whether the step can work where its input lies.
    pub fn in_place(&self) -> bool {
        matches!(self.kernel, Kernel::Map { .. } | Kernel::Softmax { .. })
    }

    /// The layer with parameters.
    pub fn params(&self) -> Option<usize> {
        match self.kernel {
            Kernel::Conv { layer, .. } | Kernel::Linear { layer, .. } => Some(layer),
            _ => None,
        }
    }
}

/// Where a step's output lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Buffer {
    /// The caller's.
    Output,
    /// The arena, as its `n`th activation.
    Arena(usize),
}

/// Cuts a chain of layers into steps. There is at least one.
pub fn steps(network: &Network, mode: Mode) -> Vec<Step> {
    let layers = &network.layers;
    let mut steps: Vec<Step> = Vec::new();
    let mut at = 0;
    while at < layers.len() {
        let first = at;
        // The next layer if it satisfies `f`. To an activation a flatten in between is only a new shape; to a pooling it is not.
        let mut take = |f: &dyn Fn(&Layer) -> bool| {
            let is_seen = |&i: &usize| !matches!(layers[i].op, Op::Flatten);
            let next = (at + 1..layers.len()).find(is_seen)?;
            if next > at + 1 && !matches!(layers[next].op, Op::Activation(_)) {
                return None;
            }
            f(&layers[next]).then(|| {
                at = next;
                next
            })
        };
        let fuses_act = |layer: &Layer| match &layer.op {
            Op::Activation(act) => mode == Mode::Inference || is_monotone(act),
            _ => false,
        };
        let fuses_pool = |layer: &Layer| match &layer.op {
            Op::Pool(pool) => (mode == Mode::Inference || pool.kind == PoolKind::Max) && is_side_by_side(pool, layer),
            _ => false,
        };
        let kernel = match &layers[first].op {
            Op::Conv(_) => {
                let act = take(&fuses_act);
                Kernel::Conv { layer: first, act, pool: take(&fuses_pool) }
            }
            Op::Linear(_) => Kernel::Linear { layer: first, act: take(&fuses_act) },
            Op::Pool(_) => Kernel::Pool { layer: first },
            Op::GlobalAvgPool => Kernel::GlobalAvgPool,
            Op::Activation(_) => Kernel::Map { layer: first },
            Op::Softmax => Kernel::Softmax { layer: first },
            Op::Flatten => {
                // The step before it has the new shape; at the beginning the next one reads the input as it is.
                match steps.last_mut() {
                    Some(step) => step.last = first,
                    None if layers[first..].iter().all(|layer| matches!(layer.op, Op::Flatten)) => {
                        steps.push(Step { kernel: Kernel::Copy, last: layers.len() - 1 });
                        break;
                    }
                    None => {}
                }
                at += 1;
                continue;
            }
        };
        steps.push(Step { kernel, last: at });
        at += 1;
    }
    steps
}

/// The derivative of such an activation is a function of its output, and it commutes with a maximum.
pub fn is_monotone(act: &Activation) -> bool {
    !matches!(act, Activation::Gelu | Activation::Silu | Activation::HardSwish)
}

/// Whether windows do not overlap, need no padding and are whole: then a band of rows can be pooled while it is hot.
fn is_side_by_side(pool: &Pool, layer: &Layer) -> bool {
    let known = |n: &Num| n.known();
    let apart = (0..2).all(|i| match (known(&pool.kernel[i]), known(&pool.stride[i])) {
        (Some(kernel), Some(stride)) => stride >= kernel && kernel > 0,
        _ => false,
    });
    let whole = match pool.rounding {
        Rounding::Exact | Rounding::Floor => true,
        Rounding::Ceil => layer.input.is_some_and(|input| {
            let side = |i: usize, n: usize| match (known(&pool.kernel[i]), known(&pool.stride[i])) {
                (Some(kernel), Some(stride)) => n >= kernel && (n - kernel).is_multiple_of(stride.max(1)),
                _ => false,
            };
            side(0, input.h) && side(1, input.w)
        }),
    };
    apart && whole && pool.padding.iter().all(|n| known(n) == Some(0))
}

/// Where the outputs of the steps lie: the last one's is the caller's, and steps that work in place share a buffer.
pub fn buffers(steps: &[Step]) -> Vec<Buffer> {
    let mut buffers = vec![Buffer::Output; steps.len()];
    for i in (0..steps.len().saturating_sub(1)).rev() {
        if !steps[i + 1].in_place() {
            buffers[i] = Buffer::Arena(0);
        } else {
            buffers[i] = buffers[i + 1];
        }
    }
    // Number those in the arena, one number for a run that is worked on in place.
    let mut count = 0;
    for i in 0..steps.len() {
        if matches!(buffers[i], Buffer::Arena(_)) {
            let shared = i > 0 && steps[i].in_place() && matches!(buffers[i - 1], Buffer::Arena(_));
            count += usize::from(!shared);
            buffers[i] = Buffer::Arena(count - 1);
        }
    }
    buffers
}
