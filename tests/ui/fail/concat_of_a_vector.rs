use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        concat { { flatten }, { conv(8, kernel = 1) }, {} },
    }
}

fn main() {}
