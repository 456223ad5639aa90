use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [4, 8, 8]) {
        conv(0, kernel = 1),
    }
}

fn main() {}
