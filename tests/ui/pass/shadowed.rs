//! Names of a user's module that the expansion must not fall for.
#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

mod net {
    mod core {}
    mod std {}
    mod alloc {}
    mod layers {}
    type Option = ();
    type Result = ();
    type Box = ();
    struct Some;
    struct None;
    struct Simd;
    struct Scalar;
    struct Plain;
    struct Shape;
    struct Conv;
    struct Network;
    struct Scratch;
    struct Linear;
    struct Conv2d;
    struct Default;
    const N: u8 = 0;
    trait Clone {}
    #[allow(unused_macros)]
    macro_rules! assert { () => {} }
    #[allow(unused_macros)]
    macro_rules! concat { () => {} }

    tenonet::network! {
        pub struct Tensor([1, 8, 8] -> [3]) {
            t: conv(4, kernel = 3), s: relu, max_pool(2),
            tn: conv(super::WIDTH, kernel = 3), relu,
            flatten,
            self_: linear(8), relu, tensor: linear(3),
        }
    }
}

const WIDTH: usize = 4;

fn main() {
    use tenonet::Network;
    let net: Box<net::Tensor> = net::Tensor::init(&mut rand::make_rng::<rand::rngs::StdRng>());
    let y = net.forward(&tenonet::Tensor::zeros(), &mut net::Tensor::scratch());
    assert_eq!(y.as_slice().len(), 3);
}
