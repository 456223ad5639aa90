use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [2, 3, 4]) {
        upsample(0),
    }
}

fn main() {}
