use tenonet::prelude::*;

network! {
    struct Net([16, 8, 8] -> [16, 4, 4]) {
        residual { conv(16, kernel = 3, stride = 2, padding = 1), relu },
    }
}

fn main() {}
