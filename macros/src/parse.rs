//! Tokens → [`Network`]: syntax alone, no arithmetic of shapes. A fault is noted, a harmless guess takes the place of
//! what is faulty, and reading goes on, so that all faults of a declaration are told at once.

pub mod args;
mod block;
mod layer;
pub mod number;
pub mod words;

use std::ops::BitOrAssign;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Token, Visibility};

use crate::diagnostics::Diagnostics;
use crate::ir::{Budget, Network, Num, Place};
use args::{entries, skip_until};
use number::number;

/// What parsing found.
pub struct Parsed {
    pub network: Network,
    pub doubts: Doubts,
    /// Whether the declared output could not be read.
    pub output_is_a_guess: bool,
}

/// Which axes of a feature map a fault leaves unknown: nothing more is told about them, for it could be a consequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    pub channels: bool,
    pub height: bool,
    pub width: bool,
}

impl Doubt {
    pub const NONE: Doubt = Doubt { channels: false, height: false, width: false };
    pub const CHANNELS: Doubt = Doubt { channels: true, ..Doubt::NONE };
    /// Height and width.
    pub const SIZE: Doubt = Doubt { height: true, width: true, ..Doubt::NONE };
    pub const ALL: Doubt = Doubt { channels: true, height: true, width: true };
}

impl BitOrAssign for Doubt {
    fn bitor_assign(&mut self, other: Doubt) {
        self.channels |= other.channels;
        self.height |= other.height;
        self.width |= other.width;
    }
}

/// What faults of syntax leave in doubt.
#[derive(Debug)]
pub struct Doubts {
    /// One for each layer.
    pub layers: Vec<LayerDoubts>,
    /// About what arrives at each network within, beyond what the layer before it yields.
    pub nets: Vec<Doubt>,
    /// About what leaves the network, beyond what its last layer yields.
    pub leaves: Doubt,
}

/// What faults of syntax leave in doubt about one layer.
#[derive(Clone, Debug)]
pub struct LayerDoubts {
    /// Its own numbers.
    pub own: Doubt,
    /// What arrives, beyond what the layer before it yields.
    pub arrives: Doubt,
    /// What a block adds to its layers' output, beyond what the layer yields that it comes from.
    pub skip: Doubt,
    /// What each branch of a concat yields, beyond what the layer yields that it ends with.
    pub branches: Vec<Doubt>,
}

/// What is expected where the declaration makes no sense at all.
const FORM: &str = "write `struct Name([1, 28, 28] -> [10]) { … }`";

/// Reads a declaration. `None`: it does not even have a name.
pub fn parse(tokens: TokenStream, faults: &mut Diagnostics) -> Option<Parsed> {
    let mut parsed = None;
    let read = |input: ParseStream| {
        parsed = declaration(input, faults);
        skip_until(input, |_| false);
        Ok(())
    };
    // The reader consumes everything and returns no error of its own.
    let _ = read.parse2(tokens);
    parsed
}

