use tenonet::prelude::*;

network! {
    struct Net<T>([8] -> [4]) {
        linear(4),
    }
}

fn main() {}
