use tenonet::prelude::*;

network! {
    struct Net([28, 28] -> [10]) {
        flatten, linear(10),
    }
}

fn main() {}
