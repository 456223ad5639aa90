use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        batch_norm(eps = 1e-3),
    }
}

fn main() {}
