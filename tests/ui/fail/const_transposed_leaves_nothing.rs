use tenonet::prelude::*;
const P: usize = 4;
network! {
    struct Net([2, 3, 3] -> [3, 1, 1]) {
        up: conv_transpose(3, kernel = 3, padding = P),
    }
}

fn main() {}
