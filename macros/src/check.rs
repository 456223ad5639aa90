//! Propagates shapes through a declaration, wherever its numbers are literals, and notes every fault at its token.
//!
//! Behind a fault it goes on with the best guess of the layer's output, so that faults that have nothing to do with each
//! other are told together. What could be a consequence of an earlier fault is not told: for each axis of a
//! feature map it is known whether its length is in doubt. Where a number is a `const` expression the shape is unknown
//! from there on, and the assertions that the expansion holds are the judges.

mod concat;
mod layer;

use std::collections::{HashMap, HashSet};

use syn::ext::IdentExt;
use tenonet_shape::{Shape, Text};

use crate::diagnostics::Diagnostics;
use crate::ir::{Network, Num, Op, Place, Source};
use crate::parse::{Doubt, Parsed};
use layer::{Sums, Told};
pub use layer::{known_conv, known_conv_transpose, known_pad, known_pool, known_upsample};

/// What is known of the feature map between two layers.
#[derive(Clone, Copy, Debug)]
struct Map {
    /// Its shape, or the best guess; `None` if a `const` expression decides.
    shape: Option<Shape>,
    /// Which axes of it are a guess.
    doubt: Doubt,
    /// Whether it is no flat vector, even if its axes are in doubt.
    surely_map: bool,
}

/// Checks a declaration and fills in its layers' shapes.
pub fn check(parsed: &mut Parsed, faults: &mut Diagnostics) {
    let Parsed { network, doubts, output_is_a_guess } = parsed;
    names(network, faults);

    let mut map = Map { shape: known_shape(&network.input), doubt: Doubt::NONE, surely_map: false };
    if let Some(shape) = map.shape
        && shape.len() > Shape::MOST_ELEMENTS
    {
        let place = network.input[0].place().to(network.input[2].place());
        faults.push(place, format!("{}: its input has more elements than memory has addresses", network.ident));
        map.doubt = Doubt::ALL;
    }
    let (mut sums, mut told) = (Sums::new(), Told::default());
    let input = map;
    // What leaves each layer.
    let mut maps: Vec<Map> = Vec::new();
    for (index, (layer, doubts)) in network.layers.iter_mut().zip(&doubts.layers).enumerate() {
        let of = |source: Source| match source {
            Source::Input => input,
            Source::Layer(index) => maps[index],
        };
        let mut arrives = of(layer.from);
        arrives.doubt |= doubts.arrives;
        let leaves = match &layer.op {
            Op::Residual(residual) => {
                let (block, mut skip) = (of(residual.input), of(residual.skip()));
                skip.doubt |= doubts.skip;
                layer::check_sum((index, layer), block, arrives, skip, &mut told, faults)
            }
            Op::Concat(block) => {
                let branches: Vec<Map> = (block.branches.iter().zip(&doubts.branches))
                    .map(|(branch, doubt)| {
                        let mut map = of(branch.end);
                        map.doubt |= *doubt;
                        map
                    })
                    .collect();
                concat::check((index, layer), &branches, &mut told, faults)
            }
            _ => layer::check((index, layer), arrives, doubts.own, &mut sums, &mut told, faults),
        };
        maps.push(leaves);
    }
    map = maps.last().copied().unwrap_or(map);
    map.doubt |= doubts.leaves;

    if faults.is_empty() {
        budget(network, &sums, faults);
    }
    if !*output_is_a_guess {
        output(network, &map, faults);
    }
}

/// The shape of three literals.
pub fn known_shape(numbers: &[Num; 3]) -> Option<Shape> {
    Some(Shape::new(numbers[0].known()?, numbers[1].known()?, numbers[2].known()?))
}

