//! One layer: its numbers against the feature map that arrives.

use std::collections::HashMap;
use std::mem::discriminant;

use proc_macro2::Span;
use tenonet_shape::{self as shape, Axis, Fault, Faults, Field, Shape, Text};

use super::Map;
use crate::diagnostics::Diagnostics;
use crate::ir::{Conv, ConvTranspose, Groups, Layer, Linear, Num, Op, Pad, Padding, Place, Pool, Upsample};
use crate::parse::Doubt;

/// Sums over the layers; `None` where a number is unknown.
pub struct Sums {
    pub params: Option<usize>,
    /// Running averages of batch_norm.
    pub statistics: Option<usize>,
    pub macs: Option<usize>,
    /// The layer that has most of them.
    pub largest_params: Option<(String, usize)>,
    pub largest_macs: Option<(String, usize)>,
}

impl Sums {
    pub fn new() -> Self {
        Sums { params: Some(0), statistics: Some(0), macs: Some(0), largest_params: None, largest_macs: None }
    }

    /// Adds a layer's parameters and multiply-adds; `None` if they are unknown.
    fn add(&mut self, name: &str, amounts: Option<(usize, usize)>) {
        let (params, macs) = (amounts.map(|(params, _)| params), amounts.map(|(_, macs)| macs));
        for (sum, largest, amount) in
            [(&mut self.params, &mut self.largest_params, params), (&mut self.macs, &mut self.largest_macs, macs)]
        {
            *sum = sum.zip(amount).map(|(sum, amount)| sum.saturating_add(amount));
            if let Some(amount) = amount
                && amount > largest.as_ref().map_or(0, |(_, most)| *most)
            {
                *largest = Some((name.to_owned(), amount));
            }
        }
    }
}

/// What was told of the layers, so that the repetitions of a layer do not tell it again.
#[derive(Default)]
pub struct Told(HashMap<(usize, String), usize>);

impl Told {
    /// Whether the layer `index` is the first of its repetitions that has this fault.
    pub fn is_first(&mut self, layer: &Layer, index: usize, fault: String) -> bool {
        *self.0.entry((layer.copy_of.unwrap_or(index), fault)).or_insert(index) == index
    }
}

/// The layer under trial: its index and itself.
pub type Trial<'a> = (usize, &'a mut Layer);

/// Tells the faults of a layer, fills in its shapes, and yields what leaves it. `own` is the doubt that faults of its syntax left.
pub fn check(
    (index, layer): Trial<'_>, map: Map, own: Doubt, sums: &mut Sums, told: &mut Told, faults: &mut Diagnostics,
) -> Map {
    let name = layer.name.to_string();
    let mut judge = Judge { layer, index, kind: layer.kind.span(), map, own, told, faults };
    if layer.is_1d() {
        judge.signal();
    }
    let (out, amounts) = match &layer.op {
        Op::Conv(conv) => judge.conv(conv),
        Op::ConvTranspose(conv) => judge.conv_transpose(conv),
        Op::Pool(pool) => (judge.pool(pool), Some((0, 0))),
        Op::Pad(pad) => (judge.pad(pad), Some((0, 0))),
        Op::Upsample(upsample) => (judge.upsample(upsample), Some((0, 0))),
        Op::Linear(linear) => judge.linear(linear),
        Op::GlobalAvgPool | Op::GlobalMaxPool => {
            let shape = map.shape.map(|shape| Shape::flat(shape.c));
            let channels = map.doubt.channels || own.channels;
            (Map { shape, doubt: Doubt { channels, ..Doubt::NONE }, surely_map: false }, Some((0, 0)))
        }
        Op::Flatten => {
            let shape = map.shape.map(|shape| Shape::flat(shape.len()));
            let channels = map.doubt != Doubt::NONE;
            (Map { shape, doubt: Doubt { channels, ..Doubt::NONE }, surely_map: false }, Some((0, 0)))
        }
        Op::BatchNorm(_) => {
            let norm = map.shape.map(|input| shape::BatchNorm { input });
            let statistics = norm.map(|norm| norm.statistics());
            sums.statistics = sums.statistics.zip(statistics).map(|(sum, more)| sum.saturating_add(more));
            (map, norm.map(|norm| (norm.params(), 0)))
        }
        Op::LayerNorm(_) => {
            let norm = map.shape.map(|input| shape::LayerNorm { input });
            for fault in norm.map_or(Vec::new(), |norm| judge.told(norm.faults())) {
                judge.tell(&fault, map.doubt == Doubt::NONE && own == Doubt::NONE, Place::at(judge.kind));
            }
            (map, norm.map(|norm| (norm.params(), 0)))
        }
        Op::Scale | Op::Bias => (map, map.shape.map(|shape| (shape.c, 0))),
        Op::Softmax | Op::Activation(_) | Op::Dropout(_) | Op::Residual(_) | Op::Concat(_) => (map, Some((0, 0))),
    };
    let mut out = out;
    out.doubt |= own;
    layer.input = map.shape;
    layer.output = out.shape;
    if let Some((_, usize::MAX)) = amounts
        && out.doubt == Doubt::NONE
        && told.is_first(layer, index, "multiply-adds".to_owned())
    {
        let (place, title) = (Place::at(layer.kind.span()), &layer.title);
        faults.push(place, format!("{title}: its multiply-adds do not fit into 64 bits"));
    }
    sums.add(&name, amounts);
    out
}

