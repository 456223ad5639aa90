use tenonet::prelude::*;

network! {
    struct Net([16, 8, 8] -> [16, 6, 6]) {
        residual { conv(16, kernel = 3), relu },
    }
}

fn main() {}
