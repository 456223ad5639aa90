//! A private network in a function's body, and two networks in one module.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use tenonet::prelude::*;

mod two {
    tenonet::network! {
        pub(crate) struct Encoder([16] -> [4]) {
            linear(4), tanh,
        }
    }
    tenonet::network! {
        pub(super) struct Decoder([4] -> [16]) {
            linear(16), tanh,
        }
    }
}

fn main() {
    network! {
        struct Local([4] -> [2]) {
            fc: linear(2, bias = false),
        }
    }
    let mut rng: rand::rngs::StdRng = rand::make_rng();
    let net = Local::init(&mut rng);
    let code: Tensor<4> = two::Encoder::init(&mut rng).forward(&Tensor::zeros(), &mut two::Encoder::scratch());
    let back: Tensor<16> = two::Decoder::init(&mut rng).forward(&code, &mut two::Decoder::scratch());
    let y: Tensor<2> = net.forward(&code, &mut Local::scratch());
    assert!(back.as_slice().len() > y.as_slice().len() && net.fc.weight.len() == 4);
}
