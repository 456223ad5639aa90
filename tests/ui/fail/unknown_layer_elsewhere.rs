use tenonet::prelude::*;

network! {
    struct Net([16] -> [10]) {
        Dense(10),
    }
}

fn main() {}
