use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 3, 6]) {
        pad1d(1),
    }
}

fn main() {}
