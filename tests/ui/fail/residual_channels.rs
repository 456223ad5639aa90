use tenonet::prelude::*;

network! {
    struct Net([16, 8, 8] -> [32, 8, 8]) {
        block: residual { conv(32, kernel = 3, padding = same), relu },
    }
}

fn main() {}
