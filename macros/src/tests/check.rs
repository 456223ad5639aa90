use proc_macro2::TokenStream;
use quote::quote;

use super::{faults, headlines, layer_faults, network};

#[test]
fn tells_the_arithmetic_and_the_repair() {
    assert_eq!(
        faults(quote!(struct Net([16, 3, 3] -> [N]) { conv2: conv(16, kernel = 5) })),
        ["conv2: kernel 5×5 does not fit its input 16×3×3\n\
          = note: output height = (3 + 0 + 0 − 5) / 1 + 1, which is below 1\n\
          = help: use kernel ≤ 3, or padding ≥ 1"]
    );
    assert_eq!(
        layer_faults(quote!(max_pool(5))),
        ["max_pool_0: window 5×5 does not divide its input 4×12×12: 2 rows would be dropped\n\
          = note: output height = (12 + 0 + 0 − 5) / 5 + 1, which is not whole\n\
          = help: say `floor` to drop the last rows, or `ceil` for a last, partial window"]
    );
    assert_eq!(
        layer_faults(quote!(conv(6, kernel = 3, groups = 3))),
        ["conv_0: groups = 3 does not divide the 4 input channels\n= help: the divisors of 4 are 1, 2, 4"]
    );
    assert_eq!(
        layer_faults(quote!(fc: linear(10))),
        ["fc: linear takes a flat vector, its input is 4×12×12\n= help: put `flatten` before it"]
    );
}

#[test]
fn signals() {
    assert_eq!(
        layer_faults(quote!(max_pool1d(2))),
        ["max_pool1d_0: its input 4×12×12 is no signal, it has 12 rows\n\
          = note: a signal is C×1×L\n\
          = help: the layers without `1d` work on maps"]
    );
}

#[test]
fn tells_zeros() {
    for (tokens, text) in [
        (quote!(conv(0, kernel = 3)), "conv_0: number of outputs is 0, it must be at least 1"),
        (quote!(conv(4, kernel = (3, 0))), "conv_0: kernel is 0, it must be at least 1"),
        (quote!(conv(4, kernel = 3, stride = 0)), "conv_0: stride is 0, it must be at least 1"),
        (quote!(conv(4, kernel = 3, dilation = 0)), "conv_0: dilation is 0, it must be at least 1"),
        (quote!(conv(4, kernel = 3, groups = 0)), "conv_0: groups is 0, it must be at least 1"),
        (quote!(max_pool(0)), "max_pool_0: kernel is 0, it must be at least 1"),
        (quote!(max_pool(2, stride = 0)), "max_pool_0: stride is 0, it must be at least 1"),
        (quote!(flatten, linear(0)), "linear_1: number of outputs is 0, it must be at least 1"),
        // Zeros are told even where a const expression hides the shape.
        (quote!(conv(N, kernel = 3), conv(4, kernel = 3, stride = 0)), "conv_1: stride is 0, it must be at least 1"),
    ] {
        assert_eq!(layer_faults(tokens), [text]);
    }
}

