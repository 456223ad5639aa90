use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        dropout(1),
    }
}

fn main() {}
