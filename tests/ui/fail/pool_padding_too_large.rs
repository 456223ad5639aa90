use tenonet::prelude::*;

network! {
    struct Net([6, 4, 4] -> [6, 4, 4]) {
        max_pool(2, padding = 2),
    }
}

fn main() {}
