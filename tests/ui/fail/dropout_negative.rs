use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        dropout(-0.5),
    }
}

fn main() {}
