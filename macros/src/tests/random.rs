//! The macro never panics, whatever tokens it gets.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;

/// Expands and prints.
fn run(tokens: TokenStream) {
    let _ = crate::expansion(tokens).to_string();
}

/// Words, numbers and marks that mean something to the macro, and some that do not.
fn token() -> impl Strategy<Value = TokenTree> {
    const WORDS: [&str; 56] = [
        "struct",
        "pub",
        "crate",
        "self",
        "_",
        "budget",
        "weights",
        "macs",
        "conv",
        "conv1d",
        "linear",
        "max_pool",
        "avg_pool1d",
        "global_avg_pool",
        "global_max_pool",
        "pad",
        "upsample1d",
        "reflect",
        "bilinear",
        "layer_norm",
        "scale",
        "dropout",
        "conv_transpose",
        "output_padding",
        "flatten",
        "softmax",
        "relu",
        "elu",
        "leaky_relu",
        "kernel",
        "stride",
        "padding",
        "dilation",
        "groups",
        "bias",
        "same",
        "valid",
        "depthwise",
        "floor",
        "ceil",
        "true",
        "false",
        "residual",
        "concat",
        "repeat",
        "net",
        "shortcut",
        "batch_norm",
        "epsilon",
        "Name",
        "N",
        "as",
        "if",
        "fn",
        "unsafe",
        "doc",
    ];
    let word =
        prop::sample::select(WORDS.to_vec()).prop_map(|word| TokenTree::Ident(Ident::new(word, Span::call_site())));
    let number = prop_oneof![
        3 => (0_u64..40).prop_map(Literal::u64_unsuffixed),
        1 => any::<u64>().prop_map(Literal::u64_unsuffixed),
        1 => any::<u8>().prop_map(Literal::u8_suffixed),
        1 => Just(Literal::f64_unsuffixed(0.5)),
        1 => Just(Literal::string("text")),
        1 => Just(Literal::character('c')),
    ]
    .prop_map(TokenTree::Literal);
    let mark =
        (prop::sample::select(",:=#->!+*/;.&|<'".chars().filter(|c| *c != '\'').collect::<Vec<_>>()), any::<bool>())
            .prop_map(|(mark, joint)| {
                TokenTree::Punct(Punct::new(mark, if joint { Spacing::Joint } else { Spacing::Alone }))
            });
    prop_oneof![4 => word, 2 => number, 3 => mark]
}

/// Tokens in groups, a few levels deep.
fn stream() -> impl Strategy<Value = TokenStream> {
    let delimiter =
        prop::sample::select(vec![Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None]);
    let tree = token().prop_recursive(4, 64, 8, move |inner| {
        (delimiter.clone(), prop::collection::vec(inner, 0..8))
            .prop_map(|(delimiter, inner)| TokenTree::Group(Group::new(delimiter, inner.into_iter().collect())))
    });
    prop::collection::vec(tree, 0..24).prop_map(|trees| trees.into_iter().collect())
}

/// Declarations that use all of the grammar.
fn right() -> [TokenStream; 6] {
    [
        quote! {
            /// LeNet-5.
            #[budget(weights = 256 * 1024, scratch = 16 * 1024, macs = 500_000)]
            pub struct LeNet([1, 28, 28] -> [10]) {
                conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
                conv2: conv(16, kernel = 5), relu, max_pool(2),
                flatten,
                fc1: linear(120), relu,
                fc2: linear(84), relu,
                fc3: linear(10),
            }
        },
        quote! {
            struct Wide([CHANNELS, 12, 16] -> [WIDTH * 2]) {
                conv(8, kernel = (3, 5), stride = (1, 2), padding = (1, 1, 2, 2), dilation = 1, groups = 2, bias = false),
                leaky_relu(0.01), avg_pool(3, stride = 2, padding = 1, ceil),
                conv(8, kernel = 3, padding = same, groups = depthwise), elu,
                max_pool((2, 3), floor), global_avg_pool, linear({ WIDTH * 2 }, bias = false), softmax,
            }
        },
        quote! {
            pub(crate) struct Signal([1, 1, 64] -> [8, 1, 8]) {
                conv1d(8, kernel = 9, stride = 2, padding = 4), gelu, max_pool1d(2), avg_pool1d(2),
            }
        },
        quote! {
            struct Residual([3, 8, 8] -> [WIDTH]) {
                conv(8, kernel = 3, padding = 1, bias = false), bn: batch_norm(epsilon = 1e-3), relu,
                first: residual { conv(8, kernel = 3, padding = same), batch_norm, residual { tanh } }, relu,
                residual { conv(WIDTH, kernel = 3, stride = 2, padding = 1), batch_norm(epsilon = E) }
                    shortcut { skip: conv(WIDTH, kernel = 1, stride = 2) },
                silu, pad(1, reflect), layer_norm(epsilon = E), upsample((1, 2), bilinear), pad((0, 1, 2, WIDTH), replicate),
                scale, bias, dropout(E), global_max_pool, layer_norm, dropout(0.5), batch_norm,
            }
        },
        quote! {
            struct Repeated([3, 8, 8] -> [4, 6, 6]) {
                conv(4, kernel = 1), stage: repeat(2) { a: conv(4, kernel = 2), repeat(1 + 1) { bn: batch_norm, leaky_relu(SLOPE) } },
                residual { repeat(3) { conv(N, kernel = 1, groups = 2), relu } },
            }
        },
        quote! {
            struct Joined([3, 8, 8] -> [WIDTH]) {
                concat { {}, { conv(5, kernel = 3, padding = 1), relu }, { a: concat { {}, { tanh } } } }, repeat(2) { c: concat { {}, {} } },
                concat { { conv(N, kernel = 1) }, { conv(N, kernel = 1), max_pool(1) } },
                concat { { flatten }, { global_avg_pool, linear(WIDTH) } },
            }
        },
    ]
}

