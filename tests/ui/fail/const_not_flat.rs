use tenonet::prelude::*;
const C: usize = 16;
network! {
    struct Net([C, 5, 5] -> [10]) {
        fc: linear(10),
    }
}

fn main() {}
