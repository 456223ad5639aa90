//! Inference: everything that can be fused is, and activations live at the two ends of one arena in turn.

use proc_macro2::TokenStream;
use quote::quote;

use super::{PingPong, conv_forward, forward_call, marker, window};
use crate::expand::Context;
use crate::ir::{Op, PoolKind};
use crate::plan::{Buffer, Kernel, Step};

pub struct Inference<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    pub places: PingPong,
}

impl<'a> Inference<'a> {
    pub fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
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
    pub fn body(&self) -> TokenStream {
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
