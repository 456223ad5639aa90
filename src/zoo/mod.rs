//! Known networks, each one declaration of [`network!`](crate::network!) in a file of its own: to use, to measure with, and to copy into a program and change.
//!
//! ```
//! use rand::SeedableRng;
//! use tenonet::prelude::*;
//! use tenonet::zoo::LeNet5;
//!
//! let net = LeNet5::init(&mut rand::rngs::StdRng::seed_from_u64(1));
//! let logits: Tensor<10> = net.forward(&Tensor::zeros(), &mut LeNet5::scratch());
//! assert!(logits.argmax() < 10);
//! ```
//!
//! | Network | Input | Output | Parameters | Multiply-adds |
//! |---|---|---|---|---|
//! | [`LeNet5`] | 1×28×28 | 10 | 61,706 | 416,520 |
//! | [`MnistCnn`] | 1×28×28 | 10 | 1,199,882 | 11,992,448 |
//! | [`ResNet8`] | 3×32×32 | 10 | 78,186 | 12,501,632 |
//! | [`DsCnn`] | 1×49×10 | 12 | 23,756 | 2,656,768 |
//! | [`PersonDetection`] | 3×96×96 | 2 | 216,322 | 7,489,664 |
//! | [`AutoEncoder`] | 640 | 640 | 267,928 | 264,192 |
//! | [`M5`] | 1×1×8000 | 35 | 26,915 | 1,880,256 |
//! | [`UNet`] | 3×64×64 | 1×64×64 | 482,737 | 144,965,632 |
//! | [`AlexNet`] | 3×224×224 | 1000 | 61,100,840 | 714,188,480 |
//! | [`Vgg16`] | 3×224×224 | 1000 | 138,357,544 | 15,470,264,320 |
//! | [`ResNet18`] | 3×224×224 | 1000 | 11,689,512 | 1,814,073,344 |
//! | [`MobileNetV1`] | 3×224×224 | 1000 | 4,231,976 | 568,740,352 |
//! | [`MobileNetV1Quarter`] | 3×96×96 | 1000 | 470,072 | 7,745,152 |
//! | [`SqueezeNet`] | 3×224×224 | 1000 | 1,235,496 | 349,151,936 |
//!
//! The numbers are asserted when the crate is compiled. VGG-16 is not there on 32-bit targets: its multiply-adds do not fit into a `usize`.
//!
//! # How they are counted
//! Parameters are what an optimizer changes, as PyTorch counts them. The running averages of `batch_norm`, which Keras adds as "non-trainable parameters",
//! are [`STATISTICS`](crate::Network::STATISTICS). A multiply-add is one product of a convolution or a fully-connected layer, bias aside, as the published figures have it;
//! normalisation, pooling and activation count nothing. Zeros of padding are multiplied as any other input.
//!
//! # What they yield
//! Classifiers end in logits: the softmax that some sources declare behind them is in the loss,
//! [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy), and changes no ranking. No weights come with the crate.
//!
//! # Names
//! Tensors are called as in the source, with `_` for each `.` but the last: torchvision's `layer2.0.downsample.1.weight` is `layer2_0_downsample_1.weight`
//! of [`ResNet18`]. Each network says whose names it has. By [`TORCHVISION`], which are that rule, a `state_dict` of torchvision's loads, and what is saved loads there:
//!
//! ```no_run
//! use tenonet::zoo::{ResNet18, TORCHVISION};
//!
//! let net = ResNet18::load_named("resnet18.safetensors", &TORCHVISION)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alex_net;
mod auto_encoder;
mod ds_cnn;
mod lenet5;
mod m5;
mod mnist_cnn;
mod mobile_net_v1;
mod person_detection;
mod res_net18;
mod res_net8;
mod squeeze_net;
mod u_net;
// Its multiply-adds do not fit into 32 bits.
#[cfg(target_pointer_width = "64")]
mod vgg16;

use crate::Names;

pub use alex_net::*;
pub use auto_encoder::*;
pub use ds_cnn::*;
pub use lenet5::*;
pub use m5::*;
pub use mnist_cnn::*;
pub use mobile_net_v1::*;
pub use person_detection::*;
pub use res_net8::*;
pub use res_net18::*;
pub use squeeze_net::*;
pub use u_net::*;
#[cfg(target_pointer_width = "64")]
pub use vgg16::*;

/// torchvision's names of the tensors of [`AlexNet`], [`Vgg16`], [`ResNet18`] and [`SqueezeNet`].
///
/// ```
/// use tenonet::zoo::TORCHVISION;
///
/// assert!(TORCHVISION.theirs("layer2_0_downsample_1.weight").is("layer2.0.downsample.1.weight"));
/// ```
pub const TORCHVISION: Names = Names::of(&[]).dotted().num_batches_tracked();
