use tenonet::prelude::*;

network! {
    struct Net([2, 1, 4] -> [3, 1, 4]) {
        conv_transpose(3, kernel = 3, padding = (2, 1)),
    }
}

fn main() {}
