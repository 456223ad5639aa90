//! Propagates shapes through a declaration, wherever its numbers are literals, and notes every fault at its token.
//!
//! Behind a fault it goes on with the best guess of the layer's output, so that faults that have nothing to do with each
//! other are told together. What could be a consequence of an earlier fault is not told: for each axis of a
//! feature map it is known whether its length is in doubt. Where a number is a `const` expression the shape is unknown
//! from there on, and the assertions that the expansion holds are the judges.

mod concat;
mod layer;

use std::collections::{HashMap, HashSet};

use syn::Ident;
use syn::ext::IdentExt;
use tenonet_shape::{Shape, Text};

use crate::diagnostics::Diagnostics;
use crate::ir::{Name, Net, Network, Num, Op, Place, Source, entered};
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
    let (nets, mut entries) = (&network.nets, Entries::default());
    for (index, (layer, own)) in network.layers.iter_mut().zip(&doubts.layers).enumerate() {
        let seen =
            |source: Source, entries: &Entries| match (entered(&nets[..entries.maps.len()], index, source), source) {
                (Some(net), _) => entries.maps[net],
                (None, Source::Input) => input,
                (None, Source::Layer(index)) => maps[index],
            };
        while let Some(net) = nets.get(entries.maps.len()).filter(|net| net.layers.start == index) {
            let mut arrives = seen(net.from, &entries);
            arrives.doubt |= doubts.nets[entries.maps.len()];
            entries.check(entries.maps.len(), net, arrives, faults);
        }
        let (doubts, of) = (own, |source| seen(source, &entries));
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
    if let Some(name) = &network.folded
        && !network.layers.iter().any(|layer| matches!(layer.op, Op::BatchNorm(_)))
    {
        faults.push(Place::at(name.span()), format!("{}: there is no batch_norm to fold", network.ident));
    } else if let Some(name) = network.folded.as_ref().filter(|name| **name == network.ident) {
        faults.push(Place::at(name.span()), format!("{name}: the folded network needs a name of its own"));
    }
    if !*output_is_a_guess {
        output(network, &map, faults);
    }
}

/// The shape of three literals.
pub fn known_shape(numbers: &[Num; 3]) -> Option<Shape> {
    Some(Shape::new(numbers[0].known()?, numbers[1].known()?, numbers[2].known()?))
}

/// The shape of what a source yields, where the macro can know it.
pub fn known_source(network: &Network, source: Source) -> Option<Shape> {
    match source {
        Source::Input => known_shape(&network.input),
        Source::Layer(index) => network.layers[index].output,
    }
}

/// Who has a name: a layer, or a network within.
struct Bearer<'a> {
    name: &'a Name,
    named: bool,
    kind: &'a Ident,
    /// The first of its repetitions.
    first: usize,
    /// The layers behind it that are in it, and networks.
    within: usize,
}

/// Layers and networks within, each of these before what is in it.
fn bearers(network: &Network) -> Vec<Bearer<'_>> {
    let mut bearers: Vec<Bearer<'_>> = Vec::new();
    // The places of layers and of networks in the list.
    let (mut layers, mut nets): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (index, layer) in network.layers.iter().enumerate() {
        while let Some(net) = network.nets.get(nets.len()).filter(|net| net.layers.start == index) {
            let within = network.nets[nets.len() + 1..].iter().filter(|other| net.layers.contains(&other.layers.start));
            let (place, within) = (bearers.len(), net.layers.len() + within.count());
            let first = net.copy_of.map_or(place, |first| nets[first]);
            bearers.push(Bearer { name: &net.name, named: net.named, kind: &net.kind, first, within });
            nets.push(place);
        }
        let place = bearers.len();
        let first = layer.copy_of.map_or(place, |first| layers[first]);
        bearers.push(Bearer { name: &layer.name, named: layer.named, kind: &layer.kind, first, within: 0 });
        layers.push(place);
    }
    bearers
}

