//! Lesson 7: channels and pooling.
//!
//! An image has several channels, and so has every map in a network. A convolutional layer has a kernel for each pair of an input channel `c` and an output channel `o`, and sums over the first:
//!
//! ```text
//! z_o = b_o + Σ_c x_c ⋆ g_{o,c}
//! ```
//!
//! *Pooling* of size 2 and stride 2 keeps the largest of each 2 × 2 places. Where exactly something was is forgotten, and what is left is a quarter:
//!
//! ```text
//! y_o[i, j] = max { z_o[2i + k, 2j + l] : k, l ∈ {0, 1} }
//! ```
//!
//! A kernel of 5 takes 4 from each side, pooling halves it: 32 → 28 → 14 → 10 → 5. Channels grow while maps shrink. Each of these numbers is in a type, and the compiler compares them:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! let mut rng = rand::rng();
//! let conv1 = Conv2d::<3, 8, 5, 5>::init(&mut rng);
//! let conv2 = Conv2d::<8, 16, 5, 5>::init(&mut rng);
//!
//! let x = Tensor::<3, 32, 32>::zeros();
//! let y: Tensor<8, 28, 28> = Relu.forward(&conv1.forward(&x));
//! let y: Tensor<8, 14, 14> = MaxPool2d::<2, 2>.forward(&y);      // another number does not compile
//! let y: Tensor<16, 10, 10> = Relu.forward(&conv2.forward(&y));
//! let y: Tensor<16, 5, 5> = MaxPool2d::<2, 2>.forward(&y);
//! assert_eq!(y.flatten::<400>(), &Tensor::zeros());
//! ```
//!
//! In `network!` nobody has to write them; they are computed, checked and told:
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Net([3, 32, 32] -> [10]) {
//!         conv1: conv(8, kernel = 5), relu, max_pool(2),
//!         conv2: conv(16, kernel = 5), relu, max_pool(2),
//!         flatten,
//!         fc: linear(10),
//!     }
//! }
//!
//! let shapes: Vec<String> = Net::LAYERS.iter().map(|layer| layer.output.text().as_str().into()).collect();
//! assert_eq!(shapes, ["8×28×28", "8×28×28", "8×14×14", "16×10×10", "16×10×10", "16×5×5", "400", "10"]);
//! ```
//!
#![doc = include_str!("pictures/07_network.svg")]
//!
//! # The maps
//! What each step makes of a picture, with kernels that are random: the first layer's maps, and what pooling leaves of them.
//!
#![doc = include_str!("pictures/07_conv1.svg")]
//!
#![doc = include_str!("pictures/07_pool1.svg")]
//!
//! After pooling a network cares less for a shift of the picture by a pixel, and its next kernel sees twice as far (Goodfellow, Bengio & Courville 2016, 9.3).
