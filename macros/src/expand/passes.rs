//! The three passes: calls of kernels, one block a step, with the places of their operands.

mod inference;
mod training;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Context;
use super::shapes::ShapeRef;
use crate::ir::{Activation, Op, PoolKind};
use crate::plan::{self, Buffer, Kernel, Mode, Step};
use crate::size::Size;
use inference::Inference;
use training::Training;

/// The bodies of the passes, the lengths of their memory, and the items that they name.
pub struct Passes {
    pub items: TokenStream,
    pub activations: Size,
    pub tape: Size,
    pub indices: Size,
    pub deltas: Size,
    pub work: TokenStream,
    pub train_work: TokenStream,
    pub infer: TokenStream,
    pub forward_tape: TokenStream,
    pub backward: TokenStream,
}

impl Passes {
    /// Passes that do nothing and need no memory.
    pub fn idle() -> Passes {
        let (nothing, none) = (TokenStream::new, || Size::Known(0));
        Passes {
            items: nothing(),
            activations: none(),
            tape: none(),
            indices: none(),
            deltas: none(),
            work: quote!(0),
            train_work: quote!(0),
            infer: nothing(),
            forward_tape: nothing(),
            backward: nothing(),
        }
    }
}

pub fn passes(context: &Context<'_>) -> Passes {
    let (inference, training) =
        (plan::steps(context.network, Mode::Inference), plan::steps(context.network, Mode::Training));
    let pass = Inference::new(context, &inference);
    let train = Training::new(context, &training);
    Passes {
        items: specs(context),
        activations: pass.places.total.clone(),
        tape: train.tape.total.clone(),
        indices: train.index_total.clone(),
        deltas: train.deltas.total.clone(),
        work: work(context, &inference, false),
        train_work: work(context, &training, true),
        infer: pass.body(),
        forward_tape: train.forward(),
        backward: train.backward(),
    }
}

/// The marker type of a layer: `conv1` is `Conv1`. The position keeps apart what reads the same.
fn marker(context: &Context<'_>, index: usize) -> syn::Ident {
    let name = context.network.layers[index].name.to_string();
    let camel: String = (name.trim_start_matches("r#").split('_'))
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect();
    let twin = context.network.layers.iter().enumerate().any(|(i, other)| {
        let other = other.name.to_string();
        i != index && other.replace('_', "").eq_ignore_ascii_case(&name.replace('_', ""))
    });
    // Beside the parameters of the passes and the network itself.
    let taken = twin || ["T", "S", "Self"].contains(&camel.as_str()) || context.network.ident == camel;
    if taken { format_ident!("{camel}At{index}") } else { format_ident!("{camel}") }
}

/// ```text
/// /// `conv1`
/// #[derive(Clone, Copy)]
/// struct Conv1;
/// impl tn::ConvSpec for Conv1 { const CONV: Conv = Conv { input: …, … }; }
/// ```
fn specs(context: &Context<'_>) -> TokenStream {
    let specs = context.network.layers.iter().enumerate().filter_map(|(i, layer)| {
        let (of, constant, ty) = match layer.op {
            Op::Conv(_) => (quote!(tn::ConvSpec), quote!(CONV), quote!(::tenonet::shape::Conv)),
            Op::Pool(_) => (quote!(tn::PoolSpec), quote!(POOL), quote!(::tenonet::shape::Pool)),
            _ => return None,
        };
        let (marker, spec) = (marker(context, i), context.shapes.spec(i, layer)?);
        Some(quote! {
            #[derive(Clone, Copy)]
            struct #marker;
            impl #of for #marker {
                const #constant: #ty = #spec;
            }
        })
    });
    quote!(#(#specs)*)
}

