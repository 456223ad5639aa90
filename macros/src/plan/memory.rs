//! Where values lie, by live range: activations at inference, the tape, and the gradients of activations.
//!
//! Which values share a buffer, and from when to when each buffer is needed, is decided here; the buffers' offsets follow
//! from their lengths, which may be known to the compiler alone ([`tenonet_shape::place`]).

use tenonet_shape::{Life, place};

use super::stretch::{numbers, stretches};
use super::{Kernel, Operand, Piece, Step, Stretch, is_monotone};
use crate::check::{known_conv, known_pool, known_source};
use crate::ir::{Network, Op, Source};

/// Where the value of a step lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// With the caller: the network's output, or its gradient.
    Caller,
    /// The arena's `n`th buffer.
    Arena(usize),
}

/// Memory for values of one length, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buffer {
    /// Whose shape it has.
    pub shape: Source,
    /// The time at which it is written first.
    pub first: usize,
    /// The time at which it is read last.
    pub last: usize,
    /// The buffer in whose place it lies, which is as long or longer and is read last when this one is written.
    pub over: Option<usize>,
}

impl Buffer {
    /// When it needs how many elements.
    pub fn life(&self, len: usize) -> Life {
        Life { len, first: self.first, last: self.last, over: self.over }
    }
}

/// The places of the steps' outputs, and the buffers of their arena.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Of each step.
    pub places: Vec<Place>,
    /// Of each step whose output backward makes again: there.
    pub recomputed: Vec<Option<Place>>,
    /// The operand that a step overwrites, if it works in place: for a convolution what is added, or its `x` row by row.
    pub overwrites: Vec<Option<Operand>>,
    pub buffers: Vec<Buffer>,
}

impl Memory {
    /// Elements of the arena, if the macro can know all lengths.
    pub fn total(&self, network: &Network) -> Option<usize> {
        let life = |buffer: &Buffer| Some(buffer.life(known_source(network, buffer.shape)?.len()));
        let lives: Vec<Life> = self.buffers.iter().map(life).collect::<Option<_>>()?;
        let (mut offsets, mut order) = (vec![0; lives.len()], vec![0; lives.len()]);
        Some(place(&lives, &mut offsets, &mut order))
    }

    /// Whether an inference's step leaves its output over its `x`, in a buffer that begins with it.
    pub fn lies_over(&self, step: usize) -> bool {
        match self.places[step] {
            Place::Arena(buffer) => self.buffers[buffer].over.is_some() && self.buffers[buffer].first == step,
            Place::Caller => false,
        }
    }

    /// Activations at inference: a value lives until the last step that reads it. A convolution whose rows are pooled while they are hot leaves these in the place of what it reads, where
    /// that has room for them.
    pub fn inference(network: &Network, steps: &[Step]) -> Memory {
        let ends = last_reads(steps);
        let apart = Memory::new(steps, &ends, |_| false);
        let over = Memory::new(steps, &ends, |step| pools_in_place(network, step));
        match (over.total(network), apart.total(network)) {
            // Places are found by rules of thumb.
            (Some(less), Some(more)) if less <= more => over,
            // Where only the compiler knows lengths, it has to know the places, too.
            _ => apart,
        }
    }

    /// `ends`: the time at which each step's output is read last, where step `i` runs at time `i`. `pools_in_place`: whether a step may leave its output where its `x` is.
    fn new(steps: &[Step], ends: &[usize], pools_in_place: impl Fn(&Step) -> bool) -> Memory {
        let overwrites: Vec<Option<Operand>> =
            steps.iter().enumerate().map(|(time, step)| overwritten(step, time, ends)).collect();
        // The last value lies with the caller, and so do those before it that it overwrites.
        let mut at_caller = vec![false; steps.len()];
        let mut last = steps.len().checked_sub(1);
        while let Some(step) = last {
            at_caller[step] = true;
            last = match overwrites[step] {
                Some(Operand::Step(before)) => Some(before),
                _ => None,
            };
        }
        let recomputed = vec![None; steps.len()];
        let mut memory = Memory { places: Vec::new(), recomputed, overwrites, buffers: Vec::new() };
        for (time, step) in steps.iter().enumerate() {
            let place = match memory.overwrites[time] {
                _ if at_caller[time] => Place::Caller,
                Some(Operand::Step(before)) => {
                    let place = memory.places[before];
                    if let Place::Arena(buffer) = place {
                        memory.buffers[buffer].last = ends[time];
                    }
                    place
                }
                _ => {
                    let over = match step.x {
                        Operand::Step(before) if ends[before] == time && pools_in_place(step) => Some(before),
                        _ => None,
                    };
                    let over = over.and_then(|before| match memory.places[before] {
                        Place::Arena(buffer) => Some(buffer),
                        Place::Caller => None,
                    });
                    memory.overwrites[time] = over.map(|_| step.x);
                    memory.buffers.push(Buffer { shape: step.shape, first: time, last: ends[time], over });
                    Place::Arena(memory.buffers.len() - 1)
                }
            };
            memory.places.push(place);
        }
        memory
    }
}

