use tenonet::prelude::*;
const WIDTH: usize = 8;
network! {
    struct Net([4, 12, 12] -> [12, 12, 12]) {
        concat { {}, { conv(WIDTH, kernel = (1, 3)) } },
    }
}

fn main() {}
