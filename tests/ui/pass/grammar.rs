//! All of the grammar, in a crate that warns of nothing and has no unsafe code.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
#![allow(dead_code)]

use tenonet::prelude::*;

mod config {
    pub const K: usize = 3;
    pub const fn twice(n: usize) -> usize {
        2 * n
    }
}

const WIDTH: usize = 8;
const CLASSES: usize = 10;
const SLOPE: f64 = 0.01;
const LIMIT: usize = 1 << 20;

network! {
    /// Every number a literal.
    #[budget(weights = 256 * 1024, scratch = 1024 * 1024, macs = 500_000, tape = 1024 * 1024)]
    pub struct Literals([2, 16, 12] -> [10]) {
        first: conv(8, kernel = (3, 5), stride = (1, 2), padding = (1, 1, 2, 2), dilation = 1, groups = 2, bias = false),
        leaky_relu(0.01),
        max_pool((2, 3)),
        conv(kernel = 3, padding = same, 8, groups = depthwise), elu,
        conv(8, kernel = (3, 1), padding = (1, 0)), elu(0.5),
        avg_pool(3, stride = 2, padding = 1, ceil),
        conv(8, kernel = 1, padding = valid, bias = true), relu6,
        max_pool(2, floor), gelu, silu, sigmoid, tanh,
        global_avg_pool, hard_sigmoid, hard_swish, softplus,
        flatten, r#type: linear(10), softmax,
    }
}

network! {
    /// Every number a const expression.
    #[budget(weights = LIMIT, scratch = LIMIT, macs = LIMIT, tape = LIMIT)]
    pub struct Consts([{ WIDTH / 4 }, WIDTH * 2, 12] -> [CLASSES]) {
        first: conv(WIDTH, kernel = config::K, padding = { config::K / 2 }, groups = WIDTH / 4), leaky_relu(SLOPE),
        second: conv(config::twice(WIDTH), kernel = (config::K, 1), stride = (2, config::K), padding = same), elu(SLOPE / 2.0),
        max_pool({ WIDTH / 4 }, floor),
        flatten,
        third: linear(CLASSES, bias = false),
    }
}

network! {
    /// A signal.
    pub struct Signal([1, 1, 64] -> [8, 1, 8]) {
        conv1d(8, kernel = 9, stride = 2, padding = 4), relu,
        max_pool1d(2), avg_pool1d(2, floor),
        conv1d(8, kernel = 3, padding = (0, 2)), relu(),
    }
}

network! {
    /// No parameters at all.
    pub struct Bare([1, 4, 4] -> [16]) {
        relu,
        flatten,
    }
}

fn main() {
    assert_eq!(Signal::PARAMS, 8 * 9 + 8 + 8 * 8 * 3 + 8);
    assert_eq!(Bare::PARAMS, 0);
    let second = Consts::LAYERS[2].output;
    assert_eq!((second.c, second.h, second.w), (16, 8, 4));
    assert_eq!(Literals::LAYERS.iter().map(|layer| layer.params).sum::<usize>(), Literals::PARAMS);
}
