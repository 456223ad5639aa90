//! The networks that are measured. `peers/networks.py` says the same in PyTorch, with the same names of parameters.

use tenonet::prelude::*;

network! {
    /// LeNet-5 for 28 × 28 grey digits.
    pub struct LeNet5([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

network! {
    /// The convolutional network of PyTorch's MNIST example, without dropout.
    pub struct MnistCnn([1, 28, 28] -> [10]) {
        conv1: conv(32, kernel = 3), relu,
        conv2: conv(64, kernel = 3), relu, max_pool(2),
        flatten,
        fc1: linear(128), relu,
        fc2: linear(10),
    }
}

network! {
    /// One wide convolution.
    pub struct Conv64([64, 56, 56] -> [64, 56, 56]) {
        conv1: conv(64, kernel = 3, padding = 1), relu,
    }
}
