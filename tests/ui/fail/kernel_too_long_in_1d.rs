use tenonet::prelude::*;

network! {
    struct Net([1, 1, 8] -> [4, 1, 1]) {
        conv1: conv1d(4, kernel = 9),
    }
}

fn main() {}
