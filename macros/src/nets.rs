//! `net(Other)`: the declaration of another network in place of its name.
//!
//! A macro sees its own tokens alone. So each `network!` leaves a macro of the network's name beside the struct, which hands the declaration on:
//! ```text
//! macro_rules! __tenonet_Backbone {
//!     ([$($then:tt)*] $($tokens:tt)*) => { $($then)*! { @net { ([3, 32, 32] -> [64]) { conv1: conv(16, kernel = 3), … } } $($tokens)* } };
//! }
//! pub(crate) use __tenonet_Backbone as Backbone;
//! ```
//! A `network! { … net(Backbone) … }` calls it with its own tokens, is called again with the answer before them, and puts that in place:
//! `net(Backbone => { ([3, 32, 32] -> [64]) { … } })`. When no name is left, it is read like any other declaration.
//!
//! Constants of the declaration are unknown where it is put. It names them as elements of two tables that the struct has, `Backbone::__NUMBERS[0]`.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Lit, Path, PathArguments, Token, Visibility};

use crate::diagnostics::Diagnostics;
use crate::ir::{Network, Num};
use crate::parse::args::{entries, single_word};
use crate::parse::number::{bare, literal_value, number};
use crate::parse::words::{self, NET};

/// Where another network has to be asked for its declaration: the call that does it. Otherwise the tokens, with all declarations in place.
pub fn complete(tokens: TokenStream) -> Result<TokenStream, TokenStream> {
    let (answer, tokens) = answer(tokens);
    let tokens = match (answer, first_name(&tokens)) {
        (Some(answer), Some(name)) => {
            let text = text(&name);
            let declaration = resolved(answer, &name);
            replaced(tokens, &mut |kind, group| {
                let path = net_name(kind, group).filter(|path| self::text(path) == text)?;
                Some(quote!(#path => { #declaration }))
            })
        }
        (_, _) => tokens,
    };
    match first_name(&tokens) {
        Some(name) => Err(quote!(#name! { [::tenonet::network] #tokens })),
        None => Ok(tokens),
    }
}

/// `@net { declaration } tokens`: the declaration that was asked for, and the tokens that asked.
fn answer(tokens: TokenStream) -> (Option<TokenStream>, TokenStream) {
    let mut rest = tokens.clone().into_iter();
    match (rest.next(), rest.next(), rest.next()) {
        (Some(TokenTree::Punct(at)), Some(TokenTree::Ident(net)), Some(TokenTree::Group(answer)))
            if at.as_char() == '@' && net == NET =>
        {
            (Some(answer.stream()), rest.collect())
        }
        _ => (None, tokens),
    }
}

fn text(path: &Path) -> String {
    quote!(#path).to_string()
}

/// The first network, if one is named whose declaration is not in place and that is not the declared one itself.
fn first_name(tokens: &TokenStream) -> Option<Path> {
    let own = match behind_struct(tokens.clone()).next() {
        Some(TokenTree::Ident(own)) => Some(own),
        _ => None,
    };
    let mut first = None;
    replaced(tokens.clone(), &mut |kind, group| {
        if first.is_none() {
            first = net_name(kind, group).filter(|path| own.as_ref().is_none_or(|own| !path.is_ident(own)));
        }
        None
    });
    first
}

/// The path in the parentheses, if they stand behind `net` and hold that alone.
fn net_name(kind: &Ident, group: &Group) -> Option<Path> {
    let path: Path = (kind == NET).then(|| syn::parse2(group.stream()).ok())??;
    path.segments.iter().all(|segment| matches!(segment.arguments, PathArguments::None)).then_some(path)
}

/// The tokens with what `other` makes of the parentheses behind each word, in all braces.
fn replaced(tokens: TokenStream, other: &mut impl FnMut(&Ident, &Group) -> Option<TokenStream>) -> TokenStream {
    let mut word: Option<Ident> = None;
    let token = |token| {
        let before = word.take();
        let (group, tokens) = match token {
            TokenTree::Ident(ident) => {
                word = Some(ident.clone());
                return TokenTree::Ident(ident);
            }
            TokenTree::Group(group) => {
                let tokens = match group.delimiter() {
                    Delimiter::Brace => Some(replaced(group.stream(), other)),
                    Delimiter::Parenthesis => before.and_then(|word| other(&word, &group)),
                    _ => None,
                };
                (group, tokens)
            }
            token => return token,
        };
        match tokens {
            Some(tokens) => regrouped(&group, tokens),
            None => TokenTree::Group(group),
        }
    };
    tokens.into_iter().map(token).collect()
}

/// What stands behind the word `struct`.
fn behind_struct(tokens: TokenStream) -> impl Iterator<Item = TokenTree> {
    tokens.into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "struct")).skip(1)
}

/// Other tokens between the same brackets.
fn regrouped(group: &Group, tokens: TokenStream) -> TokenTree {
    let mut other = Group::new(group.delimiter(), tokens);
    other.set_span(group.span());
    TokenTree::Group(other)
}

/// What stands for an element of a table in a declaration that is handed on: `__tenonet_NUMBERS_0`.
const PREFIX: &str = "__tenonet_";
const NUMBERS: &str = "NUMBERS";
const REALS: &str = "REALS";

/// The declaration of the network `path` with its tables' elements.
fn resolved(declaration: TokenStream, path: &Path) -> TokenStream {
    let token = |token| match token {
        TokenTree::Group(group) => regrouped(&group, resolved(group.stream(), path)).into(),
        TokenTree::Ident(ident) => match element(&ident) {
            Some((table, index)) => quote!(#path::#table[#index]),
            None => TokenTree::Ident(ident).into(),
        },
        token => TokenStream::from(token),
    };
    declaration.into_iter().map(token).collect()
}

fn element(ident: &Ident) -> Option<(Ident, proc_macro2::Literal)> {
    let word = ident.to_string();
    let (table, index) = word.strip_prefix(PREFIX)?.split_once('_')?;
    Some((format_ident!("__{table}"), proc_macro2::Literal::usize_unsuffixed(index.parse().ok()?)))
}

/// What a network leaves for others that hold it.
pub struct Offer {
    /// The macro that hands on the declaration.
    pub items: TokenStream,
    /// The tables, as items of the struct.
    pub tables: TokenStream,
}

impl Offer {
    /// Of a network that others cannot hold.
    pub fn none() -> Self {
        Offer { items: TokenStream::new(), tables: TokenStream::new() }
    }
}

/// `tokens`: the declaration, all others in place. A faulty one is offered as such: its faults are told already.
pub fn offer(network: &Network, tokens: TokenStream, is_faulty: bool) -> Offer {
    let mut tables = Tables::default();
    let declaration = if is_faulty { TokenStream::new() } else { tables.declaration(tokens) };
    let Network { ident, vis, exported, .. } = network;
    let name = format_ident!("__tenonet_{}", ident.unraw());
    let (export, vis) = match (exported, vis) {
        (true, _) => (quote!(#[macro_export]), quote!(#vis)),
        // A macro that is not exported is its crate's at most.
        (false, Visibility::Public(_)) => (TokenStream::new(), quote!(pub(crate))),
        (false, _) => (TokenStream::new(), quote!(#vis)),
    };
    let items = quote! {
        #[doc(hidden)]
        #export
        #[allow(unused_macros, reason = "for networks that hold this one")]
        macro_rules! #name {
            ([$($then:tt)*] $($tokens:tt)*) => { $($then)*! { @net { #declaration } $($tokens)* } };
        }
        #[doc(hidden)]
        #[allow(unused_imports, reason = "for networks that hold this one")]
        #vis use #name as #ident;
    };
    Offer { items, tables: tables.items(&network.vis) }
}

/// The constants of a declaration.
#[derive(Default)]
struct Tables {
    numbers: Vec<Expr>,
    reals: Vec<Expr>,
}

impl Tables {
    fn items(&self, vis: &Visibility) -> TokenStream {
        let Tables { numbers, reals } = self;
        let table = |name: &str, ty: TokenStream, list: &[Expr]| {
            let (name, len) = (format_ident!("__{name}"), proc_macro2::Literal::usize_unsuffixed(list.len()));
            (!list.is_empty()).then(|| {
                quote! {
                    #[doc(hidden)]
                    #[allow(clippy::all, unused_parens, arithmetic_overflow, reason = "constants of the declaration, for other networks alone, and judged where they stand")]
                    #vis const #name: [#ty; #len] = [#(#list),*];
                }
            })
        };
        let (numbers, reals) = (table(NUMBERS, quote!(usize), numbers), table(REALS, quote!(f64), reals));
        quote!(#numbers #reals)
    }

    /// Input, output and layers of a whole declaration.
    fn declaration(&mut self, tokens: TokenStream) -> TokenStream {
        let groups = behind_struct(tokens).filter_map(|token| match token {
            TokenTree::Group(group) => Some(group),
            _ => None,
        });
        groups.map(|group| self.group(&group)).collect()
    }

    /// `([C, H, W] -> [N])` or `{ layers }`.
    fn group(&mut self, group: &Group) -> TokenTree {
        let tokens = match group.delimiter() {
            Delimiter::Brace => self.layers(group.stream()),
            _ => group
                .stream()
                .into_iter()
                .map(|token| match token {
                    TokenTree::Group(shape) => regrouped(&shape, self.arguments("", shape.stream())),
                    token => token,
                })
                .collect(),
        };
        regrouped(group, tokens)
    }

    fn layers(&mut self, tokens: TokenStream) -> TokenStream {
        replaced(tokens, &mut |kind, group| {
            Some(match kind.unraw().to_string().as_str() {
                NET => self.net(group.stream()),
                kind => self.arguments(kind, group.stream()),
            })
        })
    }

    /// `Other => { (header) { layers } }`.
    fn net(&mut self, tokens: TokenStream) -> TokenStream {
        let read = |input: ParseStream| {
            let (path, arrow): (Path, Token![=>]) = (input.parse()?, input.parse()?);
            let declaration: Group = input.parse()?;
            // Where it goes to, the path leads nowhere; it is the network's name for messages.
            let name = path.segments.last().map(|segment| &segment.ident);
            let inside = declaration.stream().into_iter().map(|token| match token {
                TokenTree::Group(group) => self.group(&group),
                token => token,
            });
            let declaration = regrouped(&declaration, inside.collect());
            Ok(quote!(#name #arrow #declaration))
        };
        // It was read before without a fault.
        read.parse2(tokens).unwrap_or_default()
    }

    /// The arguments of a kind of layer, or the numbers of a shape.
    fn arguments(&mut self, kind: &str, tokens: TokenStream) -> TokenStream {
        let (list, _) = entries(tokens, kind, &mut Diagnostics::default());
        let list = list.into_iter().map(|entry| {
            let is_real = words::is_real(kind, entry.name.as_ref().map(Ident::to_string).as_deref());
            let (name, value) = (entry.name.map(|name| quote!(#name =)), self.value(entry.value, is_real));
            quote!(#name #value)
        });
        quote!(#(#list),*)
    }

    fn value(&mut self, expr: Expr, is_real: bool) -> TokenStream {
        let expr = bare(expr);
        if let Expr::Tuple(tuple) = expr {
            let elements = tuple.elems.into_iter().map(|element| self.value(element, is_real));
            return quote!((#(#elements),*));
        }
        let is_word = matches!(&expr, Expr::Lit(lit) if matches!(lit.lit, Lit::Bool(_)))
            || single_word(&expr).is_some_and(|word| words::FLAGS.iter().any(|flag| word == flag));
        let is_literal = is_word
            || match is_real {
                true => matches!(expr, Expr::Lit(_)) || literal_value(&expr).is_some(),
                false => matches!(number(expr.clone(), "", &mut Diagnostics::default()), Some(Num::Known(..))),
            };
        if is_literal {
            return quote!(#expr);
        }
        let (table, list) = if is_real { (REALS, &mut self.reals) } else { (NUMBERS, &mut self.numbers) };
        let element = format_ident!("{PREFIX}{table}_{}", list.len());
        list.push(expr);
        quote!(#element)
    }
}
