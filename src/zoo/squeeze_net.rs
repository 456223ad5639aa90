//! SqueezeNet 1.1: ImageNet with few parameters.

use crate::network;

network! {
    /// SqueezeNet 1.1 for ImageNet: a picture of 224 × 224 in colour, a thousand classes; 1,235,496 parameters, 349,151,936 multiply-adds.
    ///
    /// F. N. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", arXiv:1602.07360 (2016), in the authors' later form, which needs 2.4 times
    /// fewer multiplications: torchvision's `squeezenet1_1`, with its names. Each Fire module squeezes its channels by a convolution of 1 × 1, then expands them
    /// by one of 1 × 1 beside one of 3 × 3. torchvision's pooling is `ceil`, which drops and adds nothing at this size of pictures.
    pub struct SqueezeNet([3, 224, 224] -> [1000]) {
        features_0: conv(64, kernel = 3, stride = 2), relu, max_pool(3, stride = 2),
        features_3_squeeze: conv(16, kernel = 1), relu,
        concat { { features_3_expand1x1: conv(64, kernel = 1), relu }, { features_3_expand3x3: conv(64, kernel = 3, padding = 1), relu } },
        features_4_squeeze: conv(16, kernel = 1), relu,
        concat { { features_4_expand1x1: conv(64, kernel = 1), relu }, { features_4_expand3x3: conv(64, kernel = 3, padding = 1), relu } },
        max_pool(3, stride = 2),
        features_6_squeeze: conv(32, kernel = 1), relu,
        concat { { features_6_expand1x1: conv(128, kernel = 1), relu }, { features_6_expand3x3: conv(128, kernel = 3, padding = 1), relu } },
        features_7_squeeze: conv(32, kernel = 1), relu,
        concat { { features_7_expand1x1: conv(128, kernel = 1), relu }, { features_7_expand3x3: conv(128, kernel = 3, padding = 1), relu } },
        max_pool(3, stride = 2),
        features_9_squeeze: conv(48, kernel = 1), relu,
        concat { { features_9_expand1x1: conv(192, kernel = 1), relu }, { features_9_expand3x3: conv(192, kernel = 3, padding = 1), relu } },
        features_10_squeeze: conv(48, kernel = 1), relu,
        concat { { features_10_expand1x1: conv(192, kernel = 1), relu }, { features_10_expand3x3: conv(192, kernel = 3, padding = 1), relu } },
        features_11_squeeze: conv(64, kernel = 1), relu,
        concat { { features_11_expand1x1: conv(256, kernel = 1), relu }, { features_11_expand3x3: conv(256, kernel = 3, padding = 1), relu } },
        features_12_squeeze: conv(64, kernel = 1), relu,
        concat { { features_12_expand1x1: conv(256, kernel = 1), relu }, { features_12_expand3x3: conv(256, kernel = 3, padding = 1), relu } },
        dropout(0.5),
        classifier_1: conv(1000, kernel = 1), relu,
        global_avg_pool,
    }
}

const _: () = assert!(SqueezeNet::PARAMS == 1_235_496 && SqueezeNet::MACS == 349_151_936);
