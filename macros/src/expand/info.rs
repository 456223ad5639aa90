//! The tables: layers and tensors.

use proc_macro2::TokenStream;
use quote::quote;

use super::Context;
use super::shapes::Known;
use crate::ir::{Layer, Op};
use crate::size::Size;

/// A layer as the name of a field: without the `r#` of a raw identifier.
fn name(layer: &Layer) -> String {
    layer.name.to_string().trim_start_matches("r#").to_string()
}

/// `tn::LayerInfo { name: "conv1", kind: "conv", output: Shape::new(6, 28, 28), params: …, macs: … }` for each layer.
pub fn layers<'a>(context: &'a Context<'_>) -> impl Iterator<Item = TokenStream> + 'a {
    context.network.layers.iter().enumerate().map(|(i, layer)| {
        let (name, kind, output) = (name(layer), layer.kind.to_string(), context.shapes.outputs[i].value());
        let (params, macs) = match (&layer.op, &context.shapes.known[i]) {
            (Op::Conv(_) | Op::Linear(_), None) => {
                let spec = context.shapes.spec(i, layer);
                (Size::Const(quote!(#spec.params())), Size::Const(quote!(#spec.macs())))
            }
            (_, Some(known)) => {
                let [weights, biases, macs] = known.counts();
                (Size::Known(weights + biases), Size::Known(macs))
            }
            _ => (Size::Known(0), Size::Known(0)),
        };
        quote!(tn::LayerInfo { name: #name, kind: #kind, output: #output, params: #params, macs: #macs })
    })
}

/// `tn::TensorInfo { name: "conv1.weight", shape: &[6, 1, 5, 5], offset: 0, role: … }` for each tensor of parameters.
pub fn tensors(context: &Context<'_>) -> Vec<TokenStream> {
    let mut tensors = Vec::new();
    let mut offset = Size::Known(0);
    for (i, layer) in context.network.layers.iter().enumerate() {
        let (bias, is_conv) = match &layer.op {
            Op::Conv(conv) => (conv.bias, true),
            Op::Linear(linear) => (linear.bias, false),
            _ => continue,
        };
        let Some(spec) = context.shapes.spec(i, layer) else { continue };
        let (weight_name, bias_name) = (format!("{}.weight", name(layer)), format!("{}.bias", name(layer)));
        let out = context.shapes.outputs[i].sides()[0].clone();
        let (shape, fan_in, fan_out, weights) = match context.shapes.known[i] {
            Some(Known::Conv(conv)) => {
                let [kh, kw] = conv.kernel;
                let shape = [conv.out_channels, conv.group_inputs(), kh, kw].map(Size::Known);
                let fan_out = Size::Known(conv.group_outputs().saturating_mul(kh).saturating_mul(kw));
                (quote!([#(#shape),*]), Size::Known(conv.taps()), fan_out, Size::Known(conv.params() - conv.biases()))
            }
            Some(Known::Linear(linear)) => {
                let inputs = Size::Known(linear.inputs());
                (quote!([#out, #inputs]), inputs, out.clone(), Size::Known(linear.macs()))
            }
            _ if is_conv => (
                quote!([#out, #spec.group_inputs(), #spec.kernel[0], #spec.kernel[1]]),
                Size::Const(quote!(#spec.taps())),
                Size::Const(quote!(#spec.group_outputs() * #spec.kernel[0] * #spec.kernel[1])),
                Size::Const(quote!(#spec.params() - #spec.biases())),
            ),
            _ => {
                let inputs = Size::Const(quote!(#spec.inputs()));
                (quote!([#out, #inputs]), inputs, out.clone(), Size::Const(quote!(#spec.macs())))
            }
        };
        tensors.push(quote! {
            tn::TensorInfo {
                name: #weight_name,
                shape: &#shape,
                offset: #offset,
                role: tn::Role::Weight { fan_in: #fan_in, fan_out: #fan_out },
            }
        });
        offset = offset.plus(&weights);
        if bias {
            tensors.push(
                quote!(tn::TensorInfo { name: #bias_name, shape: &[#out], offset: #offset, role: tn::Role::Bias }),
            );
            offset = offset.plus(&out);
        }
    }
    tensors
}
