use tenonet::prelude::*;
const K: usize = 5;
network! {
    struct Net([4, 12, 12] -> [4]) {
        repeat(4) { c: conv(4, kernel = K), relu },
    }
}

fn main() {}
