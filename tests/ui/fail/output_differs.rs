use tenonet::prelude::*;

network! {
    struct Net([16] -> [10]) {
        fc1: linear(20), relu,
        fc2: linear(12),
    }
}

fn main() {}
