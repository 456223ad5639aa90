//! The plan of a network: which layers become one step, in inference and in training, and where what they yield lies.
//! Plain data; `expand` prints it.
//!
//! Each step reads one value or two and writes one. Inside a network feature maps lie in pixels, `[H][W][C]`; steps that bring the network's
//! input there from planes, `[C][H][W]`, and back for `flatten` and for the network's output are put in where they are needed.

mod concat;
mod memory;
mod stretch;

use tenonet_shape::{Rounding, Shape};

use crate::check::known_shape;
use crate::ir::{Activation, Layer, Network, Num, Op, Pool, PoolKind, Source};
use concat::Joined;
pub use memory::{Backward, Buffer, Flow, Memory, Place};
pub use stretch::{Piece, Stretch, stretches};

/// What the steps are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Everything that can be fused is.
    Inference,
    /// What backward must see stays apart.
    Training,
}

/// One step: a call of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub kernel: Kernel,
    pub x: Operand,
    /// What is added; of a part of a joined map, the map of those that are joined already, in whose place the step works.
    pub skip: Option<Operand>,
    /// Whose shape the step's output has: a layer, or the network's input.
    pub shape: Source,
}

/// A value that a step reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// The network's input.
    Input,
    /// What a step wrote.
    Step(usize),
}

/// A branch as a part of the map that a `concat` joins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The `concat`.
    pub layer: usize,
    pub branch: usize,
}

/// Numbers are indices of the network's layers.
#[derive(Clone, Debug, PartialEq)]
pub enum Kernel {
    Conv {
        layer: usize,
        norm: Option<usize>,
        act: Option<usize>,
        pool: Option<usize>,
        /// What its store writes of a joined map.
        part: Option<Part>,
    },
    ConvTranspose {
        layer: usize,
        act: Option<usize>,
        part: Option<Part>,
    },
    Linear {
        layer: usize,
        act: Option<usize>,
    },
    BatchNorm {
        layer: usize,
        act: Option<usize>,
    },
    LayerNorm {
        layer: usize,
    },
    Scale {
        layer: usize,
    },
    Bias {
        layer: usize,
    },
    Pool {
        layer: usize,
    },
    GlobalAvgPool,
    GlobalMaxPool,
    Pad {
        layer: usize,
    },
    Upsample {
        layer: usize,
    },
    /// The sum of two arms.
    Add {
        act: Option<usize>,
    },
    /// A branch is put beside those that are joined already.
    Part(Part),
    /// An activation by itself.
    Map {
        layer: usize,
    },
    Softmax {
        layer: usize,
    },
    /// In training alone.
    Dropout {
        layer: usize,
    },
    ToPixels,
    ToPlanes,
    /// Nothing but a new shape.
    Copy,
}

impl Step {
    /// All that it reads.
    pub fn reads(&self) -> impl Iterator<Item = Operand> {
        [self.x].into_iter().chain(self.skip)
    }

    /// What it writes of a joined map, if not all of a map of its own.
    pub fn part(&self) -> Option<Part> {
        match self.kernel {
            Kernel::Conv { part, .. } | Kernel::ConvTranspose { part, .. } => part,
            Kernel::Part(part) => Some(part),
            _ => None,
        }
    }

    /// Whether it has parameters.
    pub fn has_params(&self) -> bool {
        matches!(
            self.kernel,
            Kernel::Conv { .. }
                | Kernel::ConvTranspose { .. }
                | Kernel::Linear { .. }
                | Kernel::BatchNorm { .. }
                | Kernel::LayerNorm { .. }
                | Kernel::Scale { .. }
                | Kernel::Bias { .. }
        )
    }
}

/// Cuts a network into steps. There is at least one, and the last one writes the network's output.
pub fn steps(network: &Network, mode: Mode) -> Vec<Step> {
    let apart = apart(network, mode);
    match mode {
        Mode::Inference => {
            let stored = concat::store_into_joined(network, &apart);
            // Less lives at once, but places are found by rules of thumb, which for few networks find worse ones.
            let total = |steps: &[Step]| Memory::inference(network, steps).total(network);
            if total(&stored) <= total(&apart) { stored } else { apart }
        }
        // Backward reads what leaves a convolution beside its gradient: a branch has a map of its own.
        Mode::Training => apart,
    }
}

