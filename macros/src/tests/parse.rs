use quote::{ToTokens, quote};
use tenonet_shape::{Rounding, Shape};

use super::{faults, headlines, layer, layer_faults, network, values};
use crate::ir::{Activation, BatchNorm, Groups, Op, Padding, PoolKind, Residual, Source};

#[test]
fn reads_lenet() {
    let net = network(quote! {
        /// LeNet-5.
        #[budget(weights = 256 * 1024, scratch = LIMIT, macs = 500_000, tape = 1 << 20)]
        #[derive(Clone)]
        pub(crate) struct LeNet([1, 28, 28] -> [10]) {
            conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
            conv2: conv(16, kernel = 5), relu, max_pool(2),
            flatten,
            fc1: linear(120), relu,
            fc2: linear(84), relu,
            fc3: linear(10),
        }
    });
    assert_eq!(net.ident, "LeNet");
    assert_eq!(net.vis.to_token_stream().to_string(), "pub (crate)");
    assert_eq!(net.attrs.len(), 2);
    assert_eq!(
        (values(&net.input), values(&net.output)),
        ([Some(1), Some(28), Some(28)], [Some(10), Some(1), Some(1)])
    );
    assert_eq!(net.budget.weights.and_then(|n| n.known()), Some(262_144));
    assert_eq!(net.budget.macs.and_then(|n| n.known()), Some(500_000));
    assert!(net.budget.scratch.is_some_and(|n| n.known().is_none()));
    assert!(net.budget.tape.is_some_and(|n| n.known().is_none()));
    let names: Vec<String> = net.layers.iter().map(|layer| layer.name.to_string()).collect();
    assert_eq!(names.join(" "), "conv1 relu_1 max_pool_2 conv2 relu_4 max_pool_5 flatten_6 fc1 relu_8 fc2 relu_10 fc3");
    assert_eq!(net.layers[3].input, Some(Shape::new(6, 14, 14)));
    assert_eq!(net.layers[3].output, Some(Shape::new(16, 10, 10)));
    assert_eq!(net.layers[11].output, Some(Shape::flat(10)));
}

#[test]
fn arguments_of_conv() {
    let conv = |tokens| match layer(tokens) {
        Op::Conv(conv) => conv,
        op => panic!("{op:?}"),
    };
    let plain = conv(quote!(conv(16, kernel = 3)));
    assert_eq!(plain.out_channels.known(), Some(16));
    assert_eq!((values(&plain.kernel), values(&plain.stride)), ([Some(3); 2], [Some(1); 2]));
    assert!(plain.bias && matches!(&plain.groups, Groups::Number(n) if n.known() == Some(1)));
    assert!(matches!(&plain.padding, Padding::Numbers(n) if values(n) == [Some(0); 4]));

    let all = conv(quote!(conv(
        bias = false,
        dilation = (1, 2),
        kernel = (3, 5),
        8,
        groups = 2 + 2,
        stride = 2,
        padding = (0, 1, 2, 3),
    )));
    assert_eq!(all.out_channels.known(), Some(8));
    assert_eq!(values(&all.kernel), [Some(3), Some(5)]);
    assert_eq!((values(&all.stride), values(&all.dilation)), ([Some(2); 2], [Some(1), Some(2)]));
    assert!(!all.bias && matches!(&all.groups, Groups::Number(n) if n.known() == Some(4)));
    assert!(matches!(&all.padding, Padding::Numbers(n) if values(n) == [0, 1, 2, 3].map(Some)));

    let pair = conv(quote!(conv(4, kernel = 3, padding = (1, 2), groups = depthwise)));
    assert!(matches!(&pair.padding, Padding::Numbers(n) if values(n) == [1, 1, 2, 2].map(Some)));
    assert!(matches!(pair.groups, Groups::Depthwise(_)));
    assert!(matches!(conv(quote!(conv(4, kernel = 3, padding = same))).padding, Padding::Same(_)));
    let valid = conv(quote!(conv(4, kernel = 3, padding = valid))).padding;
    assert!(matches!(&valid, Padding::Numbers(n) if values(n) == [Some(0); 4]));
}