#[test]
fn consequences_are_not_told() {
    // The first kernel's fault leaves the size unknown; what follows could fit.
    assert_eq!(
        headlines(quote! {
            struct Net([1, 12, 12] -> [10]) {
                a: conv(4, kernel = 15), relu, max_pool(2), b: conv(4, kernel = 9), global_avg_pool, linear(10),
            }
        }),
        ["a: kernel 15×15 does not fit its input 1×12×12"]
    );
    // An unknown layer may do anything to the shape, so the output is not judged.
    assert_eq!(
        headlines(quote!(struct Net([1, 12, 12] -> [10]) { conv(4, kernel = 3), frobnicate, relu })),
        ["unknown layer `frobnicate`"]
    );
    // Nor is a sum of which a part is unknown.
    assert_eq!(
        headlines(
            quote!(#[budget(weights = 1, macs = 1)] struct Net([1, 12, 12] -> [10]) { flatten, linear(10, bas = true) })
        ),
        ["linear_1: unknown argument `bas`"]
    );
}

#[test]
fn independent_faults_are_told_together() {
    assert_eq!(
        headlines(quote! {
            struct Net([1, 12, 12] -> [10]) {
                a: conv(4, kernel = 15),
                b: conv(6, kernel = 1, groups = 4),
                max_pool(5, padding = 5),
                global_avg_pool,
                linear(12),
                dropout(2),
            }
        }),
        [
            "dropout_5: the probability must be at least 0 and below 1",
            "a: kernel 15×15 does not fit its input 1×12×12",
            "b: groups = 4 does not divide the 6 output channels",
            "max_pool_2: padding must be smaller than the window 5×5",
            "Net: declared output [10] differs from the real output [12]",
        ]
    );
    // A rest of the pooling leaves the size open, but it is no flat vector either way.
    assert_eq!(
        headlines(quote!(struct Net([1, 13, 13] -> [9]) { max_pool(2), linear(10) })),
        [
            "max_pool_0: window 2×2 does not divide its input 1×13×13: 1 row would be dropped",
            "linear_1: linear takes a flat vector, its input is 1×6×6",
            "Net: declared output [9] differs from the real output [10]",
        ]
    );
}

#[test]
fn the_declared_output() {
    assert_eq!(
        faults(quote!(struct Net([4, 3, 3] -> [36]) { last: conv(4, kernel = 1) })),
        ["Net: declared output [36] differs from the real output [4, 3, 3]\n\
          = note: the last layer, last, yields 4×3×3\n\
          = help: put `flatten` behind the last layer"]
    );
    assert_eq!(
        faults(quote!(struct Net([4, 3, 3] -> [4, 3, 2]) { relu })),
        ["Net: declared output [4, 3, 2] differs from the real output [4, 3, 3]\n\
          = note: the last layer, relu_0, yields 4×3×3\n\
          = help: declare `-> [4, 3, 3]`, or change the last layer"]
    );
    // With a const expression on the way the expansion's assertions judge.
    network(quote!(struct Net([4, 3, 3] -> [N]) { flatten }));
    network(quote!(struct Net([4, 3, 3] -> [12, 3, 3]) { conv(N, kernel = 1) }));
}

#[test]
fn names() {
    assert_eq!(
        headlines(quote!(struct Net([4] -> [4]) { a: linear(4), relu, a: linear(4) })),
        ["two layers are called `a`"]
    );
    assert_eq!(
        faults(quote!(struct Net([4] -> [4]) { relu_1: linear(4), relu })),
        ["two layers are called `relu_1`\n= note: a relu without a name is called by its kind and position"]
    );
}

#[test]
fn sums() {
    let net = |budget| faults(quote!(#[budget(#budget)] struct Net([4] -> [3]) { fc: linear(3) }));
    assert_eq!(net(quote!(weights = 60, macs = 12)), [] as [&str; 0]);
    assert_eq!(
        net(quote!(weights = 59, macs = 11)),
        [
            "Net: its weights take 60 bytes, the budget is 59\n= note: 15 parameters of 4 bytes; 15 of them in fc",
            "Net: it takes 12 multiply-adds, the budget is 11\n= note: for one input; 12 of them in fc",
        ]
    );
}

#[test]
fn numbers_beyond_memory() {
    let big = u64::MAX;
    assert_eq!(
        headlines(quote!(struct Net([1, 4294967296, 4294967296] -> [N]) { relu })),
        ["Net: its input has more elements than memory has addresses"]
    );
    assert_eq!(
        layer_faults(quote!(a: conv(#big, kernel = 1)).to_string().replace("u64", "").parse().unwrap()),
        ["a: its output 18446744073709551615×12×12 has more elements than memory has addresses"]
    );
    assert_eq!(
        layer_faults(quote!(a: conv(1, kernel = 1, padding = 9999999999))),
        ["a: its output 1×20000000010×20000000010 has more elements than memory has addresses"]
    );
    assert_eq!(
        layer_faults(quote!(flatten, a: linear(9999999999999999))),
        ["a: its 5,769,999,999,999,999,423 parameters are more than memory has addresses"]
    );
    assert_eq!(
        headlines(quote!(struct Net([1, 1000000, 1000000] -> [N]) { a: conv(10000, kernel = 9999) })),
        ["a: its multiply-adds do not fit into 64 bits"]
    );
}

#[test]
fn arms_of_blocks() {
    let net = |layers: TokenStream| faults(quote!(struct Net([16, 32, 32] -> [N]) { #layers }));
    let fits = [] as [&str; 0];
    assert_eq!(net(quote!(residual { conv(16, kernel = 3, padding = 1), relu }, flatten)), fits);
    assert_eq!(
        net(
            quote!(residual { conv(32, kernel = 3, stride = 2, padding = 1) } shortcut { conv(32, kernel = 1, stride = 2) })
        ),
        fits
    );
    assert_eq!(
        net(quote!(block: residual { conv(32, kernel = 3, stride = 2, padding = 1), relu })),
        ["block: its arms differ: the layers yield 32×16×16, the input is 16×32×32\n\
          = note: channels 32 and 16; height 16 and 32; width 16 and 32: a sum is taken element by element\n\
          = help: use `shortcut { conv(32, kernel = 1, stride = 2) }`, or make the layers yield 16×32×32"]
    );
    let help = |layers: TokenStream| {
        let told = net(layers).join("");
        told.split("= help: ").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(
        help(quote!(residual { conv(8, kernel = 1) })),
        "use `shortcut { conv(8, kernel = 1) }`, or make the layers yield 16×32×32"
    );
    assert_eq!(
        help(quote!(residual { max_pool((1, 2)) })),
        "use `shortcut { conv(16, kernel = 1, stride = (1, 2)) }`, or make the layers yield 16×32×32"
    );
    assert_eq!(help(quote!(residual { conv(16, kernel = 3) })), "keep the size in the layers: `padding = same`");
    assert_eq!(help(quote!(residual { conv(16, kernel = 1, padding = 1) })), "give both arms one shape");
    assert_eq!(
        help(quote!(residual { conv(8, kernel = 1, stride = 2) } shortcut { conv(8, kernel = 1) })),
        "use `shortcut { conv(8, kernel = 1, stride = 2) }`, or make the layers yield 8×32×32"
    );
    assert_eq!(
        help(quote!(global_avg_pool, residual { linear(8) })),
        "use `shortcut { linear(8) }`, or make the layers yield 16"
    );
}

#[test]
fn arms_in_doubt() {
    let net = |layers: TokenStream| headlines(quote!(struct Net([16, 32, 32] -> [16, 32, 32]) { #layers }));
    // What an arm with a fault yields is not compared, and the other one says what leaves the block.
    assert_eq!(net(quote!(residual { conv(8, kernel = 3, padding = 1), frobnicate })), ["unknown layer `frobnicate`"]);
    assert_eq!(
        net(quote!(residual { a: conv(16, kernel = 55) }, b: conv(16, kernel = 33))),
        ["a: kernel 55×55 does not fit its input 16×32×32", "b: kernel 33×33 does not fit its input 16×32×32"]
    );
    // Along the channels there is no doubt.
    assert_eq!(
        net(quote!(a: conv(8, kernel = 55), residual { b: conv(9, kernel = 1) }, c: conv(7, kernel = 1, groups = 7))),
        [
            "a: kernel 55×55 does not fit its input 16×32×32",
            "residual_2: its arms differ: the layers yield 9, the input is 8",
        ]
    );
    // Behind arms that differ nothing is told that the repair could change.
    assert_eq!(
        net(quote!(residual { conv(8, kernel = 1) }, conv(4, kernel = 1, groups = 3))),
        [
            "residual_1: its arms differ: the layers yield 8×32×32, the input is 16×32×32",
            "conv_2: groups = 3 does not divide the 4 output channels",
            "Net: declared output [16, 32, 32] differs from the real output [4, 32, 32]",
        ]
    );
    // With a const expression the compiler judges.
    assert_eq!(
        net(quote!(residual { conv(N, kernel = 1) } shortcut { conv(M, kernel = 2, stride = 2) })),
        [] as [&str; 0]
    );
}

#[test]
fn statistics() {
    assert_eq!(
        faults(quote!(struct Net([4] -> [4]) { statistics: linear(4), batch_norm })),
        ["a layer is called `statistics`, as the running averages of batch_norm are\n\
          = help: a layer's name is its field: choose another"]
    );
    network(quote!(struct Net([4] -> [4]) { statistics: linear(4), relu }));
    network(quote!(struct Net([4] -> [4]) { statistics: relu, batch_norm }));
    assert_eq!(
        faults(quote!(#[budget(weights = 63)] struct Net([4] -> [4]) { bn: batch_norm })),
        ["Net: its weights take 64 bytes, the budget is 63\n\
          = note: 8 parameters and 8 running averages of 4 bytes; 8 of them in bn"]
    );
}
