use tenonet::prelude::*;
const F: usize = 0;
network! {
    struct Net([2, 3, 4] -> [2, 6, 4]) {
        up: upsample((2, F)),
    }
}

fn main() {}
