//! Forward, backward and optimizers of two networks as functions that a program in another language could call.
//!
//! The image has no allocator and, on optimised builds, no panic path; `../symbols` builds it and reads its symbols.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use tenonet::prelude::*;
use tenonet::zoo::{LeNet5, LeNet5Scratch};

type Image = Tensor<1, 28, 28>;

/// `y ← net(x)`.
#[unsafe(no_mangle)]
pub extern "C" fn lenet_infer(net: &LeNet5, x: &Image, scratch: &mut LeNet5Scratch, y: &mut Tensor<10>) {
    *y = net.forward(x, scratch);
}

/// What learning needs: it is not part of an image that only infers.
#[cfg(feature = "learning")]
mod learning {
    use tenonet::prelude::*;

    use super::{Image, LeNet5};

    network! {
        /// One of each kind of layer.
        pub struct Layers([2, 12, 12] -> [4]) {
            pad(1, reflect),
            conv1: conv(8, kernel = 3, stride = 2, padding = 1, bias = false), bn1: batch_norm, relu6,
            residual {
                depthwise: conv(8, kernel = 3, padding = same, groups = depthwise), silu,
                grouped: conv(8, kernel = 1, groups = 2), hard_swish,
            }, leaky_relu(0.1),
            concat {
                { conv2: conv(4, kernel = 3, padding = same, dilation = 2), elu },
                { max_pool(3, stride = 1, padding = 1), conv3: conv(3, kernel = 1), sigmoid },
                {},
            },
            up: conv_transpose(6, kernel = 2, stride = 2), gelu,
            upsample(2, bilinear), avg_pool(4, ceil), layer_norm,
            scale, bias, hard_sigmoid,
            upsample(2), max_pool(2), tanh,
            dropout(0.25),
            conv4: conv(6, kernel = 3, padding = 1), softplus,
            residual { conv5: conv(6, kernel = 3, padding = 1), } shortcut { conv6: conv(6, kernel = 1), },
            concat { { global_avg_pool, flatten }, { global_max_pool, flatten } },
            fc1: linear(9, bias = false), bn2: batch_norm, relu,
            fc2: linear(4), softmax,
        }
    }

    /// One step on a batch; whether there was one.
    fn step<N: Network<Scalar = f32>, L: Sync, E: Loss<N::Output, L>>(
        net: &mut N, grad: &mut N, workspace: &mut Workspace<N, 2>, optimizer: &mut impl Optimizer<f32>, loss: &E,
        images: &[N::Input], targets: &[L],
    ) -> bool {
        let mean = 1.0 / images.len().max(1) as f32;
        grad.flat_mut().fill(0.0);
        let learned = net.accumulate_grad(images, targets, loss, mean, grad, workspace.as_parts());
        let stepped = learned.is_ok() && optimizer.step(net.params_mut(), grad.params()).is_ok();
        if stepped {
            net.update_statistics(grad);
        }
        stepped
    }

    /// A step of gradient descent with momentum.
    #[unsafe(no_mangle)]
    pub extern "C" fn lenet_learn_sgd(
        net: &mut LeNet5, grad: &mut LeNet5, momentum: &mut LeNet5, workspace: &mut Workspace<LeNet5, 2>,
        images: &[Image; 4], classes: &[u8; 4],
    ) -> bool {
        let mut sgd = Sgd::with_storage(0.05, momentum.flat_mut()).momentum(0.9).nesterov(true).weight_decay(1e-4);
        step(net, grad, workspace, &mut sgd, &SoftmaxCrossEntropy, images, classes)
    }

    /// A first step of Adam.
    #[unsafe(no_mangle)]
    pub extern "C" fn lenet_learn_adam(
        net: &mut LeNet5, grad: &mut LeNet5, moments: &mut [LeNet5; 2], workspace: &mut Workspace<LeNet5, 2>,
        images: &[Image; 4], targets: &[Tensor<10>; 4],
    ) -> bool {
        let [mean, square] = moments;
        let mut adam = Adam::with_storage(1e-3, mean.flat_mut(), square.flat_mut());
        step(net, grad, workspace, &mut adam, &SquaredError, images, targets)
    }

    /// `y ← net(x)`.
    #[unsafe(no_mangle)]
    pub extern "C" fn layers_infer(
        net: &Layers, x: &Tensor<2, 12, 12>, scratch: &mut LayersScratch, y: &mut Tensor<4>,
    ) {
        *y = net.forward(x, scratch);
    }

    /// A step of AdamW whose rate follows a schedule.
    #[unsafe(no_mangle)]
    pub extern "C" fn layers_learn(
        net: &mut Layers, grad: &mut Layers, moments: &mut [Layers; 2], workspace: &mut Workspace<Layers, 2>,
        images: &[Tensor<2, 12, 12>; 2], classes: &[u8; 2],
    ) -> bool {
        let parameters = Layers::PARAMS;
        let [mean, square] = moments.each_mut().map(|moments| moments.flat_mut().split_at_mut(parameters).0);
        let mut adam = AdamW::with_storage(1e-3, mean, square);
        step(net, grad, workspace, &mut adam, &SquaredError, images, classes)
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
