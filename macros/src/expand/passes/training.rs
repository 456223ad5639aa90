//! Training: forward keeps on the tape what backward reads, and backward goes from the last step to the first with parameters.

use proc_macro2::TokenStream;
use quote::quote;

use super::{PingPong, activation, conv_forward, forward_call, marker, output, window};
use crate::expand::Context;
use crate::expand::shapes::Known;
use crate::ir::{Op, PoolKind};
use crate::plan::{self, Buffer, Kernel, Step};
use crate::size::Size;

/// Places of the tape: the output of every step but the last, one after the other.
pub struct Tape {
    offsets: Vec<Size>,
    pub total: Size,
}

pub struct Training<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    pub tape: Tape,
    /// The window of each step's indices, if it keeps some.
    indices: Vec<Option<TokenStream>>,
    pub index_total: Size,
    pub deltas: PingPong,
}

impl<'a> Training<'a> {
    pub fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
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

    pub fn forward(&self) -> TokenStream {
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
    pub fn backward(&self) -> TokenStream {
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
