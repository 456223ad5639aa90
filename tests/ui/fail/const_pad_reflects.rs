use tenonet::prelude::*;
const P: usize = 4;
network! {
    struct Net([2, 9, 4] -> [2, 17, 12]) {
        border: pad(P, reflect),
    }
}

fn main() {}
