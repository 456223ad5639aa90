use tenonet::prelude::*;
const WIDTH: usize = 32;
network! {
    struct Net([16, 8, 8] -> [WIDTH, 4, 4]) {
        block: residual { conv(WIDTH, kernel = 3, stride = 2, padding = 1), relu },
    }
}

fn main() {}
