use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [4, 8, 8]) {
        conv(4, kernel = 1, stride = 0),
    }
}

fn main() {}
