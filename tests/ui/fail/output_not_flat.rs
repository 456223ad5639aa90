use tenonet::prelude::*;

network! {
    struct Net([1, 5, 5] -> [18]) {
        conv(2, kernel = 3), relu,
    }
}

fn main() {}
