//! `#[folded(Name)]`: the network that inference needs, in which each `batch_norm` has become part of the layer before it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Ident, parse_quote};

use crate::expand::{Context, Shapes, real};
use crate::ir::{Budget, Conv, Groups, Layer, Network, Num, Op, Padding, Place, Source};

/// What becomes of a layer of the network.
pub enum Fate {
    /// It stays as it is.
    Same,
    /// It takes a `batch_norm`, the layer of this index.
    Takes(usize),
    /// A `batch_norm` that a layer before it takes.
    Taken,
    /// A `batch_norm` that none takes: it is a convolution of each channel by itself.
    Alone,
}

/// The folded network, and what became of each layer.
pub struct Folded {
    pub network: Network,
    pub fates: Vec<Fate>,
}

/// The layer that takes a `batch_norm`: the one before it, if it is a matrix and nothing else reads it.
fn taker(network: &Network, norm: &Layer) -> Option<usize> {
    let Source::Layer(before) = norm.from else { return None };
    let readers = network.layers.iter().flat_map(Layer::reads).filter(|source| *source == norm.from).count();
    let is_matrix = matches!(network.layers[before].op, Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_));
    (is_matrix && readers == 1).then_some(before)
}

pub fn fold(network: &Network, ident: &Ident) -> Folded {
    let mut fates: Vec<Fate> = network.layers.iter().map(|_| Fate::Same).collect();
    for (index, norm) in network.layers.iter().enumerate().filter(|(_, layer)| matches!(layer.op, Op::BatchNorm(_))) {
        match taker(network, norm) {
            Some(before) => {
                fates[before] = Fate::Takes(index);
                fates[index] = Fate::Taken;
            }
            None => fates[index] = Fate::Alone,
        }
    }

    let shapes = Shapes::new(network);
    let mut layers: Vec<Layer> = Vec::new();
    // Where each layer's output is found, and how many layers there were before it.
    let (mut places, mut counts) = (Vec::new(), Vec::new());
    for (index, (layer, fate)) in network.layers.iter().zip(&fates).enumerate() {
        counts.push(layers.len());
        let moved = |source: Source| match source {
            Source::Input => Source::Input,
            Source::Layer(index) => places[index],
        };
        let from = moved(layer.from);
        if matches!(fate, Fate::Taken) {
            places.push(from);
            continue;
        }
        let mut op = layer.op.clone();
        match &mut op {
            Op::Conv(Conv { bias, .. }) if matches!(fate, Fate::Takes(_)) => *bias = true,
            Op::ConvTranspose(conv) if matches!(fate, Fate::Takes(_)) => conv.bias = true,
            Op::Linear(linear) if matches!(fate, Fate::Takes(_)) => linear.bias = true,
            Op::BatchNorm(_) => op = depthwise(layer, &shapes, index),
            Op::Residual(residual) => {
                residual.input = moved(residual.input);
                residual.shortcut = residual.shortcut.map(moved);
            }
            Op::Concat(concat) => concat.branches.iter_mut().for_each(|branch| branch.end = moved(branch.end)),
            _ => {}
        }
        places.push(Source::Layer(layers.len()));
        let kind = match matches!(fate, Fate::Alone) {
            true => format_ident!("conv", span = layer.kind.span()),
            false => layer.kind.clone(),
        };
        // The same tokens need not become the same layer.
        layers.push(Layer { op, kind, from, copy_of: None, ..layer.clone() });
    }
    counts.push(layers.len());

    let nets = network.nets.iter().map(|net| {
        let layers = counts[net.layers.start]..counts[net.layers.end];
        let from = match net.from {
            Source::Input => Source::Input,
            Source::Layer(index) => places[index],
        };
        crate::ir::Net { layers, from, copy_of: None, ..net.clone() }
    });
    let nets = nets.collect();
    let doc = format!("[`{}`] for inference: each `batch_norm` is part of the layer before it.", network.ident);
    let mut attrs: Vec<Attribute> = vec![parse_quote!(#[doc = #doc])];
    attrs.extend(network.attrs.iter().filter(|attr| !attr.path().is_ident("doc")).cloned());
    let network = Network {
        attrs,
        exported: false,
        folded: None,
        vis: network.vis.clone(),
        ident: ident.clone(),
        input: network.input.clone(),
        output: network.output.clone(),
        output_span: network.output_span,
        budget: Budget::default(),
        layers,
        nets,
    };
    Folded { network, fates }
}

/// A convolution of each channel by itself with one weight and a bias.
fn depthwise(layer: &Layer, shapes: &Shapes, index: usize) -> Op {
    let span = layer.kind.span();
    let known = |value| Num::Known(value, Place::at(span));
    let channels = match layer.input {
        Some(shape) => known(shape.c),
        None => {
            let channels = &shapes.before(index).sides()[0];
            Num::Const(Box::new(parse_quote!(#channels)))
        }
    };
    Op::Conv(Conv {
        out_channels: channels,
        kernel: [known(1), known(1)],
        stride: [known(1), known(1)],
        padding: Padding::Numbers([0; 4].map(known)),
        dilation: [known(1), known(1)],
        groups: Groups::Depthwise(span),
        bias: true,
    })
}

/// What `fold_into` does, layer by layer.
pub fn steps(context: &Context<'_>, folded: &Folded) -> TokenStream {
    let network = context.network;
    let layers = network.layers.iter().zip(&folded.fates).enumerate().filter(|(_, (layer, _))| layer.has_params());
    let steps = layers.map(|(index, (layer, fate))| {
        let name = &layer.name;
        match fate {
            Fate::Same => quote!(tn::fold::copy::<T, _>(&self.#name, &mut folded.#name);),
            Fate::Takes(norm) => {
                let (epsilon, norm) = (real(context, *norm), &network.layers[*norm].name);
                quote! {
                    tn::fold::into_layer(
                        &self.#name.weight, &self.#name.bias, &self.#norm, &self.statistics.#norm, #epsilon,
                        &mut folded.#name.weight, &mut folded.#name.bias,
                    );
                }
            }
            Fate::Alone => {
                let epsilon = real(context, index);
                quote! {
                    tn::fold::alone(
                        &self.#name, &self.statistics.#name, #epsilon, &mut folded.#name.weight, &mut folded.#name.bias,
                    );
                }
            }
            Fate::Taken => TokenStream::new(),
        }
    });
    steps.collect()
}

/// ```text
/// impl<T: tn::Scalar> ResNet8<T> {
///     pub fn fold_into(&self, folded: &mut ResNet8Folded<T>) { tn::fold::into_layer(…); … }
///     pub fn folded(&self) -> tn::Box<ResNet8Folded<T>> { … }
/// }
/// ```
pub fn conversion(network: &Network, to: &Ident, steps: TokenStream) -> TokenStream {
    let (ident, vis) = (&network.ident, &network.vis);
    quote! {
        #[allow(dead_code, reason = "offered whether or not the program uses it")]
        impl<T: tn::Scalar> #ident<T> {
            /// Writes the network for inference, in which each `batch_norm` is part of the layer before it: it yields the same, up to rounding.
            #vis fn fold_into(&self, folded: &mut #to<T>) {
                #steps
            }
        }

        tn::with_std! {
            #[allow(dead_code, clippy::unnecessary_box_returns, reason = "offered whether or not the program uses it, on the heap")]
            impl<T: tn::Scalar> #ident<T> {
                /// The network for inference, in which each `batch_norm` is part of the layer before it: it yields the same, up to rounding.
                #vis fn folded(&self) -> tn::Box<#to<T>> {
                    let mut folded = <#to<T> as tn::Plain<T>>::zeroed_box();
                    self.fold_into(&mut folded);
                    folded
                }
            }
        }
    }
}
