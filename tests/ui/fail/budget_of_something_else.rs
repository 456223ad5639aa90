use tenonet::prelude::*;

network! {
    #[budget(weight = 1024)]
    struct Net([8] -> [4]) {
        linear(4),
    }
}

fn main() {}
