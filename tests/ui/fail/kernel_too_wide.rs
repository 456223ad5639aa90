use tenonet::prelude::*;

network! {
    struct Net([1, 28, 5] -> [4, 26, 1]) {
        conv1: conv(4, kernel = (3, 7)),
    }
}

fn main() {}