/// Tells whether the arms of a block yield one shape, and yields it. `input` arrives at the block, `layers` and `skip` at the sum.
pub fn check_sum(
    (index, layer): Trial<'_>, input: Map, layers: Map, skip: Map, told: &mut Told, faults: &mut Diagnostics,
) -> Map {
    let Op::Residual(residual) = &layer.op else { return layers };
    layer.input = layers.shape;
    let surely_map = layers.surely_map || skip.surely_map;
    let (Some(input), Some(ours), Some(theirs)) = (input.shape, layers.shape, skip.shape) else {
        // The compiler will tell if the arms are not one shape.
        layer.output = layers.shape;
        return Map { surely_map, ..layers };
    };
    // Along an axis on which one arm is in doubt the other one is right.
    let ours = settle(ours, layers.doubt, theirs);
    let theirs = settle(theirs, skip.doubt, ours);
    let block = match residual.shortcut {
        Some(_) => shape::Residual { input, layers: ours, shortcut: Some(theirs) },
        None => shape::Residual { input: theirs, layers: ours, shortcut: None },
    };
    let kind = layer.kind.span();
    let mut judge = Judge { layer, index, kind, map: layers, own: Doubt::NONE, told, faults };
    for fault in block.faults().iter() {
        judge.tell(fault, true, Place::at(judge.kind));
    }
    layer.output = Some(ours);
    // Where they differ it may be either arm that is wrong.
    let doubt = Doubt {
        channels: layers.doubt.channels && skip.doubt.channels || ours.c != theirs.c,
        height: layers.doubt.height && skip.doubt.height || ours.h != theirs.h,
        width: layers.doubt.width && skip.doubt.width || ours.w != theirs.w,
    };
    Map { shape: Some(ours), doubt, surely_map }
}

/// A shape with the other one's sides where it is in doubt.
fn settle(shape: Shape, doubt: Doubt, other: Shape) -> Shape {
    Shape {
        c: if doubt.channels { other.c } else { shape.c },
        h: if doubt.height { other.h } else { shape.h },
        w: if doubt.width { other.w } else { shape.w },
    }
}

/// The layer under trial.
struct Judge<'a> {
    layer: &'a Layer,
    index: usize,
    kind: Span,
    /// What arrives.
    map: Map,
    /// What its own faults of syntax left in doubt.
    own: Doubt,
    told: &'a mut Told,
    faults: &'a mut Diagnostics,
}

