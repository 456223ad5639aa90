//! The networks that are measured. `peers/networks.py` says the same in PyTorch, with the same names of parameters.

use tenonet::prelude::*;

network! {
    /// LeNet-5 for 28 × 28 grey digits.
    pub struct LeNet5([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

network! {
    /// The convolutional network of PyTorch's MNIST example, without dropout.
    pub struct MnistCnn([1, 28, 28] -> [10]) {
        conv1: conv(32, kernel = 3), relu,
        conv2: conv(64, kernel = 3), relu, max_pool(2),
        flatten,
        fc1: linear(128), relu,
        fc2: linear(10),
    }
}

network! {
    /// ResNet-8 for CIFAR's 32 × 32 pictures.
    pub struct ResNet8([3, 32, 32] -> [10]) {
        conv1: conv(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        residual {
            conv2: conv(16, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
            conv3: conv(16, kernel = 3, padding = 1, bias = false), bn3: batch_norm,
        }, relu,
        residual {
            conv4: conv(32, kernel = 3, stride = 2, padding = 1, bias = false), bn4: batch_norm, relu,
            conv5: conv(32, kernel = 3, padding = 1, bias = false), bn5: batch_norm,
        } shortcut {
            skip2: conv(32, kernel = 1, stride = 2),
        }, relu,
        residual {
            conv6: conv(64, kernel = 3, stride = 2, padding = 1, bias = false), bn6: batch_norm, relu,
            conv7: conv(64, kernel = 3, padding = 1, bias = false), bn7: batch_norm,
        } shortcut {
            skip3: conv(64, kernel = 1, stride = 2),
        }, relu,
        avg_pool(8),
        flatten,
        fc: linear(10),
    }
}

network! {
    /// MobileNetV1 of width 0.25 for 96 × 96 pictures: a person, or none.
    pub struct MobileNet([3, 96, 96] -> [2]) {
        conv0: conv(8, kernel = 3, stride = 2, padding = 1, bias = false), bn0: batch_norm, relu,
        dw1: conv(8, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn1: batch_norm, relu,
        pw1: conv(16, kernel = 1, bias = false), pw_bn1: batch_norm, relu,
        dw2: conv(16, kernel = 3, stride = 2, padding = 1, groups = depthwise, bias = false), dw_bn2: batch_norm, relu,
        pw2: conv(32, kernel = 1, bias = false), pw_bn2: batch_norm, relu,
        dw3: conv(32, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn3: batch_norm, relu,
        pw3: conv(32, kernel = 1, bias = false), pw_bn3: batch_norm, relu,
        dw4: conv(32, kernel = 3, stride = 2, padding = 1, groups = depthwise, bias = false), dw_bn4: batch_norm, relu,
        pw4: conv(64, kernel = 1, bias = false), pw_bn4: batch_norm, relu,
        dw5: conv(64, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn5: batch_norm, relu,
        pw5: conv(64, kernel = 1, bias = false), pw_bn5: batch_norm, relu,
        dw6: conv(64, kernel = 3, stride = 2, padding = 1, groups = depthwise, bias = false), dw_bn6: batch_norm, relu,
        pw6: conv(128, kernel = 1, bias = false), pw_bn6: batch_norm, relu,
        dw7: conv(128, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn7: batch_norm, relu,
        pw7: conv(128, kernel = 1, bias = false), pw_bn7: batch_norm, relu,
        dw8: conv(128, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn8: batch_norm, relu,
        pw8: conv(128, kernel = 1, bias = false), pw_bn8: batch_norm, relu,
        dw9: conv(128, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn9: batch_norm, relu,
        pw9: conv(128, kernel = 1, bias = false), pw_bn9: batch_norm, relu,
        dw10: conv(128, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn10: batch_norm, relu,
        pw10: conv(128, kernel = 1, bias = false), pw_bn10: batch_norm, relu,
        dw11: conv(128, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn11: batch_norm, relu,
        pw11: conv(128, kernel = 1, bias = false), pw_bn11: batch_norm, relu,
        dw12: conv(128, kernel = 3, stride = 2, padding = 1, groups = depthwise, bias = false), dw_bn12: batch_norm, relu,
        pw12: conv(256, kernel = 1, bias = false), pw_bn12: batch_norm, relu,
        dw13: conv(256, kernel = 3, padding = 1, groups = depthwise, bias = false), dw_bn13: batch_norm, relu,
        pw13: conv(256, kernel = 1, bias = false), pw_bn13: batch_norm, relu,
        avg_pool(3),
        flatten,
        fc: linear(2),
    }
}

network! {
    /// One wide convolution.
    pub struct Conv64([64, 56, 56] -> [64, 56, 56]) {
        conv1: conv(64, kernel = 3, padding = 1), relu,
    }
}
