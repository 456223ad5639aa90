//! The stub of a faulty network: its struct, its aliases, and an implementation of `Network` that does nothing.
//!
//! The faults are told once, at their tokens; with the stub in place nothing that uses the network turns red behind
//! them. Sizes that a fault leaves unknown are guesses: they are seen in the fields' types alone.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Ident;
use syn::ext::IdentExt;
use tenonet_shape::Shape;

use crate::check::known_conv;
use crate::ir::{Conv, Groups, Layer, Linear, Network, Num, Op, Padding};

/// ```text
/// #[repr(C)]
/// pub struct LeNet<T = f32> { pub conv1: Conv2d<1, 6, 5, 5, T>, … }
/// __network_surface! { pub LeNet, LeNetScratch, LeNetWorkspace }
/// impl<T: Scalar> Network for LeNet<T> { … nothing … }
/// ```
pub fn stub(network: &Network) -> TokenStream {
    let Network { attrs, vis, ident, .. } = network;
    let (scratch, workspace) = (alias(ident, "Scratch"), alias(ident, "Workspace"));
    let fields = fields(network);
    let (input, output) = (tensor(&network.input), tensor(&network.output));
    let name = ident.unraw().to_string();
    let rows = network.layers.iter().map(row);
    quote! {
        #(#attrs)*
        #[repr(C)]
        #[allow(dead_code)]
        #vis struct #ident<T = f32> {
            #fields
            // A network without parameters still is plain data of T.
            __scalar: [T; 0],
        }

        ::tenonet::__network_surface! { #vis #ident, #scratch, #workspace }

        impl<T: ::tenonet::Scalar> ::tenonet::Network for #ident<T> {
            type Scalar = T;
            type Input = #input;
            type Output = #output;
            type Activations = [T; 0];
            type Work = [T; 0];
            type Tape = [T; 0];
            type Indices = [u8; 0];
            type Deltas = [T; 0];
            type TrainWork = [T; 0];
            const NAME: &'static str = #name;
            const LAYERS: &'static [::tenonet::LayerInfo] = &[#(#rows),*];
            const TENSORS: &'static [::tenonet::TensorInfo] = &[];

            fn infer<S: ::tenonet::__private::Simd<T>>(
                &self, _: S, _: &[Self::Input], _: &mut [Self::Output], _: &mut [[T; 0]], _: &mut [T; 0],
            ) {}

            fn forward_tape<S: ::tenonet::__private::Simd<T>>(
                &self, _: S, _: &[Self::Input], _: &mut [Self::Output], _: &mut [[T; 0]], _: &mut [[u8; 0]], _: &mut [T; 0],
            ) {}

            fn backward<S: ::tenonet::__private::Simd<T>>(
                &self, _: S, _: &[Self::Input], _: &[Self::Output], _: &mut [Self::Output], _: &mut [[T; 0]],
                _: &mut [[u8; 0]], _: &mut Self, _: &mut [[T; 0]], _: &mut [T; 0],
            ) {}
        }
    }
}

/// `LeNetScratch`: it resolves where the network is declared, but lints take it for the macro's, not the user's.
fn alias(ident: &Ident, what: &str) -> Ident {
    format_ident!("{}{what}", ident.unraw(), span = Span::call_site().located_at(ident.span()))
}

