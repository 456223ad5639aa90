use tenonet::prelude::*;

network! {
    struct Net([6, 6, 6] -> [6, 2, 2]) {
        avg_pool(3, stride = 2),
    }
}

fn main() {}
