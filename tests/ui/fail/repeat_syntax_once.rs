use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        repeat(4) { conv(4, kernl = 3), relu },
    }
}

fn main() {}