#[test]
fn const_expressions() {
    let Op::Conv(conv) =
        layer(quote!(conv(WIDTH * 2, kernel = { N + 1 }, stride = (config::K, f::<A, B>(1)), padding = P)))
    else {
        panic!("no convolution")
    };
    let text = |num: &crate::ir::Num| match num {
        crate::ir::Num::Const(expr) => expr.to_token_stream().to_string(),
        crate::ir::Num::Known(..) => panic!("{num:?}"),
    };
    assert_eq!(text(&conv.out_channels), "WIDTH * 2");
    // The braces would be superfluous where the expansion puts it.
    assert_eq!(text(&conv.kernel[1]), "N + 1");
    assert_eq!((text(&conv.stride[0]), text(&conv.stride[1])), ("config :: K".into(), "f :: < A , B > (1)".into()));
}

#[test]
fn one_dimension() {
    let net = network(quote! {
        struct Signal([1, 1, 64] -> [8, 1, 16]) {
            conv1d(8, kernel = 9, stride = 2, padding = 4), max_pool1d(2), conv1d(8, kernel = 3, padding = (0, 2)), avg_pool1d(1),
        }
    });
    let Op::Conv(conv) = &net.layers[0].op else { panic!("no convolution") };
    assert_eq!((values(&conv.kernel), values(&conv.stride)), ([Some(1), Some(9)], [Some(1), Some(2)]));
    assert!(matches!(&conv.padding, Padding::Numbers(n) if values(n) == [0, 0, 4, 4].map(Some)));
    let Op::Pool(pool) = &net.layers[1].op else { panic!("no pooling") };
    assert_eq!((values(&pool.kernel), values(&pool.stride)), ([Some(1), Some(2)], [Some(1), Some(2)]));
    assert_eq!(net.layers[2].output, Some(Shape::new(8, 1, 16)));
}

#[test]
fn pooling() {
    let pool = |tokens| match layer(tokens) {
        Op::Pool(pool) => pool,
        op => panic!("{op:?}"),
    };
    let side_by_side = pool(quote!(max_pool((2, 3))));
    assert_eq!(values(&side_by_side.kernel), [Some(2), Some(3)]);
    assert_eq!(values(&side_by_side.stride), [Some(2), Some(3)]);
    assert_eq!((side_by_side.kind, side_by_side.rounding), (PoolKind::Max, Rounding::Exact));
    let padded = pool(quote!(avg_pool(3, stride = 2, padding = 1, ceil)));
    assert_eq!((values(&padded.stride), values(&padded.padding)), ([Some(2); 2], [Some(1); 4]));
    assert_eq!((padded.kind, padded.rounding), (PoolKind::Avg, Rounding::Ceil));
    assert_eq!(pool(quote!(max_pool(floor, 5, padding = valid))).rounding, Rounding::Floor);
}

