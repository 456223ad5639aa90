use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        dropout(p = 0.5),
    }
}

fn main() {}
