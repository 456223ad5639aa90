use tenonet::prelude::*;

network! {
    struct Net([8] -> [16]) {
        concat { { linear(8) }, { relu } },
    }
}

fn main() {}
