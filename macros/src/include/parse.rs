//! The arguments: a type, and a path that is known when the macro runs.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token, Type};

use crate::diagnostics::Diagnostics;
use crate::ir::Place;

/// A call, understood.
pub struct Call {
    /// The network's type.
    pub network: Type,
    /// The path as it was written, for messages.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The path's tokens: they are underlined.
    pub place: Place,
    /// The file's bytes, as an expression: with it the compiler knows that the crate depends on the file.
    pub bytes: TokenStream,
    /// `names = MAP`: what the file calls the network's tensors.
    pub names: Option<Expr>,
}

/// `LeNet, "lenet.safetensors"`, and perhaps `names = MAP`.
struct Arguments {
    network: Type,
    file: Expr,
    names: Option<Expr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let network = input.parse()?;
        input.parse::<Token![,]>()?;
        let file = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        let mut names = None;
        if input.peek(Ident)
            && input.fork().parse::<Ident>().is_ok_and(|word| word == "names")
            && input.peek2(Token![=])
        {
            input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            names = Some(input.parse()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if !input.is_empty() {
            let takes = "include_weights takes a network's type, the path of its file, and `names = …`, nothing more";
            return Err(input.error(takes));
        }
        Ok(Arguments { network, file, names })
    }
}

pub fn parse(tokens: TokenStream, faults: &mut Diagnostics) -> Option<Call> {
    let Arguments { network, file, names } = match syn::parse2(tokens) {
        Ok(arguments) => arguments,
        Err(error) => {
            let fault = faults.push(Place::at(error.span()), error);
            fault.help(
                "write the network's type and the path of its file: include_weights!(LeNet, \"lenet.safetensors\")",
            );
            return None;
        }
    };
    let place = Place::of(&file);
    let name = match text(&file) {
        Ok(name) => name,
        Err(fault) => {
            faults.push(place, fault);
            return None;
        }
    };
    let span = place.start;
    let (path, bytes) = if Path::new(&name).is_absolute() {
        (PathBuf::from(&name), quote!(#file))
    } else {
        // Cargo sets it for every crate that it has built.
        let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        let path = quote_spanned!(span=> ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #file));
        (Path::new(&root).join(&name), path)
    };
    let bytes = quote_spanned!(span=> ::core::include_bytes!(#bytes));
    Some(Call { network, name, path, place, bytes, names })
}

/// The text of a literal, or of `concat!` and `env!` of literals: such a path leads to the folder of a build script.
fn text(expr: &Expr) -> Result<String, String> {
    match expr {
        Expr::Group(group) => text(&group.expr),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.value()),
        Expr::Macro(call) if is(&call.mac.path, "concat") => {
            let parts = call.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
            parts.map_err(|error| error.to_string())?.iter().map(text).collect()
        }
        Expr::Macro(call) if is(&call.mac.path, "env") => {
            let name = call.mac.parse_body::<LitStr>().map_err(|error| error.to_string())?.value();
            std::env::var(&name).map_err(|_| format!("the environment variable `{name}` is not set"))
        }
        _ => Err("the path is a literal, or `concat!` and `env!` of literals".to_owned()),
    }
}

/// Whether the path's last name is this one: `core::concat` is `concat`.
fn is(path: &syn::Path, name: &str) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == name)
}
