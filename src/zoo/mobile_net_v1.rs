//! MobileNetV1: ImageNet on telephones, in its full and its smallest width.

use crate::network;

network! {
    /// MobileNetV1 of full width for ImageNet: a picture of 224 × 224 in colour, a thousand classes; 4,231,976 parameters, 568,740,352 multiply-adds.
    ///
    /// A. G. Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications", arXiv:1704.04861 (2017), table 1. Padding, `relu6`,
    /// epsilon and names are those of Keras' `MobileNet`, which counts 21,888 running averages too (4,253,864). The paper's 569 million multiply-adds
    /// and 4.2 million parameters are these. Keras writes the last layer as a convolution of 1 × 1 on what is one pixel: the same product.
    pub struct MobileNetV1([3, 224, 224] -> [1000]) {
        conv1: conv(32, kernel = 3, stride = 2, padding = same, bias = false), conv1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_1: conv(32, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_1: conv(64, kernel = 1, bias = false), conv_pw_1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_2: conv(64, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_2_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_2: conv(128, kernel = 1, bias = false), conv_pw_2_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_3: conv(128, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_3_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_3: conv(128, kernel = 1, bias = false), conv_pw_3_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_4: conv(128, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_4_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_4: conv(256, kernel = 1, bias = false), conv_pw_4_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_5: conv(256, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_5_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_5: conv(256, kernel = 1, bias = false), conv_pw_5_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_6: conv(256, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_6_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_6: conv(512, kernel = 1, bias = false), conv_pw_6_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_7: conv(512, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_7_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_7: conv(512, kernel = 1, bias = false), conv_pw_7_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_8: conv(512, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_8_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_8: conv(512, kernel = 1, bias = false), conv_pw_8_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_9: conv(512, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_9_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_9: conv(512, kernel = 1, bias = false), conv_pw_9_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_10: conv(512, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_10_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_10: conv(512, kernel = 1, bias = false), conv_pw_10_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_11: conv(512, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_11_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_11: conv(512, kernel = 1, bias = false), conv_pw_11_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_12: conv(512, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_12_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_12: conv(1024, kernel = 1, bias = false), conv_pw_12_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_13: conv(1024, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_13_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_13: conv(1024, kernel = 1, bias = false), conv_pw_13_bn: batch_norm(epsilon = 1e-3), relu6,
        global_avg_pool, dropout(1e-3),
        conv_preds: linear(1000),
    }
}

const _: () = assert!(MobileNetV1::PARAMS == 4_231_976 && MobileNetV1::MACS == 568_740_352);
const _: () = assert!(MobileNetV1::STATISTICS == 21_888);

network! {
    /// MobileNetV1 of a quarter of the width for small pictures: 96 × 96 in colour, a thousand classes; 470,072 parameters, 7,745,152 multiply-adds.
    ///
    /// As [`MobileNetV1`]; the paper's table 6 has the parameters (0.5 million), which do not depend on the size of the pictures. With two classes it is nearly [`PersonDetection`](crate::zoo::PersonDetection).
    pub struct MobileNetV1Quarter([3, 96, 96] -> [1000]) {
        conv1: conv(8, kernel = 3, stride = 2, padding = same, bias = false), conv1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_1: conv(8, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_1: conv(16, kernel = 1, bias = false), conv_pw_1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_2: conv(16, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_2_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_2: conv(32, kernel = 1, bias = false), conv_pw_2_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_3: conv(32, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_3_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_3: conv(32, kernel = 1, bias = false), conv_pw_3_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_4: conv(32, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_4_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_4: conv(64, kernel = 1, bias = false), conv_pw_4_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_5: conv(64, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_5_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_5: conv(64, kernel = 1, bias = false), conv_pw_5_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_6: conv(64, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_6_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_6: conv(128, kernel = 1, bias = false), conv_pw_6_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_7: conv(128, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_7_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_7: conv(128, kernel = 1, bias = false), conv_pw_7_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_8: conv(128, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_8_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_8: conv(128, kernel = 1, bias = false), conv_pw_8_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_9: conv(128, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_9_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_9: conv(128, kernel = 1, bias = false), conv_pw_9_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_10: conv(128, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_10_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_10: conv(128, kernel = 1, bias = false), conv_pw_10_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_11: conv(128, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_11_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_11: conv(128, kernel = 1, bias = false), conv_pw_11_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_12: conv(128, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_12_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_12: conv(256, kernel = 1, bias = false), conv_pw_12_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_13: conv(256, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_13_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_13: conv(256, kernel = 1, bias = false), conv_pw_13_bn: batch_norm(epsilon = 1e-3), relu6,
        global_avg_pool, dropout(1e-3),
        conv_preds: linear(1000),
    }
}

// Those of the person detection with a thousand classes for two.
const _: () = assert!(MobileNetV1Quarter::PARAMS == 470_072 && MobileNetV1Quarter::MACS == 7_489_664 + 256 * 998);
