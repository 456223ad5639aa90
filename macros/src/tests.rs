//! Tests of the front half as a whole, on token streams outside of the compiler.

mod check;
mod parse;
mod random;

use proc_macro2::TokenStream;

use crate::ir::{Network, Num, Op};
use crate::parse::Parsed;

/// The texts of all faults.
fn faults(tokens: TokenStream) -> Vec<String> {
    let (_, faults) = crate::front(tokens);
    faults.iter().map(|fault| fault.text()).collect()
}

/// The first lines of all faults.
fn headlines(tokens: TokenStream) -> Vec<String> {
    faults(tokens).iter().map(|text| text.lines().next().unwrap_or_default().to_owned()).collect()
}

/// A declaration without faults.
fn network(tokens: TokenStream) -> Network {
    let (parsed, faults) = crate::front(tokens);
    let texts: Vec<String> = faults.iter().map(|fault| fault.text()).collect();
    assert_eq!(texts, [] as [&str; 0]);
    let Some(Parsed { network, .. }) = parsed else { panic!("no faults, and no network") };
    network
}

/// The only layer of a network that takes 4×12×12.
fn layer(tokens: TokenStream) -> Op {
    let mut network = crate::front(quote::quote!(struct Net([4, 12, 12] -> [N]) { #tokens }));
    let texts: Vec<String> = network.1.iter().map(|fault| fault.text()).collect();
    assert_eq!(texts, [] as [&str; 0]);
    match &mut network.0 {
        Some(parsed) => parsed.network.layers.remove(0).op,
        None => panic!("no faults, and no network"),
    }
}

/// The faults of the only layer of a network that takes 4×12×12.
fn layer_faults(tokens: TokenStream) -> Vec<String> {
    faults(quote::quote!(struct Net([4, 12, 12] -> [N]) { #tokens }))
}

/// The values, where they are literals.
fn values<const N: usize>(numbers: &[Num; N]) -> [Option<usize>; N] {
    std::array::from_fn(|i| numbers[i].known())
}
