//! `net(Other)`: another network in place of a layer. Its declaration stands there already, `net(Other => { ([3, 32, 32] -> [64]) { layers } })`
//! ([`nets`](crate::nets)), and its layers are read as those of this network.

use std::mem;

use proc_macro2::{Delimiter, Group};
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Path, PathArguments, Token};

use super::{End, Head, Reader, layer, scoped, skip_group, title};
use crate::ir::{Name, Net, Place};
use crate::parse::args::skip_until;
use crate::parse::{Doubt, in_and_out, next_group};

/// A network within, for a help.
const FORM: &str = "write `net(Backbone)`: the name of a network that `network!` declares";

/// What stands between the parentheses.
struct Held {
    path: Path,
    header: Group,
    layers: Group,
}

impl Reader<'_> {
    /// `(Other => { (header) { layers } })`.
    pub fn net(&mut self, head: Head, input: ParseStream, start: End) -> End {
        let Head { name, kind } = head;
        let named = name.is_some();
        let own = match name {
            Some(name) => {
                let name = layer::usable(name, self.position, "net", self.faults);
                scoped(self.scopes(), name)
            }
            None => layer::implicit(self.position, &kind),
        };
        self.position += 1;
        let name = Name { nets: self.nets.clone(), own: own.clone() };
        let unknown = End { doubt: Doubt::ALL, ..start };
        let Some(Held { path, header, layers }) = self.held(&name, &kind, input) else { return unknown };

        let ident = path.segments.last().map_or_else(|| own.clone(), |segment| segment.ident.clone());
        let (Some(declared), _) = in_and_out(&header, &ident, self.faults) else { return unknown };
        let index = self.held.len();
        let input = declared.numbers;
        // Its input is what it declares, whatever arrives; the layers go by that.
        let doubt = if input.iter().all(|number| number.known().is_some()) { Doubt::NONE } else { start.doubt };
        let (first, from, copy_of) = (self.layers.len(), start.at, None);
        let (title, place) = (title(&self.scopes, &name), Place::of(&path));
        let of = ident.to_string();
        self.held.push(Net { name, named, title, copy_of, kind, of, place, from, input, layers: first..first });
        self.net_doubts.push(start.doubt);

        // Its layers' names and positions are those that they have without this network around.
        let (position, scoped) = (mem::take(&mut self.position), mem::replace(&mut self.scoped, self.scopes.len()));
        self.nets.push(own);
        let end = self.arm(&layers, End { at: start.at, doubt });
        self.nets.pop();
        (self.position, self.scoped) = (position, scoped);
        self.held[index].layers.end = self.layers.len();
        end
    }

    /// Reads the parentheses; told if no declaration stands in them.
    fn held(&mut self, name: &Name, kind: &Ident, input: ParseStream) -> Option<Held> {
        let Some(group) = next_group(input).filter(|group| group.delimiter() == Delimiter::Parenthesis) else {
            self.faults.push(Place::at(kind.span()), format!("{name}: which network is missing")).help(FORM);
            return None;
        };
        skip_group(input);
        let mut held = None;
        let read = |input: ParseStream| {
            held = self.declaration(name, &group, input);
            skip_until(input, |_| false);
            Ok(())
        };
        // The reader consumes everything and returns no error of its own.
        let _ = read.parse2(group.stream());
        held
    }

    fn declaration(&mut self, name: &Name, group: &Group, input: ParseStream) -> Option<Held> {
        let tokens = Place::of(&group.stream());
        if input.is_empty() {
            self.faults.push(Place::at(group.span()), format!("{name}: which network is missing")).help(FORM);
            return None;
        }
        let Ok(path) = input.parse::<Path>() else {
            self.faults.push(tokens, format!("{name}: this is no network")).help(FORM);
            return None;
        };
        if input.peek(Token![=>]) {
            let _ = input.parse::<Token![=>]>();
            let mut parts = next_group(input)?.stream().into_iter().filter_map(|token| match token {
                proc_macro2::TokenTree::Group(group) => Some(group),
                _ => None,
            });
            let (header, layers) = (parts.next(), parts.next());
            if header.is_none() {
                // The other network has faults, which are told where it is declared.
                self.faults.hush();
            }
            return Some(Held { path, header: header?, layers: layers? });
        }
        if !input.is_empty() {
            self.faults.push(Place::at(input.span()), format!("{name}: net takes a network alone")).help(FORM);
        } else if path.is_ident(self.network) {
            self.faults.push(tokens, format!("{name}: {} cannot hold itself", self.network));
        } else if path.segments.iter().any(|segment| !matches!(segment.arguments, PathArguments::None)) {
            self.faults
                .push(tokens, format!("{name}: a network within another has that one's element type"))
                .help(FORM);
        } else {
            self.faults.push(tokens, format!("{name}: this is no network")).help(FORM);
        }
        None
    }
}
