use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        batch_norm(8),
    }
}

fn main() {}
