use tenonet::prelude::*;

network! {
    struct Net([16, 5, 5] -> [10]) {
        fc: linear(10),
    }
}

fn main() {}
