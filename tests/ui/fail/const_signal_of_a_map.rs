use tenonet::prelude::*;

const H: usize = 8;
network! {
    struct Net([1, H, 8] -> [1, H, 4]) {
        max_pool1d(2),
    }
}

fn main() {}
