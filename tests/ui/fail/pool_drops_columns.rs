use tenonet::prelude::*;

network! {
    struct Net([6, 6, 5] -> [6, 3, 2]) {
        pool: max_pool(2),
    }
}

fn main() {}
