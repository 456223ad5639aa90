use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [4, 8, 6]) {
        conv1d(4, kernel = 3),
    }
}

fn main() {}
