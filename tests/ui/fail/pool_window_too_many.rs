use tenonet::prelude::*;

network! {
    struct Net([1, 300, 300] -> [1, 1, 1]) {
        max_pool(300),
    }
}

fn main() {}
