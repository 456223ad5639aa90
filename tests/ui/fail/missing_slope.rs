use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        leaky_relu,
    }
}

fn main() {}
