use tenonet::prelude::*;

network! {
    struct Net([4, 3, 3] -> [6, 5, 5]) {
        conv_transpose(6, kernel = 3, groups = 3),
    }
}

fn main() {}