#[test]
fn activations() {
    let text = |tokens| match layer(tokens) {
        Op::Activation(Activation::LeakyRelu(number) | Activation::Elu(number)) => number.to_token_stream().to_string(),
        op => panic!("{op:?}"),
    };
    assert_eq!(text(quote!(leaky_relu(0.01))), "0.01");
    assert_eq!(text(quote!(leaky_relu(SLOPE / 2.0))), "SLOPE / 2.0");
    assert_eq!(text(quote!(elu)), "1.0");
    assert_eq!(text(quote!(elu())), "1.0");
    assert_eq!(text(quote!(elu(2))), "2.0");
    for word in ["relu", "relu6", "sigmoid", "tanh", "gelu", "silu", "hard_sigmoid", "hard_swish", "softplus"] {
        let kind = quote::format_ident!("{word}");
        assert!(matches!(layer(quote!(#kind)), Op::Activation(_)), "{word}");
        assert!(matches!(layer(quote!(#kind())), Op::Activation(_)), "{word}");
    }
    assert!(matches!(layer(quote!(global_avg_pool)), Op::GlobalAvgPool));
    assert!(matches!(layer(quote!(flatten)), Op::Flatten));
    assert!(matches!(layer(quote!(global_avg_pool, softmax)), Op::GlobalAvgPool));
}

#[test]
fn a_fault_does_not_hide_the_next() {
    assert_eq!(
        headlines(quote! {
            pub struct Net([1, 28, 28] -> [10]) {
                conv(6, kernel = , stride = 0, paddin = 2),
                rellu(), flatten linear(),
                type: linear(10, 3),
                linear(x: 10), ?, relu
            }
        }),
        [
            "conv_0: `kernel` has no value",
            "conv_0: unknown argument `paddin`",
            "unknown layer `rellu`",
            "expected `,` before this: layers are separated by commas",
            "linear_3: the number of outputs is missing",
            "`type` is a keyword of Rust and cannot name a layer",
            "linear_4: only the number of outputs stands without a name",
            "linear_5: `x` is followed by `=`, not by `:`",
            "expected a layer here, such as `conv(16, kernel = 3)` or `relu`",
            "conv_0: stride is 0, it must be at least 1",
        ]
    );
}

#[test]
fn headers() {
    let lines = |tokens| headlines(tokens).join("; ");
    assert_eq!(lines(quote!()), "expected `struct`");
    assert_eq!(lines(quote!(struct)), "expected the network's name");
    assert_eq!(
        lines(quote!(
            enum A {
                B,
            }
        )),
        "expected `struct`"
    );
    assert_eq!(
        lines(quote!(struct Self([1] -> [1]) { relu })),
        "`Self` is a keyword of Rust and cannot name a network"
    );
    assert_eq!(
        lines(quote!(struct T([1] -> [1]) { relu })),
        "`T` is the element type of every network and cannot name one"
    );
    assert_eq!(lines(quote!(struct A { relu })), "A: its input and output are missing");
    assert_eq!(lines(quote!(struct A([1])  { relu })), "A: expected `->` and its output");
    assert_eq!(
        lines(quote!(struct A([1] -> ) { relu })),
        "A: expected its output, `[features]` or `[channels, height, width]`"
    );
    assert_eq!(lines(quote!(struct A([1] -> [1]))), "A: expected its layers, `{ conv(16, kernel = 3), relu, … }`");
    assert_eq!(lines(quote!(struct A([1] -> [1]) {})), "A has no layers");
    assert_eq!(lines(quote!(struct A<T>([1] -> [1]) { relu })), "A: a network declares no generics");
    assert_eq!(lines(quote!(struct A([1] -> [1]) { relu } struct B)), "A: nothing follows the layers");
    assert_eq!(
        faults(quote!(struct A([28, 28] -> [10]) { flatten, linear(10) })),
        ["A: its input has 2 numbers; a shape is `[features]` or `[channels, height, width]`\n\
          = help: a single channel is written out: `[1, 28, 28]`"]
    );
    assert_eq!(
        lines(quote!(struct A([0, 3, 3] -> [3.5]) { flatten })),
        "A: its input is empty: every number of a shape is at least 1; A: its output wants a whole number, not `3.5`"
    );
}

#[test]
fn budgets() {
    let lines = |tokens| faults(quote!(#tokens struct A([1] -> [1]) { relu })).join("; ");
    assert_eq!(
        lines(quote!(#[budget(weigths = 3, macs = 1, macs = 2, 7)])),
        "budget: unknown limit `weigths`\n= help: did you mean `weights`?; budget: `macs` is given twice; \
         budget: what does this limit?\n= help: it is `budget(weights = …, scratch = …, tape = …, macs = …)`: bytes, and multiply-adds"
    );
    assert_eq!(lines(quote!(#[budget(macs = 1)] #[budget(macs = 1)])), "the budget is given twice");
    assert!(lines(quote!(#[budget])).starts_with("a budget has limits in parentheses"));
    assert!(lines(quote!(#[budget()])).starts_with("this budget limits nothing"));
}

#[test]
fn what_other_kinds_take() {
    assert_eq!(
        layer_faults(quote!(max_pool(2, dilation = 3))),
        ["max_pool_0: max_pool does not take `dilation`\n= help: it takes `stride`, `padding`, `floor` or `ceil`"]
    );
    assert_eq!(
        layer_faults(quote!(max_pool(2, floor = true))),
        ["max_pool_0: unknown argument `floor`\n= help: `floor` stands alone, without a value"]
    );
    assert_eq!(
        layer_faults(quote!(conv(channels = 3, kernel = 3))),
        [
            "conv_0: unknown argument `channels`\n= help: the number of output channels is the first argument, without a name: `conv(16, kernel = 3)`"
        ]
    );
    assert_eq!(
        layer_faults(quote!(conv(3, kernel_size = 3, kernel = 3))),
        ["conv_0: unknown argument `kernel_size`\n= help: did you mean `kernel`?"]
    );
    assert_eq!(layer_faults(quote!(conv(3, kernel = 3, bias = 1))), ["conv_0: bias is `true` or `false`"]);
    assert_eq!(
        layer_faults(quote!(conv(3, kernel = 3, padding = (1, 2, 3)))),
        [
            "conv_0: padding cannot be a list of 3\n= help: it is one number, `(rows, columns)`, `(top, bottom, left, right)`, `same` or `valid`"
        ]
    );
    assert_eq!(
        layer_faults(quote!(conv(3, kernel = (1, 2, 3)))),
        ["conv_0: kernel cannot be a list of 3\n= help: it is one number or a pair, `(rows, columns)`"]
    );
    assert_eq!(
        faults(quote!(struct Net([1, 1, 9] -> [N]) { conv1d(3, kernel = (1, 2)) })),
        ["conv1d_0: kernel wants a whole number, not a list"]
    );
    assert_eq!(
        layer_faults(quote!(leaky_relu)),
        ["leaky_relu_0: the slope is missing\n= help: such as `leaky_relu(0.01)`"]
    );
}

#[test]
fn blocks() {
    let net = network(quote! {
        struct Net([4, 8, 8] -> [4, 8, 8]) {
            relu,
            first: residual { conv(4, kernel = 1), residual { tanh } shortcut { skip: conv(4, kernel = 1) }, relu },
            shortcut: conv(4, kernel = 1),
        }
    });
    // A block stands behind its arms, and unnamed layers are numbered as they stand in the table.
    let names: Vec<String> = net.layers.iter().map(|layer| layer.name.to_string()).collect();
    assert_eq!(names.join(" "), "relu_0 conv_1 tanh_2 skip residual_4 relu_5 first shortcut");
    let sources: Vec<Source> = net.layers.iter().map(|layer| layer.from).collect();
    let layer = Source::Layer;
    assert_eq!(sources, [Source::Input, layer(0), layer(1), layer(1), layer(2), layer(4), layer(5), layer(6)]);
    assert!(matches!(
        net.layers[4].op,
        Op::Residual(Residual { input: Source::Layer(1), shortcut: Some(Source::Layer(3)) })
    ));
    assert!(matches!(net.layers[6].op, Op::Residual(Residual { input: Source::Layer(0), shortcut: None })));
    // A shortcut runs before the layers beside it.
    assert_eq!(net.order(), [0, 1, 3, 2, 4, 5, 6, 7]);
}

#[test]
fn faults_of_blocks() {
    let lines = |tokens| layer_faults(tokens).join("; ").replace("\n= help: ", " / ");
    const FORM: &str = "write `residual { conv(16, kernel = 3, padding = same), relu }`";
    assert_eq!(lines(quote!(residual)), format!("this block has no layers: they stand in braces / {FORM}"));
    assert_eq!(lines(quote!(a: residual {})), format!("a has no layers / {FORM}"));
    assert_eq!(
        lines(quote!(residual(2) { relu })),
        "this block takes no arguments / its layers stand in braces: `residual { … }`"
    );
    assert_eq!(
        lines(quote!(residual { relu } shortcut {})),
        "this block has an empty shortcut / without `shortcut` the block's input is added as it is"
    );
    assert_eq!(
        lines(quote!(residual { relu } shortcut)),
        "a shortcut has its layers in braces / write `residual { … } shortcut { conv(32, kernel = 1, stride = 2) }`"
    );
    assert_eq!(lines(quote!(a: residual { relu } shortcut { tanh } shortcut { relu })), "a has a shortcut already");
    assert_eq!(
        lines(quote!(relu, shortcut { relu })),
        "a shortcut belongs to the `residual { … }` before it / write `residual { … } shortcut { … }`"
    );
    // Without the comma it would have been another block: its arms are not compared.
    assert_eq!(
        lines(quote!(residual { conv(8, kernel = 1) }, shortcut { conv(8, kernel = 1) })),
        "a shortcut belongs to the `residual { … }` before it / leave out the comma between them: `residual { … } shortcut { … }`"
    );
    assert_eq!(lines(quote!(residul { relu })), "unknown layer `residul` / did you mean `residual`?");
    assert_eq!(
        lines(quote!(residual { relu } shortcuts { relu })).split(" / ").last(),
        Some("did you mean `shortcut`?")
    );
    // Faults within are told, and numbered as they stand.
    assert_eq!(
        headlines(quote! {
            struct Net([4, 8, 8] -> [N]) {
                relu, residual { conv(4), rleu, relu relu } shortcut { conv(0, kernel = 1), , }, linear(x = 3),
            }
        }),
        [
            "conv_1: the kernel is missing",
            "unknown layer `rleu`",
            "expected `,` before this: layers are separated by commas",
            "a layer is missing before this comma",
            "linear_7: unknown argument `x`",
            "conv_5: number of outputs is 0, it must be at least 1",
            // Whatever the layers yield, the shortcut yields a map.
            "linear_7: linear takes a flat vector, its input is 1×8×8",
        ]
    );
}

#[test]
fn batch_norm() {
    let epsilon = |tokens| match layer(tokens) {
        Op::BatchNorm(BatchNorm { epsilon }) => epsilon.to_token_stream().to_string(),
        op => panic!("{op:?}"),
    };
    assert_eq!(epsilon(quote!(batch_norm)), "1e-5");
    assert_eq!(epsilon(quote!(batch_norm())), "1e-5");
    assert_eq!(epsilon(quote!(batch_norm(epsilon = 1e-3))), "1e-3");
    assert_eq!(epsilon(quote!(batch_norm(epsilon = 1))), "1.0");
    assert_eq!(epsilon(quote!(batch_norm(epsilon = EPSILON / 2.0))), "EPSILON / 2.0");
    let fault = |tokens| layer_faults(tokens).join("; ").replace("\n= help: ", " / ");
    assert_eq!(fault(quote!(batch_norm(eps = 1e-3))), "batch_norm_0: unknown argument `eps` / did you mean `epsilon`?");
    assert_eq!(
        fault(quote!(batch_norm(1e-3))),
        "batch_norm_0: batch_norm does not take this argument / name what it is: `epsilon = …`"
    );
    for tokens in [quote!(bn: batch_norm(epsilon = 0)), quote!(bn: batch_norm(epsilon = -1e-5))] {
        assert_eq!(fault(tokens), "bn: epsilon must be above 0 / write `epsilon = 1e-5`");
    }
    assert_eq!(fault(quote!(bn: batch_norm(epsilon = "1"))), "bn: epsilon wants a real number, not a string");
    assert_eq!(
        fault(quote!(BatchNorm2d(16))),
        "unknown layer `BatchNorm2d` / did you mean `batch_norm`?; BatchNorm2d_0: BatchNorm2d does not take this argument / name what it is: `epsilon = …`"
    );
}
