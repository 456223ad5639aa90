use tenonet::prelude::*;

network! {
    struct Net([1, 0, 8] -> [10]) {
        flatten,
        linear(10),
    }
}

fn main() {}
