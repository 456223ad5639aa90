use tenonet::prelude::*;

network! {
    struct Net([1, 28, 28] -> [10]) {
    }
}

fn main() {}
