use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 9, 4]) {
        pad((1, 3, 0, 0), reflect),
    }
}

fn main() {}
