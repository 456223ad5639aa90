use tenonet::prelude::*;
const S: usize = 0;
network! {
    struct Net([1, 8, 8] -> [4, 8, 8]) {
        conv1: conv(4, kernel = 1, stride = S),
    }
}

fn main() {}
