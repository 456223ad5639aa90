//! Inference: everything that can be fused is, and activations live in one arena by live range.

use proc_macro2::TokenStream;
use quote::quote;

use super::operands::{Arena, Operand, Where, borrow};
use super::{Site, forward_call, reads};
use crate::expand::Context;
use crate::plan::{self, Memory, Place, Step};

pub struct Inference<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    memory: Memory,
    pub arena: Arena,
}

impl<'a> Inference<'a> {
    pub fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
        let memory = Memory::inference(steps);
        let arena = Arena::new(context, &memory.buffers, "ACTIVATIONS");
        Inference { context, steps, memory, arena }
    }

    /// Where an operand is read.
    fn read(&self, operand: plan::Operand) -> Where {
        match operand {
            plan::Operand::Input => Where::Slice(quote!(inputs)),
            plan::Operand::Step(step) => self.value(step, quote!(&*outputs)),
        }
    }

    fn value(&self, step: usize, caller: TokenStream) -> Where {
        match self.memory.places[step] {
            Place::Caller => Where::Slice(caller),
            Place::Arena(buffer) => self.arena.window(self.context, buffer, self.steps[step].shape),
        }
    }

    /// ```text
    /// {
    ///     let (x, y) = activations.step::<tn::At<tn::Pixels<14, 14, 6, T>, 0>, tn::At<tn::Pixels<5, 5, 16, T>, 1176>>();
    ///     tn::conv::forward(simd, Conv2, x, &self.conv2.weight, tn::Bias(&self.conv2.bias), tn::NoSkip, tn::layers::Relu, tn::MaxPool(MaxPool5), y, work);
    /// }
    /// ```
    pub fn body(&self) -> TokenStream {
        let steps = self.steps.iter().enumerate().map(|(index, step)| {
            let overwrites = self.memory.overwrites[index];
            let read = |(name, operand)| Operand::read(name, self.read(operand));
            let mut operands: Vec<Operand> = reads(step, overwrites).map(read).collect();
            operands.push(Operand::write("y", self.value(index, quote!(&mut *outputs))));
            let operands = borrow("activations", operands);
            let call = forward_call(self.context, step, overwrites.is_some(), Site::Inference { steps: self.steps });
            quote!({ #operands #call })
        });
        quote! {
            let n = inputs.len().min(outputs.len()).min(activations.len());
            let (inputs, outputs) = (tn::first(inputs, n), tn::first_mut(outputs, n));
            let mut activations = tn::Arena::<T, _>::new(activations, n);
            #(#steps)*
        }
    }
}
