use tenonet::prelude::*;
const P: usize = 1;
network! {
    struct Net([2, 3, 4] -> [3, 6, 7]) {
        up: conv_transpose(3, kernel = 3, output_padding = P),
    }
}

fn main() {}
