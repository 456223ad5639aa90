use tenonet::prelude::*;

network! {
    struct Net([8] -> [4]) {
        relu_1: linear(4), relu,
    }
}

fn main() {}
