//! Tests of the front half as a whole, on token streams outside of the compiler.

mod check;
mod concat;
mod expand;
mod nets;
mod parse;
mod plan;
mod random;
mod repeat;

use proc_macro2::TokenStream;
use quote::quote;

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

fn lenet() -> TokenStream {
    quote! {
        pub struct LeNet([1, 28, 28] -> [10]) {
            conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
            conv2: conv(16, kernel = 5), relu, max_pool(2),
            flatten,
            fc1: linear(120), relu,
            fc2: linear(84), relu,
            fc3: linear(10),
        }
    }
}

/// ResNet-8 for CIFAR-10, as in MLPerf Tiny.
fn resnet8() -> TokenStream {
    quote! {
        pub struct ResNet8([3, 32, 32] -> [10]) {
            conv1: conv(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
            residual {
                conv2: conv(16, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
                conv3: conv(16, kernel = 3, padding = 1, bias = false), bn3: batch_norm,
            }, relu,
            residual {
                conv4: conv(32, kernel = 3, stride = 2, padding = 1, bias = false), bn4: batch_norm, relu,
                conv5: conv(32, kernel = 3, padding = 1, bias = false), bn5: batch_norm,
            } shortcut { skip1: conv(32, kernel = 1, stride = 2) }, relu,
            residual {
                conv6: conv(64, kernel = 3, stride = 2, padding = 1, bias = false), bn6: batch_norm, relu,
                conv7: conv(64, kernel = 3, padding = 1, bias = false), bn7: batch_norm,
            } shortcut { skip2: conv(64, kernel = 1, stride = 2) }, relu,
            avg_pool(8), flatten,
            fc: linear(10),
        }
    }
}

/// MobileNetV1 of a quarter of the width for 96 × 96 pixels, as in MLPerf Tiny.
fn mobilenet() -> TokenStream {
    let blocks = [(8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2)];
    let blocks = blocks.into_iter().chain([(128, 128, 1); 5]).chain([(128, 256, 2), (256, 256, 1)]);
    let blocks = blocks.map(|(inputs, outputs, stride): (usize, usize, usize)| {
        quote! {
            conv(#inputs, kernel = 3, stride = #stride, padding = 1, groups = depthwise, bias = false), batch_norm, relu,
            conv(#outputs, kernel = 1, bias = false), batch_norm, relu,
        }
    });
    quote! {
        pub struct MobileNet([3, 96, 96] -> [2]) {
            conv(8, kernel = 3, stride = 2, padding = 1, bias = false), batch_norm, relu,
            #(#blocks)*
            avg_pool(3), flatten, linear(2),
        }
    }
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
