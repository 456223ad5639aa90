//! The plans of networks: what is fused, and that memory is never overwritten before it was read.

use proc_macro2::TokenStream;
use proptest::prelude::*;
use quote::{format_ident, quote};
use tenonet_shape::{Life, Shape, load, place};

use super::{lenet, mobilenet, network, resnet8};
use crate::ir::{Network, Op, Source};
use crate::plan::{
    Backward, Buffer, Flow, Kernel, Memory, Mode, Operand, Piece, Place, Step, Stretch, apart, is_monotone, steps,
    stretches,
};

fn shape(network: &Network, source: Source) -> Shape {
    match source {
        Source::Input => crate::check::known_shape(&network.input).unwrap(),
        Source::Layer(index) => network.layers[index].output.unwrap(),
    }
}

/// The steps in a line, such as `conv+norm+sum+act(0)`: what is read stands in parentheses, `x` for the network's input.
fn line(network: &Network, mode: Mode) -> String {
    let steps = steps(network, mode);
    let words = steps.iter().map(|step| {
        let fused =
            |word: &str, act: &Option<usize>| if act.is_some() { format!("{word}+act") } else { word.to_owned() };
        let word = match &step.kernel {
            Kernel::Conv { norm, act, pool, part, .. } => {
                let mut word = "conv".to_owned();
                for (part, is) in [
                    ("+norm", norm.is_some()),
                    ("+sum", step.skip.is_some() && part.is_none()),
                    ("+act", act.is_some()),
                    ("+pool", pool.is_some()),
                    ("+part", part.is_some()),
                ] {
                    if is {
                        word += part;
                    }
                }
                word
            }
            Kernel::Linear { act, .. } => fused("linear", act),
            Kernel::ConvTranspose { act, part, .. } => fused("spread", act) + if part.is_some() { "+part" } else { "" },
            Kernel::BatchNorm { act, .. } => fused("norm", act),
            Kernel::Add { act } => fused("sum", act),
            Kernel::Part { .. } => "part".to_owned(),
            Kernel::Pool { .. } => "pool".to_owned(),
            Kernel::GlobalAvgPool => "mean".to_owned(),
            Kernel::GlobalMaxPool => "max".to_owned(),
            Kernel::Pad { .. } => "pad".to_owned(),
            Kernel::Upsample { .. } => "upsample".to_owned(),
            Kernel::LayerNorm { .. } => "layer_norm".to_owned(),
            Kernel::Scale { .. } => "scale".to_owned(),
            Kernel::Bias { .. } => "bias".to_owned(),
            Kernel::Map { .. } => "act".to_owned(),
            Kernel::Softmax { .. } => "softmax".to_owned(),
            Kernel::Dropout { .. } => "dropout".to_owned(),
            Kernel::ToPixels => "pixels".to_owned(),
            Kernel::ToPlanes => "planes".to_owned(),
            Kernel::Copy => "copy".to_owned(),
        };
        let reads = step.reads().map(|operand| match operand {
            Operand::Input => "x".to_owned(),
            Operand::Step(step) => step.to_string(),
        });
        format!("{word}({})", reads.collect::<Vec<_>>().join(","))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn lines(tokens: TokenStream) -> [String; 2] {
    let network = network(tokens);
    [line(&network, Mode::Inference), line(&network, Mode::Training)]
}

#[test]
fn fuses_what_follows_a_convolution() {
    assert_eq!(
        lines(lenet()),
        [
            "conv+act+pool(x) conv+act+pool(0) planes(1) linear+act(2) linear+act(3) linear(4)",
            "conv+act+pool(x) conv+act+pool(0) planes(1) linear+act(2) linear+act(3) linear(4)",
        ]
    );
    assert_eq!(
        lines(resnet8()),
        [
            "conv+norm+act(x) conv+norm+act(0) conv+norm+sum+act(1,0) conv(2) conv+norm+act(2) conv+norm+sum+act(4,3) \
             conv(5) conv+norm+act(5) conv+norm+sum+act(7,6) pool(8) linear(9)",
            "conv(x) norm+act(0) conv(1) norm+act(2) conv(3) norm(4) sum+act(5,1) conv(6) conv(6) norm+act(8) conv(9) \
             norm(10) sum+act(11,7) conv(12) conv(12) norm+act(14) conv(15) norm(16) sum+act(17,13) pool(18) linear(19)",
        ]
    );
    // The last pooling sees the whole map: there is no band that would be less.
    let [inference, _] = lines(mobilenet());
    assert_eq!(inference.matches("conv+norm+act(").count(), 27);
    assert!(inference.ends_with("conv+norm+act(25) pool(26) linear(27)"), "{inference}");
    let bands = quote!(struct Net([4, 8, 8] -> [N]) { conv(4, kernel = 1), avg_pool(4), conv(4, kernel = 1), max_pool(2, stride = (3, 2), floor), flatten });
    assert_eq!(lines(bands)[0], "conv+pool(x) conv(0) pool(1)");
}

#[test]
fn dropout_is_nothing_at_inference() {
    let line = |layers: TokenStream| lines(quote!(struct Net([4, 8, 8] -> [N]) { #layers }));
    assert_eq!(
        line(quote!(
            dropout(0.1),
            conv(4, kernel = 1),
            dropout(0.2),
            relu,
            dropout(0.3),
            max_pool(2),
            flatten,
            dropout(0.5)
        )),
        [
            "pixels(x) conv+act+pool(0) planes(1)",
            "pixels(x) dropout(0) conv(1) dropout(2) act(3) dropout(4) pool(5) planes(6) dropout(7)"
        ]
    );
    // A sum with what lies before and behind it is one with itself.
    assert_eq!(
        line(quote!(conv(4, kernel = 1), residual { dropout(0.5) }, flatten, dropout(0.5), linear(4), tanh)),
        ["conv(x) sum(0,0) planes(1) linear+act(2)", "conv(x) dropout(0) sum(1,0) planes(2) dropout(3) linear+act(4)"]
    );
    assert_eq!(line(quote!(dropout(0.5))), ["pixels(x) planes(0)", "pixels(x) dropout(0) planes(1)"]);
}

#[test]
fn fuses_no_further_than_it_may() {
    let line = |layers: TokenStream| lines(quote!(struct Net([4, 8, 8] -> [N]) { #layers }));
    // What two read stays as it is.
    assert_eq!(
        line(quote!(conv(4, kernel = 1), residual { relu, conv(4, kernel = 1) }, flatten))[0],
        "conv(x) act(0) conv+sum(1,0) planes(2)"
    );
    // A sum is no end for a pooling, nor for a second sum.
    assert_eq!(
        line(quote!(conv(4, kernel = 1), residual { residual { conv(4, kernel = 1) } }, max_pool(2), flatten))[0],
        "conv(x) conv+sum(0,0) sum(1,0) pool(2) planes(3)"
    );
    // Batch normalisation behind an activation, a linear layer, or by itself.
    assert_eq!(
        line(quote!(conv(4, kernel = 1), relu, batch_norm, gelu, flatten, linear(3), batch_norm, tanh)),
        [
            "conv+act(x) norm+act(0) planes(1) linear(2) norm+act(3)",
            "conv+act(x) norm(0) act(1) planes(2) linear(3) norm+act(4)",
        ]
    );
    // The layers' end is no convolution: the sum is a step of its own.
    assert_eq!(
        line(quote!(residual { conv(4, kernel = 1), relu } shortcut { conv(4, kernel = 1) }, relu, flatten))[0],
        "conv(x) conv+act(x) sum+act(1,0) planes(2)"
    );
}

#[test]
fn brings_the_input_into_pixels_where_it_must() {
    let line = |layers: TokenStream| lines(quote!(struct Net([4, 8, 8] -> [N]) { #layers }))[0].clone();
    assert_eq!(line(quote!(conv(4, kernel = 1), flatten)), "conv(x) planes(0)");
    assert_eq!(line(quote!(flatten, relu, linear(3))), "act(x) linear(0)");
    assert_eq!(line(quote!(max_pool(2), flatten)), "pixels(x) pool(0) planes(1)");
    assert_eq!(line(quote!(batch_norm, conv(4, kernel = 1), flatten)), "pixels(x) norm(0) conv(1) planes(2)");
    // The skip needs it, so the convolution reads it there too.
    assert_eq!(line(quote!(residual { conv(4, kernel = 1) }, flatten)), "pixels(x) conv+sum(0,0) planes(1)");
    assert_eq!(line(quote!(flatten)), "copy(x)");
    assert_eq!(line(quote!(flatten, residual { flatten })), "sum(x,x)");
    assert_eq!(line(quote!(global_avg_pool)), "pixels(x) mean(0)");
    // One channel or one place: both orders are one.
    let one = |input: TokenStream, layers: TokenStream| lines(quote!(struct Net(#input -> [N]) { #layers }))[0].clone();
    assert_eq!(one(quote!([1, 8, 8]), quote!(max_pool(2), relu, flatten)), "pool(x) act(0)");
    assert_eq!(one(quote!([8]), quote!(batch_norm, softmax)), "norm(x) softmax(0)");
    // What only the compiler knows is brought in order wherever it could be needed.
    assert_eq!(one(quote!([C, 8, 8]), quote!(relu, flatten)), "pixels(x) act(0) planes(1)");
}

#[test]
fn the_output_lies_in_planes() {
    let net = |layers: TokenStream, output: TokenStream| {
        lines(quote!(struct Net([4, 8, 8] -> #output) { #layers }))[0].clone()
    };
    assert_eq!(net(quote!(conv(2, kernel = 1), softmax), quote!([2, 8, 8])), "conv(x) softmax(0) planes(1)");
    assert_eq!(net(quote!(conv(1, kernel = 1)), quote!([1, 8, 8])), "conv(x)");
    assert_eq!(net(quote!(conv(9, kernel = 8)), quote!([9])), "conv(x)");
    assert_eq!(net(quote!(conv(N, kernel = 8)), quote!([9])), "conv(x)");
}

#[test]
fn a_chain_takes_its_largest_step() {
    for tokens in [lenet(), mobilenet()] {
        let network = network(tokens);
        let steps = steps(&network, Mode::Inference);
        let memory = Memory::inference(&network, &steps);
        let len = |buffer: &Buffer| shape(&network, buffer.shape).len();
        // Pooled rows in the place of what they are made of need no room of their own.
        let taken = |pair: &[Buffer]| len(&pair[0]) + if pair[1].over.is_some() { 0 } else { len(&pair[1]) };
        let largest = memory.buffers.windows(2).map(taken).max().unwrap();
        assert_eq!(Arena::new(&network, &memory.buffers).memory.len(), largest);
    }
}

/// What each step overwrites at inference: `x` of a convolution whose pooled rows lie there, `skip` of a sum; and the arena's elements.
fn overwritten(net: TokenStream) -> (String, Option<usize>) {
    let network = network(net);
    let steps = steps(&network, Mode::Inference);
    let memory = Memory::inference(&network, &steps);
    let words = steps.iter().zip(&memory.overwrites).map(|(step, overwrites)| match overwrites {
        None => "-",
        Some(_) if *overwrites == step.skip => "skip",
        Some(_) => "x",
    });
    (words.collect::<Vec<_>>().join(" "), memory.total(&network))
}

#[test]
fn pooled_rows_lie_over_what_they_are_made_of() {
    let net = |layers: TokenStream| overwritten(quote!(struct Net([4, 8, 8] -> [N]) { #layers flatten, linear(3) }));
    let pooled = quote!(conv(4, kernel = 3, padding = 1), relu, max_pool(2),);
    let wide = quote!(conv(8, kernel = 3, padding = 1), relu,);
    // conv, conv and pooling, to planes, linear.
    assert_eq!(net(quote!(#wide #pooled)), ("- x - -".into(), Some(512)));
    // One over the other: four maps in the place of the first one.
    assert_eq!(net(quote!(#wide #pooled conv(4, kernel = 1), conv(4, kernel = 2), max_pool(3),)).0, "- x - - - -");
    // As many elements, but two rows of eight channels are written where one row is still to be read.
    assert_eq!(net(quote!(conv(4, kernel = 1), conv(16, kernel = 3, padding = 1), max_pool(2),)).0, "- - - -");
    // Somebody else reads what was there (it is the sum that takes a place), or it is the network's input.
    let block = quote!(residual { max_pool(2) } shortcut { conv(8, kernel = 3, padding = 1), max_pool(2) },);
    assert_eq!(net(quote!(#wide #block)).0, "- - - x - -");
    assert_eq!(net(quote!(#pooled)).0, "- - -");
}

#[test]
fn the_callers_memory_and_unknown_lengths_are_left_alone() {
    let last = quote!(struct Net([4, 8, 8] -> [1, 4, 4]) { conv(4, kernel = 1), conv(1, kernel = 1), max_pool(2) });
    assert_eq!(overwritten(last), ("- -".into(), Some(256)));
    // The macro knows the shapes of the pooling, but not what follows: the compiler places it all.
    let unknown = quote!(struct Net([4, 8, 8] -> [N]) {
        conv(4, kernel = 1), conv(4, kernel = 1), max_pool(2), conv(WIDTH, kernel = 1), flatten,
    });
    assert_eq!(overwritten(unknown), ("- - - -".into(), None));
}

#[test]
fn sums_of_convolutions_take_the_place_of_what_is_added() {
    let block = quote!(residual { conv(8, kernel = 3, padding = 1), relu, conv(8, kernel = 3, padding = 1) }, relu,);
    let net = quote!(struct Net([4, 8, 8] -> [N]) { conv(8, kernel = 1), #block #block global_avg_pool });
    // Two maps, not three.
    assert_eq!(overwritten(net), ("- - skip - skip -".into(), Some(2 * 8 * 64)));
}

/// Memory in which each value is a number, as often as it has elements: what was overwritten in part is no value any more.
struct Arena {
    ranges: Vec<std::ops::Range<usize>>,
    memory: Vec<f64>,
}

fn lives(network: &Network, buffers: &[Buffer]) -> Vec<Life> {
    buffers.iter().map(|buffer| buffer.life(shape(network, buffer.shape).len())).collect()
}

impl Arena {
    fn new(network: &Network, buffers: &[Buffer]) -> Arena {
        let lives = lives(network, buffers);
        let (mut offsets, mut order) = (vec![0; lives.len()], vec![0; lives.len()]);
        let total = place(&lives, &mut offsets, &mut order);
        assert!(total * 4 <= load(&lives) * 5, "{total} where {} live: {lives:?}", load(&lives));
        let ranges = offsets.iter().zip(&lives).map(|(start, life)| *start..start + life.len).collect();
        Arena { ranges, memory: vec![f64::NAN; total] }
    }

    fn read(&self, buffer: usize) -> f64 {
        let values = &self.memory[self.ranges[buffer].clone()];
        assert!(values.iter().all(|value| *value == values[0]), "a value is read that was overwritten");
        values[0]
    }

    fn write(&mut self, buffer: usize, value: f64) {
        self.memory[self.ranges[buffer].clone()].fill(value);
    }
}

/// Each step is `y = factor · (x + skip)`.
fn factor(step: usize) -> f64 {
    [0.5, 2.0, 1.0, -1.0, 1.5][step % 5]
}

const INPUT: f64 = 3.0;

/// What each step yields.
fn values(steps: &[Step]) -> Vec<f64> {
    let mut values: Vec<f64> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let sum: f64 = step
            .reads()
            .map(|operand| match operand {
                Operand::Input => INPUT,
                Operand::Step(read) => values[read],
            })
            .sum();
        values.push(factor(index) * sum);
    }
    values
}

/// Runs a pass forward in the memory that is planned for it; yields the arena and the caller's value.
fn forward(network: &Network, steps: &[Step], memory: &Memory) -> (Arena, f64) {
    let mut arena = Arena::new(network, &memory.buffers);
    let mut caller = f64::NAN;
    for (index, step) in steps.iter().enumerate() {
        let mut sum = 0.0;
        for operand in step.reads() {
            sum += match operand {
                Operand::Input => INPUT,
                Operand::Step(read) => match memory.places[read] {
                    Place::Caller => caller,
                    Place::Arena(buffer) => arena.read(buffer),
                },
            };
        }
        match memory.places[index] {
            Place::Caller => caller = factor(index) * sum,
            Place::Arena(buffer) => {
                let in_place = memory.overwrites[index].is_some();
                for operand in step.reads().filter(|operand| !in_place || Some(*operand) != memory.overwrites[index]) {
                    if let Operand::Step(read) = operand
                        && let Place::Arena(other) = memory.places[read]
                    {
                        let (a, b) = (&arena.ranges[buffer], &arena.ranges[other]);
                        assert!(a.end <= b.start || b.end <= a.start, "step {index} writes what it reads");
                    }
                }
                arena.write(buffer, factor(index) * sum);
            }
        }
    }
    (arena, caller)
}

/// What runs in a stretch lives from before its first input to behind its last one.
fn check_stretches(network: &Network) {
    let steps = steps(network, Mode::Training);
    let backward = Backward::new(network, &steps);
    let tape = Memory::tape(network, &steps, &backward);
    let lives = |buffers: &[Buffer], place: Option<Place>, stretch: usize| {
        if let Some(Place::Arena(buffer)) = place {
            let Buffer { first, last, .. } = buffers[buffer];
            assert!(first <= stretch && stretch <= last, "stretch {stretch}: {first} to {last}");
        }
    };
    let place = |operand: Operand| match operand {
        Operand::Input => None,
        Operand::Step(read) => Some(tape.places[read]),
    };
    let mut sums = vec![0; steps.len()];
    for (number, stretch) in stretches(&steps, 0..steps.len()).iter().enumerate() {
        for piece in stretch {
            let step = &steps[piece.step()];
            step.reads().for_each(|operand| lives(&tape.buffers, place(operand), number));
            match piece {
                Piece::Sums(index) => sums[*index] = number + 1,
                Piece::Step(index) => lives(&tape.buffers, Some(tape.places[*index]), number),
                Piece::Recompute(_) => panic!("forward makes nothing again"),
            }
        }
        assert!(
            stretch
                .iter()
                .filter(|piece| matches!(
                    steps[piece.step()].kernel,
                    Kernel::Conv { .. } | Kernel::ConvTranspose { .. }
                ))
                .count()
                <= 1,
            "two convolutions in {stretch:?}"
        );
    }
    for (number, stretch) in backward.stretches.iter().enumerate() {
        for (at, piece) in stretch.iter().enumerate() {
            if let Piece::Recompute(index) = piece {
                // Behind the last stretch of forward; read by what follows.
                let number = number + stretches(&steps, 0..steps.len()).len();
                lives(&tape.buffers, tape.recomputed[*index], number);
                lives(&tape.buffers, place(steps[*index].x), number);
                assert!(at + 1 < stretch.len());
                continue;
            }
            lives(&backward.buffers, backward.places[piece.step()], number);
            let Piece::Step(index) = piece else { continue };
            for (_, x, skip) in backward.steps.iter().filter(|(step, ..)| step == index) {
                for flow in [x, skip] {
                    match *flow {
                        Flow::Write(to) | Flow::Accumulate(to) => lives(&backward.buffers, Some(to), number),
                        Flow::Add { to, by_way_of } => {
                            lives(&backward.buffers, Some(to), number);
                            lives(&backward.buffers, by_way_of, number);
                        }
                        Flow::None | Flow::InPlace => {}
                    }
                }
            }
        }
    }
    // Each step once, each normalisation's sums in the stretch before the one that it begins.
    for (number, stretch) in stretches(&steps, 0..steps.len()).iter().enumerate() {
        for (at, piece) in stretch.iter().enumerate() {
            if let Piece::Step(index) = piece {
                let norm = matches!(steps[*index].kernel, Kernel::BatchNorm { .. });
                assert_eq!(sums[*index], if norm { number } else { 0 });
                assert!(!norm || at == 0);
            }
        }
    }
    let whole = |stretches: &[Stretch]| {
        let pieces = stretches.iter().flatten();
        pieces.filter_map(|piece| matches!(piece, Piece::Step(_)).then_some(piece.step())).collect::<Vec<_>>()
    };
    assert_eq!(whole(&stretches(&steps, 0..steps.len())), (0..steps.len()).collect::<Vec<_>>());
    assert_eq!(whole(&backward.stretches), backward.steps.iter().map(|(index, ..)| *index).collect::<Vec<_>>());
}

/// Stretches as a line, `;` between them, `Σ` for sums and `=` for what is made again.
fn stretches_of(network: &Network) -> [String; 2] {
    let steps = steps(network, Mode::Training);
    let line = |stretches: &[Stretch]| {
        let piece = |piece: &Piece| match piece {
            Piece::Step(step) => step.to_string(),
            Piece::Sums(step) => format!("Σ{step}"),
            Piece::Recompute(step) => format!("={step}"),
        };
        let stretch = |stretch: &Stretch| stretch.iter().map(piece).collect::<Vec<_>>().join(" ");
        stretches.iter().map(stretch).collect::<Vec<_>>().join("; ")
    };
    [line(&stretches(&steps, 0..steps.len())), line(&Backward::new(network, &steps).stretches)]
}

#[test]
fn normalisations_cut_training_into_stretches() {
    // Without them, step after step.
    assert_eq!(stretches_of(&network(lenet())), ["0; 1; 2; 3; 4; 5", "5; 4; 3; 2; 1; 0"]);
    let blocks = quote!(struct Net([4, 8, 8] -> [N]) {
        conv(4, kernel = 1), batch_norm, relu,
        residual { conv(4, kernel = 1), batch_norm, relu, conv(4, kernel = 1), batch_norm } shortcut { conv(4, kernel = 1) }, relu,
        max_pool(2), conv(4, kernel = 1), dropout(0.5), batch_norm, flatten, linear(4),
    });
    assert_eq!(
        stretches_of(&network(blocks)),
        [
            "0 Σ1; 1 2; 3 Σ4; 4 5 Σ6; 6 7 8 9; 10; Σ11; 11 12; 13",
            "13; 12 Σ11; 11; 10; 9 8 7 Σ6; 6 =4 5 Σ4; 4 3; 2 Σ1; 1 0"
        ]
    );
}

#[test]
fn the_tape_holds_what_normalisations_read() {
    let plan = |layers: TokenStream| {
        let network = network(quote!(struct Net([4, 8, 8] -> [4]) { #layers, global_avg_pool }));
        let steps = steps(&network, Mode::Training);
        let backward = Backward::new(&network, &steps);
        let again: Vec<usize> = (0..steps.len()).filter(|step| backward.recomputed[*step].is_some()).collect();
        let maps = Memory::tape(&network, &steps, &backward).total(&network).map(|total| total / 256);
        (again, maps)
    };
    // What four normalisations read, and what one of them yields at a time.
    assert_eq!(plan(quote!(repeat(4) { conv(4, kernel = 1), batch_norm, relu })), (vec![1, 3, 5, 7], Some(5)));
    // Two convolutions in two stretches read one output: it is kept, beside what they write, what the normalisations read, and the sum.
    let block = quote!(conv(4, kernel = 1), batch_norm, relu, residual { conv(4, kernel = 1) } shortcut { conv(4, kernel = 1), batch_norm });
    assert_eq!(plan(block), (vec![], Some(5)));
}

/// Runs all passes on numbers and compares with what they are to yield.
fn run(network: &Network) {
    check_stretches(network);
    let inference = steps(network, Mode::Inference);
    let (_, y) = forward(network, &inference, &Memory::inference(network, &inference));
    assert_eq!(Some(&y), values(&inference).last());

    let training = steps(network, Mode::Training);
    let plan = Backward::new(network, &training);
    let tape = Memory::tape(network, &training, &plan);
    let (mut tape_arena, y) = forward(network, &training, &tape);
    let values = values(&training);
    assert_eq!(Some(&y), values.last());

    // The gradients, by hand.
    let mut wanted = vec![0.0; training.len()];
    *wanted.last_mut().unwrap() = 1.0;
    for (index, step) in training.iter().enumerate().rev() {
        for operand in step.reads() {
            if let Operand::Step(read) = operand {
                wanted[read] += wanted[index] * factor(index);
            }
        }
    }

    let mut deltas = Arena::new(network, &plan.buffers);
    let mut caller = 1.0;
    let mut seen = vec![false; training.len()];
    for piece in plan.stretches.iter().flatten() {
        let (index, step) = (piece.step(), &training[piece.step()]);
        // What it reads is still on the tape, or there again.
        let is_kept = |operand: Operand, arena: &Arena| match operand {
            Operand::Step(read) => match tape.recomputed[read].unwrap_or(tape.places[read]) {
                Place::Caller => assert_eq!(y, values[read]),
                Place::Arena(buffer) => assert_eq!(arena.read(buffer), values[read], "step {read} in {piece:?}"),
            },
            Operand::Input => {}
        };
        let (reads_x, reads_y) = match (piece, &step.kernel) {
            (Piece::Recompute(_), _) => (true, false),
            (Piece::Step(_), Kernel::BatchNorm { .. }) => (true, false),
            (_, Kernel::Conv { act, .. } | Kernel::Linear { act, .. } | Kernel::BatchNorm { act, .. }) => {
                (true, act.is_some())
            }
            (_, Kernel::Add { act }) => (false, act.is_some()),
            (_, Kernel::Map { layer }) => match &network.layers[*layer].op {
                Op::Activation(act) if is_monotone(act) => (false, true),
                _ => (true, false),
            },
            (_, Kernel::Softmax { .. }) => (false, true),
            _ => (false, false),
        };
        if reads_x {
            is_kept(step.x, &tape_arena);
        }
        if reads_y {
            is_kept(Operand::Step(index), &tape_arena);
        }
        if let (Piece::Recompute(_), Some(Place::Arena(buffer))) = (piece, tape.recomputed[index]) {
            tape_arena.write(buffer, values[index]);
        }
        let Piece::Step(_) = piece else { continue };
        let flows = plan.steps.iter().find(|(step, ..)| *step == index);
        let (_, x, skip) = flows.expect("what runs has flows");
        seen[index] = true;
        let get = |place: Place, deltas: &Arena, caller: f64| match place {
            Place::Caller => caller,
            Place::Arena(buffer) => deltas.read(buffer),
        };
        let put = |place: Place, value: f64, deltas: &mut Arena, caller: &mut f64| match place {
            Place::Caller => *caller = value,
            Place::Arena(buffer) => deltas.write(buffer, value),
        };
        let at = plan.places[index].unwrap();
        let dy = get(at, &deltas, caller);
        assert_eq!(dy, wanted[index], "the gradient of step {index}");
        let dx = factor(index) * dy;
        let in_place = matches!(
            step.kernel,
            Kernel::Map { .. }
                | Kernel::Softmax { .. }
                | Kernel::BatchNorm { .. }
                | Kernel::Add { .. }
                | Kernel::Part { .. }
        );
        if in_place {
            put(at, dx, &mut deltas, &mut caller);
        } else if !matches!(x, Flow::None) {
            // What a kernel overwrites is lost.
            put(at, f64::NAN, &mut deltas, &mut caller);
        }
        for flow in [x, skip] {
            match *flow {
                Flow::None | Flow::InPlace => {}
                Flow::Write(place) => {
                    put(place, dx, &mut deltas, &mut caller);
                    if in_place {
                        assert_eq!(get(at, &deltas, caller), dx, "a copy overlaps with what it copies");
                    }
                }
                Flow::Accumulate(to) => put(to, get(to, &deltas, caller) + dx, &mut deltas, &mut caller),
                Flow::Add { to, by_way_of } => {
                    let part = by_way_of.unwrap_or(at);
                    if by_way_of.is_some() {
                        put(part, dx, &mut deltas, &mut caller);
                    }
                    let sum = get(to, &deltas, caller) + get(part, &deltas, caller);
                    put(to, sum, &mut deltas, &mut caller);
                }
            }
        }
    }
    // Every layer with parameters learns.
    for (index, step) in training.iter().enumerate() {
        assert!(seen[index] || !step.has_params(), "step {index} is left out");
    }
}

#[test]
fn known_networks_run() {
    for tokens in [lenet(), resnet8(), mobilenet()] {
        run(&network(tokens));
    }
    for layers in [
        quote!(relu, relu, flatten),
        quote!(residual { relu } shortcut { relu }, relu, flatten, residual { flatten }, linear(4), softmax),
        quote!(conv(4, kernel = 1), residual { relu } , residual { residual { gelu } shortcut { batch_norm } }, flatten),
        quote!(flatten, linear(8), residual { linear(8), tanh }, residual { gelu, softmax }, residual { flatten }, relu),
    ] {
        run(&network(quote!(struct Net([4, 8, 8] -> [N]) { #layers })));
    }
}

/// Layers that keep the shape `[4, 8, 8]`, blocks among them.
fn layers() -> impl Strategy<Value = TokenStream> {
    let plain = prop::sample::select(vec![
        "conv(4, kernel = 3, padding = 1)",
        "conv(4, kernel = 1, bias = false)",
        "batch_norm",
        "batch_norm",
        "relu",
        "gelu",
        "silu",
        "tanh",
        "softmax",
        "max_pool(3, stride = 1, padding = 1)",
        "avg_pool(1)",
    ])
    .prop_map(|word| word.parse::<TokenStream>().unwrap());
    plain.prop_recursive(4, 40, 5, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..5).prop_map(|list| quote!(#(#list),*));
        prop_oneof![
            2 => list().prop_map(|layers| quote!(residual { #layers })),
            1 => (list(), list()).prop_map(|(layers, skip)| quote!(residual { #layers } shortcut { #skip })),
            1 => list().prop_map(|layers| quote!(repeat(2) { #layers })),
            1 => prop::collection::vec(prop_oneof![1 => Just(TokenStream::new()), 4 => list()], 2..4)
                .prop_map(|branches| quote!(concat { #({ #branches }),* }, conv(4, kernel = 1))),
        ]
    })
}

/// Branches of convolutions of all widths, in an order that has the wide maps before and behind the narrow ones.
fn branches() -> impl Strategy<Value = TokenStream> {
    let plain = prop::sample::select(vec![
        "conv(1, kernel = 1)",
        "conv(4, kernel = 3, padding = 1), relu",
        "conv(40, kernel = 1)",
        "relu, conv_transpose(9, kernel = 1)",
        "conv(5, kernel = 1), batch_norm, gelu",
        "tanh",
        "dropout(0.5)",
        "conv(6, kernel = 1), max_pool(1)",
        "conv(4, kernel = 1), residual { conv(4, kernel = 1) }",
    ])
    .prop_map(|words| words.parse::<TokenStream>().unwrap());
    plain.prop_recursive(3, 24, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4).prop_map(|list| quote!(#(#list),*));
        prop::collection::vec(prop_oneof![1 => Just(TokenStream::new()), 5 => list()], 2..4)
            .prop_map(|branches| quote!(concat { #({ #branches }),* }, conv(4, kernel = 1)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Nothing is overwritten before it was read, and gradients are sums over all that read a value.
    #[test]
    fn random_networks_run(layers in prop::collection::vec(layers(), 1..7), end in 0..5_usize) {
        let end = [quote!(flatten), quote!(flatten, linear(5), batch_norm, relu), quote!(global_avg_pool, linear(3), softmax),
            quote!(max_pool(2), conv(9, kernel = 4), flatten, gelu), quote!(relu)][end].clone();
        let output = if end.to_string() == "relu" { quote!([4, M, 8]) } else { quote!([N]) };
        run(&network(quote!(struct Net([4, 8, 8] -> #output) { #(#layers,)* #end })));
    }

    /// Branches that are stored into the joined map take no more memory than those that are copied, and none is lost.
    #[test]
    fn stored_branches_take_no_more_memory(layers in prop::collection::vec(branches(), 1..4)) {
        let network = network(quote!(struct Net([4, 8, 8] -> [N]) { #(#layers,)* flatten }));
        let (copied, stored) = (apart(&network, Mode::Inference), steps(&network, Mode::Inference));
        let live = |steps: &[Step]| load(&lives(&network, &Memory::inference(&network, steps).buffers));
        prop_assert!(live(&stored) <= live(&copied));
        let total = |steps: &[Step]| Memory::inference(&network, steps).total(&network);
        prop_assert!(total(&stored) <= total(&copied));
        let parts = |steps: &[Step]| steps.iter().filter_map(Step::part).collect::<Vec<_>>();
        prop_assert_eq!(parts(&stored), parts(&copied));
    }
}

#[test]
fn long_networks_are_planned() {
    let layers = (0..500).map(|i| {
        let name = format_ident!("c{i}");
        quote!(residual { #name: conv(4, kernel = 3, padding = 1), batch_norm, relu },)
    });
    run(&network(quote!(struct Net([4, 8, 8] -> [N]) { #(#layers)* flatten })));
}

#[test]
fn branches_are_joined_as_they_come() {
    let line = |layers: TokenStream| lines(quote!(struct Net([4, 8, 8] -> [N]) { #layers }));
    // A branch's place is taken as soon as it is there, in the map of those before it.
    assert_eq!(
        line(
            quote!(conv(4, kernel = 1), concat { { conv(3, kernel = 1), relu }, {}, { tanh, conv(2, kernel = 1) } }, relu, flatten)
        )[0],
        "conv(x) conv+act+part(0) part(0,1) act(0) conv+part(3,2) act(4) planes(5)"
    );
    assert_eq!(line(quote!(concat { {}, {} }, flatten))[1], "pixels(x) part(0) part(0,1) planes(2)");
    assert_eq!(
        line(quote!(flatten, concat { { linear(3) }, {} }, linear(2)))[0],
        "linear(x) part(0) part(x,1) linear(2)"
    );
    let network = network(quote! {
        struct Net([4, 8, 8] -> [N]) { conv(2, kernel = 1), concat { { conv(3, kernel = 1) }, { conv(5, kernel = 1) } }, conv(1, kernel = 1), flatten }
    });
    let steps = steps(&network, Mode::Inference);
    let memory = Memory::inference(&network, &steps);
    // 2 channels for all branches, and the joined map, into which they are stored.
    assert_eq!(Arena::new(&network, &memory.buffers).memory.len(), (2 + 8) * 64);
    assert_eq!(memory.buffers.len(), 2);
    // In training the joined map and one branch at a time.
    let training = crate::plan::steps(&network, Mode::Training);
    assert_eq!(training.iter().filter(|step| matches!(step.kernel, Kernel::Part(_))).count(), 2);
}

#[test]
fn convolutions_store_into_the_joined_map() {
    let line = |layers: TokenStream| lines(quote!(struct Net([4, 8, 8] -> [N]) { #layers, flatten }))[0].clone();
    // With all that follows in the store; dropout is nothing.
    assert_eq!(
        line(quote!(concat {
            { conv(4, kernel = 1), batch_norm, relu },
            { conv(8, kernel = 2, stride = 2), conv_transpose(3, kernel = 2, stride = 2), tanh },
            { conv(4, kernel = 3, padding = 1, groups = depthwise), dropout(0.5) },
        })),
        "conv+norm+act+part(x) conv(x) spread+act+part(1,0) conv+part(x,2) planes(3)"
    );
    // Rows that are pooled, sums, and flattened maps have other pixels; what others read has a map of its own.
    assert_eq!(
        line(quote!(concat { { conv(4, kernel = 1), max_pool(1) }, {} })),
        "pixels(x) conv+pool(0) part(1) part(0,2) planes(3)"
    );
    assert_eq!(
        line(quote!(concat { { residual { conv(4, kernel = 1) } }, {} })),
        "pixels(x) conv+sum(0,0) part(1) part(0,2) planes(3)"
    );
    assert_eq!(
        line(quote!(concat { { conv(4, kernel = 8), flatten }, { conv(4, kernel = 8), flatten, relu } })),
        "conv(x) part(0) conv+act(x) part(2,1)"
    );
    assert_eq!(line(quote!(conv(4, kernel = 1), concat { {}, {} })), "conv(x) part(0) part(0,1) planes(2)");
    // Before the first branch there is no joined map: beside the wide map that the convolution alone reads, it would be one too many.
    assert_eq!(
        line(
            quote!(concat { { conv(16, kernel = 1), conv(4, kernel = 1) }, { conv(16, kernel = 1), conv(4, kernel = 1) } })
        ),
        "conv(x) conv(0) part(1) conv(x) conv+part(3,2) planes(4)"
    );
    assert_eq!(
        line(quote!(concat { { conv(4, kernel = 1), conv(4, kernel = 1) }, { relu } })),
        "pixels(x) conv(0) conv+part(1) act(0) part(3,2) planes(4)"
    );
    // What the compiler alone knows may be too wide.
    assert_eq!(
        line(quote!(concat { { conv(N, kernel = 1), conv(4, kernel = 1) }, { conv(N, kernel = 1) } })),
        "conv(x) conv(0) part(1) conv+part(x,2) planes(3)"
    );
}

#[test]
fn networks_with_branches_run() {
    for layers in [
        quote!(concat { {}, {} }),
        quote!(conv(4, kernel = 1), concat { {}, { relu }, {} }, batch_norm, concat { { tanh }, {} }),
        quote!(concat { { conv(4, kernel = 1) }, { residual { conv(4, kernel = 1) } }, { concat { { gelu }, {} } } }),
        quote!(residual { concat { { conv(2, kernel = 1) }, { batch_norm, conv(2, kernel = 1) } } }),
        quote!(residual { relu } shortcut { concat { { conv(2, kernel = 1) }, { conv(2, kernel = 1), softmax } } }),
    ] {
        run(&network(quote!(struct Net([4, 8, 8] -> [N]) { #layers, flatten })));
        run(&network(
            quote!(struct Net([4, 8, 8] -> [N]) { flatten, residual { linear(256), relu }, concat { {}, { linear(3) } } }),
        ));
        let output =
            network(quote!(struct Net([4, 8, 8] -> [N]) { #layers, flatten })).layers.last().unwrap().input.unwrap();
        let (c, h, w) = (output.c, output.h, output.w);
        run(&network(quote!(struct Net([4, 8, 8] -> [#c, #h, #w]) { #layers })));
    }
}
