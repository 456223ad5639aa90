use tenonet::prelude::*;

network! {
    struct Net([8] -> [4]) {
        shortcut { linear(4) },
    }
}

fn main() {}
