use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        relu(0.1),
    }
}

fn main() {}
