//! ResNet-18: ImageNet.

use crate::network;

network! {
    /// ResNet-18 for ImageNet: a picture of 224 × 224 in colour, a thousand classes; 11,689,512 parameters, 1,814,073,344 multiply-adds.
    ///
    /// K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", arXiv:1512.03385 (2015): torchvision's `resnet18`, with its names. The paper's
    /// "1.8 × 10⁹ FLOPs" are multiply-adds.
    pub struct ResNet18([3, 224, 224] -> [1000]) {
        conv1: conv(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: batch_norm, relu,
        max_pool(3, stride = 2, padding = 1, floor),
        residual {
            layer1_0_conv1: conv(64, kernel = 3, padding = 1, bias = false), layer1_0_bn1: batch_norm, relu,
            layer1_0_conv2: conv(64, kernel = 3, padding = 1, bias = false), layer1_0_bn2: batch_norm,
        }, relu,
        residual {
            layer1_1_conv1: conv(64, kernel = 3, padding = 1, bias = false), layer1_1_bn1: batch_norm, relu,
            layer1_1_conv2: conv(64, kernel = 3, padding = 1, bias = false), layer1_1_bn2: batch_norm,
        }, relu,
        residual {
            layer2_0_conv1: conv(128, kernel = 3, stride = 2, padding = 1, bias = false), layer2_0_bn1: batch_norm, relu,
            layer2_0_conv2: conv(128, kernel = 3, padding = 1, bias = false), layer2_0_bn2: batch_norm,
        } shortcut {
            layer2_0_downsample_0: conv(128, kernel = 1, stride = 2, bias = false), layer2_0_downsample_1: batch_norm,
        }, relu,
        residual {
            layer2_1_conv1: conv(128, kernel = 3, padding = 1, bias = false), layer2_1_bn1: batch_norm, relu,
            layer2_1_conv2: conv(128, kernel = 3, padding = 1, bias = false), layer2_1_bn2: batch_norm,
        }, relu,
        residual {
            layer3_0_conv1: conv(256, kernel = 3, stride = 2, padding = 1, bias = false), layer3_0_bn1: batch_norm, relu,
            layer3_0_conv2: conv(256, kernel = 3, padding = 1, bias = false), layer3_0_bn2: batch_norm,
        } shortcut {
            layer3_0_downsample_0: conv(256, kernel = 1, stride = 2, bias = false), layer3_0_downsample_1: batch_norm,
        }, relu,
        residual {
            layer3_1_conv1: conv(256, kernel = 3, padding = 1, bias = false), layer3_1_bn1: batch_norm, relu,
            layer3_1_conv2: conv(256, kernel = 3, padding = 1, bias = false), layer3_1_bn2: batch_norm,
        }, relu,
        residual {
            layer4_0_conv1: conv(512, kernel = 3, stride = 2, padding = 1, bias = false), layer4_0_bn1: batch_norm, relu,
            layer4_0_conv2: conv(512, kernel = 3, padding = 1, bias = false), layer4_0_bn2: batch_norm,
        } shortcut {
            layer4_0_downsample_0: conv(512, kernel = 1, stride = 2, bias = false), layer4_0_downsample_1: batch_norm,
        }, relu,
        residual {
            layer4_1_conv1: conv(512, kernel = 3, padding = 1, bias = false), layer4_1_bn1: batch_norm, relu,
            layer4_1_conv2: conv(512, kernel = 3, padding = 1, bias = false), layer4_1_bn2: batch_norm,
        }, relu,
        global_avg_pool,
        fc: linear(1000),
    }
}

const _: () = assert!(ResNet18::PARAMS == 11_689_512 && ResNet18::MACS == 1_814_073_344);
