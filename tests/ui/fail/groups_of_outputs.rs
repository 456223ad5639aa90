use tenonet::prelude::*;

network! {
    struct Net([4, 8, 8] -> [6, 8, 8]) {
        conv(6, kernel = 1, groups = 4),
    }
}

fn main() {}
