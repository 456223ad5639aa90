//! AlexNet: ImageNet.

use crate::network;

network! {
    /// AlexNet for ImageNet: a picture of 224 × 224 in colour, a thousand classes; 61,100,840 parameters, 714,188,480 multiply-adds.
    ///
    /// torchvision's `alexnet`, with its names: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997 (2014), the
    /// successor in one column of the network of Krizhevsky, Sutskever, Hinton, NIPS 2012. torchvision's adaptive pooling to 6 × 6 does
    /// nothing at this size of pictures.
    pub struct AlexNet([3, 224, 224] -> [1000]) {
        features_0: conv(64, kernel = 11, stride = 4, padding = 2), relu, max_pool(3, stride = 2),
        features_3: conv(192, kernel = 5, padding = 2), relu, max_pool(3, stride = 2),
        features_6: conv(384, kernel = 3, padding = 1), relu,
        features_8: conv(256, kernel = 3, padding = 1), relu,
        features_10: conv(256, kernel = 3, padding = 1), relu, max_pool(3, stride = 2),
        flatten,
        dropout(0.5), classifier_1: linear(4096), relu,
        dropout(0.5), classifier_4: linear(4096), relu,
        classifier_6: linear(1000),
    }
}

const _: () = assert!(AlexNet::PARAMS == 61_100_840 && AlexNet::MACS == 714_188_480);
