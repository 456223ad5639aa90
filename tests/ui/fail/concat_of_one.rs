use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        joined: concat { { conv(4, kernel = 3) } }, relu,
    }
}

fn main() {}
