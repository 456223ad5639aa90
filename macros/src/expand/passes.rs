//! The three passes: calls of kernels, one block a step, with the places of their operands.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Context;
use super::shapes::{Known, ShapeRef};
use crate::ir::{Activation, Op, PoolKind};
use crate::plan::{self, Buffer, Kernel, Mode, Step};
use crate::size::Size;

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

struct Inference<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    places: PingPong,
}

impl<'a> Inference<'a> {
    fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
        Inference { context, steps, places: PingPong::new(context, steps) }
    }

    fn window(&self, step: usize) -> TokenStream {
        window(self.context, &self.steps[step], &self.places.offsets[step])
    }

    /// ```text
    /// {
    ///     let (x, y) = activations.step::<At<Tensor<6, 14, 14, T>, 0>, At<Tensor<16, 5, 5, T>, 1176>>();
    ///     tn::conv::forward(simd, Conv2, x, &self.conv2.weight, &self.conv2.bias, Relu, tn::MaxPool(MaxPool5), y, work);
    /// }
    /// ```
    fn body(&self) -> TokenStream {
        let steps = self.steps.iter().enumerate().map(|(i, step)| {
            let before = i.checked_sub(1).map(|before| self.places.buffers[before]);
            let shared = step.in_place() && before == Some(self.places.buffers[i]);
            let operands = match (before, self.places.buffers[i]) {
                (_, Buffer::Output) if shared => quote!(let y = &mut *outputs;),
                (_, Buffer::Arena(_)) if shared => {
                    let y = self.window(i);
                    quote!(let y = activations.one::<#y>();)
                }
                (None, Buffer::Output) => quote!(let (x, y) = (inputs, &mut *outputs);),
                (None, Buffer::Arena(_)) => {
                    let y = self.window(i);
                    quote!(let (x, y) = (inputs, activations.one::<#y>());)
                }
                (Some(_), Buffer::Output) => {
                    let x = self.window(i - 1);
                    quote!(let (x, y) = (&*activations.one::<#x>(), &mut *outputs);)
                }
                (Some(_), Buffer::Arena(_)) => {
                    let (x, y) = (self.window(i - 1), self.window(i));
                    quote!(let (x, y) = activations.step::<#x, #y>();)
                }
            };
            let call = self.call(step, shared);
            quote!({ #operands #call })
        });
        quote! {
            let n = inputs.len().min(outputs.len()).min(activations.len());
            let (inputs, outputs) = (tn::first(inputs, n), tn::first_mut(outputs, n));
            let mut activations = tn::Arena::<T, _>::new(activations, n);
            #(#steps)*
        }
    }

    fn call(&self, step: &Step, shared: bool) -> TokenStream {
        let context = self.context;
        if let Kernel::Conv { layer, act, pool } = step.kernel {
            let stage = match pool {
                Some(pool) => {
                    let average =
                        matches!(&context.network.layers[pool].op, Op::Pool(pool) if pool.kind == PoolKind::Avg);
                    let pool = marker(context, pool);
                    if average { quote!(tn::AvgPool(#pool)) } else { quote!(tn::MaxPool(#pool)) }
                }
                None => quote!(tn::NoPool),
            };
            return conv_forward(context, layer, act, stage);
        }
        forward_call(context, step, shared, None)
    }
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

/// Places of the tape: the output of every step but the last, one after the other.
struct Tape {
    offsets: Vec<Size>,
    total: Size,
}

struct Training<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    tape: Tape,
    /// The window of each step's indices, if it keeps some.
    indices: Vec<Option<TokenStream>>,
    index_total: Size,
    deltas: PingPong,
}

impl<'a> Training<'a> {
    fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
        let mut tape = Tape { offsets: Vec::new(), total: Size::Known(0) };
        let (mut indices, mut index_total) = (Vec::new(), Size::Known(0));
        for (i, step) in steps.iter().enumerate() {
            tape.offsets.push(tape.total.clone());
            if i + 1 < steps.len() {
                tape.total = tape.total.plus(&output(context, step).len());
            }
            let (window, len) = Self::index(context, step, &index_total).unzip();
            indices.push(window);
            if let Some(len) = len {
                index_total = index_total.plus(&len);
            }
        }
        Training { context, steps, tape, indices, index_total, deltas: PingPong::new(context, steps) }
    }

    /// The window for the places of a step's max-pooling, and its bytes: one each, or two for windows larger than 256.
    fn index(context: &Context<'_>, step: &Step, offset: &Size) -> Option<(TokenStream, Size)> {
        let pool = match step.kernel {
            Kernel::Conv { pool, .. } => pool?,
            Kernel::Pool { layer } => layer,
            _ => return None,
        };
        if matches!(&context.network.layers[pool].op, Op::Pool(pool) if pool.kind == PoolKind::Avg) {
            return None;
        }
        let small =
            matches!(context.shapes.known[pool], Some(Known::Pool(pool)) if pool.kernel[0] * pool.kernel[1] <= 256);
        let element = if small { quote!(u8) } else { quote!([u8; 2]) };
        let shape = &context.shapes.outputs[pool];
        let tensor = context.shapes.tensor(shape, element);
        let offset = offset.argument();
        Some((quote!(tn::At<#tensor, #offset>), shape.len().times(if small { 1 } else { 2 })))
    }

    fn tape_window(&self, step: usize) -> TokenStream {
        window(self.context, &self.steps[step], &self.tape.offsets[step])
    }

    fn prologue(&self) -> TokenStream {
        quote! {
            let n = inputs.len().min(outputs.len()).min(tape.len()).min(indices.len());
            let inputs = tn::first(inputs, n);
            let mut tape = tn::Arena::<T, _>::new(tape, n);
            let mut indices = tn::Arena::<u8, _>::new(indices, n);
        }
    }

    fn forward(&self) -> TokenStream {
        let prologue = self.prologue();
        let last = self.steps.len() - 1;
        let steps = self.steps.iter().enumerate().map(|(i, step)| {
            let operands = match (i, i == last) {
                (0, true) => quote!(let (x, y) = (inputs, &mut *outputs);),
                (0, false) => {
                    let y = self.tape_window(i);
                    quote!(let (x, y) = (inputs, tape.one::<#y>());)
                }
                (_, true) => {
                    let x = self.tape_window(i - 1);
                    quote!(let (x, y) = (&*tape.one::<#x>(), &mut *outputs);)
                }
                (_, false) => {
                    let (x, y) = (self.tape_window(i - 1), self.tape_window(i));
                    quote!(let (x, y) = tape.step::<#x, #y>();)
                }
            };
            let index = self.indices[i].as_ref().map(|window| quote!(indices.one::<#window>()));
            let call = match step.kernel {
                Kernel::Conv { layer, act, pool } => {
                    let stage = self.stage(pool, index);
                    conv_forward(self.context, layer, act, stage)
                }
                _ => forward_call(self.context, step, false, index),
            };
            quote!({ #operands #call })
        });
        quote! {
            #prologue
            let outputs = tn::first_mut(outputs, n);
            #(#steps)*
        }
    }

    fn stage(&self, pool: Option<usize>, index: Option<TokenStream>) -> TokenStream {
        match (pool, index) {
            (Some(pool), Some(index)) => {
                let pool = marker(self.context, pool);
                quote!(tn::MaxPoolIndexed { pool: #pool, index: #index })
            }
            _ => quote!(tn::NoPool),
        }
    }

    /// From the last step back to the first one with parameters.
    fn backward(&self) -> TokenStream {
        let prologue = self.prologue();
        let last = self.steps.len() - 1;
        let Some(first) = self.steps.iter().position(|step| step.params().is_some()) else {
            return quote!(let _ = (inputs, outputs, d_outputs, tape, indices, grad, deltas, work, simd););
        };
        let steps = (first..=last).rev().map(|i| {
            let (step, has_dx) = (&self.steps[i], i > first);
            let tape = match (i, i == last) {
                (0, true) => quote!(let (x, y) = (inputs, outputs);),
                (0, false) => {
                    let y = self.tape_window(i);
                    quote!(let (x, y) = (inputs, &*tape.one::<#y>());)
                }
                (_, true) => {
                    let x = self.tape_window(i - 1);
                    quote!(let (x, y) = (&*tape.one::<#x>(), outputs);)
                }
                (_, false) => {
                    let (x, y) = (self.tape_window(i - 1), self.tape_window(i));
                    quote!(let (x, y) = tape.step::<#x, #y>(); let y = &*y;)
                }
            };
            let delta = |i: usize| window(self.context, &self.steps[i], &self.deltas.offsets[i]);
            let deltas = match (self.deltas.buffers[i], has_dx && !step.in_place()) {
                (Buffer::Output, true) => {
                    let dx = delta(i - 1);
                    quote!(let (dy, dx) = (&mut *d_outputs, deltas.one::<#dx>());)
                }
                (Buffer::Output, false) => quote!(let dy = &mut *d_outputs;),
                (Buffer::Arena(_), true) => {
                    let (dy, dx) = (delta(i), delta(i - 1));
                    quote!(let (dy, dx) = deltas.two::<#dy, #dx>();)
                }
                (Buffer::Arena(_), false) => {
                    let dy = delta(i);
                    quote!(let dy = deltas.one::<#dy>();)
                }
            };
            let call = self.backward_call(i, has_dx);
            quote!({ #tape #deltas #call })
        });
        let steps: Vec<TokenStream> = steps.collect();
        quote! {
            #prologue
            let (outputs, d_outputs) = (tn::first(outputs, n), tn::first_mut(d_outputs, n));
            let mut deltas = tn::Arena::<T, _>::new(deltas, n);
            #(#steps)*
        }
    }

    fn backward_call(&self, i: usize, has_dx: bool) -> TokenStream {
        let (context, step) = (self.context, &self.steps[i]);
        let channels = output(context, step).sides()[0].clone();
        let dx = if has_dx { quote!(dx) } else { quote!(&mut []) };
        let index = self.indices[i].as_ref().map(|window| quote!(indices.one::<#window>()));
        match step.kernel {
            Kernel::Conv { layer, act, pool } => {
                let (conv, name) = (marker(context, layer), &context.network.layers[layer].name);
                let (act, stage) = (activation(context, act), self.stage(pool, index));
                quote! {
                    tn::conv_backward::backward::<#has_dx, _, _, _, _, _, _, _, _, _, _>(
                        simd, #conv, x, &self.#name.weight, #act, #stage, y, dy,
                        &mut grad.#name.weight, &mut grad.#name.bias, #dx, work,
                    );
                }
            }
            Kernel::Linear { layer, act } => {
                let (name, act) = (&context.network.layers[layer].name, activation(context, act));
                quote! {
                    tn::linear::backward::<#has_dx, _, _, _, _, _, _, _>(
                        simd, x, &self.#name.weight, #act, y, dy, &mut grad.#name.weight, &mut grad.#name.bias, #dx,
                    );
                }
            }
            Kernel::Pool { layer } => {
                let pool = marker(context, layer);
                match index {
                    Some(index) => quote!(tn::pool::max_backward(simd, #pool, dy, #index, dx);),
                    None => quote!(tn::pool::avg_backward(simd, #pool, dy, dx);),
                }
            }
            Kernel::GlobalAvgPool => quote!(tn::pool::global_avg_backward(simd, dy, dx);),
            Kernel::Map { layer } => {
                let Op::Activation(act) = &context.network.layers[layer].op else { return TokenStream::new() };
                let kept = if plan::is_monotone(act) { quote!(y) } else { quote!(x) };
                let act = activation(context, Some(layer));
                quote!(tn::map::backward_in_place(simd, #act, #kept, dy);)
            }
            Kernel::Softmax { .. } => quote!(tn::map::softmax_backward_in_place(simd, #channels, y, dy);),
            Kernel::Copy => TokenStream::new(),
        }
    }
}
