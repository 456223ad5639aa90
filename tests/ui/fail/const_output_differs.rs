use tenonet::prelude::*;
const CLASSES: usize = 10;
network! {
    struct Net([16] -> [CLASSES]) {
        fc: linear(CLASSES + 1),
    }
}

fn main() {}
