use tenonet::prelude::*;

network! {
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(3),
        conv2: conv(16, kernel = 5, groups = 4), relu, max_pool(2, stride = 0),
        flatten,
        fc1: linear(120), rleu,
    }
}

fn main() {}
