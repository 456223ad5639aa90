use tenonet::prelude::*;

network! {
    struct Net([8] -> [8]) {
        statistics: linear(8), batch_norm,
    }
}

fn main() {}
