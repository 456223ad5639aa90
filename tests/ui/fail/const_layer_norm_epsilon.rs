use tenonet::prelude::*;
const E: f64 = -1e-5;
network! {
    struct Net([2, 3, 4] -> [2, 3, 4]) {
        norm: layer_norm(epsilon = E),
    }
}

fn main() {}