impl Judge<'_> {
    fn conv(&mut self, conv: &Conv) -> (Map, Option<(usize, usize)>) {
        let mut doubt =
            self.zeros_of_conv(&conv.out_channels, [&conv.kernel, &conv.stride, &conv.dilation], &conv.groups);
        let Some(known) = self.map.shape.and_then(|input| known_conv(conv, input)) else {
            return (Map { shape: None, doubt: Doubt::NONE, surely_map: false }, None);
        };

        let arrives = self.map.doubt;
        for fault in self.told(known.faults()) {
            let (certain, place) = match fault {
                Fault::KernelTooLarge { axis, .. } => {
                    let certain = !on(axis, arrives) && !on(axis, self.own) && !on(axis, doubt);
                    // Only the first axis is told; the repair may change the other one too.
                    doubt |= Doubt::SIZE;
                    (certain, conv.kernel[axis as usize].place())
                }
                Fault::Groups { out, .. } => self.fault_of_groups(&conv.groups, out, doubt),
                _ => {
                    let certain = arrives == Doubt::NONE && self.own == Doubt::NONE && doubt == Doubt::NONE;
                    doubt = Doubt::ALL;
                    (certain, Place::at(self.kind))
                }
            };
            self.tell(&fault, certain, place);
        }
        // The output's channels are the layer's own, whatever arrives.
        doubt.height |= arrives.height;
        doubt.width |= arrives.width;
        let shape = known.output();
        (self.leaves(shape, doubt), Some((known.params(), known.macs())))
    }

    fn conv_transpose(&mut self, conv: &ConvTranspose) -> (Map, Option<(usize, usize)>) {
        let mut doubt =
            self.zeros_of_conv(&conv.out_channels, [&conv.kernel, &conv.stride, &conv.dilation], &conv.groups);
        let Some(known) = self.map.shape.and_then(|input| known_conv_transpose(conv, input)) else {
            return (Map { shape: None, doubt: Doubt::NONE, surely_map: false }, None);
        };
        let arrives = self.map.doubt;
        for fault in self.told(known.faults()) {
            let (certain, place) = match fault {
                Fault::NothingLeft { axis, .. } => {
                    let certain = !on(axis, arrives) && !on(axis, self.own) && !on(axis, doubt);
                    doubt |= Doubt::SIZE;
                    let sides = &conv.padding[2 * axis as usize..][..2];
                    let wide = sides.iter().max_by_key(|side| side.known());
                    (certain, wide.map_or(Place::at(self.kind), Num::place))
                }
                Fault::OutputPadding { axis, .. } => {
                    let certain = !on(axis, self.own) && !on(axis, doubt);
                    doubt |= Doubt::SIZE;
                    (certain, conv.output_padding[axis as usize].place())
                }
                Fault::Groups { out, .. } => self.fault_of_groups(&conv.groups, out, doubt),
                _ => {
                    let certain = arrives == Doubt::NONE && self.own == Doubt::NONE && doubt == Doubt::NONE;
                    doubt = Doubt::ALL;
                    (certain, Place::at(self.kind))
                }
            };
            self.tell(&fault, certain, place);
        }
        // The output's channels are the layer's own, whatever arrives.
        doubt.height |= arrives.height;
        doubt.width |= arrives.width;
        (self.leaves(known.output(), doubt), Some((known.params(), known.macs())))
    }

    /// Tells the zeros of a convolution, transposed or not; yields the doubt that they leave. `sizes`: kernel, stride, dilation.
    fn zeros_of_conv(&mut self, out_channels: &Num, sizes: [&[Num; 2]; 3], groups: &Groups) -> Doubt {
        let [kernel, stride, dilation] = sizes;
        let mut zeros = vec![
            (std::slice::from_ref(out_channels), Field::Channels, Doubt::CHANNELS),
            (kernel, Field::Kernel, Doubt::SIZE),
            (stride, Field::Stride, Doubt::SIZE),
            (dilation, Field::Dilation, Doubt::SIZE),
        ];
        if let Groups::Number(groups) = groups {
            zeros.push((std::slice::from_ref(groups), Field::Groups, Doubt::NONE));
        }
        let mut doubt = Doubt::NONE;
        for (numbers, field, unknown) in zeros {
            if self.zero(numbers, field) {
                doubt |= unknown;
            }
        }
        doubt
    }

    /// Whether groups that do not divide the input's channels (`out`: the output's) are certain to be a fault, and where it is told.
    fn fault_of_groups(&self, groups: &Groups, out: bool, doubt: Doubt) -> (bool, Place) {
        let place = match groups {
            Groups::Number(groups) => groups.place(),
            Groups::Depthwise(span) => Place::at(*span),
        };
        let depthwise = matches!(groups, Groups::Depthwise(_));
        let inputs = !self.map.doubt.channels || out && !depthwise;
        let outputs = !(self.own.channels || doubt.channels) || !out;
        (inputs && outputs, place)
    }

    fn pool(&mut self, pool: &Pool) -> Map {
        let mut doubt = Doubt::NONE;
        for (numbers, field) in [(&pool.kernel, Field::Kernel), (&pool.stride, Field::Stride)] {
            // The stride that nobody wrote is the kernel: the same token is not told twice.
            if doubt == Doubt::NONE && self.zero(numbers, field) {
                doubt |= Doubt::SIZE;
            }
        }
        let Some(known) = self.map.shape.and_then(|input| known_pool(pool, input)) else {
            return Map { shape: None, doubt: Doubt::NONE, surely_map: false };
        };
        let arrives = self.map.doubt;
        for fault in self.told(known.faults()) {
            let (certain, place) = match fault {
                Fault::WindowTooLarge { axis, .. } | Fault::Remainder { axis, .. } => {
                    let certain = !on(axis, arrives) && !on(axis, self.own) && !on(axis, doubt);
                    // Only the first axis is told; the repair may change the other one too.
                    doubt |= Doubt::SIZE;
                    (certain, pool.kernel[axis as usize].place())
                }
                Fault::PoolPadding { axis, .. } => {
                    let axis_padding = &pool.padding[2 * axis as usize..][..2];
                    let kernel = known.kernel[axis as usize];
                    let wide = axis_padding.iter().find(|side| side.known().is_some_and(|side| side >= kernel));
                    let certain = !on(axis, self.own) && !on(axis, doubt);
                    doubt |= Doubt::SIZE;
                    (certain, wide.map_or(Place::at(self.kind), Num::place))
                }
                Fault::WindowArea { .. } => (self.own == Doubt::NONE, pool.kernel[0].place()),
                _ => {
                    let certain = arrives == Doubt::NONE && self.own == Doubt::NONE && doubt == Doubt::NONE;
                    doubt = Doubt::ALL;
                    (certain, Place::at(self.kind))
                }
            };
            self.tell(&fault, certain, place);
        }
        doubt |= arrives;
        self.leaves(known.output(), doubt)
    }

    fn pad(&mut self, pad: &Pad) -> Map {
        let Some(known) = self.map.shape.and_then(|input| known_pad(pad, input)) else {
            return Map { shape: None, doubt: Doubt::NONE, surely_map: false };
        };
        let (mut doubt, arrives) = (Doubt::NONE, self.map.doubt);
        for fault in self.told(known.faults()) {
            let (certain, place) = match fault {
                Fault::Reflection { axis, .. } => {
                    let size = if axis == Axis::Height { known.input.h } else { known.input.w };
                    let sides = &pad.padding[2 * axis as usize..][..2];
                    let wide = sides.iter().find(|side| side.known().is_some_and(|side| side >= size));
                    doubt |= Doubt::SIZE;
                    (!on(axis, arrives) && !on(axis, self.own), wide.map_or(Place::at(self.kind), Num::place))
                }
                _ => {
                    let certain = arrives == Doubt::NONE && self.own == Doubt::NONE && doubt == Doubt::NONE;
                    doubt = Doubt::ALL;
                    (certain, Place::at(self.kind))
                }
            };
            self.tell(&fault, certain, place);
        }
        doubt |= arrives;
        self.leaves(known.output(), doubt)
    }

    fn upsample(&mut self, upsample: &Upsample) -> Map {
        let mut doubt = if self.zero(&upsample.factor, Field::Factor) { Doubt::SIZE } else { Doubt::NONE };
        let Some(known) = self.map.shape.and_then(|input| known_upsample(upsample, input)) else {
            return Map { shape: None, doubt: Doubt::NONE, surely_map: false };
        };
        for fault in self.told(known.faults()) {
            let certain = self.map.doubt == Doubt::NONE && self.own == Doubt::NONE && doubt == Doubt::NONE;
            self.tell(&fault, certain, Place::at(self.kind));
            doubt = Doubt::ALL;
        }
        doubt |= self.map.doubt;
        self.leaves(known.output(), doubt)
    }

    fn linear(&mut self, linear: &Linear) -> (Map, Option<(usize, usize)>) {
        let mut doubt = Doubt::NONE;
        if self.zero(std::slice::from_ref(&linear.outputs), Field::Channels) {
            doubt |= Doubt::CHANNELS;
        }
        self.flat();
        let Some(outputs) = linear.outputs.known() else {
            return (Map { shape: None, doubt: Doubt::NONE, surely_map: false }, None);
        };
        let known = self.map.shape.map(|input| shape::Linear { input, outputs, bias: linear.bias });
        if let Some(known) = known {
            for fault in self.told(known.faults()).into_iter().filter(|fault| matches!(fault, Fault::TooLarge { .. })) {
                let certain = self.map.doubt == Doubt::NONE && self.own == Doubt::NONE && doubt == Doubt::NONE;
                self.tell(&fault, certain, Place::at(self.kind));
                doubt = Doubt::ALL;
            }
        }
        // What leaves is the layer's own number, whatever arrives.
        let shape = Some(Shape::flat(outputs.max(1)));
        (Map { shape, doubt, surely_map: false }, known.map(|known| (known.params(), known.macs())))
    }

    /// A linear layer takes a flat vector.
    fn flat(&mut self) {
        let Map { shape: Some(input), doubt, surely_map } = self.map else { return };
        let tall = !doubt.height && input.h > 1 || !doubt.width && input.w > 1;
        if surely_map || tall {
            self.tell(&Fault::NotFlat { input }, true, Place::at(self.kind));
        }
    }

    /// A layer of the shorthands for signals takes one row.
    fn signal(&mut self) {
        let Map { shape: Some(input), doubt, .. } = self.map else { return };
        if input.h != 1 && !doubt.height {
            self.tell(&Fault::NotSignal { input }, true, Place::at(self.kind));
        }
    }

    /// What leaves a convolution or a pooling.
    fn leaves(&self, shape: Shape, doubt: Doubt) -> Map {
        // Where it is this layer's fault that an axis is in doubt, any repair still yields a map if the guess is one.
        let own_fault = self.map.doubt == Doubt::NONE && self.own == Doubt::NONE;
        Map { shape: Some(shape), doubt, surely_map: own_fault && doubt != Doubt::NONE && !shape.is_flat() }
    }

    /// Tells each zero among the numbers; yields whether there is one.
    fn zero(&mut self, numbers: &[Num], field: Field) -> bool {
        let Some(place) = numbers.iter().find(|number| number.known() == Some(0)).map(Num::place) else { return false };
        self.tell(&Fault::Zero { field }, true, place);
        true
    }

    /// The faults beyond zeros, which are told one by one.
    fn told(&self, faults: Faults) -> Vec<Fault> {
        faults.iter().filter(|fault| !matches!(fault, Fault::Zero { .. })).copied().collect()
    }

    fn tell(&mut self, fault: &Fault, certain: bool, place: Place) {
        let key = || format!("{:?} {:?}", discriminant(fault), fault.field());
        if certain && self.told.is_first(self.layer, self.index, key()) {
            let (text, title) = (|text: Text| text.as_str().to_owned(), &self.layer.title);
            self.faults.push(place, text(fault.headline(title))).note(text(fault.note())).help(text(fault.help()));
        }
    }
}

