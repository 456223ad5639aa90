//! `concat { { layers }, { layers } }`: branches on one input, joined along the channels. An empty branch is the input itself.

use proc_macro2::{Delimiter, Group};
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};

use super::{End, Head, Reader, braces, layer, skip_group};
use crate::ir::{Branch, Concat, Op, Place};
use crate::parse::args::skip_until;
use crate::parse::{Doubt, here, next_group};

/// A block, for a help.
const FORM: &str = "write `concat { { conv(16, kernel = 1) }, { conv(16, kernel = 3, padding = same), relu } }`";

impl Reader<'_> {
    /// `{ { layers }, { layers } }`.
    pub fn concat(&mut self, head: Head, input: ParseStream, start: End) -> End {
        let Head { name, kind } = head;
        let name = name.map(|name| layer::usable(name, self.position, "block", self.faults));
        let who = name.as_ref().map_or("concat".to_owned(), |name| name.unraw().to_string());
        let arguments = next_group(input).filter(|group| group.delimiter() == Delimiter::Parenthesis);
        if let Some(arguments) = &arguments {
            skip_group(input);
            self.faults.push(Place::at(arguments.span()), format!("{who} takes no arguments")).help(FORM);
        }
        let Some(group) = braces(input) else {
            if arguments.is_none() {
                let text = format!("{who} has no branches: they stand in braces");
                self.faults.push(Place::at(kind.span()), text).help(FORM);
            }
            self.position += 1;
            return End { doubt: Doubt::ALL, ..start };
        };
        let (branches, whole) = self.branches(&who, &group, start);
        let first = match branches.as_slice() {
            [(first, _), _, ..] if whole => *first,
            _ => {
                if whole {
                    let how = if branches.is_empty() { "no branches" } else { "one branch: there is nothing to join" };
                    self.faults.push(Place::at(group.span()), format!("{who} has {how}")).help(FORM);
                }
                self.position += 1;
                return End { doubt: Doubt::ALL, ..start };
            }
        };

        let name = (name.clone().unwrap_or_else(|| layer::implicit(self.position, &kind)), name.is_some());
        self.position += 1;
        let (ends, places): (Vec<End>, Vec<Place>) = branches.into_iter().unzip();
        let branches = ends.iter().zip(places).map(|(end, place)| Branch { end: end.at, place }).collect();
        let end = self.push(name, kind, Op::Concat(Concat { branches }), first, Doubt::NONE);
        if let Some(doubts) = self.doubts.last_mut() {
            doubts.branches = ends.iter().map(|end| end.doubt).collect();
        }
        end
    }

    /// The branches with their braces. The flag tells whether all could be read.
    fn branches(&mut self, who: &str, group: &Group, start: End) -> (Vec<(End, Place)>, bool) {
        let (mut branches, mut whole) = (Vec::new(), true);
        let read = |input: ParseStream| {
            while !input.is_empty() {
                if input.peek(Token![,]) {
                    self.faults.push(here(input), "a branch is missing before this comma");
                    whole = false;
                } else if let Some(branch) = braces(input) {
                    branches.push((self.arm(&branch, start), Place::at(branch.span())));
                } else {
                    self.faults
                        .push(here(input), format!("{who}: each branch has its layers in braces"))
                        .help("write `{ conv(16, kernel = 1), relu }`; `{}` is the input itself");
                    whole = false;
                    // Layers without braces: one fault is enough.
                    skip_until(input, |_| false);
                }
                if input.is_empty() {
                    break;
                }
                if input.peek(Token![,]) {
                    let _ = input.parse::<Token![,]>();
                } else {
                    self.faults.push(here(input), "expected `,` before this: branches are separated by commas");
                    // `{ relu } { tanh }`: the next branch begins here. Otherwise nobody knows what this is.
                    if next_group(input).is_none_or(|group| group.delimiter() != Delimiter::Brace) {
                        whole = false;
                        skip_until(input, |_| false);
                    }
                }
            }
            Ok(())
        };
        // The reader consumes everything and returns no error of its own.
        let _ = read.parse2(group.stream());
        (branches, whole)
    }
}
