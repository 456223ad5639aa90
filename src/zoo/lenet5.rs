//! LeNet-5: handwritten digits.

use crate::network;

network! {
    /// LeNet-5 for handwritten digits: a grey picture of 28 × 28, ten classes; 61,706 parameters, 416,520 multiply-adds.
    ///
    /// Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86 (1998), in
    /// the form that it has today: `relu` and `max_pool` for the paper's scaled tanh and learned averages, every map of the second convolution from all of
    /// the first, a linear layer for radial basis functions, and a padding of 2 for pictures of 32 × 32.
    pub struct LeNet5([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

const _: () = assert!(LeNet5::PARAMS == 61_706 && LeNet5::MACS == 416_520);
