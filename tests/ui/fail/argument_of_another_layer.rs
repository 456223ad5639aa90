use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [1, 4, 4]) {
        max_pool(2, dilation = 2),
    }
}

fn main() {}