/// Elements of workspace: what the hungriest step needs on the target.
fn work(context: &Context<'_>, steps: &[Step], training: bool) -> TokenStream {
    let needs = steps.iter().filter_map(|step| {
        let Kernel::Conv { layer, pool, .. } = step.kernel else { return None };
        let conv = marker(context, layer);
        let pool = match pool {
            Some(pool) => {
                let pool = marker(context, pool);
                quote!(tn::Option::Some(<#pool as tn::PoolSpec>::POOL))
            }
            None => quote!(tn::Option::None),
        };
        let conv = quote!(&<#conv as tn::ConvSpec>::CONV);
        let backward = training.then(|| quote!(, tn::conv_backward::backward_work(#conv, #pool)));
        Some(quote!(tn::conv::forward_work(#conv, #pool) #backward))
    });
    quote!({ tn::largest(&[#(#needs),*]) })
}

/// The value of an activation.
fn activation(context: &Context<'_>, layer: Option<usize>) -> TokenStream {
    let Some(index) = layer else { return quote!(tn::layers::Identity) };
    let Op::Activation(act) = &context.network.layers[index].op else { return quote!(tn::layers::Identity) };
    let name = match act {
        Activation::Relu => "Relu",
        Activation::Relu6 => "Relu6",
        Activation::Sigmoid => "Sigmoid",
        Activation::Tanh => "Tanh",
        Activation::Gelu => "Gelu",
        Activation::Silu => "Silu",
        Activation::HardSigmoid => "HardSigmoid",
        Activation::HardSwish => "HardSwish",
        Activation::Softplus => "Softplus",
        Activation::LeakyRelu(number) => {
            let number = context.shapes.number(index, number);
            return quote!(const { tn::layers::LeakyRelu::new(#number) });
        }
        Activation::Elu(number) => {
            let number = context.shapes.number(index, number);
            return quote!(const { tn::layers::Elu::new(#number) });
        }
    };
    let name = format_ident!("{name}");
    quote!(tn::layers::#name)
}

/// The shape that leaves a step.
fn output<'a>(context: &'a Context<'_>, step: &Step) -> &'a ShapeRef {
    &context.shapes.outputs[step.last]
}

/// Places in an arena where each activation lives for two neighbouring steps: they go to its two ends in turn.
struct PingPong {
    buffers: Vec<Buffer>,
    total: Size,
    /// The offset of each step's output.
    offsets: Vec<Size>,
}

impl PingPong {
    fn new(context: &Context<'_>, steps: &[Step]) -> PingPong {
        let buffers = plan::buffers(steps);
        let mut lens: Vec<Size> = Vec::new();
        for (step, buffer) in steps.iter().zip(&buffers) {
            if *buffer == Buffer::Arena(lens.len()) {
                lens.push(output(context, step).len());
            }
        }
        let pairs = lens.windows(2).map(|pair| pair[0].plus(&pair[1])).chain(lens.first().cloned()).collect();
        let total = Size::max(pairs);
        let offsets = buffers.iter().map(|buffer| match buffer {
            Buffer::Arena(i) if i % 2 == 1 => total.minus(&lens[*i]),
            _ => Size::Known(0),
        });
        PingPong { offsets: offsets.collect(), buffers, total }
    }
}

/// `tn::At<::tenonet::Tensor<6, 14, 14, T>, 0>`.
fn window(context: &Context<'_>, step: &Step, offset: &Size) -> TokenStream {
    let tensor = context.shapes.tensor(output(context, step), quote!(T));
    let offset = offset.argument();
    quote!(tn::At<#tensor, #offset>)
}

fn conv_forward(context: &Context<'_>, layer: usize, act: Option<usize>, stage: TokenStream) -> TokenStream {
    let (conv, name, act) = (marker(context, layer), &context.network.layers[layer].name, activation(context, act));
    quote!(tn::conv::forward(simd, #conv, x, &self.#name.weight, &self.#name.bias, #act, #stage, y, work);)
}

/// A step's kernel, other than a convolution's. `index`: where a max-pooling keeps its places.
fn forward_call(context: &Context<'_>, step: &Step, shared: bool, index: Option<TokenStream>) -> TokenStream {
    let channels = output(context, step).sides()[0].clone();
    match step.kernel {
        Kernel::Conv { .. } => TokenStream::new(),
        Kernel::Linear { layer, act } => {
            let (name, act) = (&context.network.layers[layer].name, activation(context, act));
            quote!(tn::linear::forward(simd, x, &self.#name.weight, &self.#name.bias, #act, y);)
        }
        Kernel::Pool { layer } => {
            let pool = marker(context, layer);
            match (&context.network.layers[layer].op, index) {
                (Op::Pool(p), _) if p.kind == PoolKind::Avg => quote!(tn::pool::avg_forward(simd, #pool, x, y);),
                (_, Some(index)) => quote!(tn::pool::max_forward_indexed(simd, #pool, x, y, #index);),
                _ => quote!(tn::pool::max_forward(simd, #pool, x, y);),
            }
        }
        Kernel::GlobalAvgPool => quote!(tn::pool::global_avg_forward(simd, x, y);),
        Kernel::Map { layer } => {
            let act = activation(context, Some(layer));
            if shared {
                quote!(tn::map::forward_in_place(simd, #act, y);)
            } else {
                quote!(tn::map::forward(simd, #act, x, y);)
            }
        }
        Kernel::Softmax { .. } if shared => quote!(tn::map::softmax_forward_in_place(simd, #channels, y);),
        Kernel::Softmax { .. } => quote!(tn::map::softmax_forward(simd, #channels, x, y);),
        Kernel::Copy => quote!(tn::map::copy::<T, _, _>(x, y);),
    }
}
