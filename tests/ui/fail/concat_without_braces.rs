use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        concat, relu,
    }
}

fn main() {}
