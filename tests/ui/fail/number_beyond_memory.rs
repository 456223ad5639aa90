use tenonet::prelude::*;

network! {
    struct Net([8] -> [4]) {
        linear(9_999_999_999_999_999_999), relu,
        linear(4),
    }
}

fn main() {}
