//! `net(Other)`: how declarations travel, and what is read of them.

use proc_macro2::TokenStream;
use quote::quote;

use super::{faults, headlines, network};
use crate::ir::Source;
use crate::nets;

/// What the macro of a network hands on.
fn declaration(tokens: TokenStream) -> TokenStream {
    let (parsed, faults) = crate::front(tokens.clone());
    let Some(parsed) = parsed else { panic!("no network") };
    let items = nets::offer(&parsed.network, tokens, !faults.is_empty()).items.to_string();
    let (_, answer) = items.split_once("@ net").expect("the macro answers");
    let (answer, _) = answer.rsplit_once("$ ($ tokens) *").expect("it hands on the tokens");
    let answer: TokenStream = answer.parse().expect("the answer is tokens");
    quote!(@net #answer)
}

/// The declaration with that of `held` in place, which it asks for.
fn holding(tokens: TokenStream, held: &[TokenStream]) -> TokenStream {
    let mut tokens = tokens;
    for held in held {
        let Err(question) = nets::complete(tokens) else { panic!("it asks for nothing") };
        let asked = question.to_string();
        assert!(asked.contains("! { [:: tenonet :: network]"), "{asked}");
        let (_, rest) = asked.split_once("network]").expect("the tokens follow");
        let rest: TokenStream = rest.rsplit_once('}').expect("in braces").0.parse().expect("tokens");
        let answer = declaration(held.clone());
        tokens = quote!(#answer #rest);
    }
    nets::complete(tokens).expect("it asks for nothing more")
}

fn backbone() -> TokenStream {
    quote! {
        pub struct Backbone([3, 8, 8] -> [4, 4, 4]) {
            conv1: conv(4, kernel = 3, padding = same), relu,
            residual { conv2: conv(4, kernel = 1), batch_norm },
            max_pool(2),
        }
    }
}

#[test]
fn layers_are_read_as_those_of_the_network() {
    let net = network(holding(
        quote! {
            struct Net([3, 8, 8] -> [10]) {
                relu, repeat(1) { first: net(nets::Backbone) }, concat { { net(Tail) }, { tail: net(Tail) } }, flatten, linear(10),
            }
        },
        &[backbone(), quote!(struct Tail([4, 4, 4] -> [4, 4, 4]) { tanh, repeat(2) { c: conv(4, kernel = 1) } })],
    ));
    let names: Vec<String> = net.layers.iter().map(|layer| layer.name.to_string()).collect();
    assert_eq!(
        names.join(" "),
        "relu_0 first_1.conv1 first_1.relu_1 first_1.conv2 first_1.batch_norm_3 first_1.residual_4 first_1.max_pool_5 net_2.tanh_0 net_2.c_1 \
         net_2.c_2 tail.tanh_0 tail.c_1 tail.c_2 concat_4 flatten_5 linear_6"
    );
    assert_eq!(net.layers[7].from, Source::Layer(6));
    assert_eq!(net.layers[10].from, Source::Layer(6));
    let nets: Vec<(String, &str, Source)> =
        net.nets.iter().map(|net| (net.name.to_string(), net.of.as_str(), net.from)).collect();
    assert_eq!(
        nets,
        [
            ("first_1".to_owned(), "Backbone", Source::Layer(0)),
            ("net_2".to_owned(), "Tail", Source::Layer(6)),
            ("tail".to_owned(), "Tail", Source::Layer(6)),
        ]
    );
    assert_eq!(net.nets[2].layers, 10..13);
}

#[test]
fn constants_are_elements_of_the_others_tables() {
    let widths = quote! {
        struct Widths([C, 8, 8] -> [N, W, 4]) {
            conv(N, kernel = (2 + 1, K), padding = (1, P, 0, 2), groups = depthwise, bias = false), batch_norm(epsilon = E),
            leaky_relu(SLOPE), elu(-0.5), dropout(0.5), max_pool(2, floor),
        }
    };
    let items = crate::expansion(widths.clone()).to_string();
    assert!(items.contains("const __NUMBERS : [usize ; 6] = [C , N , W , N , K , P] ;"), "{items}");
    assert!(items.contains("const __REALS : [f64 ; 2] = [E , SLOPE] ;"), "{items}");
    let tokens = holding(quote!(struct Net([2, 8, 8] -> [2]) { a: net(one::Widths) }), &[widths]).to_string();
    for part in [
        "net (one :: Widths => { ([one :: Widths :: __NUMBERS [0] , 8 , 8] -> [one :: Widths :: __NUMBERS [1] , one :: Widths :: __NUMBERS [2] , 4])",
        "conv (one :: Widths :: __NUMBERS [3] , kernel = (2 + 1 , one :: Widths :: __NUMBERS [4]) , \
         padding = (1 , one :: Widths :: __NUMBERS [5] , 0 , 2) , groups = depthwise , bias = false)",
        "batch_norm (epsilon = one :: Widths :: __REALS [0])",
        "leaky_relu (one :: Widths :: __REALS [1]) , elu (- 0.5) , dropout (0.5) , max_pool (2 , floor)",
    ] {
        assert!(tokens.contains(part), "{part}\n{tokens}");
    }
}

#[test]
fn networks_within_networks_within() {
    let inner = quote!(struct Inner([4] -> [4]) { fc: linear(N), relu });
    let middle =
        holding(quote!(struct Middle([4] -> [4]) { inner: net(Inner), repeat(2) { fc: linear(4) } }), &[inner]);
    let outer = holding(quote!(struct Outer([4] -> [4]) { net(Middle), b: net(Middle) }), &[middle]);
    assert!(
        outer.to_string().contains("net (Inner => { ([4] -> [4]) { fc : linear (Middle :: __NUMBERS [0]) , relu } })")
    );
    let net = network(outer);
    let names: Vec<String> = net.layers.iter().map(|layer| layer.name.to_string()).collect();
    assert_eq!(
        names.join(" "),
        "net_0.inner.fc net_0.inner.relu_1 net_0.fc_1 net_0.fc_2 b.inner.fc b.inner.relu_1 b.fc_1 b.fc_2"
    );
}

#[test]
fn what_arrives_is_the_declared_input() {
    let two = |layers: TokenStream| {
        let tail = quote!(struct Tail([4] -> [4]) { linear(4) });
        faults(holding(quote!(struct Net([3, 8, 8] -> [N]) { #layers }), &[backbone(), tail]))
    };
    assert_eq!(two(quote!(net(Backbone), conv(4, kernel = 4), net(Tail))), [] as [&str; 0]);
    assert_eq!(
        two(quote!(a: net(Backbone), b: net(Backbone), repeat(3) { t: net(Tail) })),
        ["b: Backbone takes [3, 8, 8], but [4, 4, 4] arrives", "t_1: Tail takes [4], but [4, 4, 4] arrives",]
    );
    // Behind a fault nothing is told of what may be a consequence, but inside all is known.
    assert_eq!(two(quote!(net(Backbone), conv(4, kernle = 4), net(Tail), linear(5))).len(), 1);
    let flat = quote!(struct Flat([64] -> [4]) { linear(4) });
    assert_eq!(
        faults(holding(quote!(struct Net([4, 4, 4] -> [N]) { net(Flat) }), &[flat])),
        ["net_0: Flat takes [64], but [4, 4, 4] arrives\n= help: put `flatten` before it"]
    );
}

#[test]
fn names_are_told_apart() {
    let tail = || quote!(struct Tail([4] -> [4]) { a: linear(4), b: linear(4) });
    let two = |layers: TokenStream| headlines(holding(quote!(struct Net([4] -> [4]) { #layers }), &[tail()]));
    assert_eq!(two(quote!(a: linear(4), t: net(Tail), b: linear(4))), [] as [&str; 0]);
    assert_eq!(two(quote!(t: net(Tail), t: linear(4))), ["a network and a layer are called `t`"]);
    assert_eq!(two(quote!(t: net(Tail), relu, t: net(Tail))), ["two networks are called `t`"]);
    assert_eq!(
        two(quote!(batch_norm, statistics: net(Tail))),
        ["a network is called `statistics`, as the running averages of batch_norm are"]
    );
}

#[test]
fn what_is_no_network() {
    let fault = |layer: TokenStream| {
        let tokens = quote!(struct Net([4] -> [4]) { #layer });
        headlines(nets::complete(tokens).expect("nothing to ask for"))
    };
    assert_eq!(fault(quote!(net())), ["net_0: which network is missing"]);
    assert_eq!(fault(quote!(a: net)), ["a: which network is missing"]);
    assert_eq!(fault(quote!(net(3))), ["net_0: this is no network"]);
    assert_eq!(fault(quote!(net(Tail, 3))), ["net_0: net takes a network alone"]);
    assert_eq!(fault(quote!(net(Tail<f64>))), ["net_0: a network within another has that one's element type"]);
    assert_eq!(fault(quote!(net(Net))), ["net_0: Net cannot hold itself"]);
}

#[test]
fn faults_of_another_network_are_told_there() {
    let broken = quote!(struct Broken([4] -> [4]) { linaer(4) });
    let tokens = holding(quote!(struct Net([4] -> [5]) { net(Broken), linear(5) }), &[broken]);
    let (_, faults) = crate::front(tokens);
    // There is a fault, and nothing is told.
    assert!(faults.iter().next().is_none() && !faults.is_empty());
}

#[test]
fn other_crates_networks() {
    let exported = |tokens: TokenStream| crate::expansion(tokens).to_string().contains("# [macro_export]");
    assert!(exported(quote!(#[macro_export] pub struct Net([4] -> [4]) { relu })));
    assert!(!exported(quote!(pub struct Net([4] -> [4]) { relu })));
    assert_eq!(
        headlines(quote!(#[macro_export] struct Net([4] -> [4]) { relu })),
        ["only a `pub` network can be in other crates' networks"]
    );
}
