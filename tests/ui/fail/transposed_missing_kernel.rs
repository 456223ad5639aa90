use tenonet::prelude::*;

network! {
    struct Net([4, 3, 3] -> [6, 3, 3]) {
        conv_transpose(6, stride = 2),
    }
}

fn main() {}
