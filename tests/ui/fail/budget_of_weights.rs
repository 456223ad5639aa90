use tenonet::prelude::*;

network! {
    #[budget(weights = 4 * 32)]
    struct Net([8] -> [4]) {
        linear(4),
    }
}

fn main() {}
