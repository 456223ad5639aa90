use tenonet::prelude::*;

network! {
    struct Net([6, 4, 4] -> [6, 4, 4]) {
        max_pool(3, stride = 1, padding = same),
    }
}

fn main() {}
