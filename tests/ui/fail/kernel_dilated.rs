use tenonet::prelude::*;

network! {
    struct Net([1, 8, 8] -> [4, 1, 1]) {
        conv1: conv(4, kernel = 3, dilation = 4),
    }
}

fn main() {}
