use tenonet::prelude::*;

network! {
    struct Net([16, 8, 8] -> [32, 4, 4]) {
        block: residual { conv(32, kernel = 3, stride = 2, padding = 1), relu }
            shortcut { conv(32, kernel = 1) },
    }
}

fn main() {}
