use tenonet::prelude::*;
const E: f64 = -1e-5;
network! {
    struct Net([8] -> [8]) {
        bn: batch_norm(epsilon = E),
    }
}

fn main() {}