fn declaration(input: ParseStream, faults: &mut Diagnostics) -> Option<Parsed> {
    let Attributes { others: attrs, budget, exported, folded } = attributes(input, faults);
    let vis = visibility(input, faults);
    if let Some(place) = exported
        && !matches!(vis, Visibility::Public(_))
    {
        faults.push(place, "only a `pub` network can be in other crates' networks").help("write `pub struct`");
    }
    if !input.peek(Token![struct]) {
        faults.push(here(input), "expected `struct`").help(FORM);
        skip_until(input, |input| input.peek(Token![struct]));
    }
    let keyword = input.parse::<Token![struct]>().ok()?;
    if !input.peek(Ident::peek_any) {
        let place = if input.is_empty() { Place::at(keyword.span) } else { here(input) };
        faults.push(place, "expected the network's name").help(FORM);
        return None;
    }
    let ident = input.call(Ident::parse_any).ok()?;
    if syn::parse_str::<Ident>(&ident.to_string()).is_err() {
        faults.push(Place::at(ident.span()), format!("`{ident}` is a keyword of Rust and cannot name a network"));
        return None;
    }
    if ident == "T" {
        faults.push(Place::at(ident.span()), "`T` is the element type of every network and cannot name one");
        return None;
    }
    if input.peek(Token![<]) {
        faults
            .push(here(input), format!("{ident}: a network declares no generics"))
            .help(format!("its element type is there by itself: `{ident}` is `{ident}<f32>`"));
        skip_until(input, |input| next_group(input).is_some());
    }

    let mut shapes = None;
    match next_group(input) {
        Some(group) if group.delimiter() == Delimiter::Parenthesis => {
            let _ = input.parse::<TokenTree>();
            shapes = Some(in_and_out(&group, &ident, faults));
        }
        _ => {
            faults.push(Place::at(ident.span()), format!("{ident}: its input and output are missing")).help(FORM);
        }
    }
    let (from, to) = shapes.unwrap_or((None, None));
    let unknown = || Declared {
        numbers: [1; 3].map(|n| Num::Known(n, Place::at(ident.span()))),
        span: ident.span(),
        guess: true,
    };
    let (from, to) = (from.unwrap_or_else(unknown), to.unwrap_or_else(unknown));

    if !matches!(next_group(input), Some(group) if group.delimiter() == Delimiter::Brace) {
        let place = if input.is_empty() { Place::at(ident.span()) } else { here(input) };
        faults.push(place, format!("{ident}: expected its layers, `{{ conv(16, kernel = 3), relu, … }}`"));
        skip_until(input, |input| matches!(next_group(input), Some(group) if group.delimiter() == Delimiter::Brace));
    }
    let (mut layers, mut nets) = (Vec::new(), Vec::new());
    let mut doubts = Doubts { layers: Vec::new(), nets: Vec::new(), leaves: Doubt::ALL };
    if let Some(group) = next_group(input) {
        let _ = input.parse::<TokenTree>();
        let read = |input: ParseStream| {
            let doubt = if from.guess { Doubt::ALL } else { Doubt::NONE };
            (layers, nets, doubts) = block::layers(input, &ident, doubt, faults);
            skip_until(input, |_| false);
            Ok(())
        };
        let _ = read.parse2(group.stream());
        if group.stream().is_empty() {
            faults
                .push(Place::at(group.span()), format!("{ident} has no layers"))
                .help("a network has at least one, such as `flatten`");
            doubts.leaves = Doubt::ALL;
        }
        if !input.is_empty() {
            faults
                .push(here(input), format!("{ident}: nothing follows the layers"))
                .help("each network has a `network! { … }` of its own");
        }
    }
    let (input, output, output_span) = (from.numbers, to.numbers, to.span);
    let network = Network {
        attrs,
        exported: exported.is_some(),
        folded,
        vis,
        ident,
        input,
        output,
        output_span,
        budget,
        layers,
        nets,
    };
    Some(Parsed { network, doubts, output_is_a_guess: to.guess })
}

/// The next token's place.
fn here(input: ParseStream) -> Place {
    Place::at(input.span())
}

/// The next token, if it is a group with brackets.
fn next_group(input: ParseStream) -> Option<Group> {
    match input.fork().parse() {
        Ok(TokenTree::Group(group)) if group.delimiter() != Delimiter::None => Some(group),
        _ => None,
    }
}

/// The attributes of a network.
struct Attributes {
    budget: Budget,
    /// `#[macro_export]`, where it stands.
    exported: Option<Place>,
    /// `#[folded(Name)]`.
    folded: Option<Ident>,
    /// The struct's.
    others: Vec<Attribute>,
}

