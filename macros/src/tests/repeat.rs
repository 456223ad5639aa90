//! `repeat(n) { … }`: names, sources, and faults that are told once.

use proc_macro2::TokenStream;
use quote::quote;

use super::{faults, layer_faults, network};
use crate::ir::{Op, Source};

fn names(layers: TokenStream) -> String {
    let net = network(quote!(struct Net([4, 8, 8] -> [N]) { #layers }));
    let names: Vec<String> = net.layers.iter().map(|layer| layer.name.to_string()).collect();
    names.join(" ")
}

#[test]
fn names_have_the_number_behind_them() {
    assert_eq!(names(quote!(repeat(3) { c: conv(4, kernel = 1) })), "c_1 c_2 c_3");
    assert_eq!(names(quote!(repeat(1) { r#type: relu })), "type_1");
    // Layers without a name are called by their position, as everywhere.
    assert_eq!(names(quote!(relu, repeat(2) { a: relu, tanh })), "relu_0 a_1 tanh_2 a_2 tanh_4");
    // The repetition's own name stands before.
    assert_eq!(names(quote!(s: repeat(2) { c: tanh, relu })), "s_1_c relu_1 s_2_c relu_3");
    assert_eq!(names(quote!(repeat(2) { repeat(2) { c: tanh } })), "c_1_1 c_1_2 c_2_1 c_2_2");
    assert_eq!(names(quote!(repeat(2) { s: repeat(2) { c: tanh } })), "s_1_1_c s_1_2_c s_2_1_c s_2_2_c");
    assert_eq!(names(quote!(s: repeat(2) { repeat(2) { c: tanh } })), "s_1_c_1 s_1_c_2 s_2_c_1 s_2_c_2");
    assert_eq!(names(quote!(s: repeat(1) { t: repeat(2) { c: tanh } })), "s_1_t_1_c s_1_t_2_c");
    assert_eq!(names(quote!(repeat(2) { b: residual { c: tanh } })), "c_1 b_1 c_2 b_2");
}

#[test]
fn one_stands_behind_the_other() {
    let net = network(quote! {
        struct Net([4, 8, 8] -> [4, 8, 8]) {
            repeat(2) { residual { conv(4, kernel = 1) } shortcut { repeat(4 / 2) { relu } } }, tanh,
        }
    });
    let layer = Source::Layer;
    let sources: Vec<Source> = net.layers.iter().map(|layer| layer.from).collect();
    assert_eq!(
        sources,
        [Source::Input, Source::Input, layer(1), layer(0), layer(3), layer(3), layer(5), layer(4), layer(7)]
    );
    assert!(matches!(&net.layers[7].op, Op::Residual(residual) if residual.shortcut == Some(layer(6))));
    let first: Vec<Option<usize>> = net.layers.iter().map(|layer| layer.copy_of).collect();
    assert_eq!(first, [None, None, Some(1), None, Some(0), Some(1), Some(1), Some(3), None]);
}

#[test]
fn faults_are_told_once() {
    // Of syntax, of the first repetition, and of the first one that has it.
    assert_eq!(
        faults(quote! {
            struct Net([8, 9, 9] -> [N]) {
                a: repeat(4) { c: conv(8, kernel = 3, groups = 3), leaky_relu(x = 1) },
                repeat(3) { d: conv(8, kernel = 1), conv(7, kernel = 1), max_pool(3, stride = 1) },
            }
        }),
        [
            "leaky_relu_1: leaky_relu does not take `x`\n= help: it takes its slope alone: `leaky_relu(0.01)`",
            "a_1_c: groups = 3 does not divide the 8 input channels\n= help: the divisors of 8 are 1, 2, 4, 8",
            "a_1_c: groups = 3 does not divide the 8 output channels\n= help: the divisors of 8 are 1, 2, 4, 8",
            "max_pool_10: window 3×3 does not fit its input 7×1×1\n\
             = note: output height = (1 + 0 + 0 − 3) / 1 + 1, which is below 1\n\
             = help: use a window ≤ 1",
        ]
    );
    assert_eq!(
        layer_faults(quote!(repeat(4) { c: conv(4, kernel = 5) })),
        ["c_3 (repetition 3 of 4): kernel 5×5 does not fit its input 4×4×4\n\
          = note: output height = (4 + 0 + 0 − 5) / 1 + 1, which is below 1\n\
          = help: use kernel ≤ 4, or padding ≥ 1"]
    );
    assert_eq!(
        layer_faults(quote!(repeat(2) { max_pool(2), repeat(3) { conv(4, kernel = 2) } }))[0].lines().next(),
        Some("max_pool_4 (repetition 2 of 2): window 2×2 does not divide its input 4×3×3: 1 row would be dropped")
    );
    assert_eq!(
        layer_faults(quote!(repeat(2) { repeat(3) { c: conv(4, kernel = 3) } }))[0].lines().next(),
        Some("c_2_3 (repetition 2 of 2, in it 3 of 3): kernel 3×3 does not fit its input 4×2×2")
    );
    // A block too.
    assert_eq!(
        layer_faults(quote!(repeat(2) { b: residual { conv(8, kernel = 1) } }))[0].lines().next(),
        Some("b_1: its arms differ: the layers yield 8×12×12, the input is 4×12×12")
    );
    assert_eq!(layer_faults(quote!(repeat(2) { b: residual { conv(8, kernel = 1) } })).len(), 1);
}

#[test]
fn names_that_meet() {
    assert_eq!(
        layer_faults(quote!(repeat(2) { c: relu }, c_2: tanh)),
        ["two layers are called `c_2`\n\
          = note: in `repeat` a layer's name has the number of the repetition behind it: `name_1`, `name_2`, …"]
    );
    assert_eq!(
        layer_faults(quote!(repeat(3) { c: relu, c: tanh })),
        ["two layers are called `c_1`\n\
          = note: in `repeat` a layer's name has the number of the repetition behind it: `name_1`, `name_2`, …"]
    );
    // A declared name may read as one without.
    assert_eq!(
        layer_faults(quote!(repeat(2) { relu: conv(4, kernel = 1) }, relu_9: tanh, relu, relu_2: relu)),
        ["two layers are called `relu_2`\n\
          = note: in `repeat` a layer's name has the number of the repetition behind it: `name_1`, `name_2`, …"]
    );
    assert_eq!(
        layer_faults(quote!(flatten, relu, repeat(1) { relu: linear(2) })),
        ["two layers are called `relu_1`\n= note: a relu without a name is called by its kind and position"]
    );
}

#[test]
fn faults_of_the_form() {
    let lines = |tokens| layer_faults(tokens).join("; ").replace("\n= help: ", " / ").replace("\n= note: ", " | ");
    const FORM: &str = "write `repeat(3) { conv(16, kernel = 3, padding = same), relu }`";
    for (tokens, text) in [
        (quote!(repeat(0) { relu }), "repeat: the number of repetitions is 0, it must be at least 1".to_owned()),
        (
            quote!(s: repeat(N) { relu }),
            "s: the number of repetitions is no literal | the macro has to know how many layers there are, and it cannot see \
             the value of a constant / write the number out: `repeat(3) { … }`"
                .to_owned(),
        ),
        (quote!(repeat(2.5) { relu }), "repeat: the number of repetitions wants a whole number, not `2.5`".to_owned()),
        (quote!(repeat { relu }), format!("repeat: how many times is missing / {FORM}")),
        (quote!(repeat() { relu }), format!("repeat: how many times is missing / {FORM}")),
        (quote!(repeat(times = 2) { relu }), format!("repeat: its number has no name / {FORM}")),
        (quote!(repeat(2, 3) { relu }), format!("repeat takes one number / {FORM}")),
        (quote!(repeat(2)), format!("repeat has no layers: they stand in braces / {FORM}")),
        (quote!(s: repeat(2) {}), format!("s has no layers / {FORM}")),
        (
            quote!(repeat(100000000) { relu, tanh }),
            "repeat: 100000000 repetitions make more than 4096 layers | one repetition has 2".to_owned(),
        ),
        (
            quote!(relu, repeat(18446744073709551615) { relu, tanh }),
            "repeat: 18446744073709551615 repetitions make more than 4096 layers | one repetition has 2".to_owned(),
        ),
        (
            quote!(repeat(64) { repeat(65) { relu } }),
            "repeat: 64 repetitions make more than 4096 layers | one repetition has 65".to_owned(),
        ),
        (quote!(repaet(2) { relu }), "unknown layer `repaet` / did you mean `repeat`?".to_owned()),
    ] {
        assert_eq!(lines(tokens), text);
    }
    // Behind a number that is unknown nothing is.
    assert_eq!(layer_faults(quote!(repeat(N) { conv(4, kernel = 11) }, conv(4, kernel = 5, groups = 3))).len(), 2);
}

#[test]
fn the_first_that_fails_is_told_by_the_compiler() {
    let expansion = expansion(quote! {
        struct Net([4, 8, 8] -> [N]) { repeat(2) { c: conv(4, kernel = K), elu(SCALE) }, flatten }
    });
    for part in [
        "const_:()={::tenonet::shape::Faults::deny(&__NetShapes::C_1_0.faults(),\"c_1\",::tenonet::shape::Field::Kernel);\
         ::tenonet::shape::Faults::deny(&__NetShapes::C_2_2.faults(),\"c_2(repetition2of2)\",::tenonet::shape::Field::Kernel);};",
        "&self.c_2.weight",
    ] {
        assert!(expansion.contains(part), "{part}");
    }
    assert_eq!(expansion.matches("layers::Elu=").count(), 1);
}

/// As many layers as there may be take a second, not minutes.
#[test]
fn long_networks_are_expanded() {
    let text = expansion(quote! {
        struct Net([4, 8, 8] -> [256]) { repeat(1000) { c: conv(4, kernel = 3, padding = 1), batch_norm, relu }, flatten }
    });
    assert!(text.contains("&self.c_1000.weight"));
}

/// An expansion without spaces.
fn expansion(tokens: TokenStream) -> String {
    crate::expansion(tokens).to_string().replace(' ', "")
}
