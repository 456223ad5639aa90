use tenonet::prelude::*;

network! {
    #[repr(align(64))]
    struct Net([8] -> [4]) {
        fc: linear(4),
    }
}

fn main() {}
