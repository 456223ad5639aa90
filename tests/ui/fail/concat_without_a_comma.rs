use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        concat { { conv(4, kernel = 1) } {} }, conv(4, kernel = 9),
    }
}

fn main() {}
