//! The image classification of MLPerf Tiny.

use crate::network;

network! {
    /// MLPerf Tiny's image classification, ResNet-8 for CIFAR-10: a picture of 32 × 32 in colour, ten classes; 78,186 parameters, 12,501,632 multiply-adds.
    ///
    /// C. Banbury et al., "MLPerf Tiny benchmark", arXiv:2106.07597 (2021), in its reference's form (github.com/mlcommons/tiny, `resnet_v1_eembc` with 16 filters),
    /// after He et al., arXiv:1512.03385. As there, convolutions have biases although most are normalised, shortcuts are not normalised, and padding is TensorFlow's `same`.
    /// Keras counts 480 running averages too: 78,666. The reference's layers have no names.
    pub struct ResNet8([3, 32, 32] -> [10]) {
        conv1: conv(16, kernel = 3, padding = same), bn1: batch_norm(epsilon = 1e-3), relu,
        residual {
            conv2: conv(16, kernel = 3, padding = same), bn2: batch_norm(epsilon = 1e-3), relu,
            conv3: conv(16, kernel = 3, padding = same), bn3: batch_norm(epsilon = 1e-3),
        }, relu,
        residual {
            conv4: conv(32, kernel = 3, stride = 2, padding = same), bn4: batch_norm(epsilon = 1e-3), relu,
            conv5: conv(32, kernel = 3, padding = same), bn5: batch_norm(epsilon = 1e-3),
        } shortcut {
            skip2: conv(32, kernel = 1, stride = 2),
        }, relu,
        residual {
            conv6: conv(64, kernel = 3, stride = 2, padding = same), bn6: batch_norm(epsilon = 1e-3), relu,
            conv7: conv(64, kernel = 3, padding = same), bn7: batch_norm(epsilon = 1e-3),
        } shortcut {
            skip3: conv(64, kernel = 1, stride = 2),
        }, relu,
        avg_pool(8), flatten,
        fc: linear(10),
    }
}

const _: () = assert!(ResNet8::PARAMS == 78_186 && ResNet8::MACS == 12_501_632);
const _: () = assert!(ResNet8::PARAMS + ResNet8::STATISTICS == 78_666);
