use tenonet::prelude::*;
const G: usize = 3;
const SCALE: f64 = -1.0 / 0.0;
network! {
    struct Net([4, 12, 12] -> [4, 4, 4]) {
        repeat(4) { c: conv(4, kernel = 3, groups = G), elu(SCALE) },
    }
}

fn main() {}
