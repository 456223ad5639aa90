//! The stub of a faulty network: what its expansion would be, with passes that do nothing.
//!
//! The faults are told once, at their tokens; with the stub in place nothing that uses the network turns red behind
//! them. Sizes that a fault leaves unknown are guesses: they are seen in the fields' types alone.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::ext::IdentExt;
use tenonet_shape::Shape;

use crate::expand;
use crate::ir::{Layer, Name, Network, Num, Op};
use crate::nets::Offer;

pub fn stub(mut network: Network, offer: &Offer) -> TokenStream {
    tell_apart(&mut network);
    shrink(&mut network);
    expand::stub(&network, offer)
}

/// Two fields of one name would be another error.
fn tell_apart(network: &mut Network) {
    // With batch_norm there is a field for the running averages.
    let mut seen: HashSet<String> = match network.layers.iter().any(|layer| matches!(layer.op, Op::BatchNorm(_))) {
        true => ["statistics".to_owned()].into(),
        false => HashSet::new(),
    };
    let other = |name: &Name, index: usize| format_ident!("__{}_{index}", name.own.unraw(), span = name.span());
    for index in 0..network.nets.len() {
        let (name, layers) = (network.nets[index].name.clone(), network.nets[index].layers.clone());
        if !seen.insert(name.to_string()) {
            let (depth, other) = (name.nets.len(), other(&name, index));
            let within = network.nets[index + 1..].iter_mut().filter(|net| layers.contains(&net.layers.start));
            let within = within.map(|net| &mut net.name);
            for name in within.chain(network.layers[layers.clone()].iter_mut().map(|layer| &mut layer.name)) {
                // A network that begins with the same layer may be around this one, not in it.
                if let Some(net) = name.nets.get_mut(depth) {
                    *net = other.clone();
                }
            }
            network.nets[index].name.own = other;
        }
    }
    for (index, layer) in network.layers.iter_mut().enumerate() {
        if !seen.insert(layer.name.to_string()) {
            layer.name.own = other(&layer.name, index);
            seen.insert(layer.name.to_string());
        }
    }
}

/// A type that is too large for memory would be another error: where one could be, every number of the network is made small.
fn shrink(network: &mut Network) {
    // Beyond this the arrays of a few layers together could be more than memory has addresses.
    const MOST: usize = Shape::MOST_ELEMENTS >> 8;
    let product =
        |numbers: &[&Num]| numbers.iter().fold(1, |product: usize, n| product.saturating_mul(n.known().unwrap_or(1)));
    let large = |layer: &Layer| {
        let shapes = [layer.input, layer.output].map(|shape| shape.map_or(1, Shape::len));
        let [inputs, outputs] = shapes;
        let channels = layer.input.map_or(1, |shape| shape.c);
        let params = match &layer.op {
            Op::Conv(conv) => channels.saturating_mul(product(&[&conv.out_channels, &conv.kernel[0], &conv.kernel[1]])),
            Op::ConvTranspose(conv) => {
                channels.saturating_mul(product(&[&conv.out_channels, &conv.kernel[0], &conv.kernel[1]]))
            }
            Op::Linear(linear) => inputs.saturating_mul(product(&[&linear.outputs])),
            _ => 0,
        };
        inputs.max(outputs).max(params) > MOST
    };
    let ends = [&network.input, &network.output].map(|shape| product(&shape.each_ref()));
    if ends.into_iter().any(|len| len > MOST) || network.layers.iter().any(large) {
        network.input.iter_mut().chain(&mut network.output).for_each(make_small);
        network.layers.iter_mut().for_each(make_layer_small);
    }
}

fn make_layer_small(layer: &mut Layer) {
    match &mut layer.op {
        Op::Conv(conv) => {
            make_small(&mut conv.out_channels);
            conv.kernel.iter_mut().for_each(make_small);
        }
        Op::ConvTranspose(conv) => {
            make_small(&mut conv.out_channels);
            conv.kernel.iter_mut().for_each(make_small);
        }
        Op::Linear(linear) => make_small(&mut linear.outputs),
        Op::Pool(_)
        | Op::GlobalAvgPool
        | Op::GlobalMaxPool
        | Op::BatchNorm(_)
        | Op::Activation(_)
        | Op::Softmax
        | Op::Flatten => {}
        Op::Pad(pad) => pad.padding.iter_mut().for_each(make_small),
        Op::Upsample(upsample) => upsample.factor.iter_mut().for_each(make_small),
        Op::Residual(_) | Op::Concat(_) | Op::LayerNorm(_) | Op::Scale | Op::Bias | Op::Dropout(_) => {}
    }
    layer.input = layer.input.map(|_| Shape::flat(1));
    layer.output = layer.output.map(|_| Shape::flat(1));
}

fn make_small(number: &mut Num) {
    if let Num::Known(value, _) = number {
        *value = 1;
    }
}
