//! The arguments of one layer: read, told apart by name, and handed out one by one.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token};

use super::number::bare;
use super::words::{self, Takes};
use crate::diagnostics::Diagnostics;
use crate::ir::Place;

/// One entry of a list: `value` or `name = value`.
pub struct Entry {
    pub name: Option<Ident>,
    pub value: Expr,
}

/// Reads `value, name = value, …`. What cannot be read is told and skipped up to the next comma; the flag is then false.
pub fn entries(tokens: TokenStream, who: &str, faults: &mut Diagnostics) -> (Vec<Entry>, bool) {
    let mut list = Vec::new();
    let mut whole = true;
    let read = |input: ParseStream| {
        while !input.is_empty() {
            match entry(input, who, faults) {
                Some(entry) => list.push(entry),
                None => {
                    whole = false;
                    skip_to_comma(input);
                }
            }
            if input.is_empty() {
                break;
            }
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            } else {
                whole = false;
                let colon = input.peek(Token![:]) && !input.peek(Token![::]);
                let text = match list.last().and_then(|entry| single_word(&entry.value)) {
                    Some(word) if colon => {
                        list.pop();
                        format!("{who}: `{word}` is followed by `=`, not by `:`")
                    }
                    _ => format!("{who}: expected `,` before this"),
                };
                faults.push(Place::at(input.span()), text);
                // `kernel = 3 stride = 2`: the next argument begins here. Otherwise nobody knows what this is.
                if !begins_named(input) {
                    skip_to_comma(input);
                    if input.peek(Token![,]) {
                        input.parse::<Token![,]>()?;
                    }
                }
            }
        }
        Ok(())
    };
    // The reader consumes everything and returns no error of its own.
    whole &= read.parse2(tokens).is_ok();
    (list, whole)
}

fn begins_named(input: ParseStream) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>])
}

fn entry(input: ParseStream, who: &str, faults: &mut Diagnostics) -> Option<Entry> {
    if input.peek(Token![,]) {
        faults.push(Place::at(input.span()), format!("{who}: an argument is missing before this comma"));
        return None;
    }
    let mut name = None;
    if begins_named(input) {
        let word = input.call(Ident::parse_any).ok()?;
        input.parse::<Token![=]>().ok()?;
        if input.is_empty() || input.peek(Token![,]) {
            faults.push(Place::at(word.span()), format!("{who}: `{word}` has no value"));
            return None;
        }
        name = Some(word);
    }
    // On a fork, because an error leaves the stream somewhere inside the expression.
    let fork = input.fork();
    match fork.parse() {
        Ok(value) => {
            input.advance_to(&fork);
            Some(Entry { name, value })
        }
        Err(error) => {
            let what = name.map_or("an argument".to_owned(), |name| format!("`{name}`"));
            faults.push(Place::at(error.span()), format!("{who}: {what} cannot be read: {error}"));
            None
        }
    }
}

/// Skips to the next comma that is not inside brackets.
pub fn skip_to_comma(input: ParseStream) {
    skip_until(input, |input| input.peek(Token![,]));
}

/// Skips to where `found` holds, or to the end.
pub fn skip_until(input: ParseStream, found: impl Fn(ParseStream) -> bool) {
    while !input.is_empty() && !found(input) {
        if input.parse::<proc_macro2::TokenTree>().is_err() {
            return;
        }
    }
}

/// The arguments of a layer, those that its kind takes.
#[derive(Default)]
pub struct Args {
    pub first: Option<Expr>,
    named: Vec<(Ident, Expr)>,
    flags: Vec<Ident>,
}

impl Args {
    /// Sorts what was written by what the kind takes. The flag tells whether all of it had a place.
    pub fn sort(entries: Vec<Entry>, takes: &Takes, kind: &str, who: &str, faults: &mut Diagnostics) -> (Args, bool) {
        let mut args = Args::default();
        let before = faults.len();
        for Entry { name, value } in entries {
            match name {
                Some(name) => args.put_named(name, value, takes, kind, who, faults),
                None => args.put_bare(value, takes, kind, who, faults),
            }
        }
        let whole = faults.len() == before;
        (args, whole)
    }

