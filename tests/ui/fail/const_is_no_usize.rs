use tenonet::prelude::*;
const N: u32 = 4;
network! {
    struct Net([8] -> [4]) {
        linear(N),
    }
}

fn main() {}
