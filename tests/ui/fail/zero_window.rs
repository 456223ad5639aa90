use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [1, 8, 8]) {
        max_pool(0),
    }
}

fn main() {}