    fn put_named(&mut self, name: Ident, value: Expr, takes: &Takes, kind: &str, who: &str, faults: &mut Diagnostics) {
        let word = name.to_string();
        let place = Place::at(name.span());
        if takes.named.contains(&word.as_str()) {
            if self.named.iter().any(|(given, _)| *given == name) {
                faults.push(place, format!("{who}: `{word}` is given twice"));
            } else {
                self.named.push((name, value));
            }
            return;
        }
        let known = words::nearest(&word, takes.named.iter().copied());
        let fault = if words::is_argument(&word) || known.is_none() && takes.named.is_empty() {
            faults.push(place, format!("{who}: {kind} does not take `{word}`"))
        } else {
            faults.push(place, format!("{who}: unknown argument `{word}`"))
        };
        match (known, takes.first) {
            (Some(known), _) => fault.help(format!("did you mean `{known}`?")),
            _ if takes.flags.contains(&word.as_str()) => fault.help(format!("`{word}` stands alone, without a value")),
            (None, Some(first)) if words::names_first(&word) && self.first.is_none() => {
                // It was meant, so nothing else is missing.
                self.first = Some(value);
                fault.help(format!("the {first} is the first argument, without a name: `{}`", takes.example))
            }
            _ => fault.help(takes.list()),
        };
    }

    fn put_bare(&mut self, value: Expr, takes: &Takes, kind: &str, who: &str, faults: &mut Diagnostics) {
        let place = Place::of(&value);
        if let Some(word) = single_word(&value) {
            let text = word.to_string();
            if takes.flags.contains(&text.as_str()) {
                if let Some(other) = self.flags.first() {
                    let text = if *other == word {
                        format!("{who}: `{word}` is given twice")
                    } else {
                        format!("{who}: `{word}` contradicts `{other}`")
                    };
                    faults.push(place, text);
                } else {
                    self.flags.push(word);
                }
                return;
            }
            if let Some(named) = takes.named.iter().find(|named| word == named) {
                faults.push(place, format!("{who}: `{named}` has no value")).help(format!("write `{named} = …`"));
                return;
            }
            if words::FLAGS.contains(&text.as_str()) {
                let fault = faults.push(place, format!("{who}: {kind} does not take `{word}` alone"));
                match words::owner(&text).filter(|owner| takes.named.contains(owner)) {
                    Some(owner) => fault.help(format!("write `{owner} = {word}`")),
                    None => fault.help(takes.list()),
                };
                return;
            }
        }
        match takes.first {
            Some(_) if self.first.is_none() => self.first = Some(value),
            Some(first) => {
                let fault = faults.push(place, format!("{who}: only the {first} stands without a name"));
                let free = takes.named.iter().find(|named| !self.named.iter().any(|(given, _)| given == named));
                match single_word(&value)
                    .and_then(|word| words::nearest(&word.to_string(), takes.flags.iter().copied()))
                {
                    Some(flag) => fault.help(format!("did you mean `{flag}`?")),
                    None => match free {
                        Some(free) => fault.help(format!("name what it is: `{free} = …`")),
                        None => fault,
                    },
                };
            }
            None => {
                let fault = faults.push(place, format!("{who}: {kind} does not take this argument"));
                match takes.named {
                    [named] => fault.help(format!("name what it is: `{named} = …`")),
                    _ => fault.help(takes.list()),
                };
            }
        }
    }

    /// Takes out the value of a named argument, with its name.
    pub fn take(&mut self, name: &str) -> Option<(Ident, Expr)> {
        let index = self.named.iter().position(|(given, _)| given == name)?;
        Some(self.named.swap_remove(index))
    }

    /// Whether a word that stands alone was given.
    pub fn flag(&self, word: &str) -> bool {
        self.flags.iter().any(|flag| flag == word)
    }
}

/// The word that an expression is, if it is a single one.
pub fn single_word(value: &Expr) -> Option<Ident> {
    match bare(value.clone()) {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        _ => None,
    }
}
