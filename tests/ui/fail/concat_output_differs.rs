use tenonet::prelude::*;

network! {
    struct Net([4, 12, 12] -> [8, 12, 12]) {
        concat { {}, { conv(8, kernel = 3, padding = same) } },
    }
}

fn main() {}
