use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [4, 6, 6]) {
        conv(4, kernel = 3.0),
    }
}

fn main() {}
