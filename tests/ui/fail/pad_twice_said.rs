use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 5, 6]) {
        pad(1, zero, reflect),
    }
}

fn main() {}