/// A name belongs to one layer.
fn names(network: &Network, faults: &mut Diagnostics) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    // The first repetitions of the layers that are told: the same tokens are wrong once.
    let mut told: HashSet<(usize, usize)> = HashSet::new();
    let first_of = |index: usize| network.layers[index].copy_of.unwrap_or(index);
    let repeated: HashSet<usize> = network.layers.iter().filter_map(|layer| layer.copy_of).collect();
    for (index, layer) in network.layers.iter().enumerate() {
        let name = layer.name.unraw().to_string();
        let Some(&first) = seen.get(&name) else {
            seen.insert(name, index);
            continue;
        };
        if !told.insert((first_of(first), first_of(index))) {
            continue;
        }
        // A layer without a name is called by its kind and position; then the name that someone chose is the wrong one.
        let (wrong, unnamed) = match (&network.layers[first], layer) {
            (first, layer) if !layer.named => (first, Some(layer)),
            (first, layer) if !first.named => (layer, Some(first)),
            (_, layer) => (layer, None),
        };
        let fault = faults.push(Place::at(wrong.name.span()), format!("two layers are called `{name}`"));
        if let Some(unnamed) = unnamed {
            fault.note(format!("a {} without a name is called by its kind and position", unnamed.kind));
        } else if repeated.contains(&first_of(first)) || repeated.contains(&first_of(index)) {
            fault.note("in `repeat` a layer's name has the number of the repetition behind it: `name_1`, `name_2`, …");
        } else {
            fault.help("a layer's name is its field and its name in weight files: choose another");
        }
    }
    // The running averages are a field of their own.
    if network.layers.iter().any(|layer| matches!(layer.op, Op::BatchNorm(_))) {
        for layer in network.layers.iter().filter(|layer| layer.has_params() && layer.name.unraw() == "statistics") {
            faults
                .push(
                    Place::at(layer.name.span()),
                    "a layer is called `statistics`, as the running averages of batch_norm are",
                )
                .help("a layer's name is its field: choose another");
        }
    }
}

/// The declared output is what the last layer yields.
fn output(network: &Network, map: &Map, faults: &mut Diagnostics) {
    let (Some(real), Some(declared), Doubt::NONE) = (map.shape, known_shape(&network.output), map.doubt) else {
        return;
    };
    if real.same(declared) {
        return;
    }
    let (name, written) = (&network.ident, real.brackets());
    let headline = format!("{name}: declared output {} differs from the real output {written}", declared.brackets());
    let fault = faults.push(Place::at(network.output_span), headline);
    if let Some(last) = network.layers.last() {
        fault.note(format!("the last layer, {}, yields {}", last.name.unraw(), real.text()));
    }
    fault.help(if real.len() == declared.len() && declared.is_flat() {
        "put `flatten` behind the last layer".to_owned()
    } else {
        format!("declare `-> {written}`, or change the last layer")
    });
}

/// The limits on what is a sum over the layers. Scratch and tape depend on the plan: `const` assertions judge them.
fn budget(network: &Network, sums: &Sums, faults: &mut Diagnostics) {
    let name = &network.ident;
    if let (Some(limit), Some(params), Some(statistics)) = (&network.budget.weights, sums.params, sums.statistics)
        && let (Some(most), Num::Known(_, place)) = (limit.known(), limit)
        && let bytes = params.saturating_add(statistics).saturating_mul(size_of::<f32>())
        && bytes > most
    {
        let (bytes, most, params) =
            (Text::new().grouped(bytes), Text::new().grouped(most), Text::new().grouped(params));
        let averages = match statistics {
            0 => String::new(),
            _ => format!(" and {} running averages", Text::new().grouped(statistics)),
        };
        faults
            .push(*place, format!("{name}: its weights take {bytes} bytes, the budget is {most}"))
            .note(format!("{params} parameters{averages} of 4 bytes{}", largest(&sums.largest_params)));
    }
    if let (Some(limit), Some(macs)) = (&network.budget.macs, sums.macs)
        && let (Some(most), Num::Known(_, place)) = (limit.known(), limit)
        && macs > most
    {
        let (macs, most) = (Text::new().grouped(macs), Text::new().grouped(most));
        faults
            .push(*place, format!("{name}: it takes {macs} multiply-adds, the budget is {most}"))
            .note(format!("for one input{}", largest(&sums.largest_macs)));
    }
}

/// `; 48,120 of them in fc1`.
fn largest(largest: &Option<(String, usize)>) -> String {
    largest
        .as_ref()
        .map_or(String::new(), |(name, count)| format!("; {} of them in {name}", Text::new().grouped(*count)))
}
