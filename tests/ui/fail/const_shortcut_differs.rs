use tenonet::prelude::*;
const N: usize = 8;
network! {
    struct Net([16] -> [16]) {
        block: residual { linear(16) } shortcut { linear(N) },
    }
}

fn main() {}
