//! ResNet-8 and a quarter of MobileNetV1: blocks, shortcuts and batch normalisation, in a crate that warns of nothing.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use tenonet::prelude::*;

network! {
    /// ResNet-8 for CIFAR-10.
    #[budget(weights = 320 * 1024, scratch = 640 * 1024, macs = 12_501_632)]
    #[derive(Clone, Debug)]
    pub struct ResNet8([3, 32, 32] -> [10]) {
        conv1: conv(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        residual {
            conv2: conv(16, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
            conv3: conv(16, kernel = 3, padding = 1, bias = false), bn3: batch_norm,
        }, relu,
        residual {
            conv4: conv(32, kernel = 3, stride = 2, padding = 1, bias = false), bn4: batch_norm, relu,
            conv5: conv(32, kernel = 3, padding = 1, bias = false), bn5: batch_norm,
        } shortcut { skip1: conv(32, kernel = 1, stride = 2) }, relu,
        residual {
            conv6: conv(64, kernel = 3, stride = 2, padding = 1, bias = false), bn6: batch_norm, relu,
            conv7: conv(64, kernel = 3, padding = 1, bias = false), bn7: batch_norm,
        } shortcut { skip2: conv(64, kernel = 1, stride = 2) }, relu,
        avg_pool(8), flatten,
        fc: linear(10),
    }
}

macro_rules! mobilenet {
    ($($inputs:literal => $outputs:literal, $stride:literal;)*) => {
        network! {
            /// MobileNetV1, a quarter as wide, for 96 × 96 pixels.
            pub struct MobileNet([3, 96, 96] -> [2]) {
                conv(8, kernel = 3, stride = 2, padding = 1, bias = false), batch_norm, relu,
                $(
                    conv($inputs, kernel = 3, stride = $stride, padding = 1, groups = depthwise, bias = false), batch_norm, relu,
                    conv($outputs, kernel = 1, bias = false), batch_norm, relu,
                )*
                avg_pool(3), flatten,
                linear(2),
            }
        }
    };
}

mobilenet! {
    8 => 16, 1; 16 => 32, 2; 32 => 32, 1; 32 => 64, 2; 64 => 64, 1; 64 => 128, 2;
    128 => 128, 1; 128 => 128, 1; 128 => 128, 1; 128 => 128, 1; 128 => 128, 1;
    128 => 256, 2; 256 => 256, 1;
}

const WIDTH: usize = 8;
const EPSILON: f64 = 1e-3;

network! {
    /// Blocks in blocks, with const expressions; names that the expansion uses itself.
    pub struct Kept([WIDTH / 2, 8, 8] -> [WIDTH, 4, 4]) {
        batch_norm(epsilon = EPSILON),
        kept: residual { residual { tape: conv(WIDTH / 2, kernel = 3, padding = same) }, batch_norm(epsilon = 2.0 * EPSILON) }, relu,
        work: residual {
            train_work: conv(WIDTH, kernel = 3, stride = 2, padding = 1), gelu, share: conv(WIDTH, kernel = 1),
        } shortcut { shortcut: conv(WIDTH, kernel = 1, stride = 2), r#type: batch_norm },
    }
}

network! {
    /// No parameters in a block.
    struct Plain2([4] -> [4]) {
        residual { tanh }, residual { flatten }, residual { relu } shortcut { softmax },
    }
}

fn main() {
    assert_eq!((ResNet8::PARAMS, ResNet8::MACS), (77_946, 12_501_632));
    assert_eq!((MobileNet::PARAMS, MobileNet::MACS), (213_586, 7_489_664));
    let sum = ResNet8::LAYERS[16];
    assert_eq!((sum.name, sum.kind, sum.params, sum.macs), ("residual_16", "residual", 0, 0));
    assert_eq!((sum.output.c, sum.output.h, sum.output.w), (32, 16, 16));
    let mut rng = rand::make_rng::<rand::rngs::StdRng>();
    let net = ResNet8::init(&mut rng);
    let logits: Tensor<10> = net.forward(&Tensor::zeros(), &mut ResNet8::scratch());
    let copy: ResNet8Statistics = net.statistics.clone();
    assert_eq!(copy.bn7.mean.len(), net.bn7.weight.len() + logits.argmax() / 10);
    let z: Tensor<8, 4, 4> = Kept::init(&mut rng).forward(&Tensor::zeros(), &mut Kept::scratch());
    assert!(z.as_slice().len() == 128);
    let x = Tensor([[[1.0]], [[-1.0]], [[0.0]], [[0.0]]]);
    assert_eq!(Plain2::init(&mut rng).forward(&x, &mut Plain2::scratch()).as_slice().len(), Plain2::PARAMS + 4);
}
