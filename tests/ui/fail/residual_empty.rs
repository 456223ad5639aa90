use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        linear(8), residual {}, relu,
    }
}

fn main() {}
