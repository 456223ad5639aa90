//! Lesson 5: why not fully connected.
//!
//! A fully connected layer has a weight for each pair of an input and an output. An image of `3 × 256 × 256` and 1,000 classes are
//!
//! ```text
//! 3 · 256 · 256 · 1,000 = 196,608,000 weights
//! ```
//!
//! in one layer: 786 megabytes, far more numbers than there are images to learn them from, and four times as many for images of twice the side. A convolution looks at small windows and has the same weights at every place. From
//! `c_in` to `c_out` channels with a kernel of `k_h × k_w` they are
//!
//! ```text
//! c_in · c_out · k_h · k_w
//! ```
//!
//! whatever the size of the image. The compiler knows all of these numbers, so they are asserted when compiling; neither network is ever made:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct FullyConnected([3, 256, 256] -> [1_000]) { flatten, fc: linear(1_000, bias = false) }
//! }
//! network! {
//!     struct Convolution([3, 256, 256] -> [4, 252, 252]) { conv: conv(4, kernel = 5, bias = false) }
//! }
//!
//! const _: () = assert!(FullyConnected::PARAMS == 196_608_000);
//! const _: () = assert!(Convolution::PARAMS == 3 * 4 * 5 * 5);
//! // It is not cheaper to compute: its few weights are used at each place.
//! const _: () = assert!(Convolution::MACS == Convolution::PARAMS * 252 * 252);
//! ```
//!
//! A network whose weights must not take more than so many bytes says so, and does not compile otherwise: `#[budget(weights = 256 * 1024)]`.
//!
#![doc = include_str!("pictures/05_weights.svg")]
//!
//! That one set of weights serves every place is what an image is like: an edge is an edge wherever it is. And when the image moves by a pixel, so does what the convolution yields: it is *equivariant* (Goodfellow, Bengio & Courville 2016,
//! 9.2). Convolutions that shrink the maps, and one linear layer for what is left, tell 1,000 classes apart with less than a thousandth of the weights:
//!
#![doc = include_str!("pictures/05_convolutional.svg")]
