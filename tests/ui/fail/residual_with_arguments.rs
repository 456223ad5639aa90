use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        residual(2) { linear(8) },
    }
}

fn main() {}
