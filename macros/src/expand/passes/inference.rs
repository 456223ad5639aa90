//! Inference: everything that can be fused is, and activations live in one arena by live range. Beside those that live at a step is its kernel's workspace.

use proc_macro2::TokenStream;
use quote::quote;

use super::operands::{Arena, Operand, Where, borrow};
use super::{Site, forward_call, forward_work, reads};
use crate::expand::Context;
use crate::plan::{self, Memory, Mode, Place, Step};
use crate::size::Size;

pub struct Inference<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    memory: Memory,
    pub arena: Arena,
    pub work: Work,
}

/// The workspaces of the steps.
pub struct Work {
    /// Of each step, if it has one: its number among them.
    numbers: Vec<Option<usize>>,
    /// Where each lies and how long it is, as only the compiler knows:
    /// ```text
    /// const WORK: [tn::Lent; 2] = [tn::Lent::beside(&[[0, 1176]], tn::conv::forward_work(…)), …];
    /// ```
    pub item: TokenStream,
}

impl Work {
    fn new(context: &Context<'_>, steps: &[Step], arena: &Arena) -> Work {
        let (mut numbers, mut all) = (Vec::new(), Vec::new());
        for (time, step) in steps.iter().enumerate() {
            let work = forward_work(context, step, Mode::Inference);
            numbers.push(work.is_some().then_some(all.len()));
            let taken = arena.taken(time);
            all.extend(work.map(|len| quote!(tn::Lent::beside(&[#taken], #len))));
        }
        let count = Size::Known(all.len());
        let item =
            if all.is_empty() { TokenStream::new() } else { quote!(const WORK: [tn::Lent; #count] = [#(#all),*];) };
        Work { numbers, item }
    }

    /// `WORK[0]`, of a step that has one.
    fn of(&self, step: usize) -> Option<TokenStream> {
        let number = Size::Known(self.numbers[step]?);
        Some(quote!(WORK[#number]))
    }
}

impl<'a> Inference<'a> {
    pub fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
        let memory = Memory::inference(context.network, steps);
        let arena = Arena::new(context, &memory.buffers, "ACTIVATIONS");
        let work = Work::new(context, steps, &arena);
        Inference { context, steps, memory, arena, work }
    }

    /// Elements of activations and workspace: `tn::largest(&[1576, WORK[0].end(), …])`.
    pub fn total(&self) -> Size {
        let ends = (0..self.steps.len()).filter_map(|step| self.work.of(step)).map(|work| quote!(#work.end()));
        let (total, ends) = (&self.arena.total, ends.collect::<Vec<_>>());
        if ends.is_empty() { total.clone() } else { Size::Const(quote!(tn::largest(&[#total, #(#ends),*]))) }
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

    /// What a step reads where it leaves its output, row by row.
    fn over(&self, step: usize) -> Option<plan::Operand> {
        self.memory.lies_over(step).then_some(self.steps[step].x)
    }

    /// ```text
    /// {
    ///     let (mut activations, work) = activations.beside::<{ WORK[1].first }, { WORK[1].len }>();
    ///     let x = activations.one::<tn::At<tn::Pixels<14, 14, 6, T>, 0>>();
    ///     tn::conv::forward(simd, Conv2, tn::Over::<_, tn::Pixels<5, 5, 16, T>>::new(x), &self.conv2.weight, tn::Bias(&self.conv2.bias), tn::NoSkip, tn::layers::Relu, tn::MaxPool(MaxPool5), work);
    /// }
    /// {
    ///     let (x, y) = activations.step::<tn::At<tn::Pixels<5, 5, 16, T>, 0>, tn::At<[T; 400], 776>>();
    ///     tn::map::to_planes(simd, ::tenonet::shape::Shape::new(16, 5, 5), x, y);
    /// }
    /// ```
    pub fn body(&self) -> TokenStream {
        let steps = self.steps.iter().enumerate().map(|(index, step)| {
            let overwrites = self.memory.overwrites[index];
            let read = |(name, operand)| Operand::read(name, self.read(operand));
            let mut operands: Vec<Operand> = reads(step, overwrites).map(read).collect();
            operands.push(match self.over(index) {
                Some(x) => Operand::write("x", self.read(x)),
                None => Operand::write("y", self.value(index, quote!(&mut *outputs))),
            });
            let operands = borrow("activations", operands);
            let work = self.work.of(index).map(
                |work| quote!(let (mut activations, work) = activations.beside::<{ #work.first }, { #work.len }>();),
            );
            let call = forward_call(self.context, step, overwrites.is_some(), Site::Inference { steps: self.steps });
            quote!({ #work #operands #call })
        });
        quote! {
            let n = inputs.len().min(outputs.len()).min(activations.len());
            let (inputs, outputs) = (tn::first(inputs, n), tn::first_mut(outputs, n));
            let tn::Option::Some(mut activations) = tn::Arena::<T, _>::new(activations, n) else { return };
            #(#steps)*
        }
    }
}
