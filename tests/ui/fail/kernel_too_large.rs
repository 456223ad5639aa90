use tenonet::prelude::*;

network! {
    struct Net([16, 3, 3] -> [4, 1, 1]) {
        conv2: conv(4, kernel = 5),
    }
}

fn main() {}
