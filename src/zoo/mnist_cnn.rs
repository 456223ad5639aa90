//! The convolutional network of PyTorch's MNIST example.

use crate::network;

network! {
    /// The network of PyTorch's example `mnist` (github.com/pytorch/examples), for handwritten digits: a grey picture of 28 × 28, ten classes;
    /// 1,199,882 parameters, 11,992,448 multiply-adds. Its names are the example's.
    ///
    /// The example drops whole elements too (`Dropout`, not `Dropout2d`) and yields the logarithm of the softmax, which is in our loss.
    pub struct MnistCnn([1, 28, 28] -> [10]) {
        conv1: conv(32, kernel = 3), relu,
        conv2: conv(64, kernel = 3), relu, max_pool(2), dropout(0.25),
        flatten,
        fc1: linear(128), relu, dropout(0.5),
        fc2: linear(10),
    }
}

const _: () = assert!(MnistCnn::PARAMS == 1_199_882 && MnistCnn::MACS == 11_992_448);
