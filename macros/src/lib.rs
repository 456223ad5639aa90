//! The macros of tenonet. `network!` is a small compiler; `include_weights!` stands in [`include`].
//!
//! ```text
//! tokens ─ nets ─▶ with the declarations of networks within
//!        ─ parse ─▶ ir::Network ─ check ─▶ the same with shapes ─ plan ─▶ steps, sizes, offsets ─ expand ─▶ tokens
//!            └──────────┴─ diagnostics: any fault ─▶ one `compile_error!` each, and a stub of the network
//! ```
//!
//! `parse` knows syntax alone and keeps the spans; `check` propagates shapes and collects every fault. After `check` nothing changes.
#![allow(unreachable_pub, reason = "a macro crate exports its macro alone; `pub` says what a module offers the others")]

mod check;
mod diagnostics;
mod expand;
mod fold;
mod include;
mod ir;
mod nets;
mod parse;
mod plan;
mod size;
mod stub;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use diagnostics::Diagnostics;
use parse::Parsed;

// Its documentation stands where the main crate exports it: there its example can be compiled.
#[allow(missing_docs, reason = "documented at its export")]
#[proc_macro]
pub fn network(tokens: TokenStream) -> TokenStream {
    expansion(tokens.into()).into()
}

#[allow(missing_docs, reason = "documented at its export")]
#[proc_macro]
pub fn include_weights(tokens: TokenStream) -> TokenStream {
    include::expansion(tokens.into()).into()
}

fn expansion(tokens: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let tokens = match nets::complete(tokens) {
        Ok(tokens) => tokens,
        Err(question) => return question,
    };
    let (declared, faults) = front(tokens.clone());
    match declared {
        Some(declared) if faults.is_empty() => {
            expand::expand(&declared.network, &nets::offer(&declared.network, tokens, false))
        }
        Some(declared) => {
            let offer = nets::offer(&declared.network, tokens, true);
            let mut tokens = faults.into_tokens();
            tokens.extend(stub::stub(declared.network, &offer));
            tokens
        }
        None => faults.into_tokens(),
    }
}

/// The front half: the declaration with its shapes, as far as it could be understood, and all faults.
fn front(tokens: proc_macro2::TokenStream) -> (Option<Parsed>, Diagnostics) {
    let mut faults = Diagnostics::default();
    let mut parsed = parse::parse(tokens, &mut faults);
    if let Some(parsed) = &mut parsed {
        check::check(parsed, &mut faults);
    }
    (parsed, faults)
}
