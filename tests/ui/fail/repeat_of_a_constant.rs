use tenonet::prelude::*;
const DEPTH: usize = 4;
network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        repeat(DEPTH) { conv(4, kernel = 3) },
    }
}

fn main() {}
