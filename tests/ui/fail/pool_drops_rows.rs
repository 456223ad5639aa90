use tenonet::prelude::*;

network! {
    struct Net([6, 5, 5] -> [6, 2, 2]) {
        max_pool(2),
    }
}

fn main() {}
