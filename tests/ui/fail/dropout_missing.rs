use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        dropout,
    }
}

fn main() {}