/// The last step that reads each step's output.
pub(super) fn last_reads(steps: &[Step]) -> Vec<usize> {
    let mut ends: Vec<usize> = (0..steps.len()).collect();
    for (time, step) in steps.iter().enumerate() {
        for operand in step.reads() {
            if let Operand::Step(read) = operand {
                ends[read] = time;
            }
        }
    }
    ends
}

/// The operand in whose place a step can work: one that nobody reads later.
fn overwritten(step: &Step, time: usize, ends: &[usize]) -> Option<Operand> {
    if step.part().is_some() {
        // The joined map grows where it is: nobody else reads it before it is whole.
        return step.skip;
    }
    let in_place = matches!(
        step.kernel,
        Kernel::Map { .. }
            | Kernel::Softmax { .. }
            | Kernel::Add { .. }
            | Kernel::Scale { .. }
            | Kernel::Bias { .. }
            | Kernel::Dropout { .. }
    );
    let is_free = |operand: &Operand| matches!(operand, Operand::Step(read) if ends[*read] == time);
    // A sum of something with itself has nowhere to go.
    if step.skip == Some(step.x) {
        return None;
    }
    match step.kernel {
        // Each sum reads its own element of what is added before it is written there.
        Kernel::Conv { .. } => step.skip.filter(is_free),
        _ if in_place => step.reads().find(is_free),
        _ => None,
    }
}

/// Whether a step is a convolution whose pooled rows may take the place of what it reads.
fn pools_in_place(network: &Network, step: &Step) -> bool {
    let Kernel::Conv { layer, pool: Some(pool), part: None, .. } = step.kernel else { return false };
    let input = |layer: usize| network.layers[layer].input;
    match (&network.layers[layer].op, input(layer), &network.layers[pool].op, input(pool)) {
        (Op::Conv(conv), Some(x), Op::Pool(pool), Some(z)) => {
            matches!((known_conv(conv, x), known_pool(pool, z)), (Some(conv), Some(pool)) if conv.pools_in_place(&pool))
        }
        _ => false,
    }
}

impl Memory {
    /// The tape: what backward reads lives until then, unless it is made again; everything else as at inference. Time counts stretches, those of
    /// backward behind those of forward.
    pub fn tape(network: &Network, steps: &[Step], backward: &Backward) -> Memory {
        let mut ends = last_reads(steps);
        for (stretch, pieces) in backward.stretches.iter().enumerate() {
            for value in pieces.iter().flat_map(|piece| reads(network, steps, *piece)) {
                if backward.recomputed[value].is_none() {
                    ends[value] = steps.len() + stretch;
                }
            }
        }
        let mut memory = Memory::new(steps, &ends, |_| false);
        // What lives in a stretch lives in all of it.
        let stretches = stretches(steps, 0..steps.len());
        let numbers = numbers(&stretches, steps.len());
        for buffer in &mut memory.buffers {
            buffer.first = numbers[buffer.first];
            buffer.last = match numbers.get(buffer.last) {
                Some(last) => *last,
                None => stretches.len() + buffer.last - steps.len(),
            };
        }
        for (value, stretch) in backward.recomputed.iter().enumerate() {
            memory.recomputed[value] = stretch.map(|stretch| {
                let time = stretches.len() + stretch;
                memory.buffers.push(Buffer { shape: steps[value].shape, first: time, last: time, over: None });
                Place::Arena(memory.buffers.len() - 1)
            });
        }
        memory
    }
}

