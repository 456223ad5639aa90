use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 3, 4]) {
        layer_norm(epsilon = 0.0),
    }
}

fn main() {}
