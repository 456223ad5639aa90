use tenonet::prelude::*;

network! {
    struct Net([8] -> [4]) {
        fc: linear(8), relu,
        fc: linear(4),
    }
}

fn main() {}
