use tenonet::prelude::*;

network! {
    struct Net([16] -> [16]) {
        transformer(heads = 8),
    }
}

fn main() {}
