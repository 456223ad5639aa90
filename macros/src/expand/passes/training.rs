//! Training: forward keeps on the tape what backward reads, and backward goes from the last step to the first with parameters.

use proc_macro2::TokenStream;
use quote::quote;

use super::operands::{Arena, Operand, Where, borrow, pixels};
use super::{Site, TrainWork, activation, forward_call, kept_field, marker, max_pool, part, reads, real, shape};
use crate::expand::Context;
use crate::expand::shapes::Known;
use crate::ir::{Op, PoolKind, Source};
use crate::plan::{self, Backward, Flow, Kernel, Memory, Piece, Place, Step, Stretch};
use crate::size::Size;

pub struct Training<'a> {
    context: &'a Context<'a>,
    steps: &'a [Step],
    memory: Memory,
    pub tape: Arena,
    /// The window of each step's indices, if it keeps some.
    indices: Vec<Option<TokenStream>>,
    pub index_total: Size,
    backward: Backward,
    pub deltas: Arena,
}

impl<'a> Training<'a> {
    pub fn new(context: &'a Context<'a>, steps: &'a [Step]) -> Self {
        let backward = Backward::new(context.network, steps);
        let memory = Memory::tape(context.network, steps, &backward);
        let tape = Arena::new(context, &memory.buffers, "TAPE");
        let (mut indices, mut index_total) = (Vec::new(), Size::Known(0));
        for step in steps {
            let (window, len) = Self::index(context, step, &index_total).unzip();
            indices.push(window);
            if let Some(len) = len {
                index_total = index_total.plus(&len);
            }
        }
        let deltas = Arena::new(context, &backward.buffers, "DELTAS");
        Training { context, steps, memory, tape, indices, index_total, backward, deltas }
    }

