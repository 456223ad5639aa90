//! Lesson 9: what the first layer learned.
//!
//! The kernels of the first layer work on pixels, so they can be looked at: each is a small image, of what it answers to most. Those of networks that learned from natural images are edges, bars and colours of some direction and width, as the
//! receptive fields of cells in the visual cortex are. Such a filter is a wave under a bell, a *Gabor function* (Daugman 1985; Goodfellow, Bengio & Courville 2016, 9.10):
//!
//! ```text
//! g(x, y) = exp(−(x′² + γ² y′²) / 2σ²) cos(2π x′/λ + ψ),    x′ = x cos θ + y sin θ,    y′ = −x sin θ + y cos θ
//! ```
//!
//! with the direction θ, the wavelength λ, the width σ, the shape γ and the phase ψ.
//!
//! # As a number
//! Each filter `w` is held against a bank of thousands of Gabor filters. They and the channels of the filter are made zero-mean, and each Gabor filter of unit norm; then the colour that brings `g` nearest to the filter, and their
//! correlation, are
//!
//! ```text
//! a_c = Σ w_c g,        r = |a| / |w|
//! ```
//!
//! so that `r²` is the part of the filter that is explained. A bank of thousands finds something similar to anything: what counts is how much larger `r` is than that of the random filters before training.
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct Net([3, 32, 32] -> [10]) {
//!         conv1: conv(24, kernel = 9, stride = 2, padding = 4, bias = false), bn1: batch_norm, relu,
//!         global_avg_pool, fc: linear(10),
//!     }
//! }
//!
//! let net = Net::init(&mut rand::rng());
//! // A weight of the first layer: row, column, channel, filter.
//! let _: f32 = net.conv1.weight[4][4][0][23];
//! # #[cfg(feature = "plot")]
//! tenonet::plot::Filters::of(&net.conv1.weight).columns(8); // .save("filters.png")
//! ```
//!
//! # The filters
//! A network with 24 first filters of 9 × 9 learned from CIFAR-10 for eight epochs. Each filter stands over the Gabor filter that is nearest to it, the most similar first:
//!
#![doc = include_str!("pictures/09_after.svg")]
//!
//! | r with the best of 57,600 Gabor filters | best | mean | median |
//! |---|---|---|---|
//! | random filters, before training | 0.33 | 0.28 | 0.27 |
//! | the same 24 after training | 0.93 | 0.74 | 0.76 |
//!
#![doc = include_str!("pictures/09_correlations.svg")]
//!
//! Nobody told the network of edges: gradient descent on the empirical risk found them. With the digits that ship with the crate (no natural images do) it is strokes that make the filters.
