use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        repeat(4) { c: conv(4, kernel = 5), relu },
    }
}

fn main() {}
