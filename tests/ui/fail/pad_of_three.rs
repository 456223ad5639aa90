use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 3, 4]) {
        pad((1, 2, 3)),
    }
}

fn main() {}
