//! Lesson 6: convolution.
//!
//! What networks call convolution is *cross-correlation*: a small kernel `g` is laid on each place of a signal `f`, or on every `S`-th with the *stride* `S`, and the products are summed.
//!
//! ```text
//! (f ⋆ g)[i]    = Σ_k f[i·S + k] g[k]
//! (f ⋆ g)[i, j] = Σ_k Σ_l f[i·S + k, j·S + l] g[k, l]
//! ```
//!
//! A kernel of `K` elements yields `(L − K) / S + 1` from `L`, rounded down. In Rust the length of what comes out is part of its type, and another one does not compile:
//!
//! ```
//! use tenonet::prelude::*;
//! use tenonet::signal::{Stride, correlate, correlate_1d, flip_1d};
//!
//! // A step, and where it is: a kernel of 3 that takes the difference of the neighbours.
//! let f = Tensor::<1, 1, 8>([[[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]]]);
//! let edges: Tensor<1, 1, 6> = correlate_1d(&f, &[-0.5, 0.0, 0.5], Stride::<1>);
//! assert_eq!(edges[0][0], [0.0, 0.0, 0.5, 0.5, 0.0, 0.0]);
//!
//! // Every second place: (8 − 3) / 2 + 1 = 3.
//! let coarse: Tensor<1, 1, 3> = correlate_1d(&f, &[-0.5, 0.0, 0.5], Stride::<2>);
//! assert_eq!(coarse[0][0], [0.0, 0.5, 0.0]);
//!
//! // The convolution of mathematics, f * g, turns the kernel around.
//! let convolved: Tensor<1, 1, 6> = correlate_1d(&f, &flip_1d(&[-0.5, 0.0, 0.5]), Stride::<1>);
//! assert_eq!(convolved[0][0], edges[0][0].map(|y| -y));
//!
//! // On an image the same with rows and columns: Sobel's kernel for edges that run upright.
//! let image = Tensor::<1, 5, 6>::from_fn(|_, _, column| if column < 3 { 0.0 } else { 1.0 });
//! let upright: Tensor<1, 3, 4> = correlate(&image, &[[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], Stride::<1>);
//! assert_eq!(upright[0], [[0.0, 4.0, 4.0, 0.0]; 3]);
//! ```
//!
//! # Smoothing and differences
//! A kernel whose elements sum to 1 takes means: noise becomes less, and the step less steep. One whose elements sum to 0 answers to changes alone.
//!
#![doc = include_str!("pictures/06_smoothing.svg")]
//!
#![doc = include_str!("pictures/06_difference.svg")]
//!
//! # On a picture
//! Blurs of 3 and 5, then edges: blue is below 0 and red above. With a stride of 2 rows and columns are halved.
//!
#![doc = include_str!("pictures/06_blur.svg")]
//!
#![doc = include_str!("pictures/06_edges.svg")]
//!
//! These kernels were thought out. A convolutional network learns its own: that is all the difference between `correlate` and the layer `conv`, but for channels, of which the [next lesson](super::lesson_7) tells. Goodfellow, Bengio & Courville 2016, 9.1.
