//! Faults of a declaration, and how they are told: each one becomes a `compile_error!` whose span is the faulty token.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::ir::Place;

/// One fault.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    place: Place,
    headline: String,
    note: Option<String>,
    help: Option<String>,
}

impl Diagnostic {
    /// Adds the arithmetic or the reason behind the headline; an empty text adds nothing.
    pub fn note(&mut self, note: impl ToString) -> &mut Self {
        self.note = Some(note.to_string()).filter(|note| !note.is_empty());
        self
    }

    /// Adds the repair; an empty text adds nothing.
    pub fn help(&mut self, help: impl ToString) -> &mut Self {
        self.help = Some(help.to_string()).filter(|help| !help.is_empty());
        self
    }

    /// All lines, as the compiler prints them: it indents those after the first to the headline's column.
    pub fn text(&self) -> String {
        let mut text = self.headline.clone();
        for (label, line) in [("note", &self.note), ("help", &self.help)] {
            if let Some(line) = line {
                text += &format!("\n= {label}: {line}");
            }
        }
        text
    }

    /// `::core::compile_error! { "…" }`: from the first token's span to the last one's, so that rustc underlines them all.
    fn to_tokens(&self) -> TokenStream {
        let text = self.text();
        let path = quote_spanned!(self.place.start=> ::core::compile_error!);
        quote_spanned!(self.place.end=> #path { #text })
    }
}

/// All faults of one declaration.
#[derive(Debug, Default)]
pub struct Diagnostics {
    told: Vec<Diagnostic>,
    /// Whether there is a fault that is told elsewhere.
    hushed: bool,
}

impl Diagnostics {
    /// Adds a fault; note and help can be added to what it returns.
    pub fn push(&mut self, place: Place, headline: impl ToString) -> &mut Diagnostic {
        let index = self.told.len();
        self.told.push(Diagnostic { place, headline: headline.to_string(), note: None, help: None });
        &mut self.told[index]
    }

    /// Forgets the last faults, all but `len`.
    pub fn truncate(&mut self, len: usize) {
        self.told.truncate(len);
    }

    /// Notes a fault that is told elsewhere.
    pub fn hush(&mut self) {
        self.hushed = true;
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && !self.hushed
    }

    pub fn len(&self) -> usize {
        self.told.len()
    }

    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.told.iter()
    }

    /// One `compile_error!` for each fault, in the order of the source.
    pub fn into_tokens(mut self) -> TokenStream {
        self.told.sort_by_key(|fault| position(fault.place.start));
        self.told.iter().map(Diagnostic::to_tokens).collect()
    }
}

/// Line and column of a span. Outside of the compiler (in unit tests) spans have none.
fn position(span: Span) -> (usize, usize) {
    if !proc_macro::is_available() {
        return (0, 0);
    }
    let span = span.unwrap().start();
    (span.line(), span.column())
}
