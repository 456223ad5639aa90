//! The keyword spotting of MLPerf Tiny.

use crate::network;

network! {
    /// MLPerf Tiny's keyword spotting: 49 frames of 10 cepstral coefficients (a second of speech), ten words, "unknown" and silence; 23,756 parameters, 2,656,768 multiply-adds.
    ///
    /// C. Banbury et al., "MLPerf Tiny benchmark", arXiv:2106.07597 (2021), in its reference's form (github.com/mlcommons/tiny, `ds_cnn`), after Y. Zhang, N. Suda, L. Lai, V. Chandra,
    /// "Hello edge: keyword spotting on microcontrollers", arXiv:1711.07128 (2017). Keras counts 1,152 running averages too: 24,908. The reference's layers have no names.
    pub struct DsCnn([1, 49, 10] -> [12]) {
        conv: conv(64, kernel = (10, 4), stride = 2, padding = same), bn: batch_norm(epsilon = 1e-3), relu, dropout(0.2),
        separable: repeat(4) {
            depthwise: conv(64, kernel = 3, padding = same, groups = depthwise), depthwise_bn: batch_norm(epsilon = 1e-3), relu,
            pointwise: conv(64, kernel = 1), pointwise_bn: batch_norm(epsilon = 1e-3), relu,
        },
        dropout(0.4), avg_pool((25, 5)), flatten,
        fc: linear(12),
    }
}

const _: () = assert!(DsCnn::PARAMS == 23_756 && DsCnn::MACS == 2_656_768);
const _: () = assert!(DsCnn::PARAMS + DsCnn::STATISTICS == 24_908);
