use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 6, 8]) {
        upsample,
    }
}

fn main() {}
