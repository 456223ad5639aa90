use tenonet::prelude::*;

network! {
    Net([8] -> [4]) {
        linear(4),
    }
}

fn main() {}
