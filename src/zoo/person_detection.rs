//! The person detection of MLPerf Tiny.

use crate::network;

network! {
    /// MLPerf Tiny's person detection ("visual wake words"): a picture of 96 × 96 in colour, a person or none; 216,322 parameters, 7,489,664 multiply-adds.
    ///
    /// C. Banbury et al., "MLPerf Tiny benchmark", arXiv:2106.07597 (2021), in its reference's form (github.com/mlcommons/tiny, `vww_model.py`):
    /// MobileNetV1 (arXiv:1704.04861) of a quarter of the width, with `relu`, and with biases before the normalisations. Keras counts 5,472 running averages too: 221,794. The
    /// reference's layers have no names.
    pub struct PersonDetection([3, 96, 96] -> [2]) {
        conv_0: conv(8, kernel = 3, stride = 2, padding = same), conv_0_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_1: conv(8, kernel = 3, padding = same, groups = depthwise), conv_dw_1_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_1: conv(16, kernel = 1), conv_pw_1_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_2: conv(16, kernel = 3, stride = 2, padding = same, groups = depthwise), conv_dw_2_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_2: conv(32, kernel = 1), conv_pw_2_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_3: conv(32, kernel = 3, padding = same, groups = depthwise), conv_dw_3_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_3: conv(32, kernel = 1), conv_pw_3_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_4: conv(32, kernel = 3, stride = 2, padding = same, groups = depthwise), conv_dw_4_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_4: conv(64, kernel = 1), conv_pw_4_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_5: conv(64, kernel = 3, padding = same, groups = depthwise), conv_dw_5_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_5: conv(64, kernel = 1), conv_pw_5_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_6: conv(64, kernel = 3, stride = 2, padding = same, groups = depthwise), conv_dw_6_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_6: conv(128, kernel = 1), conv_pw_6_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_7: conv(128, kernel = 3, padding = same, groups = depthwise), conv_dw_7_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_7: conv(128, kernel = 1), conv_pw_7_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_8: conv(128, kernel = 3, padding = same, groups = depthwise), conv_dw_8_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_8: conv(128, kernel = 1), conv_pw_8_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_9: conv(128, kernel = 3, padding = same, groups = depthwise), conv_dw_9_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_9: conv(128, kernel = 1), conv_pw_9_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_10: conv(128, kernel = 3, padding = same, groups = depthwise), conv_dw_10_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_10: conv(128, kernel = 1), conv_pw_10_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_11: conv(128, kernel = 3, padding = same, groups = depthwise), conv_dw_11_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_11: conv(128, kernel = 1), conv_pw_11_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_12: conv(128, kernel = 3, stride = 2, padding = same, groups = depthwise), conv_dw_12_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_12: conv(256, kernel = 1), conv_pw_12_bn: batch_norm(epsilon = 1e-3), relu,
        conv_dw_13: conv(256, kernel = 3, padding = same, groups = depthwise), conv_dw_13_bn: batch_norm(epsilon = 1e-3), relu,
        conv_pw_13: conv(256, kernel = 1), conv_pw_13_bn: batch_norm(epsilon = 1e-3), relu,
        avg_pool(3), flatten,
        fc: linear(2),
    }
}

const _: () = assert!(PersonDetection::PARAMS == 216_322 && PersonDetection::MACS == 7_489_664);
const _: () = assert!(PersonDetection::PARAMS + PersonDetection::STATISTICS == 221_794);
