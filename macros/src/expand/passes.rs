//! The three passes: calls of kernels, one block a step, with the places of their operands.

mod inference;
mod operands;
mod training;

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Context;
use super::fields::camel;
use crate::ir::{Activation, Branch, Network, Op, PoolKind, Source};
use crate::plan::{self, Kernel, Mode, Operand, Part, Step};
use crate::size::Size;
use inference::Inference;
use training::Training;

/// The bodies of the passes, the types of their memory, and the items that they name.
pub struct Passes {
    pub items: TokenStream,
    pub activations: TokenStream,
    pub tape: TokenStream,
    pub indices: TokenStream,
    pub deltas: TokenStream,
    pub thread_bytes: TokenStream,
    pub train_work: TokenStream,
    pub infer: TokenStream,
    pub forward_tape: TokenStream,
    pub backward: TokenStream,
}

impl Passes {
    /// Passes that do nothing and need no memory.
    pub fn idle() -> Passes {
        let (nothing, none) = (TokenStream::new, || quote!([T; 0]));
        Passes {
            items: nothing(),
            activations: none(),
            tape: none(),
            indices: quote!([u8; 0]),
            deltas: none(),
            thread_bytes: quote!(0),
            train_work: none(),
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
    let specs = specs(context);
    let places = [&pass.arena, &train.tape, &train.deltas].map(|arena| &arena.item);
    let array = |len: &Size| {
        let len = len.argument();
        quote!([T; #len])
    };
    let train_work = train_work(context, &training);
    let index_total = train.index_total.argument();
    let kept = kept(context, &train_work);
    Passes {
        items: {
            let work = &pass.work.item;
            quote!(#specs #(#places)* #work #kept)
        },
        activations: array(&pass.total()),
        tape: array(&train.tape.total),
        indices: quote!([u8; #index_total]),
        deltas: array(&train.deltas.total),
        thread_bytes: thread_bytes(context, &inference),
        train_work: match keeps_statistics(context) {
            true => {
                let TrainWork { work, .. } = TrainWork::new(context);
                quote!(#work<T>)
            }
            false => quote!([T; #train_work]),
        },
        infer: pass.body(),
        forward_tape: train.forward(),
        backward: train.backward(),
    }
}

/// The layers of batch normalisation.
pub fn norms<'a>(context: &Context<'a>) -> impl Iterator<Item = usize> + use<'a> {
    let layers = context.network.layers.iter().enumerate();
    layers.filter(|(_, layer)| matches!(layer.op, Op::BatchNorm(_))).map(|(index, _)| index)
}

/// The names of the types of training's workspace.
struct TrainWork {
    work: syn::Ident,
    kept: syn::Ident,
}

impl TrainWork {
    fn new(context: &Context<'_>) -> Self {
        let network = &context.network.ident;
        TrainWork { work: format_ident!("{network}TrainWork"), kept: format_ident!("{network}Kept") }
    }
}

/// Whether training keeps statistics of the micro-batch between forward and backward.
fn keeps_statistics(context: &Context<'_>) -> bool {
    norms(context).next().is_some()
}

/// The marker type of a layer.
fn marker<'a>(context: &'a Context<'_>, index: usize) -> &'a syn::Ident {
    &context.markers[index]
}

/// The marker types of all layers: `conv1` has `Conv1`. The position keeps apart what reads the same.
pub fn markers(network: &Network) -> Vec<syn::Ident> {
    let names: Vec<String> = network.layers.iter().map(|layer| layer.name.word()).collect();
    let plain = |name: &String| name.replace('_', "").to_ascii_lowercase();
    let mut twins: HashMap<String, usize> = HashMap::new();
    for name in &names {
        *twins.entry(plain(name)).or_default() += 1;
    }
    let marker = |(index, name): (usize, &String)| {
        let camel = camel(name);
        // Beside the parameters of the passes and the network itself.
        let taken = twins.get(&plain(name)).is_some_and(|twins| *twins > 1)
            || ["T", "S", "Self", "ACTIVATIONS", "WORK", "TAPE", "DELTAS"].contains(&camel.as_str())
            || network.ident == camel;
        if taken { format_ident!("{camel}At{index}") } else { format_ident!("{camel}") }
    };
    names.iter().enumerate().map(marker).collect()
}

/// ```text
/// #[derive(Clone, Copy)]
/// struct Conv1;
/// impl tn::ConvSpec for Conv1 {
///     const CONV: Conv = Conv { input: …, … };
///     const PLANES: bool = true;
/// }
/// ```
fn specs(context: &Context<'_>) -> TokenStream {
    let specs = context.network.layers.iter().enumerate().filter_map(|(i, layer)| {
        let spec = context.shapes.spec(i, layer)?;
        let (of, constants) = match layer.op {
            Op::Conv(_) => {
                let planes = plan::reads_planes(context.network, layer);
                (
                    quote!(tn::ConvSpec),
                    quote!(const CONV: ::tenonet::shape::Conv = #spec; const PLANES: bool = #planes;),
                )
            }
            Op::ConvTranspose(_) => {
                (quote!(tn::ConvTransposeSpec), quote!(const TRANSPOSED: ::tenonet::shape::ConvTranspose = #spec;))
            }
            Op::Pool(_) => (quote!(tn::PoolSpec), quote!(const POOL: ::tenonet::shape::Pool = #spec;)),
            Op::Pad(_) => (quote!(tn::PadSpec), quote!(const PAD: ::tenonet::shape::Pad = #spec;)),
            Op::Upsample(_) => (quote!(tn::UpsampleSpec), quote!(const UPSAMPLE: ::tenonet::shape::Upsample = #spec;)),
            _ => return None,
        };
        let marker = marker(context, i);
        Some(quote! {
            #[derive(Clone, Copy)]
            struct #marker;
            impl #of for #marker {
                #constants
            }
        })
    });
    // Under no name, so that theirs stay free.
    let has = |f: fn(&Op) -> bool| context.network.layers.iter().any(|layer| f(&layer.op));
    let convs = has(|op| matches!(op, Op::Conv(_))).then(|| {
        quote!(
            use tn::ConvSpec as _;
        )
    });
    let pools = has(|op| matches!(op, Op::Pool(_))).then(|| {
        quote!(
            use tn::PoolSpec as _;
        )
    });
    let transposed = has(|op| matches!(op, Op::ConvTranspose(_))).then(|| {
        quote!(
            use tn::ConvTransposeSpec as _;
        )
    });
    quote!(#convs #transposed #pools #(#specs)*)
}

/// The field of what a batch_norm keeps.
fn kept_field(context: &Context<'_>, layer: usize) -> syn::Ident {
    let name = &context.network.layers[layer].name;
    match name.nets.as_slice() {
        [] => name.own.clone(),
        // The position keeps apart what reads the same.
        _ => format_ident!("{}_at_{layer}", name.word()),
    }
}

/// ```text
/// /// What batch_norm keeps of a micro-batch between forward and backward: means, 1/√(variance + ε), unbiased variances.
/// #[repr(C)]
/// pub struct ResNetKept<T> { bn1: [T; 48], … }
///
/// /// The workspace of training.
/// #[repr(C)]
/// pub struct ResNetTrainWork<T> { kept: ResNetKept<T>, sums: [[T; …]; 2], work: [T; …] }
/// ```
fn kept(context: &Context<'_>, work: &TokenStream) -> TokenStream {
    if !keeps_statistics(context) {
        return TokenStream::new();
    }
    let TrainWork { work: work_name, kept: kept_name } = TrainWork::new(context);
    let sums = norms(context).map(|index| context.shapes.before(index).sides()[0].times(3).argument());
    let fields = norms(context).map(|index| {
        let (name, len) = (kept_field(context, index), context.shapes.before(index).sides()[0].times(3));
        let len = len.argument();
        quote!(#name: [T; #len],)
    });
    quote! {
        /// What batch_norm keeps of a micro-batch between forward and backward: means, 1/√(variance + ε), unbiased variances.
        #[allow(clippy::struct_field_names, reason = "fields have the layers' names")]
        #[repr(C)]
        pub struct #kept_name<T> {
            #(#fields)*
        }

        /// The workspace of training.
        #[repr(C)]
        pub struct #work_name<T> {
            kept: #kept_name<T>,
            sums: [[T; { tn::largest(&[#(#sums),*]) }]; 2],
            work: [T; #work],
        }

        // SAFETY: repr(C), and every field is arrays of `T`: no padding between or behind them.
        unsafe impl<T: tn::Scalar> tn::Plain<T> for #work_name<T> {}
        // SAFETY: every field is arrays of `T`, for which zeroed memory is valid.
        unsafe impl<T: tn::Scalar> tn::Zeroable for #work_name<T> {}
    }
}

/// Elements of workspace that a step's kernel needs forward, on the target; nothing where it needs none on any.
fn forward_work(context: &Context<'_>, step: &Step, mode: Mode) -> Option<TokenStream> {
    let Kernel::Conv { layer, norm, pool, .. } = step.kernel else { return None };
    let (conv, normed) = (marker(context, layer), norm.is_some());
    let wants = match (pool.is_some_and(|pool| is_max_pool(context, pool)), mode) {
        (true, Mode::Training) => quote!(tn::Wants::Places),
        (true, Mode::Inference) => quote!(tn::Wants::Maximum),
        (false, _) => quote!(tn::Wants::Rows),
    };
    let pool = pool_behind(context, pool);
    Some(quote!(tn::conv::forward_work(&#conv::CONV, #conv::PLANES, #pool, #wants, #normed)))
}

/// The pooling that a convolution's step ends with, as an option.
fn pool_behind(context: &Context<'_>, pool: Option<usize>) -> TokenStream {
    match pool {
        Some(pool) => {
            let pool = marker(context, pool);
            quote!(tn::Option::Some(#pool::POOL))
        }
        None => quote!(tn::Option::None),
    }
}

/// Elements of workspace in training: what the hungriest step needs on the target.
fn train_work(context: &Context<'_>, steps: &[Step]) -> TokenStream {
    let needs = steps.iter().filter_map(|step| match step.kernel {
        Kernel::Conv { layer, pool, .. } => {
            let (conv, pool) = (marker(context, layer), pool_behind(context, pool));
            let forward = forward_work(context, step, Mode::Training);
            Some(quote!(#forward, tn::conv_backward::backward_work(&#conv::CONV, #conv::PLANES, #pool)))
        }
        Kernel::ConvTranspose { layer, .. } => {
            let conv = marker(context, layer);
            Some(quote!(tn::conv_transpose::backward_work(&#conv::TRANSPOSED)))
        }
        Kernel::Linear { layer, .. } => {
            let (inputs, outputs) = (context.shapes.before(layer).len(), context.shapes.outputs[layer].len());
            Some(quote!(tn::linear::backward_work(#inputs, #outputs)))
        }
        _ => None,
    });
    quote!({ tn::largest(&[#(#needs),*]) })
}

/// Bytes that the hungriest step of inference borrows of the thread's space.
fn thread_bytes(context: &Context<'_>, steps: &[Step]) -> TokenStream {
    let spaces = steps.iter().filter_map(|step| match step.kernel {
        Kernel::Conv { layer, pool, .. } => {
            let (conv, pool) = (marker(context, layer), pool_behind(context, pool));
            Some(quote!(tn::conv::forward_space(&#conv::CONV, #conv::PLANES, #pool)))
        }
        _ => None,
    });
    quote!(tn::largest(&[#(#spaces),*]) * ::core::mem::size_of::<T>())
}

/// Whether a pooling takes the maximum.
fn is_max_pool(context: &Context<'_>, layer: usize) -> bool {
    matches!(&context.network.layers[layer].op, Op::Pool(pool) if pool.kind == PoolKind::Max)
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

/// The real number of a layer: what a normalisation adds to the variance, the probability of dropout.
pub fn real(context: &Context<'_>, layer: usize) -> TokenStream {
    context.network.layers[layer].real().map_or(TokenStream::new(), |number| context.shapes.number(layer, number))
}

/// The shape of an operand, as a value.
fn shape(context: &Context<'_>, operand: Operand, steps: &[Step]) -> TokenStream {
    let source = match operand {
        Operand::Input => Source::Input,
        Operand::Step(step) => steps[step].shape,
    };
    context.shapes.at(source).value()
}

/// A max-pooling behind a convolution in training. `index`: where it keeps its places.
fn max_pool(context: &Context<'_>, pool: Option<usize>, index: Option<TokenStream>) -> TokenStream {
    match (pool, index) {
        (Some(pool), Some(index)) => {
            let pool = marker(context, pool);
            quote!(tn::MaxPoolIndexed { pool: #pool, index: #index })
        }
        _ => quote!(tn::NoPool),
    }
}

/// The channels of a branch in a joined map: how many, the first one, and all of them.
fn part(context: &Context<'_>, Part { layer, branch }: Part) -> TokenStream {
    let Op::Concat(concat) = &context.network.layers[layer].op else { return TokenStream::new() };
    let channels = |branch: &Branch| context.shapes.at(branch.end).sides()[0].clone();
    let first = concat.branches[..branch].iter().fold(Size::Known(0), |sum, branch| sum.plus(&channels(branch)));
    let numbers = [channels(&concat.branches[branch]), first, context.shapes.outputs[layer].sides()[0].clone()];
    let numbers = numbers.map(|number| number.argument());
    quote!(#(#numbers),*)
}

/// `Conv1`, or `tn::concat::Branch::<64, 128, 256, _>(Conv1)` where it writes its part of a joined map.
fn conv(context: &Context<'_>, layer: usize, of: Option<Part>) -> TokenStream {
    let conv = marker(context, layer);
    match of {
        Some(of) => {
            let part = part(context, of);
            quote!(tn::concat::Branch::<#part, _>(#conv))
        }
        None => quote!(#conv),
    }
}

/// The pass that a step forward belongs to.
enum Site<'a> {
    Inference {
        steps: &'a [Step],
    },
    /// `index`: where a max-pooling keeps its places.
    Training {
        steps: &'a [Step],
        index: Option<TokenStream>,
    },
}

/// What a step reads beside what it overwrites, by name: of a sum in place that is the other side, `skip`.
fn reads(step: &Step, overwrites: Option<Operand>) -> impl Iterator<Item = (&'static str, Operand)> {
    let x = if overwrites.is_some() && matches!(step.kernel, Kernel::Add { .. }) { "skip" } else { "x" };
    let named = [(x, Some(step.x)), ("skip", step.skip)];
    named.into_iter().filter_map(move |(name, operand)| Some((name, operand.filter(|_| operand != overwrites)?)))
}

/// The call of a step's kernel. `in_place`: where one of its operands lies.
fn forward_call(context: &Context<'_>, step: &Step, in_place: bool, site: Site<'_>) -> TokenStream {
    let field = |layer: usize| &context.network.layers[layer].name;
    match step.kernel {
        Kernel::Conv { layer, norm, act, pool, part } => {
            let (conv, name, act) = (conv(context, layer, part), field(layer), activation(context, act));
            let affine = match norm {
                Some(norm) => {
                    let (norm, epsilon) = (field(norm), real(context, norm));
                    quote! {
                        tn::Normed {
                            bias: &self.#name.bias, norm: &self.#norm, statistics: &self.statistics.#norm, epsilon: #epsilon
                        }
                    }
                }
                None => quote!(tn::Bias(&self.#name.bias)),
            };
            let skip = match step.skip {
                Some(_) if part.is_some() => quote!(tn::NoSkip),
                Some(_) if in_place => quote!(tn::SkipInPlace),
                Some(_) => quote!(tn::Skip(skip)),
                None => quote!(tn::NoSkip),
            };
            let stage = match (site, pool) {
                (Site::Training { index, .. }, pool) => max_pool(context, pool, index),
                (Site::Inference { .. }, Some(pool)) => {
                    let max = is_max_pool(context, pool);
                    let pool = marker(context, pool);
                    if max { quote!(tn::MaxPool(#pool)) } else { quote!(tn::AvgPool(#pool)) }
                }
                (Site::Inference { .. }, None) => quote!(tn::NoPool),
            };
            // What is overwritten is what is added, or else what arrives.
            let maps = if in_place && step.skip.is_none() {
                let leaves = operands::pixels(context, step.shape, quote!(T));
                quote!(tn::Over::<_, #leaves>::new(x))
            } else {
                quote!((x, y))
            };
            quote!(tn::conv::forward(simd, #conv, #maps, &self.#name.weight, #affine, #skip, #act, #stage, work);)
        }
        Kernel::ConvTranspose { layer, act, part } => {
            let (conv, name, act) = (conv(context, layer, part), field(layer), activation(context, act));
            quote!(tn::conv_transpose::forward(simd, #conv, x, &self.#name.weight, &self.#name.bias, #act, y);)
        }
        Kernel::Linear { layer, act } => {
            let (name, act) = (field(layer), activation(context, act));
            quote!(tn::linear::forward(simd, x, &self.#name.weight, &self.#name.bias, #act, y);)
        }
        Kernel::BatchNorm { layer, act } => {
            let (name, epsilon, act) = (field(layer), real(context, layer), activation(context, act));
            match site {
                Site::Inference { .. } => quote! {
                    tn::batch_norm::forward(simd, &self.#name, &self.statistics.#name, #epsilon, #act, x, y);
                },
                // Its sums are there: see `Training`.
                Site::Training { .. } => {
                    let kept = kept_field(context, layer);
                    quote!(tn::batch_norm::normalise(simd, &self.#name, #act, x, y, &kept.#kept);)
                }
            }
        }
        Kernel::LayerNorm { layer } => {
            let (name, epsilon) = (field(layer), real(context, layer));
            quote!(tn::layer_norm::forward(simd, &self.#name, #epsilon, x, y);)
        }
        Kernel::Scale { layer } => {
            let name = field(layer);
            if in_place {
                quote!(tn::scale::forward_in_place(simd, &self.#name.weight, y);)
            } else {
                quote!(tn::scale::forward(simd, &self.#name.weight, x, y);)
            }
        }
        Kernel::Bias { layer } => {
            let name = field(layer);
            if in_place {
                quote!(tn::scale::shift_forward_in_place(simd, &self.#name.bias, y);)
            } else {
                quote!(tn::scale::shift_forward(simd, &self.#name.bias, x, y);)
            }
        }
        Kernel::Pool { layer } => {
            let pool = marker(context, layer);
            match (&context.network.layers[layer].op, site) {
                (Op::Pool(p), _) if p.kind == PoolKind::Avg => quote!(tn::pool::avg_forward(simd, #pool, x, y);),
                (_, Site::Training { index: Some(index), .. }) => {
                    quote!(tn::pool::max_forward_indexed(simd, #pool, x, y, #index);)
                }
                _ => quote!(tn::pool::max_forward(simd, #pool, x, y);),
            }
        }
        Kernel::GlobalAvgPool => quote!(tn::pool::global_avg_forward(simd, x, y);),
        Kernel::GlobalMaxPool => match site {
            Site::Training { index: Some(index), .. } => quote!(tn::global_max::forward_indexed(simd, x, y, #index);),
            _ => quote!(tn::global_max::forward(simd, x, y);),
        },
        Kernel::Pad { layer } => {
            let pad = marker(context, layer);
            quote!(tn::pad::forward(simd, #pad, x, y);)
        }
        Kernel::Upsample { layer } => {
            let upsample = marker(context, layer);
            quote!(tn::upsample::forward(simd, #upsample, x, y);)
        }
        Kernel::Add { act } => {
            let act = activation(context, act);
            if in_place {
                quote!(tn::map::add_forward_in_place(simd, #act, skip, y);)
            } else {
                quote!(tn::map::add_forward(simd, #act, x, skip, y);)
            }
        }
        Kernel::Part(of) => {
            let part = part(context, of);
            quote!(tn::concat::join::<#part, _, _, _, _>(simd, x, y);)
        }
        Kernel::Map { layer } => {
            let act = activation(context, Some(layer));
            if in_place {
                quote!(tn::map::forward_in_place(simd, #act, y);)
            } else {
                quote!(tn::map::forward(simd, #act, x, y);)
            }
        }
        Kernel::Softmax { .. } => {
            let channels = context.shapes.at(step.shape).sides()[0].clone();
            if in_place {
                quote!(tn::map::softmax_forward_in_place(simd, #channels, y);)
            } else {
                quote!(tn::map::softmax_forward(simd, #channels, x, y);)
            }
        }
        Kernel::Dropout { layer } => {
            let (number, probability) = (Size::Known(layer), real(context, layer));
            if in_place {
                quote!(tn::dropout::apply_in_place(simd, masks, #number, #probability, y);)
            } else {
                quote!(tn::dropout::forward(simd, masks, #number, #probability, x, y);)
            }
        }
        Kernel::ToPixels | Kernel::ToPlanes => {
            let steps = match site {
                Site::Inference { steps } | Site::Training { steps, .. } => steps,
            };
            let (shape, order) = (
                shape(context, step.x, steps),
                match step.kernel {
                    Kernel::ToPixels => quote!(to_pixels),
                    _ => quote!(to_planes),
                },
            );
            quote!(tn::map::#order(simd, #shape, x, y);)
        }
        Kernel::Copy => quote!(tn::map::copy::<T, _, _>(x, y);),
    }
}
