//! `repeat(n) { layers }`: the layers, n times one after another, each time with parameters of their own.

use proc_macro2::Delimiter;
use quote::format_ident;
use syn::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;

use super::{End, Head, Reader, braces, layer, skip_group};
use crate::ir::{Name, Num, Place};
use crate::parse::args::entries;
use crate::parse::number::number;
use crate::parse::{Doubt, next_group};

/// A repetition, for a help.
const FORM: &str = "write `repeat(3) { conv(16, kernel = 3, padding = same), relu }`";

/// As many layers as repetitions may make: some ten times those of the deepest networks. A slip of the hand is told, and not expanded.
const MOST_LAYERS: usize = 4096;

/// The repetition that layers belong to.
pub struct Scope {
    /// The name before `repeat`, if there is one.
    name: Option<Ident>,
    /// Counted from 1.
    index: usize,
    times: usize,
}

/// The name of a layer in repetitions: `conv_2`; where the repetitions have a name too, `stage_2_conv`.
pub fn scoped(scopes: &[Scope], name: Ident) -> Ident {
    if scopes.is_empty() {
        return name;
    }
    let (mut prefix, mut suffix) = (String::new(), String::new());
    for Scope { name, index, .. } in scopes {
        match name {
            // Its own name is one of a repetition around it: `stage_1` in the first one.
            Some(name) => prefix += &format!("{}{}_{index}_", name.unraw(), std::mem::take(&mut suffix)),
            None => suffix += &format!("_{index}"),
        }
    }
    format_ident!("{prefix}{}{suffix}", name.unraw(), span = name.span())
}

/// What messages call a layer: by its name, and in a repetition behind the first one by that too.
pub fn title(scopes: &[Scope], name: &Name) -> String {
    let name = name.to_string();
    if scopes.iter().all(|scope| scope.index == 1) {
        return name;
    }
    let places: Vec<String> = scopes.iter().map(|Scope { index, times, .. }| format!("{index} of {times}")).collect();
    format!("{name} (repetition {})", places.join(", in it "))
}

impl Reader<'_> {
    /// `(n) { layers }`.
    pub fn repeat(&mut self, head: Head, input: ParseStream, start: End) -> End {
        let Head { name, kind } = head;
        let name = name.map(|name| layer::usable(name, self.position, "block", self.faults));
        let who = name.as_ref().map_or("repeat".to_owned(), |name| name.unraw().to_string());
        let times = self.times(&who, &kind, input);
        let body = match braces(input) {
            Some(body) if !body.stream().is_empty() => body,
            body => {
                let (place, how) = match &body {
                    Some(body) => (body.span(), ""),
                    None => (kind.span(), ": they stand in braces"),
                };
                self.faults.push(Place::at(place), format!("{who} has no layers{how}")).help(FORM);
                self.position += 1;
                return End { doubt: Doubt::ALL, ..start };
            }
        };

        let (known, place) = times.as_ref().map_or((1, None), |(times, place)| (*times, Some(*place)));
        let (first, first_net) = (self.layers.len(), self.held.len());
        let mut end = start;
        for index in 1..=known {
            let (begin, begin_net, told) = (self.layers.len(), self.held.len(), self.faults.len());
            self.scopes.push(Scope { name: name.clone(), index, times: known });
            end = self.arm(&body, end);
            self.scopes.pop();
            if index > 1 {
                // The same tokens have the same faults of syntax.
                self.faults.truncate(told);
                for copy in begin..self.layers.len() {
                    let twin = first + copy - begin;
                    self.layers[copy].copy_of = Some(self.layers[twin].copy_of.unwrap_or(twin));
                }
                for copy in begin_net..self.held.len() {
                    let twin = first_net + copy - begin_net;
                    self.held[copy].copy_of = Some(self.held[twin].copy_of.unwrap_or(twin));
                }
                continue;
            }
            let layers = self.layers.len() - first;
            if let Some(place) = place
                && first.saturating_add(layers.saturating_mul(known)) > MOST_LAYERS
            {
                let text = format!("{who}: {known} repetitions make more than {MOST_LAYERS} layers");
                self.faults.push(place, text).note(format!("one repetition has {layers}"));
                return End { doubt: Doubt::ALL, ..end };
            }
            if layers == 0 {
                // Nothing could be read.
                break;
            }
        }
        if times.is_none() {
            end.doubt = Doubt::ALL;
        }
        end
    }

    /// The number in parentheses, and where it stands; told if there is none that could be.
    fn times(&mut self, who: &str, kind: &Ident, input: ParseStream) -> Option<(usize, Place)> {
        let Some(group) = next_group(input).filter(|group| group.delimiter() == Delimiter::Parenthesis) else {
            self.faults.push(Place::at(kind.span()), format!("{who}: how many times is missing")).help(FORM);
            return None;
        };
        skip_group(input);
        let told = self.faults.len();
        let (list, _) = entries(group.stream(), who, self.faults);
        let mut list = list.into_iter();
        let Some(entry) = list.next() else {
            if self.faults.len() == told {
                self.faults.push(Place::at(group.span()), format!("{who}: how many times is missing")).help(FORM);
            }
            return None;
        };
        if let Some(name) = entry.name {
            let fault = self.faults.push(Place::at(name.span()), format!("{who}: its number has no name"));
            fault.help(FORM);
        }
        if let Some(more) = list.next() {
            let place = more.name.map_or_else(|| Place::of(&more.value), |name| Place::at(name.span()));
            self.faults.push(place, format!("{who} takes one number")).help(FORM);
        }
        match number(entry.value, &format!("{who}: the number of repetitions"), self.faults)? {
            Num::Known(0, place) => {
                let text = format!("{who}: the number of repetitions is 0, it must be at least 1");
                self.faults.push(place, text);
                None
            }
            Num::Known(times, place) => Some((times, place)),
            number @ Num::Const(_) => {
                let text = format!("{who}: the number of repetitions is no literal");
                self.faults
                    .push(number.place(), text)
                    .note("the macro has to know how many layers there are, and it cannot see the value of a constant")
                    .help("write the number out: `repeat(3) { … }`");
                None
            }
        }
    }
}
