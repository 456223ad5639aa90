//! Every layer beside convolutions, poolings and activations, in a crate that warns of nothing and has no unsafe code.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
#![allow(dead_code)]

use tenonet::prelude::*;

const ONE: usize = 1;
const TWO: usize = 2;
const EPSILON: f64 = 1e-3;
const P: f64 = 0.25;

network! {
    /// With literals.
    pub struct Literals([3, 6, 5] -> [4]) {
        pad(1), pad((1, 2), reflect), border: pad((0, 1, 2, 0), replicate), pad(1, zero),
        upsample(2), upsample((1, 2), nearest), smooth: upsample((2, 1), bilinear),
        scale, gain: scale, bias, offset: bias, layer_norm, norm: layer_norm(epsilon = 1e-6),
        conv_transpose(4, kernel = 3), up: conv_transpose(4, kernel = (3, 2), stride = 2, padding = (1, 0, 0, 1), output_padding = (1, 0)),
        conv_transpose(4, kernel = 2, groups = depthwise, bias = false), relu, dropout(0.5), drop: dropout(0),
        global_max_pool, layer_norm,
    }
}

network! {
    /// The same with const expressions.
    pub struct Consts([TWO + 1, 6, 5] -> [4]) {
        pad(ONE), pad((ONE, TWO), reflect), border: pad((0, ONE, TWO, 0), replicate), pad(ONE, zero),
        upsample(TWO), upsample((ONE, TWO), nearest), smooth: upsample((TWO, ONE), bilinear),
        scale, gain: scale, bias, offset: bias, layer_norm, norm: layer_norm(epsilon = EPSILON * 1e-3),
        conv_transpose(TWO * 2, kernel = 3),
        up: conv_transpose(4, kernel = (3, TWO), stride = TWO, padding = (ONE, 0, 0, ONE), output_padding = (ONE, 0)),
        conv_transpose(TWO * 2, kernel = TWO, groups = depthwise, bias = false), relu, dropout(P * 2.0), drop: dropout(0),
        global_max_pool, layer_norm,
    }
}

network! {
    /// Signals.
    pub struct Signals([2, 1, 9] -> [3, 1, 56]) {
        pad1d((1, 2), reflect), conv1d(4, kernel = 5), upsample1d(3, bilinear), pad1d(TWO),
        conv_transpose1d(3, kernel = 4, stride = 2, padding = (1, 2), output_padding = 1), upsample1d(1),
    }
}

fn main() {
    assert_eq!((Literals::PARAMS, Literals::MACS), (Consts::PARAMS, Consts::MACS));
    for (one, other) in Literals::TENSORS.iter().zip(Consts::TENSORS) {
        assert_eq!((one.name, one.shape, one.memory, one.offset, one.role), (other.name, other.shape, other.memory, other.offset, other.role));
    }
    for (one, other) in Literals::LAYERS.iter().zip(Consts::LAYERS) {
        assert_eq!(one, other);
    }
    assert_eq!(Literals::TENSORS.last().map(|tensor| tensor.shape), Some(&[4][..]));
}