    /// The window for the places of a step's max-pooling, and its bytes: one each, or two for windows larger than 256.
    fn index(context: &Context<'_>, step: &Step, offset: &Size) -> Option<(TokenStream, Size)> {
        let pool = match step.kernel {
            Kernel::Conv { pool, .. } => pool?,
            Kernel::Pool { layer } => layer,
            Kernel::GlobalMaxPool => {
                // A map may have more places than 16 bits tell apart, and there is one for each channel alone.
                let (entries, offset) = (pixels(context, step.shape, quote!([u8; 4])), offset.argument());
                return Some((quote!(tn::At<#entries, #offset>), context.shapes.at(step.shape).len().times(4)));
            }
            _ => return None,
        };
        if matches!(&context.network.layers[pool].op, Op::Pool(pool) if pool.kind == PoolKind::Avg) {
            return None;
        }
        let small =
            matches!(context.shapes.known[pool], Some(Known::Pool(pool)) if pool.kernel[0] * pool.kernel[1] <= 256);
        let element = if small { quote!(u8) } else { quote!([u8; 2]) };
        let (entries, offset) = (pixels(context, step.shape, element), offset.argument());
        let len = context.shapes.at(step.shape).len().times(if small { 1 } else { 2 });
        Some((quote!(tn::At<#entries, #offset>), len))
    }

    /// `indices.one::<…>()`, if the step keeps indices.
    fn indexed(&self, step: usize) -> Option<TokenStream> {
        self.indices[step].as_ref().map(|window| quote!(indices.one::<#window>()))
    }

    /// A step's output, in this place.
    fn lies(&self, place: Place, step: usize, caller: TokenStream) -> Where {
        match place {
            Place::Caller => Where::Slice(caller),
            Place::Arena(buffer) => self.tape.window(self.context, buffer, self.steps[step].shape),
        }
    }

    /// What a step reads forward.
    fn read(&self, operand: plan::Operand) -> Where {
        match operand {
            plan::Operand::Input => Where::Slice(quote!(inputs)),
            plan::Operand::Step(step) => self.lies(self.memory.places[step], step, quote!(&*outputs)),
        }
    }

    /// What forward has left, or what was made again.
    fn kept(&self, operand: plan::Operand) -> Where {
        match operand {
            plan::Operand::Input => Where::Slice(quote!(inputs)),
            plan::Operand::Step(step) => {
                let place = self.memory.recomputed[step].unwrap_or(self.memory.places[step]);
                self.lies(place, step, quote!(outputs))
            }
        }
    }

    /// Where a gradient lies, that of `shape`.
    fn delta(&self, place: Place, shape: Source) -> Where {
        match place {
            Place::Caller => Where::Slice(quote!(&mut *d_outputs)),
            Place::Arena(buffer) => self.deltas.window(self.context, buffer, shape),
        }
    }

    fn prologue(&self) -> TokenStream {
        let work = super::keeps_statistics(self.context).then(|| {
            let TrainWork { work, .. } = TrainWork::new(self.context);
            quote!(let #work { kept, sums: [even, odd], work } = work;)
        });
        quote! {
            let n = inputs.len().min(outputs.len()).min(tape.len()).min(indices.len());
            let inputs = tn::first(inputs, n);
            let tn::Option::Some(mut tape) = tn::Arena::<T, _>::new(tape, n) else { return };
            let tn::Option::Some(mut indices) = tn::Arena::<u8, _>::new(indices, n) else { return };
            #work
        }
    }

    pub fn forward(&self) -> TokenStream {
        let prologue = self.prologue();
        let stretches = plan::stretches(self.steps, 0..self.steps.len());
        let stretches = stretches.iter().map(|stretch| {
            let pieces = stretch.iter().map(|piece| match *piece {
                Piece::Step(index) => self.forward_step(index),
                Piece::Sums(index) => self.forward_sums(index),
                Piece::Recompute(_) => TokenStream::new(),
            });
            let settles = self.begins_with_norm(stretch).map(|(index, layer)| {
                let (epsilon, kept) = (real(self.context, layer), kept_field(self.context, layer));
                let pixels = self.pixels(index);
                quote!(tn::batch_norm::settle::<T, _>(#epsilon, n, #pixels, &mut kept.#kept);)
            });
            let slices = quote! {
                let (inputs, outputs) = (tn::between(inputs, from, to), tn::between_mut(outputs, from, to));
            };
            self.some_at_a_time(stretch, settles, slices, pieces)
        });
        quote! {
            #prologue
            let outputs = tn::first_mut(outputs, n);
            #(#stretches)*
        }
    }

    fn forward_step(&self, index: usize) -> TokenStream {
        let step = &self.steps[index];
        let overwrites = self.memory.overwrites[index];
        let read = |(name, operand)| Operand::read(name, self.read(operand));
        let mut operands: Vec<Operand> = reads(step, overwrites).map(read).collect();
        operands.push(Operand::write("y", self.lies(self.memory.places[index], index, quote!(&mut *outputs))));
        let operands = borrow("tape", operands);
        let site = Site::Training { steps: self.steps, index: self.indexed(index) };
        let call = forward_call(self.context, step, overwrites.is_some(), site);
        quote!({ #operands #call })
    }

    /// The sums of a batch_norm over these inputs, which are added to those of the inputs before `from`.
    fn forward_sums(&self, index: usize) -> TokenStream {
        let step = &self.steps[index];
        let Kernel::BatchNorm { layer, .. } = step.kernel else { return TokenStream::new() };
        let (kept, x) = (kept_field(self.context, layer), self.read(step.x));
        let x = borrow("tape", vec![Operand::read("x", x)]);
        quote!({ #x tn::batch_norm::moments(simd, x, from, &mut kept.#kept); })
    }

    /// The step and the layer of the batch_norm that begins a stretch.
    fn begins_with_norm(&self, stretch: &Stretch) -> Option<(usize, usize)> {
        match stretch.first() {
            Some(Piece::Step(index)) => match self.steps[*index].kernel {
                Kernel::BatchNorm { layer, .. } => Some((*index, layer)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The pixels of a step's map.
    fn pixels(&self, index: usize) -> TokenStream {
        let [_, h, w] = self.context.shapes.at(self.steps[index].shape).sides();
        match (h, w) {
            (Size::Known(h), Size::Known(w)) => Size::Known(h.saturating_mul(w)).argument(),
            (h, w) => quote!({ #h * #w }),
        }
    }

    /// ```text
    /// {
    ///     …settle(…);
    ///     let most = const { tn::inputs_at_a_time(…, …) };
    ///     let at_a_time = tn::equal_parts(n, most);
    ///     let mut from = 0;
    ///     while from < n {
    ///         let to = n.min(from + at_a_time);
    ///         …
    ///         from = to;
    ///     }
    /// }
    /// ```
    /// A single piece takes all inputs.
    fn some_at_a_time(
        &self, stretch: &Stretch, settles: Option<TokenStream>, slices: TokenStream,
        pieces: impl Iterator<Item = TokenStream>,
    ) -> TokenStream {
        if let [piece] = stretch.as_slice() {
            let from = matches!(piece, Piece::Sums(_)).then(|| quote!(let from = 0;));
            return if settles.is_some() || from.is_some() {
                quote!({ #settles #from #(#pieces)* })
            } else {
                quote!(#(#pieces)*)
            };
        }
        let len = |operand: plan::Operand| self.context.shapes.at(self.source(operand)).len();
        let steps = || stretch.iter().map(|piece| &self.steps[piece.step()]);
        let elements = steps().map(|step| {
            let read = step.reads().fold(Size::Known(0), |sum, operand| sum.plus(&len(operand)));
            read.plus(&self.context.shapes.at(step.shape).len()).argument()
        });
        let weights = steps().filter_map(|step| match step.kernel {
            Kernel::Conv { layer, .. } => {
                let conv = marker(self.context, layer);
                Some(quote!(#conv::CONV.params()))
            }
            _ => None,
        });
        quote! {
            {
                #settles
                let most = const { tn::inputs_at_a_time(tn::largest(&[#(#elements),*]), tn::largest(&[#(#weights),*])) };
                let at_a_time = tn::equal_parts(n, most);
                let mut from = 0;
                while from < n {
                    let to = n.min(from + at_a_time);
                    #slices
                    let (mut tape, mut indices) = (tape.inputs(from, to), indices.inputs(from, to));
                    #(#pieces)*
                    from = to;
                }
            }
        }
    }

    /// Whose shape an operand has.
    fn source(&self, operand: plan::Operand) -> Source {
        match operand {
            plan::Operand::Input => Source::Input,
            plan::Operand::Step(read) => self.steps[read].shape,
        }
    }

    /// From the last step back to the first one with parameters.
    pub fn backward(&self) -> TokenStream {
        if self.backward.steps.is_empty() {
            return quote!(let _ = (inputs, outputs, d_outputs, tape, indices, grad, deltas, work, simd, share, masks););
        }
        let prologue = self.prologue();
        let stretches = self.backward.stretches.iter().map(|stretch| {
            let pieces = stretch.iter().map(|piece| match *piece {
                Piece::Step(index) => {
                    let step = self.backward.steps.iter().find(|(step, ..)| *step == index);
                    step.map_or(TokenStream::new(), |(_, x, skip)| self.backward_step(index, *x, *skip))
                }
                Piece::Sums(index) => self.backward_sums(index),
                Piece::Recompute(index) => self.recompute(index),
            });
            let settles = self.begins_with_norm(stretch).map(|(index, layer)| {
                let (name, kept) = (&self.context.network.layers[layer].name, kept_field(self.context, layer));
                let (pixels, sums) = (self.pixels(index), self.sums(index));
                quote! {
                    tn::batch_norm::backward_settle(
                        &self.#name, n, #pixels, &kept.#kept, #sums, &mut grad.#name, &mut grad.statistics.#name, share,
                    );
                }
            });
            let slices = quote! {
                let (inputs, outputs) = (tn::between(inputs, from, to), tn::between(outputs, from, to));
                let d_outputs = tn::between_mut(d_outputs, from, to);
                let mut deltas = deltas.inputs(from, to);
            };
            self.some_at_a_time(stretch, settles, slices, pieces)
        });
        quote! {
            #prologue
            let (outputs, d_outputs) = (tn::first(outputs, n), tn::first_mut(d_outputs, n));
            let tn::Option::Some(mut deltas) = tn::Arena::<T, _>::new(deltas, n) else { return };
            #(#stretches)*
        }
    }

    /// Where a batch_norm's backward has its sums: while one's are made in a stretch, those of the one that begins it are read.
    fn sums(&self, index: usize) -> TokenStream {
        let norms = self
            .backward
            .steps
            .iter()
            .filter(|(step, ..)| matches!(self.steps[*step].kernel, Kernel::BatchNorm { .. }));
        let odd = norms.take_while(|(step, ..)| *step != index).count() % 2 == 1;
        if odd { quote!(odd) } else { quote!(even) }
    }

    /// The sums of a batch_norm's backward over these inputs, which are added to those of the inputs before `from`.
    fn backward_sums(&self, index: usize) -> TokenStream {
        let step = &self.steps[index];
        let (Kernel::BatchNorm { layer, act }, Some(place)) = (&step.kernel, self.backward.places[index]) else {
            return TokenStream::new();
        };
        let (act, kept) = (activation(self.context, *act), kept_field(self.context, *layer));
        let (x, y) = (self.kept(step.x), self.kept(plan::Operand::Step(index)));
        let values = borrow("tape", vec![Operand::read("x", x), Operand::read("y", y)]);
        let gradient = borrow("deltas", vec![Operand::write("dy", self.delta(place, step.shape))]);
        let sums = self.sums(index);
        quote!({ #values #gradient tn::batch_norm::backward_sums(simd, #act, x, y, dy, &kept.#kept, from, #sums); })
    }

    /// What a batch_norm yielded forward, where backward reads it.
    fn recompute(&self, index: usize) -> TokenStream {
        let step = &self.steps[index];
        let (x, y) = (self.kept(step.x), self.kept(plan::Operand::Step(index)));
        let operands = borrow("tape", vec![Operand::read("x", x), Operand::write("y", y)]);
        let call = forward_call(self.context, step, false, Site::Training { steps: self.steps, index: None });
        quote!({ #operands #call })
    }

    fn backward_step(&self, index: usize, to_x: Flow, to_skip: Flow) -> TokenStream {
        let step = &self.steps[index];
        let Some(place) = self.backward.places[index] else { return TokenStream::new() };
        let dy = || self.delta(place, step.shape);
        let x_shape = self.source(step.x);

        // What forward left.
        let (x, y) = (|| self.kept(step.x), || self.kept(plan::Operand::Step(index)));
        let values = match &step.kernel {
            Kernel::Conv { .. } | Kernel::ConvTranspose { .. } | Kernel::Linear { .. } => {
                vec![Operand::read("x", x()), Operand::read("y", y())]
            }
            Kernel::Map { layer } => match &self.context.network.layers[*layer].op {
                Op::Activation(act) if plan::is_monotone(act) => vec![Operand::read("y", y())],
                _ => vec![Operand::read("x", x())],
            },
            Kernel::BatchNorm { .. } | Kernel::LayerNorm { .. } | Kernel::Scale { .. } => vec![Operand::read("x", x())],
            Kernel::Softmax { .. } | Kernel::Add { act: Some(_) } => vec![Operand::read("y", y())],
            _ => Vec::new(),
        };
        let values = borrow("tape", values);

        // The gradients, where the kernel writes another one.
        let is_sum = matches!(step.kernel, Kernel::Add { .. });
        let mut gradients = vec![Operand::write("dy", dy())];
        if let Some(dx) = to_x.written().filter(|_| !is_sum) {
            gradients.push(Operand::write("dx", self.delta(dx, x_shape)));
        }
        let gradients = borrow("deltas", gradients);
        let call = self.backward_call(index, to_x);
        // A sum without an activation changes nothing of its gradient.
        let kernel = (!call.is_empty()).then(|| quote!({ #values #gradients #call }));

        let mut tokens = quote!(#kernel);
        for (flow, operand) in [(to_x, Some(step.x)), (to_skip, step.skip)] {
            let Some(shape) = operand.map(|operand| self.source(operand)) else { continue };
            match flow {
                Flow::Write(place) if is_sum => {
                    let both = borrow(
                        "deltas",
                        vec![Operand::read("dy", reading(dy())), Operand::write("dx", self.delta(place, shape))],
                    );
                    tokens.extend(quote!({ #both tn::map::copy::<T, _, _>(dy, dx); }));
                }
                Flow::Add { to, by_way_of } => {
                    let from = reading(by_way_of.map_or_else(dy, |place| self.delta(place, shape)));
                    let both = borrow(
                        "deltas",
                        vec![Operand::read("part", from), Operand::write("dx", self.delta(to, shape))],
                    );
                    tokens.extend(match step.kernel {
                        Kernel::Part(of) => {
                            let channels = part(self.context, of);
                            quote!({ #both tn::concat::split_add::<#channels, _, _, _, _>(simd, part, dx); })
                        }
                        _ => quote!({ #both tn::map::accumulate(simd, dx, part); }),
                    });
                }
                Flow::None | Flow::InPlace | Flow::Write(_) | Flow::Accumulate(_) => {}
            }
        }
        tokens
    }

    fn backward_call(&self, index: usize, to_x: Flow) -> TokenStream {
        let (context, step, has_dx) = (self.context, &self.steps[index], to_x.written().is_some());
        let goes = match to_x {
            _ if !has_dx => quote!(tn::Unwanted),
            Flow::Accumulate(_) => quote!(tn::Added(dx)),
            _ => quote!(tn::Written(dx)),
        };
        let dx = if has_dx { quote!(dx) } else { quote!(&mut []) };
        let indexed = self.indexed(index);
        match step.kernel {
            Kernel::Conv { layer, act, pool, .. } => {
                let (conv, name) = (marker(context, layer), &context.network.layers[layer].name);
                let (act, stage) = (activation(context, act), max_pool(context, pool, indexed));
                quote! {
                    tn::conv_backward::backward(
                        simd, #conv, x, &self.#name.weight, #act, #stage, y, dy,
                        &mut grad.#name.weight, &mut grad.#name.bias, #goes, work,
                    );
                }
            }
            Kernel::ConvTranspose { layer, act, .. } => {
                let (conv, name) = (marker(context, layer), &context.network.layers[layer].name);
                let act = activation(context, act);
                quote! {
                    tn::conv_transpose::backward(
                        simd, #conv, x, &self.#name.weight, #act, y, dy,
                        &mut grad.#name.weight, &mut grad.#name.bias, #goes, work,
                    );
                }
            }
            Kernel::Linear { layer, act } => {
                let (name, act) = (&context.network.layers[layer].name, activation(context, act));
                quote! {
                    tn::linear::backward::<#has_dx, _, _, _, _, _, _, _, _, _>(
                        simd, x, &self.#name.weight, #act, y, dy,
                        &mut grad.#name.weight, &mut grad.#name.bias, #dx, work,
                    );
                }
            }
            // Its sums are there, and its parameters' gradients: see `backward`.
            Kernel::BatchNorm { layer, .. } => {
                let (kept, sums) = (kept_field(context, layer), self.sums(index));
                quote!(tn::batch_norm::backward_in_place(simd, x, dy, &kept.#kept, #sums);)
            }
            Kernel::LayerNorm { layer } => {
                let (name, epsilon) = (&context.network.layers[layer].name, real(context, layer));
                quote! {
                    tn::layer_norm::backward_in_place(simd, &self.#name, #epsilon, x, dy, &mut grad.#name);
                }
            }
            Kernel::Scale { layer } => {
                let name = &context.network.layers[layer].name;
                quote! {
                    tn::scale::backward_in_place(simd, &self.#name.weight, x, dy, &mut grad.#name.weight);
                }
            }
            Kernel::Bias { layer } => {
                let name = &context.network.layers[layer].name;
                quote!(tn::scale::shift_backward(simd, dy, &mut grad.#name.bias);)
            }
            Kernel::Pool { layer } => {
                let pool = marker(context, layer);
                match indexed {
                    Some(index) => quote!(tn::pool::max_backward(simd, #pool, dy, #index, dx);),
                    None => quote!(tn::pool::avg_backward(simd, #pool, dy, dx);),
                }
            }
            Kernel::GlobalAvgPool => quote!(tn::pool::global_avg_backward(simd, dy, dx);),
            Kernel::GlobalMaxPool => {
                indexed.map_or(TokenStream::new(), |index| quote!(tn::global_max::backward(simd, dy, #index, dx);))
            }
            Kernel::Pad { layer } => {
                let pad = marker(context, layer);
                quote!(tn::pad::backward(simd, #pad, dy, dx);)
            }
            Kernel::Upsample { layer } => {
                let upsample = marker(context, layer);
                quote!(tn::upsample::backward(simd, #upsample, dy, dx);)
            }
            Kernel::Map { layer } => {
                let Op::Activation(act) = &context.network.layers[layer].op else { return TokenStream::new() };
                let kept = if plan::is_monotone(act) { quote!(y) } else { quote!(x) };
                let act = activation(context, Some(layer));
                quote!(tn::map::backward_in_place(simd, #act, #kept, dy);)
            }
            Kernel::Add { act: Some(act) } => {
                let act = activation(context, Some(act));
                quote!(tn::map::backward_in_place(simd, #act, y, dy);)
            }
            Kernel::Dropout { layer } => {
                let (number, probability) = (Size::Known(layer), real(context, layer));
                quote!(tn::dropout::apply_in_place(simd, masks, #number, #probability, dy);)
            }
            Kernel::Softmax { .. } => {
                let channels = context.shapes.at(step.shape).sides()[0].clone();
                quote!(tn::map::softmax_backward_in_place(simd, #channels, y, dy);)
            }
            Kernel::ToPlanes => {
                let shape = shape(context, step.x, self.steps);
                quote!(tn::map::to_pixels(simd, #shape, dy, dx);)
            }
            Kernel::Part(of) if has_dx => {
                let part = part(context, of);
                quote!(tn::concat::split::<#part, _, _, _, _>(simd, dy, dx);)
            }
            Kernel::Part { .. } => TokenStream::new(),
            // The first has no gradient, the others change nothing of it.
            Kernel::ToPixels | Kernel::Copy | Kernel::Add { act: None } => TokenStream::new(),
        }
    }
}

/// A gradient that is only read: a slice of the caller's without `mut`.
fn reading(lies: Where) -> Where {
    match lies {
        Where::Slice(_) => Where::Slice(quote!(&*d_outputs)),
        arena => arena,
    }
}
