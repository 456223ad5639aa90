//! `concat { { … }, { … } }`: sources, steps, memory, and faults.

use proc_macro2::TokenStream;
use quote::quote;

use super::{faults, headlines, layer_faults, network};
use crate::ir::{Op, Source};

#[test]
fn branches_read_one_input() {
    let net = network(quote! {
        struct Net([4, 8, 8] -> [16, 8, 8]) {
            relu, cat: concat { { conv(3, kernel = 1), tanh }, {}, { max_pool(3, stride = 1, padding = 1), conv(9, kernel = 1) } }, relu,
        }
    });
    let names: Vec<String> = net.layers.iter().map(|layer| layer.name.to_string()).collect();
    assert_eq!(names.join(" "), "relu_0 conv_1 tanh_2 max_pool_3 conv_4 cat relu_6");
    let layer = Source::Layer;
    let Op::Concat(concat) = &net.layers[5].op else { panic!("no concat") };
    let ends: Vec<Source> = concat.branches.iter().map(|branch| branch.end).collect();
    assert_eq!(ends, [layer(2), layer(0), layer(4)]);
    assert_eq!(net.layers[5].reads().collect::<Vec<_>>(), ends);
    assert_eq!((net.layers[3].from, net.layers[6].from), (layer(0), layer(5)));
}

#[test]
fn branches_that_differ() {
    assert_eq!(
        layer_faults(quote!(cat: concat { { conv(8, kernel = 3, padding = 1) }, { conv(2, kernel = 3) }, {} })),
        ["cat: its branches differ in size: they yield 8×12×12, 2×10×10 and 4×12×12\n\
          = note: height 10 and 12; width 10 and 12: maps are joined along their channels, pixel by pixel\n\
          = help: keep the size in this branch: `padding = same`"]
    );
    assert_eq!(
        layer_faults(quote!(concat { { conv(4, kernel = 1) }, { conv(2, kernel = 3, stride = (1, 2), padding = 1) } })),
        ["concat_2: its branches differ in size: they yield 4×12×12 and 2×12×6\n\
          = note: width 6 and 12: maps are joined along their channels, pixel by pixel\n\
          = help: give all branches one height and width"]
    );
    assert_eq!(
        layer_faults(quote!(concat { { flatten }, { global_avg_pool }, {} }))[0].lines().last(),
        Some("= help: to join vectors, end every branch with `flatten`")
    );
    // Told once, by the repetition that has it.
    assert_eq!(
        layer_faults(quote!(repeat(3) { c: concat { {}, { max_pool(2, floor) } } }))[0].lines().next(),
        Some("c_1: its branches differ in size: they yield 4×12×12 and 4×6×6")
    );
    assert_eq!(layer_faults(quote!(repeat(3) { c: concat { {}, { max_pool(2, floor) } } })).len(), 1);
    // The compiler judges what it alone knows.
    network(
        quote!(struct Net([4, 8, 8] -> [N]) { concat { { conv(N, kernel = 1) }, { conv(4, kernel = 3) } }, flatten }),
    );
    let expansion = crate::expansion(quote! {
        struct Net([4, 8, 8] -> [N]) { cat: concat { { conv(N, kernel = 1) }, {} }, flatten }
    });
    let expansion = expansion.to_string().replace(' ', "");
    for part in [
        "pubconstCAT_1:::tenonet::shape::Concat<'static>=::tenonet::shape::Concat{branches:&[__NetShapes::CONV_0_0_OUT,::tenonet::shape::Shape::new(4,8,8)]};",
        "::tenonet::shape::Concat::deny(&__NetShapes::CAT_1,\"cat\",1)",
        "tn::concat::join::<4,{__NetShapes::CONV_0_0_OUT.c},{__NetShapes::CAT_1_OUT.c},_,_,_,_>(simd,x,y);",
        // At inference the convolution writes the joined map itself, in training a map of its own.
        "tn::conv::forward(simd,tn::concat::Branch::<{__NetShapes::CONV_0_0_OUT.c},0,{__NetShapes::CAT_1_OUT.c},_>(Conv0),(x,y),",
        "tn::conv::forward(simd,Conv0,(x,y),",
        "tn::concat::join::<{__NetShapes::CONV_0_0_OUT.c},0,{__NetShapes::CAT_1_OUT.c},_,_,_,_>(simd,x,y);",
    ] {
        assert!(expansion.contains(part), "{part}");
    }
}

#[test]
fn branches_in_doubt() {
    let net = |layers: TokenStream| headlines(quote!(struct Net([4, 12, 12] -> [9, 12, 12]) { #layers }));
    assert_eq!(
        net(quote!(concat { {}, { conv(5, kernel = 99) } }, relu)),
        ["conv_0: kernel 99×99 does not fit its input 4×12×12"]
    );
    // The sizes of the others are sure, and the channels are.
    assert_eq!(
        net(quote!(concat { {}, { conv(2, kernel = 99) } }, conv(9, kernel = 13, groups = 4))),
        [
            "conv_0: kernel 99×99 does not fit its input 4×12×12",
            "conv_2: groups = 4 does not divide the 6 input channels",
            "conv_2: groups = 4 does not divide the 9 output channels",
            "conv_2: kernel 13×13 does not fit its input 6×12×12",
        ]
    );
    assert_eq!(net(quote!(concat { {}, { frobnicate } })), ["unknown layer `frobnicate`"]);
    assert_eq!(
        faults(
            quote!(struct Net([1, 4, 4] -> [N]) { flatten, linear(999999999999), repeat(30) { concat { {}, {} } } })
        )[0],
        "concat_22 (repetition 21 of 30): its output 2097151999997902848 has more elements than memory has addresses"
    );
}

#[test]
fn faults_of_the_form() {
    let lines = |tokens| layer_faults(tokens).join("; ").replace("\n= help: ", " / ");
    const FORM: &str = "write `concat { { conv(16, kernel = 1) }, { conv(16, kernel = 3, padding = same), relu } }`";
    const BRACES: &str = "write `{ conv(16, kernel = 1), relu }`; `{}` is the input itself";
    for (tokens, text) in [
        (quote!(concat), format!("concat has no branches: they stand in braces / {FORM}")),
        (quote!(concat {}), format!("concat has no branches / {FORM}")),
        (quote!(a: concat { { relu } }), format!("a has one branch: there is nothing to join / {FORM}")),
        (quote!(concat(1) { {}, {} }), format!("concat takes no arguments / {FORM}")),
        (quote!(concat { relu, tanh }), format!("concat: each branch has its layers in braces / {BRACES}")),
        (quote!(concat { {}, relu, tanh }), format!("concat: each branch has its layers in braces / {BRACES}")),
        (quote!(concat { {}, , {} }), "a branch is missing before this comma".to_owned()),
        (quote!(concat { {} {} }), "expected `,` before this: branches are separated by commas".to_owned()),
        (quote!(concat { {} relu }), "expected `,` before this: branches are separated by commas".to_owned()),
        (quote!(cat { {}, {} }), "unknown layer `cat` / did you mean `concat`?".to_owned()),
        (quote!(concat { { rleu }, {}, }), "unknown layer `rleu` / did you mean `relu`?".to_owned()),
    ] {
        assert_eq!(lines(tokens), text);
    }
}
