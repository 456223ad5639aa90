use tenonet::prelude::*;

network! {
    struct Net([8] -> [4]) {
        linear(4, bias = 0),
    }
}

fn main() {}
