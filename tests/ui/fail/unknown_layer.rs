use tenonet::prelude::*;

network! {
    struct Net([16] -> [16]) {
        rleu,
    }
}

fn main() {}