/// The steps whose outputs a piece of backward reads.
fn reads(network: &Network, steps: &[Step], piece: Piece) -> impl Iterator<Item = usize> {
    let step = &steps[piece.step()];
    let (x, y) = match (piece, kept(network, step)) {
        (Piece::Recompute(_), _) => (true, false),
        // The derivative of an activation is part of the sums.
        (Piece::Step(_), (x, _)) if matches!(step.kernel, Kernel::BatchNorm { .. }) => (x, false),
        (_, kept) => kept,
    };
    let x = match step.x {
        Operand::Step(read) if x => Some(read),
        _ => None,
    };
    x.into_iter().chain(y.then_some(piece.step()))
}

/// Whether backward reads what arrives at a step, and what leaves it.
fn kept(network: &Network, step: &Step) -> (bool, bool) {
    match &step.kernel {
        Kernel::Conv { act, .. } | Kernel::Linear { act, .. } | Kernel::BatchNorm { act, .. } => (true, act.is_some()),
        Kernel::ConvTranspose { act, .. } => (true, act.is_some()),
        Kernel::Add { act } => (false, act.is_some()),
        Kernel::Map { layer } => {
            let from_output = matches!(&network.layers[*layer].op, Op::Activation(act) if is_monotone(act));
            (!from_output, from_output)
        }
        Kernel::Softmax { .. } => (false, true),
        Kernel::Pool { .. } | Kernel::GlobalAvgPool | Kernel::GlobalMaxPool => (false, false),
        Kernel::Pad { .. } | Kernel::Upsample { .. } => (false, false),
        Kernel::LayerNorm { .. } | Kernel::Scale { .. } => (true, false),
        Kernel::Bias { .. } | Kernel::Dropout { .. } => (false, false),
        Kernel::ToPixels | Kernel::ToPlanes | Kernel::Copy => (false, false),
        Kernel::Part { .. } => (false, false),
    }
}

/// Whether a loss's gradient with respect to each step's output leads to a parameter.
fn needs_gradient(steps: &[Step]) -> Vec<bool> {
    let mut needs = Vec::new();
    for step in steps {
        let from_before = step.reads().any(|operand| matches!(operand, Operand::Step(read) if needs[read]));
        needs.push(step.has_params() || from_before);
    }
    needs
}

/// How the gradient of an operand comes about in a step of backward.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    /// No parameter depends on it.
    None,
    /// It is what has become of `dy`, where that lies.
    InPlace,
    /// It is written.
    Write(Place),
    /// It is written on top of what another reader of the value has written: the kernel adds.
    Accumulate(Place),
    /// It is added to what another reader of the value has written.
    Add {
        to: Place,
        /// Where it is computed first; `None`: in the place of `dy`, of which it is a part if a branch is.
        by_way_of: Option<Place>,
    },
}

impl Flow {
    /// Where the step's kernel leaves it, if that is not the place of `dy`.
    pub fn written(self) -> Option<Place> {
        match self {
            Flow::Write(place) | Flow::Accumulate(place) => Some(place),
            Flow::Add { by_way_of, .. } => by_way_of,
            Flow::None | Flow::InPlace => None,
        }
    }
}

/// The steps of backward: the gradients of the steps' outputs, and how each step makes those of its operands.
#[derive(Clone, Debug, Default)]
pub struct Backward {
    /// The steps that run, the last one first, with the flows of `x` and of `skip`.
    pub steps: Vec<(usize, Flow, Flow)>,
    /// Of the gradient of each step's output; only for those that run.
    pub places: Vec<Option<Place>>,
    /// Time counts stretches.
    pub buffers: Vec<Buffer>,
    /// In which the steps run.
    pub stretches: Vec<Stretch>,
    /// Of each step whose output is not kept but made again: the stretch.
    pub recomputed: Vec<Option<usize>>,
}

