//! The macro `include_weights!`: a weight file as a network in read-only memory.
//!
//! ```text
//! tokens ─ parse ─▶ type, path ─ header ─▶ names, types, shapes, places ─ expand ─▶ a constant, which the compiler evaluates
//! ```
//!
//! The macro knows what the file holds, the compiler what the network wants: it compares them, and puts the elements into memory's order
//! (`embed` in the main crate). A weight file's header is little, so it is read here without a library: what users of the core build stays small.

mod header;
mod json;
mod parse;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::diagnostics::Diagnostics;
use header::Tensor;
use parse::Call;

pub fn expansion(tokens: TokenStream) -> TokenStream {
    let mut faults = Diagnostics::default();
    match parse::parse(tokens, &mut faults).and_then(|call| Some((read(&call, &mut faults)?, call))) {
        Some((tensors, call)) => expand(&call, &tensors),
        // One fault: it takes the place of the expression.
        None => faults.into_tokens(),
    }
}

/// What the file holds.
fn read(call: &Call, faults: &mut Diagnostics) -> Option<Vec<Tensor>> {
    let name = &call.name;
    let bytes = match std::fs::read(&call.path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let fault = faults.push(call.place, format!("{name}: cannot read it: {error}"));
            fault.note("the path begins at the folder of the crate's Cargo.toml");
            return None;
        }
    };
    match header::read(&bytes) {
        Ok(tensors) => Some(tensors),
        Err(reason) => {
            let size = bytes.len();
            faults.push(call.place, format!("{name}: not a whole safetensors file ({size} bytes): {reason}"));
            None
        }
    }
}

/// ```text
/// {
///     #[allow(long_running_const_eval, …)]
///     const NETWORK: LeNet = ::tenonet::__private::embed(&::tenonet::__private::EmbeddedFile {
///         name: "lenet.safetensors",
///         tensors: &[::tenonet::__private::EmbeddedTensor { name: "fc3.bias", dtype: "F32", shape: &[10], start: 247584, end: 247624 }, …],
///         names: ::tenonet::Names::DECLARED,
///         bytes: ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", "lenet.safetensors")),
///     });
///     NETWORK
/// }
/// ```
///
/// All of it has the place of the file's path: there the compiler underlines what the evaluation finds.
fn expand(call: &Call, tensors: &[Tensor]) -> TokenStream {
    let Call { network, name, bytes, names, .. } = call;
    let span = call.place.start;
    let names =
        names.as_ref().map_or_else(|| quote_spanned!(span=> ::tenonet::Names::DECLARED), |names| quote!(#names));
    let tensors = tensors.iter().map(|Tensor { name, dtype, shape, start, end }| {
        quote_spanned!(span=> ::tenonet::__private::EmbeddedTensor {
            name: #name, dtype: #dtype, shape: &[#(#shape),*], start: #start, end: #end,
        })
    });
    quote_spanned! {span=>
        {
            #[allow(long_running_const_eval, reason = "a large network's elements are put into another order")]
            const NETWORK: #network = ::tenonet::__private::embed(&::tenonet::__private::EmbeddedFile {
                name: #name,
                tensors: &[#(#tensors),*],
                bytes: #bytes,
                names: #names,
            });
            NETWORK
        }
    }
}

#[cfg(test)]
mod tests;
