use tenonet::prelude::*;
const P: f64 = 1.5;
network! {
    struct Net([8] -> [8]) {
        drop: dropout(P),
    }
}

fn main() {}
