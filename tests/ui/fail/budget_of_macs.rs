use tenonet::prelude::*;

network! {
    #[budget(macs = 31)]
    struct Net([8] -> [4]) {
        linear(4),
    }
}

fn main() {}