/// A name belongs to one layer, or to one network within.
fn names(network: &Network, faults: &mut Diagnostics) {
    let bearers = bearers(network);
    let mut seen: HashMap<String, usize> = HashMap::new();
    // The first repetitions of those that are told: the same tokens are wrong once.
    let mut told: HashSet<(usize, usize)> = HashSet::new();
    let is_repeated = |bearer: &Bearer<'_>| bearers.iter().filter(|other| other.first == bearer.first).nth(1).is_some();
    let mut rest = bearers.iter().enumerate();
    while let Some((index, bearer)) = rest.next() {
        let name = bearer.name.to_string();
        let Some(&first) = seen.get(&name) else {
            seen.insert(name, index);
            continue;
        };
        // What is in a network of a taken name has taken names, too.
        if bearer.within > 0 {
            rest.nth(bearer.within - 1);
        }
        let other = &bearers[first];
        if !told.insert((other.first, bearer.first)) {
            continue;
        }
        // A layer without a name is called by its kind and position; then the name that someone chose is the wrong one.
        let (wrong, unnamed) = match (other, bearer) {
            (other, bearer) if !bearer.named => (other, Some(bearer)),
            (other, bearer) if !other.named => (bearer, Some(other)),
            (_, bearer) => (bearer, None),
        };
        let what = if other.within > 0 || bearer.within > 0 { "a network and a layer" } else { "two layers" };
        let what = if other.within > 0 && bearer.within > 0 { "two networks" } else { what };
        let fault = faults.push(Place::at(wrong.name.span()), format!("{what} are called `{name}`"));
        if let Some(unnamed) = unnamed {
            fault.note(format!("a {} without a name is called by its kind and position", unnamed.kind));
        } else if is_repeated(other) || is_repeated(bearer) {
            fault.note("in `repeat` a layer's name has the number of the repetition behind it: `name_1`, `name_2`, …");
        } else {
            fault.help("a layer's name is its field and its name in weight files: choose another");
        }
    }
    // The running averages are a field of their own.
    if network.layers.iter().any(|layer| matches!(layer.op, Op::BatchNorm(_))) {
        let layers = network.layers.iter().filter(|layer| layer.has_params()).map(|layer| (&layer.name, "layer"));
        let nets = network.nets.iter().map(|net| (&net.name, "network"));
        for (name, what) in
            layers.chain(nets).filter(|(name, _)| name.nets.is_empty() && name.own.unraw() == "statistics")
        {
            faults
                .push(
                    Place::at(name.span()),
                    format!("a {what} is called `statistics`, as the running averages of batch_norm are"),
                )
                .help(format!("a {what}'s name is its field: choose another"));
        }
    }
}

/// The networks within, as far as they are known.
#[derive(Default)]
struct Entries {
    /// What arrives at the layers of each.
    maps: Vec<Map>,
    /// The first repetitions whose fault is told.
    told: HashSet<usize>,
}

impl Entries {
    /// Tells whether what arrives at a network within is its declared input. Its layers go by what it declares.
    fn check(&mut self, index: usize, net: &Net, arrives: Map, faults: &mut Diagnostics) {
        let declared = known_shape(&net.input);
        self.maps.push(match (declared, arrives.shape, arrives.doubt) {
            (Some(declared), Some(shape), Doubt::NONE) if !shape.same(declared) => {
                if self.told.insert(net.copy_of.unwrap_or(index)) {
                    let headline = shape.arrival_text(declared, &net.title, &net.of);
                    let fault = faults.push(net.place, headline.as_str());
                    if shape.len() == declared.len() && declared.is_flat() {
                        fault.help("put `flatten` before it");
                    }
                }
                Map { shape: Some(declared), doubt: Doubt::NONE, surely_map: false }
            }
            (Some(declared), _, doubt) if doubt != Doubt::NONE => {
                Map { shape: Some(declared), doubt: Doubt::NONE, surely_map: false }
            }
            _ => arrives,
        });
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
        fault.note(format!("the last layer, {}, yields {}", last.name, real.text()));
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
