use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 3, 4]) {
        layer_norm(2),
    }
}

fn main() {}