/// The steps, of which those that end a branch leave a map to be put into the joined one.
pub fn apart(network: &Network, mode: Mode) -> Vec<Step> {
    let mut builder = Builder {
        network,
        mode,
        steps: Vec::new(),
        values: vec![None; network.layers.len()],
        absorbed: vec![false; network.layers.len()],
        joined: vec![Joined::default(); network.layers.len()],
        readers: readers(network, mode),
    };
    if input_to_pixels(network) {
        builder.push(Kernel::ToPixels, Operand::Input, None, Source::Input);
    }
    for layer in network.order() {
        builder.layer(layer);
        builder.join_branches(layer);
    }
    builder.end();
    builder.steps
}

/// Whether a convolution reads the network's input as it lies, in planes.
pub fn reads_planes(network: &Network, layer: &Layer) -> bool {
    layer.from == Source::Input && !is_either(known_shape(&network.input)) && !input_to_pixels(network)
}

/// Whether the network's input is brought into pixels: some layer reads it that works on pixels alone, or a convolution of so many channels
/// that the kernels have more for it in pixels (Winograd's tiles, long runs) than the turning costs.
fn input_to_pixels(network: &Network) -> bool {
    const MANY: usize = 16;
    let few = known_shape(&network.input).is_none_or(|shape| shape.c < MANY);
    let reads_planes = |layer: &Layer| match layer.op {
        Op::Conv(_) => few,
        _ => matches!(layer.op, Op::Linear(_) | Op::Flatten),
    };
    let mut readers = network.layers.iter().filter(|layer| layer.reads().any(|source| source == Source::Input));
    !is_either(known_shape(&network.input)) && readers.any(|layer| !reads_planes(layer))
}

/// Whether planes and pixels are one and the same.
fn is_either(shape: Option<Shape>) -> bool {
    shape.is_some_and(|shape| shape.c == 1 || shape.is_flat())
}

/// The derivative of such an activation is a function of its output, and it commutes with a maximum.
pub fn is_monotone(act: &Activation) -> bool {
    !matches!(act, Activation::Gelu | Activation::Silu | Activation::HardSwish)
}

/// How a value lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Planes,
    Pixels,
    /// It has one channel or one place.
    Either,
}

/// What leaves a layer.
#[derive(Clone, Copy, Debug)]
struct Value {
    operand: Operand,
    order: Order,
}

struct Builder<'a> {
    network: &'a Network,
    mode: Mode,
    steps: Vec<Step>,
    /// Of each layer that was seen.
    values: Vec<Option<Value>>,
    /// Layers that are part of the step of a layer before them.
    absorbed: Vec<bool>,
    /// How far the branches of each concat are joined.
    joined: Vec<Joined>,
    /// The layers that read each layer's output.
    readers: Vec<Vec<usize>>,
}

/// A layer that ends a fused step so far.
#[derive(Clone, Copy)]
struct Chain {
    end: usize,
    /// What leaves the step is the shape of this layer: an activation behind `flatten` is taken into the step, `flatten` is not.
    shape: usize,
}

