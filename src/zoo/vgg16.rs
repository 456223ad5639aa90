//! VGG-16: ImageNet.

use crate::network;

network! {
    /// VGG-16 for ImageNet: a picture of 224 × 224 in colour, a thousand classes; 138,357,544 parameters, 15,470,264,320 multiply-adds.
    ///
    /// K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", arXiv:1409.1556 (2014), configuration D:
    /// torchvision's `vgg16`, with its names.
    pub struct Vgg16([3, 224, 224] -> [1000]) {
        features_0: conv(64, kernel = 3, padding = 1), relu,
        features_2: conv(64, kernel = 3, padding = 1), relu, max_pool(2),
        features_5: conv(128, kernel = 3, padding = 1), relu,
        features_7: conv(128, kernel = 3, padding = 1), relu, max_pool(2),
        features_10: conv(256, kernel = 3, padding = 1), relu,
        features_12: conv(256, kernel = 3, padding = 1), relu,
        features_14: conv(256, kernel = 3, padding = 1), relu, max_pool(2),
        features_17: conv(512, kernel = 3, padding = 1), relu,
        features_19: conv(512, kernel = 3, padding = 1), relu,
        features_21: conv(512, kernel = 3, padding = 1), relu, max_pool(2),
        features_24: conv(512, kernel = 3, padding = 1), relu,
        features_26: conv(512, kernel = 3, padding = 1), relu,
        features_28: conv(512, kernel = 3, padding = 1), relu, max_pool(2),
        flatten,
        classifier_0: linear(4096), relu, dropout(0.5),
        classifier_3: linear(4096), relu, dropout(0.5),
        classifier_6: linear(1000),
    }
}

const _: () = assert!(Vgg16::PARAMS == 138_357_544 && Vgg16::MACS == 15_470_264_320);
