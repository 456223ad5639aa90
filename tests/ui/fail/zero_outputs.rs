use tenonet::prelude::*;

network! {
    struct Net([8] -> [4]) {
        linear(0),
    }
}

fn main() {}
