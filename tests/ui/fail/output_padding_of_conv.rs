use tenonet::prelude::*;

network! {
    struct Net([4, 3, 3] -> [6, 1, 1]) {
        conv(6, kernel = 3, output_padding = 1),
    }
}

fn main() {}
