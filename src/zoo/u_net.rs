//! A small U-Net: segmentation.

use crate::network;

network! {
    /// A small U-Net for the segmentation of pictures of 64 × 64 in colour: a logit for each pixel; 482,737 parameters, 144,965,632 multiply-adds.
    ///
    /// O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation", arXiv:1505.04597 (2015), with three halvings of the size for
    /// the paper's four, 16 to 128 channels for its 64 to 1024, and as is usual today padding and `batch_norm`. No published network has just these sizes; the numbers
    /// are the sums that the assertions spell. For logistic regression by pixel, end it with `sigmoid`.
    pub struct UNet([3, 64, 64] -> [1, 64, 64]) {
        down1: repeat(2) { conv: conv(16, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
        concat {
            {
                max_pool(2),
                down2: repeat(2) { conv: conv(32, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                concat {
                    {
                        max_pool(2),
                        down3: repeat(2) { conv: conv(64, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                        concat {
                            {
                                max_pool(2),
                                bottom: repeat(2) { conv: conv(128, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                                up3: conv_transpose(64, kernel = 2, stride = 2),
                            },
                            {},
                        },
                        across3: repeat(2) { conv: conv(64, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                        up2: conv_transpose(32, kernel = 2, stride = 2),
                    },
                    {},
                },
                across2: repeat(2) { conv: conv(32, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                up1: conv_transpose(16, kernel = 2, stride = 2),
            },
            {},
        },
        across1: repeat(2) { conv: conv(16, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
        output: conv(1, kernel = 1),
    }
}

/// Multiply-adds of two convolutions of 3 × 3 on a square of a side, from `inputs` to `width` channels, and their parameters with those of the normalisations.
const fn double(side: usize, inputs: usize, width: usize) -> [usize; 2] {
    let weights = 9 * inputs * width + 9 * width * width;
    [side * side * weights, weights + 4 * width]
}

/// Of the doubling of a square of a side, which halves the channels to `width`.
const fn up(side: usize, width: usize) -> [usize; 2] {
    let weights = 2 * width * width * 4;
    [side * side * weights, weights + width]
}

const _: () = {
    let parts = [
        double(64, 3, 16),
        double(32, 16, 32),
        double(16, 32, 64),
        double(8, 64, 128),
        up(8, 64),
        double(16, 128, 64),
        up(16, 32),
        double(32, 64, 32),
        up(32, 16),
        double(64, 32, 16),
        [64 * 64 * 16, 16 + 1],
    ];
    let (mut sums, mut i) = ([0; 2], 0);
    while i < parts.len() {
        sums = [sums[0] + parts[i][0], sums[1] + parts[i][1]];
        i += 1;
    }
    assert!(UNet::MACS == sums[0] && UNet::PARAMS == sums[1]);
    assert!(UNet::MACS == 144_965_632 && UNet::PARAMS == 482_737);
};
