use tenonet::prelude::*;

network! {
    struct Net([16] -> [8]) {
        residual { linear(8), relu },
    }
}

fn main() {}
