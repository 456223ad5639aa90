use tenonet::prelude::*;

network! {
    #[budget(scratch = 1024)]
    struct Net([1, 64, 64] -> [1, 64, 64]) {
        conv(8, kernel = 3, padding = 1), sigmoid,
        conv(1, kernel = 3, padding = 1),
    }
}

fn main() {}