/// Whether a doubt is about an axis.
fn on(axis: Axis, doubt: Doubt) -> bool {
    match axis {
        Axis::Height => doubt.height,
        Axis::Width => doubt.width,
    }
}

fn known_numbers<const N: usize>(numbers: &[Num; N]) -> Option<[usize; N]> {
    let mut known = [0; N];
    for (known, number) in known.iter_mut().zip(numbers) {
        *known = number.known()?;
    }
    Some(known)
}

/// The convolution in numbers, if all of them are literals.
pub fn known_conv(conv: &Conv, input: Shape) -> Option<shape::Conv> {
    let groups = match &conv.groups {
        Groups::Number(groups) => groups.known()?,
        Groups::Depthwise(_) => input.c,
    };
    let mut known = shape::Conv {
        input,
        out_channels: conv.out_channels.known()?,
        kernel: known_numbers(&conv.kernel)?,
        stride: known_numbers(&conv.stride)?,
        padding: [0; 4],
        dilation: known_numbers(&conv.dilation)?,
        groups,
        bias: conv.bias,
    };
    known.padding = match &conv.padding {
        Padding::Numbers(numbers) => known_numbers(numbers)?,
        Padding::Same(_) => known.same(),
    };
    Some(known)
}

/// The transposed convolution in numbers, if all of them are literals.
pub fn known_conv_transpose(conv: &ConvTranspose, input: Shape) -> Option<shape::ConvTranspose> {
    let groups = match &conv.groups {
        Groups::Number(groups) => groups.known()?,
        Groups::Depthwise(_) => input.c,
    };
    Some(shape::ConvTranspose {
        input,
        out_channels: conv.out_channels.known()?,
        kernel: known_numbers(&conv.kernel)?,
        stride: known_numbers(&conv.stride)?,
        padding: known_numbers(&conv.padding)?,
        output_padding: known_numbers(&conv.output_padding)?,
        dilation: known_numbers(&conv.dilation)?,
        groups,
        bias: conv.bias,
    })
}

/// The pooling in numbers, if all of them are literals.
pub fn known_pool(pool: &Pool, input: Shape) -> Option<shape::Pool> {
    Some(shape::Pool {
        input,
        kernel: known_numbers(&pool.kernel)?,
        stride: known_numbers(&pool.stride)?,
        padding: known_numbers(&pool.padding)?,
        rounding: pool.rounding,
    })
}

/// The padding in numbers, if all of them are literals.
pub fn known_pad(pad: &Pad, input: Shape) -> Option<shape::Pad> {
    Some(shape::Pad { input, padding: known_numbers(&pad.padding)?, mode: pad.mode })
}

/// The upsampling in numbers, if all of them are literals.
pub fn known_upsample(upsample: &Upsample, input: Shape) -> Option<shape::Upsample> {
    Some(shape::Upsample { input, factor: known_numbers(&upsample.factor)?, mode: upsample.mode })
}
