use tenonet::prelude::*;
const FLASH: usize = 128;
network! {
    #[budget(weights = FLASH)]
    struct Net([8] -> [4]) {
        linear(4),
    }
}

fn main() {}
