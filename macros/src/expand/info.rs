//! The tables: layers and tensors.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Context;
use super::passes::norms;
use super::shapes::{Known, ShapeRef};
use crate::ir::{Layer, Op};
use crate::size::Size;

/// `tn::LayerInfo { name: "conv1", kind: "conv", output: Shape::new(6, 28, 28), params: …, macs: … }` for each layer.
pub fn layers<'a>(context: &'a Context<'_>) -> impl Iterator<Item = TokenStream> + 'a {
    context.network.layers.iter().enumerate().map(|(i, layer)| {
        let (name, kind, output) = (layer.name.to_string(), layer.kind.to_string(), context.shapes.outputs[i].value());
        let (params, macs) = match (&layer.op, &context.shapes.known[i]) {
            (Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_), None) => {
                let spec = context.shapes.spec(i, layer);
                (Size::Const(quote!(#spec.params())), Size::Const(quote!(#spec.macs())))
            }
            (_, Some(known)) => {
                let [params, macs] = known.counts();
                (Size::Known(params), Size::Known(macs))
            }
            (Op::BatchNorm(_), None) => (context.shapes.before(i).sides()[0].times(2), Size::Known(0)),
            (Op::Scale | Op::Bias, None) => (context.shapes.before(i).sides()[0].clone(), Size::Known(0)),
            (Op::LayerNorm(_), None) => (context.shapes.before(i).len().times(2), Size::Known(0)),
            _ => (Size::Known(0), Size::Known(0)),
        };
        quote!(tn::LayerInfo { name: #name, kind: #kind, output: #output, params: #params, macs: #macs })
    })
}

/// Running averages of all batch_norm layers: a mean and a variance for each of their channels.
pub fn statistics(context: &Context<'_>) -> Size {
    norms(context).fold(Size::Known(0), |sum, i| sum.plus(&context.shapes.before(i).sides()[0].times(2)))
}

/// The shape of a kernel in files: those of signals have no rows there, as in PyTorch's `Conv1d`, `[out, in, length]`.
fn of_files(layer: &Layer, mut shape: Vec<Size>) -> Vec<Size> {
    if layer.is_1d() {
        shape.remove(2);
    }
    shape
}

/// The tensors of the network, one behind the other.
struct Tensors {
    list: Vec<TokenStream>,
    offset: Size,
}

impl Tensors {
    /// ```text
    /// tn::TensorInfo {
    ///     name: "conv1.weight", shape: &[6, 1, 5, 5], memory: tn::MemoryOrder::OutputsLast, offset: 0, role: tn::Role::Weight { … },
    /// }
    /// ```
    fn push(&mut self, layer: &Layer, what: &str, shape: &[Size], len: &Size, memory: &str, role: TokenStream) {
        let memory = format_ident!("{memory}");
        self.push_shape(layer, what, quote!(&[#(#shape),*]), len, quote!(#memory), role);
    }

    fn push_shape(
        &mut self, layer: &Layer, what: &str, shape: TokenStream, len: &Size, memory: TokenStream, role: TokenStream,
    ) {
        let (name, offset) = (format!("{}.{what}", layer.name), &self.offset);
        self.list.push(quote! {
            tn::TensorInfo {
                name: #name,
                shape: #shape,
                memory: tn::MemoryOrder::#memory,
                offset: #offset,
                role: tn::Role::#role,
            }
        });
        self.offset = self.offset.plus(len);
    }

    /// The tensors of a transposed convolution, whose kernels have PyTorch's shape `[in, out / groups, height, width]` in files.
    fn transposed(&mut self, context: &Context<'_>, index: usize, layer: &Layer, bias: bool) {
        let Some(spec) = context.shapes.spec(index, layer) else { return };
        let number = |tokens| Size::Const(tokens);
        let (shape, weights, [groups, fan_in, fan_out, outputs]) = match context.shapes.known[index] {
            Some(Known::ConvTranspose(conv)) => {
                let [kh, kw] = conv.kernel;
                let numbers = [conv.groups, conv.fan_in(), conv.fan_out(), conv.out_channels];
                let shape = [conv.input.c, conv.group_outputs(), kh, kw];
                (shape.map(Size::Known), Size::Known(conv.weights()), numbers.map(Size::Known))
            }
            _ => (
                [
                    quote!(#spec.input.c),
                    quote!(#spec.group_outputs()),
                    quote!(#spec.kernel[0]),
                    quote!(#spec.kernel[1]),
                ]
                .map(number),
                number(quote!(#spec.weights())),
                [quote!(#spec.groups), quote!(#spec.fan_in()), quote!(#spec.fan_out()), quote!(#spec.out_channels)]
                    .map(number),
            ),
        };
        let (memory, role) =
            (quote!(Transposed { groups: #groups }), quote!(Weight { fan_in: #fan_in, fan_out: #fan_out }));
        let shape = of_files(layer, shape.to_vec());
        self.push_shape(layer, "weight", quote!(&[#(#shape),*]), &weights, memory, role);
        if bias {
            self.vector(layer, "bias", &outputs, quote!(Bias));
        }
    }

    /// A tensor with one element for each of a map. That of a vector is a vector in files, too.
    fn map(&mut self, layer: &Layer, what: &str, map: &ShapeRef, role: TokenStream) {
        let [c, h, w] = map.sides();
        let shape = match map {
            ShapeRef::Known(shape) if shape.is_flat() => quote!(&[#c]),
            ShapeRef::Known(_) => quote!(&[#c, #h, #w]),
            ShapeRef::Const(path) => {
                quote!(if #path.is_flat() { &[#c] as &'static [usize] } else { &[#c, #h, #w] })
            }
        };
        self.push_shape(layer, what, shape, &map.len(), quote!(Pixels), role);
    }

    /// A tensor with one element for each channel.
    fn vector(&mut self, layer: &Layer, what: &str, len: &Size, role: TokenStream) {
        self.push(layer, what, std::slice::from_ref(len), len, "Same", role);
    }
}

/// The tensors of parameters and, behind them, of running averages, in the order of memory.
pub fn tensors(context: &Context<'_>) -> Vec<TokenStream> {
    let mut tensors = Tensors { list: Vec::new(), offset: Size::Known(0) };
    for (i, layer) in context.network.layers.iter().enumerate() {
        let out = context.shapes.outputs[i].sides()[0].clone();
        let bias = match &layer.op {
            Op::Conv(conv) => conv.bias,
            Op::ConvTranspose(conv) => {
                tensors.transposed(context, i, layer, conv.bias);
                continue;
            }
            Op::Linear(linear) => linear.bias,
            Op::BatchNorm(_) => {
                tensors.vector(layer, "weight", &out, quote!(Scale));
                tensors.vector(layer, "bias", &out, quote!(Bias));
                continue;
            }
            Op::Scale => {
                tensors.vector(layer, "weight", &out, quote!(Scale));
                continue;
            }
            Op::Bias => {
                tensors.vector(layer, "bias", &out, quote!(Shift));
                continue;
            }
            Op::LayerNorm(_) => {
                tensors.map(layer, "weight", &context.shapes.outputs[i], quote!(Scale));
                tensors.map(layer, "bias", &context.shapes.outputs[i], quote!(Shift));
                continue;
            }
            _ => continue,
        };
        let Some(spec) = context.shapes.spec(i, layer) else { continue };
        let number = |tokens| Size::Const(tokens);
        let (shape, fan_in, fan_out, weights) = match context.shapes.known[i] {
            Some(Known::Conv(conv)) => {
                let [kh, kw] = conv.kernel;
                let shape = [conv.out_channels, conv.group_inputs(), kh, kw].map(Size::Known);
                let fan_out = Size::Known(conv.group_outputs().saturating_mul(kh).saturating_mul(kw));
                (shape.to_vec(), Size::Known(conv.taps()), fan_out, Size::Known(conv.params() - conv.biases()))
            }
            Some(Known::Linear(linear)) => {
                let inputs = Size::Known(linear.inputs());
                (vec![out.clone(), inputs.clone()], inputs, out.clone(), Size::Known(linear.macs()))
            }
            _ if matches!(layer.op, Op::Conv(_)) => {
                let [kh, kw] = [quote!(#spec.kernel[0]), quote!(#spec.kernel[1])].map(number);
                (
                    vec![out.clone(), number(quote!(#spec.group_inputs())), kh.clone(), kw.clone()],
                    number(quote!(#spec.taps())),
                    number(quote!(#spec.group_outputs() * #kh * #kw)),
                    number(quote!(#spec.params() - #spec.biases())),
                )
            }
            _ => {
                let inputs = number(quote!(#spec.inputs()));
                (vec![out.clone(), inputs.clone()], inputs, out.clone(), number(quote!(#spec.macs())))
            }
        };
        let role = quote!(Weight { fan_in: #fan_in, fan_out: #fan_out });
        tensors.push(layer, "weight", &of_files(layer, shape), &weights, "OutputsLast", role);
        if bias {
            tensors.vector(layer, "bias", &out, quote!(Bias));
        }
    }
    for i in norms(context) {
        let (layer, channels) = (&context.network.layers[i], context.shapes.outputs[i].sides()[0].clone());
        tensors.vector(layer, "running_mean", &channels, quote!(Mean));
        tensors.vector(layer, "running_var", &channels, quote!(Variance));
    }
    tensors.list
}
