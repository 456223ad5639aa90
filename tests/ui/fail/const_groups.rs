use tenonet::prelude::*;
const G: usize = 3;
network! {
    struct Net([4, 8, 8] -> [6, 8, 8]) {
        conv1: conv(6, kernel = 1, groups = G),
    }
}

fn main() {}
