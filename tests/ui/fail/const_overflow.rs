use tenonet::prelude::*;
const K: usize = 3;
network! {
    struct Net([1, 8, 8] -> [4, 8, 8]) {
        conv1: conv(4, kernel = K - 4),
    }
}

fn main() {}
