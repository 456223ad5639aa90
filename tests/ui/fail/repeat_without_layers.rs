use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        repeat(2) {}, relu,
    }
}

fn main() {}
