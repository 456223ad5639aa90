use tenonet::prelude::*;
const K: usize = 5;
network! {
    struct Net([16, 3, 3] -> [4, 1, 1]) {
        conv2: conv(4, kernel = K),
    }
}

fn main() {}
