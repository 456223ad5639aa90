//! What a network offers by its bare name is of `f32`, so nothing wants `Net::<f32>`; and nothing of it offends a crate
//! with pedantic lints (`cargo clippy --all-targets` sees to that).
#![deny(warnings, clippy::all, clippy::pedantic)]

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tenonet::Network as _;
use tenonet::init::Init;

mod declared {
    tenonet::network! {
        pub struct Net([1, 4, 4] -> [2]) {
            net_conv: conv(2, kernel = 3), relu, flatten, net_fc: linear(2),
        }
    }
}
use declared::Net;

const _: () = assert!(Net::TENSORS.len() == 4 && Net::LAYERS.len() == 4 && Net::MICRO_BATCH > 0);

#[test]
fn constants_and_constructors_need_no_annotation() {
    assert_eq!(Net::NAME, "Net");
    let net = Net::init_with(Init::default(), &mut StdRng::seed_from_u64(1));
    let Ok(same) = net.to_bytes().and_then(|bytes| Net::from_bytes(&bytes)) else {
        panic!("its own bytes are refused")
    };
    assert_eq!(net.params(), same.params());
}
