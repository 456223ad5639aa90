use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        residual, linear(8),
    }
}

fn main() {}
