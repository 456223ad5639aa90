use tenonet::prelude::*;

network! {
    struct Net([4, 3, 3] -> [6, 3, 5]) {
        conv_transpose1d(6, kernel = 3),
    }
}

fn main() {}