/// `Tensor<1, 28, 28, T>`.
fn tensor(shape: &[Num; 3]) -> TokenStream {
    let [c, h, w] = shape.each_ref().map(size);
    quote!(::tenonet::Tensor<#c, #h, #w, T>)
}

/// A number as the argument of a type. One that no memory holds would be a second error.
fn size(number: &Num) -> TokenStream {
    match number {
        Num::Known(value, _) => literal(*value),
        Num::Const(expr) => quote!({ #expr }),
    }
}

/// The largest number that goes into a stub's types: four of them multiplied are still an array that can be.
const MOST: usize = 1 << 14;

fn literal(value: usize) -> TokenStream {
    let value = if value > MOST { 1 } else { value };
    proc_macro2::Literal::usize_unsuffixed(value).into_token_stream()
}

/// One row of the table.
fn row(layer: &Layer) -> TokenStream {
    let (name, kind) = (layer.name.unraw().to_string(), layer.kind.unraw().to_string());
    let Shape { c, h, w } = layer.output.unwrap_or(Shape::flat(1));
    let [c, h, w] = [c, h, w].map(literal);
    quote! {
        ::tenonet::LayerInfo {
            name: #name, kind: #kind, output: ::tenonet::shape::Shape::new(#c, #h, #w), params: 0, macs: 0,
        }
    }
}

/// The layers with parameters. The channels that arrive are followed through, so that a `const` expression is used where one decides.
fn fields(network: &Network) -> TokenStream {
    let mut fields = TokenStream::new();
    let mut seen = HashSet::new();
    let mut channels = size(&network.input[0]);
    for layer in &network.layers {
        let arrives = layer.input.map_or(channels, |shape| literal(shape.c));
        let (ty, leaves) = match &layer.op {
            Op::Conv(conv) => (Some(conv_type(conv, layer.input, &arrives)), size(&conv.out_channels)),
            Op::Linear(linear) => (Some(linear_type(linear, layer.input)), size(&linear.outputs)),
            Op::Flatten => (None, literal(layer.output.map_or(1, |shape| shape.c))),
            Op::Pool(_) | Op::GlobalAvgPool | Op::Activation(_) | Op::Softmax => (None, arrives),
        };
        channels = leaves;
        let name = &layer.name;
        if let Some(ty) = ty
            && seen.insert(name.unraw().to_string())
        {
            let doc = format!("`{}: {}`", name.unraw(), layer.kind);
            fields.extend(quote!(#[doc = #doc] pub #name: #ty,));
        }
    }
    fields
}

/// `Conv2d<1, 6, 5, 5, T, Window<1, 1, 2, 2, 2, 2, 1, 1, 1>, 1, 6>`.
fn conv_type(conv: &Conv, input: Option<Shape>, arrives: &TokenStream) -> TokenStream {
    let known = input.and_then(|input| known_conv(conv, input));
    let outs = size(&conv.out_channels);
    let [kh, kw] = conv.kernel.each_ref().map(size);
    let [sh, sw] = conv.stride.each_ref().map(size);
    let [dh, dw] = conv.dilation.each_ref().map(size);
    let [top, bottom, left, right] = match (&known, &conv.padding) {
        (Some(known), _) => known.padding.map(literal),
        (None, Padding::Numbers(numbers)) => numbers.each_ref().map(size),
        (None, Padding::Same(_)) => [0; 4].map(literal),
    };
    let groups = match &conv.groups {
        Groups::Number(number) => size(number),
        Groups::Depthwise(_) => arrives.clone(),
    };
    let group_in = match (&known, &conv.groups) {
        (Some(known), _) => literal(known.group_inputs()),
        (None, Groups::Number(number)) if number.known() == Some(1) => arrives.clone(),
        (None, _) => literal(1),
    };
    let biases = if conv.bias { outs.clone() } else { literal(0) };
    quote! {
        ::tenonet::layers::Conv2d<
            #arrives, #outs, #kh, #kw, T,
            ::tenonet::layers::Window<#sh, #sw, #top, #bottom, #left, #right, #dh, #dw, #groups>,
            #group_in, #biases,
        >
    }
}

/// `Linear<400, 120, T, 120>`.
fn linear_type(linear: &Linear, input: Option<Shape>) -> TokenStream {
    let (inputs, outs) = (literal(input.map_or(1, Shape::len)), size(&linear.outputs));
    let biases = if linear.bias { outs.clone() } else { literal(0) };
    quote!(::tenonet::layers::Linear<#inputs, #outs, T, #biases>)
}