/// One change of a declaration. The place counts the tokens in the order in which they are written.
#[derive(Clone, Debug)]
enum Change {
    Delete(usize),
    Double(usize),
    /// With the next one of the same group.
    Swap(usize),
    Replace(usize, TokenTree),
}

fn change() -> impl Strategy<Value = Change> {
    let place = 0..160_usize;
    prop_oneof![
        place.clone().prop_map(Change::Delete),
        place.clone().prop_map(Change::Double),
        place.clone().prop_map(Change::Swap),
        (place, token()).prop_map(|(place, token)| Change::Replace(place, token)),
    ]
}

/// Applies a change; `at` counts the tokens seen so far.
fn apply(tokens: TokenStream, change: &Change, at: &mut usize) -> TokenStream {
    let mut trees: Vec<TokenTree> = Vec::new();
    let mut swap = None;
    for tree in tokens {
        let here = *at;
        *at += 1;
        let tree = match tree {
            TokenTree::Group(group) => {
                TokenTree::Group(Group::new(group.delimiter(), apply(group.stream(), change, at)))
            }
            tree => tree,
        };
        match change {
            Change::Delete(place) if *place == here => {}
            Change::Double(place) if *place == here => trees.extend([tree.clone(), tree]),
            Change::Replace(place, token) if *place == here => trees.push(token.clone()),
            Change::Swap(place) if *place == here => {
                swap = Some(trees.len());
                trees.push(tree);
            }
            _ => trees.push(tree),
        }
    }
    if let Some(first) = swap
        && first + 1 < trees.len()
    {
        trees.swap(first, first + 1);
    }
    trees.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn random_tokens(tokens in stream()) {
        run(tokens);
    }

    #[test]
    fn random_layers(tokens in stream()) {
        run(quote!(struct Net([3, 8, 8] -> [10]) { #tokens }));
        run(quote!(struct Net([3, 8, 8] -> [10]) { residual { #tokens } shortcut { #tokens }, residual { relu } #tokens }));
        run(quote!(struct Net([3, 8, 8] -> [10]) { repeat(3) { #tokens, repeat(#tokens) { #tokens } }, repeat #tokens }));
        run(quote!(struct Net([3, 8, 8] -> [10]) { concat { #tokens }, concat { { #tokens }, {}, { relu, #tokens } }, concat #tokens }));
    }

    #[test]
    fn random_arguments(tokens in stream(), kind in prop::sample::select(vec!["conv", "conv1d", "max_pool", "linear", "elu", "batch_norm", "pad", "pad1d", "upsample", "layer_norm", "dropout", "conv_transpose", "conv_transpose1d"])) {
        let kind = quote::format_ident!("{kind}");
        run(quote!(#[budget(#tokens)] struct Net([#tokens] -> [#tokens]) { a: #kind(#tokens), #kind(8, #tokens) }));
    }

    #[test]
    fn changed_declarations(which in 0..6_usize, changes in prop::collection::vec(change(), 1..4)) {
        let mut tokens = right()[which].clone();
        for change in &changes {
            tokens = apply(tokens, change, &mut 0);
        }
        run(tokens);
    }

    /// Literals from the ends of the range meet every formula.
    #[test]
    fn extreme_numbers(numbers in prop::array::uniform16(prop::sample::select(vec![0, 1, 2, 3, 65_537, usize::MAX - 1, usize::MAX]))) {
        let [c, h, w, o, k, l, s, p, d, g, a, b, e, f, n, m] = numbers.map(Literal::usize_unsuffixed);
        run(quote! {
            #[budget(weights = #m, macs = #n)]
            struct Net([#c, #h, #w] -> [#n]) {
                conv(#o, kernel = (#k, #l), stride = #s, padding = #p, dilation = #d, groups = #g),
                conv(#o, kernel = #k, stride = #s, dilation = #d, padding = same, groups = depthwise),
                max_pool(#a, stride = #b, padding = (#e, #f)), avg_pool(#a, ceil, padding = #e, stride = #b),
                batch_norm, residual { conv(#o, kernel = #k, stride = #s, padding = #p) } shortcut { max_pool(#a, ceil) },
                conv_transpose(#o, kernel = (#k, #l), stride = #s, padding = #p, output_padding = #e, dilation = #d, groups = #g),
                pad((#p, #e, #f, #k), reflect), upsample((#s, #b)), layer_norm, upsample(#a, bilinear), scale,
                concat { {}, { conv(#o, kernel = #k, stride = #s, padding = #p) } }, repeat(40) { concat { {}, {} } },
                flatten, linear(#n), softmax,
            }
        });
    }
}

#[test]
fn right_declarations_are_right() {
    for tokens in right() {
        let (_, faults) = crate::front(tokens);
        assert_eq!(faults.iter().map(|fault| fault.text()).collect::<Vec<_>>(), [] as [&str; 0]);
    }
}
