use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        repeat(2) { c: conv(4, kernel = 5) }, c_2: conv(4, kernel = 1),
    }
}

fn main() {}