impl Backward {
    pub fn new(network: &Network, steps: &[Step]) -> Backward {
        let mut plan = Backward::by_steps(steps);
        plan.stretches = stretches(steps, plan.steps.iter().map(|(index, ..)| *index));
        // The times of steps, from the last one back.
        let numbers = numbers(&plan.stretches, steps.len());
        let number = |time: usize| numbers[steps.len() - 1 - time];
        for buffer in &mut plan.buffers {
            (buffer.first, buffer.last) = (number(buffer.first), number(buffer.last));
        }
        plan.recompute(network, steps);
        plan
    }

    /// What a batch normalisation yields is one multiplication and addition away from what it read, which is kept for its own backward: where it is read in one stretch alone,
    /// it is made again there. That takes less time than its way to main memory and back, and up to half of the tape.
    fn recompute(&mut self, network: &Network, steps: &[Step]) {
        self.recomputed = vec![None; steps.len()];
        // The last one's output lies with the caller.
        for value in 0..steps.len().saturating_sub(1) {
            if !matches!(steps[value].kernel, Kernel::BatchNorm { .. }) {
                continue;
            }
            let is_read = |piece: &Piece| reads(network, steps, *piece).any(|read| read == value);
            let mut readers = self.stretches.iter_mut().enumerate().filter(|(_, pieces)| pieces.iter().any(is_read));
            if let (Some((stretch, pieces)), None) = (readers.next(), readers.next()) {
                let first = pieces.iter().position(is_read).unwrap_or_default();
                pieces.insert(first, Piece::Recompute(value));
                self.recomputed[value] = Some(stretch);
            }
        }
    }

    /// Time counts the steps from the last one back: step `i` of `n` runs backward at time `n − 1 − i`.
    fn by_steps(steps: &[Step]) -> Backward {
        let needs = needs_gradient(steps);
        let mut plan = Backward { places: vec![None; steps.len()], ..Backward::default() };
        if let Some(last) = plan.places.last_mut() {
            *last = Some(Place::Caller);
        }
        for (index, step) in steps.iter().enumerate().rev() {
            let (true, Some(dy)) = (needs[index], plan.places[index]) else { continue };
            let wanted = |operand: &Operand| match operand {
                Operand::Step(read) if needs[*read] => Some(*read),
                _ => None,
            };
            let time = steps.len() - 1 - index;
            let in_place = matches!(
                step.kernel,
                Kernel::Map { .. }
                    | Kernel::Softmax { .. }
                    | Kernel::BatchNorm { .. }
                    | Kernel::LayerNorm { .. }
                    | Kernel::Scale { .. }
                    | Kernel::Bias { .. }
                    | Kernel::Dropout { .. }
                    | Kernel::Add { .. }
            );
            // The gradient of a joined map goes on as it is to what was joined before; the branch's part of it is taken out.
            let is_part = matches!(step.kernel, Kernel::Part { .. });
            // The gradient of a sum goes to both sides as it is: to one of them in its place, to the other as a copy.
            let mut free = in_place && step.skip != Some(step.x);
            let flow = |operand: Option<Operand>, free: &mut bool, plan: &mut Backward| {
                let Some(read) = operand.as_ref().and_then(wanted) else { return Flow::None };
                if let Some(to) = plan.places[read] {
                    if matches!(step.kernel, Kernel::Conv { .. } | Kernel::ConvTranspose { .. }) {
                        return Flow::Accumulate(to);
                    }
                    let by_way_of = (!in_place && !is_part).then(|| plan.buffer(steps[read].shape, time, time));
                    return Flow::Add { to, by_way_of };
                }
                let end = steps.len() - 1 - read;
                if *free {
                    *free = false;
                    plan.places[read] = Some(dy);
                    if let Place::Arena(buffer) = dy {
                        plan.buffers[buffer].last = end;
                    }
                    return Flow::InPlace;
                }
                let place = plan.buffer(steps[read].shape, time, end);
                plan.places[read] = Some(place);
                Flow::Write(place)
            };
            let x = flow(Some(step.x), &mut free, &mut plan);
            free |= is_part;
            let skip = flow(step.skip, &mut free, &mut plan);
            plan.steps.push((index, x, skip));
        }
        plan
    }

    fn buffer(&mut self, shape: Source, first: usize, last: usize) -> Place {
        self.buffers.push(Buffer { shape, first, last, over: None });
        Place::Arena(self.buffers.len() - 1)
    }
}