fn attributes(input: ParseStream, faults: &mut Diagnostics) -> Attributes {
    let (mut attrs, mut exported, mut folded) = (Vec::new(), None, None);
    let mut budget: Option<Budget> = None;
    while input.peek(Token![#]) {
        let fork = input.fork();
        let Ok(list) = fork.call(Attribute::parse_outer) else {
            faults.push(here(input), "this attribute cannot be read");
            let _ = input.parse::<TokenTree>();
            skip_until(input, |input| input.peek(Token![#]) || input.peek(Token![pub]) || input.peek(Token![struct]));
            continue;
        };
        input.advance_to(&fork);
        for attr in list {
            if attr.path().is_ident("repr") {
                // Any other layout would make the struct more than its elements.
                faults
                    .push(
                        Place::of(&attr.path()),
                        "a network's layout is its own: `repr(C)`, the parameters and nothing else",
                    )
                    .help("leave the attribute out; a struct of yours with `repr(align(…))` may hold the network");
            } else if attr.path().is_ident("folded") {
                match attr.parse_args::<Ident>() {
                    Ok(_) if folded.is_some() => {
                        faults.push(Place::of(&attr.path()), "the folded network is given twice");
                    }
                    Ok(name) => folded = Some(name),
                    Err(_) => {
                        let fault = faults.push(Place::of(&attr.meta), "the folded network has a name in parentheses");
                        fault.help("write `#[folded(NetInference)]`: the struct that `net.folded()` yields");
                    }
                }
            } else if attr.path().is_ident("macro_export") {
                exported = Some(Place::of(&attr.path()));
            } else if !attr.path().is_ident("budget") {
                attrs.push(attr);
            } else if budget.is_some() {
                faults.push(Place::of(&attr.path()), "the budget is given twice");
            } else {
                budget = Some(read_budget(&attr, faults));
            }
        }
    }
    Attributes { budget: budget.unwrap_or_default(), exported, folded, others: attrs }
}

/// `#[budget(weights = 256 * 1024, scratch = 16 * 1024, macs = 500_000, tape = 64 * 1024)]`.
fn read_budget(attr: &Attribute, faults: &mut Diagnostics) -> Budget {
    const NAMES: [&str; 4] = ["weights", "scratch", "macs", "tape"];
    const HELP: &str = "it is `budget(weights = …, scratch = …, tape = …, macs = …)`: bytes, and multiply-adds";
    let mut budget = Budget::default();
    let Ok(list) = attr.meta.require_list() else {
        faults.push(Place::of(&attr.meta), "a budget has limits in parentheses").help(HELP);
        return budget;
    };
    let (list, _) = entries(list.tokens.clone(), "budget", faults);
    if list.is_empty() && faults.is_empty() {
        faults.push(Place::of(&attr.meta), "this budget limits nothing").help(HELP);
    }
    for entry in list {
        let Some(name) = entry.name else {
            faults.push(Place::of(&entry.value), "budget: what does this limit?").help(HELP);
            continue;
        };
        let slot = match name.to_string().as_str() {
            "weights" => &mut budget.weights,
            "scratch" => &mut budget.scratch,
            "macs" => &mut budget.macs,
            "tape" => &mut budget.tape,
            word => {
                let fault = faults.push(Place::at(name.span()), format!("budget: unknown limit `{word}`"));
                match words::nearest(word, NAMES.into_iter()) {
                    Some(known) => fault.help(format!("did you mean `{known}`?")),
                    None => fault.help(HELP),
                };
                continue;
            }
        };
        if slot.is_some() {
            faults.push(Place::at(name.span()), format!("budget: `{name}` is given twice"));
        } else {
            *slot = number(entry.value, &format!("budget: {name}"), faults);
        }
    }
    budget
}

fn visibility(input: ParseStream, faults: &mut Diagnostics) -> Visibility {
    let fork = input.fork();
    match fork.parse() {
        Ok(vis) => {
            input.advance_to(&fork);
            vis
        }
        Err(error) => {
            faults.push(Place::at(error.span()), format!("this visibility cannot be read: {error}"));
            skip_until(input, |input| input.peek(Token![struct]));
            Visibility::Inherited
        }
    }
}

/// A shape as it is declared.
struct Declared {
    numbers: [Num; 3],
    span: Span,
    /// Whether a fault was told, so that numbers are guesses.
    guess: bool,
}

/// `([C, H, W] -> [N])`; what could not be read is `None`.
fn in_and_out(group: &Group, ident: &Ident, faults: &mut Diagnostics) -> (Option<Declared>, Option<Declared>) {
    let (mut from, mut to) = (None, None);
    let read = |input: ParseStream| {
        let end = Place::at(group.span());
        let place = |input: ParseStream| if input.is_empty() { end } else { here(input) };
        from = match bracket(input) {
            Some(bracket) => Some(shape(&bracket, &format!("{ident}: its input"), faults)),
            None => {
                faults
                    .push(place(input), format!("{ident}: expected its input, `[channels, height, width]`"))
                    .help(FORM);
                skip_until(input, |input| input.peek(Token![->]));
                None
            }
        };
        if !input.peek(Token![->]) {
            faults.push(place(input), format!("{ident}: expected `->` and its output")).help(FORM);
            skip_until(input, |input| input.peek(Token![->]) || next_group(input).is_some());
        }
        let arrow = input.parse::<Token![->]>().is_ok();
        to = match bracket(input) {
            Some(bracket) => Some(shape(&bracket, &format!("{ident}: its output"), faults)),
            None => {
                if arrow {
                    let text = format!("{ident}: expected its output, `[features]` or `[channels, height, width]`");
                    faults.push(place(input), text);
                }
                None
            }
        };
        if !input.is_empty() && to.is_some() {
            faults.push(here(input), format!("{ident}: expected nothing behind its output"));
        }
        skip_until(input, |_| false);
        Ok(())
    };
    let _ = read.parse2(group.stream());
    (from, to)
}

/// The next token, if it is a group in square brackets.
fn bracket(input: ParseStream) -> Option<Group> {
    let group = next_group(input).filter(|group| group.delimiter() == Delimiter::Bracket)?;
    let _ = input.parse::<TokenTree>();
    Some(group)
}

/// `[N]` or `[C, H, W]`.
fn shape(group: &Group, what: &str, faults: &mut Diagnostics) -> Declared {
    let before = faults.len();
    let one = |span| Num::Known(1, Place::at(span));
    let (list, _) = entries(group.stream(), what, faults);
    let mut numbers = Vec::new();
    for entry in list {
        if let Some(name) = entry.name {
            faults.push(Place::at(name.span()), format!("{what}: the numbers of a shape have no names"));
        }
        numbers.push(size(entry.value, what, faults).unwrap_or_else(|| one(group.span())));
    }
    let span = group.span();
    let numbers = match <[Num; 1]>::try_from(numbers) {
        Ok([features]) => [features, one(span), one(span)],
        Err(numbers) => <[Num; 3]>::try_from(numbers).unwrap_or_else(|numbers| {
            if faults.len() > before {
                // A number that could not be read is told already.
                return [1; 3].map(|_| one(span));
            }
            let fault = faults.push(
                Place::at(span),
                format!("{what} has {} numbers; a shape is `[features]` or `[channels, height, width]`", numbers.len()),
            );
            match <[Num; 2]>::try_from(numbers) {
                Ok([height, width]) => {
                    if let (Some(h), Some(w)) = (height.known(), width.known()) {
                        fault.help(format!("a single channel is written out: `[1, {h}, {w}]`"));
                    }
                    [one(span), height, width]
                }
                Err(_) => [1; 3].map(|_| one(span)),
            }
        }),
    };
    Declared { numbers, span, guess: faults.len() > before }
}

/// One number of a shape; told if it is zero.
fn size(value: Expr, what: &str, faults: &mut Diagnostics) -> Option<Num> {
    let number = number(value, what, faults)?;
    if number.known() == Some(0) {
        faults.push(number.place(), format!("{what} is empty: every number of a shape is at least 1"));
        return None;
    }
    Some(number)
}
