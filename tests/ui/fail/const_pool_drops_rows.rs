use tenonet::prelude::*;
const K: usize = 2;
network! {
    struct Net([6, 5, 5] -> [6, 2, 2]) {
        pool: max_pool(K),
    }
}

fn main() {}
