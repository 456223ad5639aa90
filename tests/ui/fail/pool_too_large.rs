use tenonet::prelude::*;

network! {
    struct Net([6, 3, 3] -> [6, 1, 1]) {
        max_pool(4),
    }
}

fn main() {}
