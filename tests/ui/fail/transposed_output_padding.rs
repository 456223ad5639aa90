use tenonet::prelude::*;

network! {
    struct Net([2, 3, 4] -> [3, 9, 10]) {
        conv_transpose(3, kernel = 3, stride = 2, output_padding = 2),
    }
}

fn main() {}
