use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 3, 4]) {
        scale(0.5),
    }
}

fn main() {}
