use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        bn: batch_norm(epsilon = 0.0),
    }
}

fn main() {}