impl Builder<'_> {
    fn layer(&mut self, index: usize) {
        let layer = &self.network.layers[index];
        if self.absorbed[index] {
            self.values[index] = Some(self.value(layer.from));
            return;
        }
        let mut chain = Chain { end: index, shape: index };
        let (x, skip, kernel) = match &layer.op {
            Op::Flatten => {
                self.values[index] = Some(self.flatten(index));
                return;
            }
            Op::Dropout(_) if self.mode == Mode::Inference => {
                self.values[index] = Some(self.arrives(layer.from));
                return;
            }
            Op::Concat(_) => {
                self.values[index] = self.join(index);
                return;
            }
            Op::Conv(_) => {
                let x = self.arrives(layer.from);
                let norm = self.take(&mut chain, |builder, layer| {
                    builder.mode == Mode::Inference && matches!(layer.op, Op::BatchNorm(_))
                });
                let skip = self.take_sum(&mut chain);
                let act = self.take_activation(&mut chain);
                let pool = if skip.is_none() && chain.shape == chain.end {
                    self.take(&mut chain, |builder, layer| builder.fuses_pool(layer))
                } else {
                    None
                };
                (x, skip, Kernel::Conv { layer: index, norm, act, pool, part: None })
            }
            Op::Linear(_) => {
                (self.value(layer.from), None, Kernel::Linear { layer: index, act: self.take_activation(&mut chain) })
            }
            Op::ConvTranspose(_) => {
                let x = self.arrives(layer.from);
                let act = self.take_activation(&mut chain);
                (x, None, Kernel::ConvTranspose { layer: index, act, part: None })
            }
            Op::BatchNorm(_) => {
                let x = self.arrives(layer.from);
                (x, None, Kernel::BatchNorm { layer: index, act: self.take_activation(&mut chain) })
            }
            Op::Residual(residual) => {
                let (x, skip) = (self.arrives(layer.from), self.arrives(residual.skip()));
                (x, Some(skip.operand), Kernel::Add { act: self.take_activation(&mut chain) })
            }
            Op::LayerNorm(_) => (self.arrives(layer.from), None, Kernel::LayerNorm { layer: index }),
            Op::Scale => (self.arrives(layer.from), None, Kernel::Scale { layer: index }),
            Op::Bias => (self.arrives(layer.from), None, Kernel::Bias { layer: index }),
            Op::Pool(_) => (self.arrives(layer.from), None, Kernel::Pool { layer: index }),
            Op::GlobalAvgPool => (self.arrives(layer.from), None, Kernel::GlobalAvgPool),
            Op::GlobalMaxPool => (self.arrives(layer.from), None, Kernel::GlobalMaxPool),
            Op::Pad(_) => (self.arrives(layer.from), None, Kernel::Pad { layer: index }),
            Op::Upsample(_) => (self.arrives(layer.from), None, Kernel::Upsample { layer: index }),
            Op::Activation(_) => (self.arrives(layer.from), None, Kernel::Map { layer: index }),
            Op::Softmax => (self.arrives(layer.from), None, Kernel::Softmax { layer: index }),
            Op::Dropout(_) => (self.arrives(layer.from), None, Kernel::Dropout { layer: index }),
        };
        let keeps = matches!(
            kernel,
            Kernel::BatchNorm { .. }
                | Kernel::LayerNorm { .. }
                | Kernel::Scale { .. }
                | Kernel::Bias { .. }
                | Kernel::Add { .. }
                | Kernel::Map { .. }
                | Kernel::Softmax { .. }
                | Kernel::Dropout { .. }
        );
        let flat = matches!(kernel, Kernel::Linear { .. } | Kernel::GlobalAvgPool | Kernel::GlobalMaxPool);
        let order = if flat || keeps && x.order == Order::Either || is_either(self.network.layers[chain.shape].output) {
            Order::Either
        } else {
            Order::Pixels
        };
        let operand = self.push(kernel, x.operand, skip, Source::Layer(chain.shape));
        self.values[index] = Some(Value { operand, order });
    }

    fn push(&mut self, kernel: Kernel, x: Operand, skip: Option<Operand>, shape: Source) -> Operand {
        self.steps.push(Step { kernel, x, skip, shape });
        Operand::Step(self.steps.len() - 1)
    }

    /// What `source` yields, as it lies.
    fn value(&self, source: Source) -> Value {
        let input = Value {
            operand: Operand::Input,
            order: if is_either(known_shape(&self.network.input)) { Order::Either } else { Order::Planes },
        };
        match source {
            Source::Input => input,
            // Everything that a layer reads has its value before it.
            Source::Layer(index) => self.values[index].unwrap_or(input),
        }
    }

    /// What `source` yields, in pixels unless only convolutions read the network's input.
    fn arrives(&self, source: Source) -> Value {
        match self.steps.first() {
            Some(Step { kernel: Kernel::ToPixels, .. }) if source == Source::Input => {
                Value { operand: Operand::Step(0), order: Order::Pixels }
            }
            _ => self.value(source),
        }
    }

    /// A vector in the order of planes.
    fn flatten(&mut self, index: usize) -> Value {
        let x = self.value(self.network.layers[index].from);
        let operand = match x.order {
            Order::Pixels => self.push(Kernel::ToPlanes, x.operand, None, Source::Layer(index)),
            Order::Planes | Order::Either => x.operand,
        };
        Value { operand, order: Order::Either }
    }

    /// The network's output lies in planes.
    fn end(&mut self) {
        let last = self.network.last();
        let value = self.value(last);
        match value.operand {
            Operand::Input => {
                self.push(Kernel::Copy, Operand::Input, None, last);
            }
            operand if value.order == Order::Pixels && !is_either(known_shape(&self.network.output)) => {
                self.push(Kernel::ToPlanes, operand, None, last);
            }
            Operand::Step(_) => {}
        }
    }

    /// What a layer that reads `source` reads, where dropout changes nothing.
    fn seen(&self, source: Source) -> Source {
        seen(self.network, self.mode, source)
    }

    /// The only layer that reads another one's output.
    fn next(&self, layer: usize) -> Option<usize> {
        match self.readers[layer].as_slice() {
            [reader] => Some(*reader),
            _ => None,
        }
    }

    /// Takes the next layer into the step if it satisfies `f`.
    fn take(&mut self, chain: &mut Chain, f: impl Fn(&Self, &Layer) -> bool) -> Option<usize> {
        let next = self.next(chain.end).filter(|next| f(self, &self.network.layers[*next]))?;
        self.absorbed[next] = true;
        *chain = Chain { end: next, shape: next };
        Some(next)
    }

    /// Takes the sum of a block whose last layer this is, at inference; yields what is added.
    fn take_sum(&mut self, chain: &mut Chain) -> Option<Operand> {
        let end = Source::Layer(chain.end);
        let next = self.next(chain.end)?;
        match &self.network.layers[next].op {
            Op::Residual(residual) if self.mode == Mode::Inference && self.seen(residual.skip()) != end => {
                let skip = self.arrives(residual.skip()).operand;
                self.take(chain, |_, _| true).map(|_| skip)
            }
            _ => None,
        }
    }

    /// Takes the next layer if it is an activation that the step can apply: to it a `flatten` in between is only a new shape.
    fn take_activation(&mut self, chain: &mut Chain) -> Option<usize> {
        let layers = &self.network.layers;
        let mut next = self.next(chain.end)?;
        while matches!(layers[next].op, Op::Flatten) {
            next = self.next(next)?;
        }
        match &layers[next].op {
            Op::Activation(act) if self.mode == Mode::Inference || is_monotone(act) => {
                self.absorbed[next] = true;
                let direct = self.seen(layers[next].from) == Source::Layer(chain.end);
                *chain = Chain { end: next, shape: if direct { next } else { chain.shape } };
                Some(next)
            }
            _ => None,
        }
    }

    fn fuses_pool(&self, layer: &Layer) -> bool {
        match &layer.op {
            // One window of all rows is no band of them: at inference the map may as well lie in the arena, where others have made room for it already.
            Op::Pool(pool) if self.mode == Mode::Inference => {
                is_side_by_side(pool, layer) && !sees_all_rows(pool, layer)
            }
            Op::Pool(pool) => pool.kind == PoolKind::Max && is_side_by_side(pool, layer),
            _ => false,
        }
    }
}

/// What lies before dropout at inference, where that changes nothing.
fn seen(network: &Network, mode: Mode, mut source: Source) -> Source {
    while mode == Mode::Inference
        && let Source::Layer(index) = source
        && matches!(network.layers[index].op, Op::Dropout(_))
    {
        source = network.layers[index].from;
    }
    source
}

/// The layers that read each layer's output: a sum of something with itself reads it twice. At inference dropout is no reader, and
/// those of its output read what it reads.
fn readers(network: &Network, mode: Mode) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); network.layers.len()];
    for (index, layer) in network.layers.iter().enumerate() {
        if mode == Mode::Inference && matches!(layer.op, Op::Dropout(_)) {
            continue;
        }
        for source in layer.reads() {
            if let Source::Layer(read) = seen(network, mode, source) {
                readers[read].push(index);
            }
        }
    }
    readers
}

/// Whether a window is as high as the map.
fn sees_all_rows(pool: &Pool, layer: &Layer) -> bool {
    layer.input.is_some_and(|input| pool.kernel[0].known() == Some(input.h))
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
