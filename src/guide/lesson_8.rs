//! Lesson 8: a convolutional network.
//!
//! All that came before, put together: convolutions find what is alike everywhere ([lesson 6](super::lesson_6)), pooling makes places coarser and channels more ([lesson 7](super::lesson_7)), a linear layer
//! tells the classes apart ([lesson 3](super::lesson_3)), and back-propagation ([lesson 4](super::lesson_4)) with stochastic gradients of mini-batches makes the empirical risk small.
//!
#![doc = include_str!("pictures/08_network.svg")]
//!
//! ```
//! use tenonet::prelude::*;
//!
//! network! {
//!     struct SmallNet([1, 8, 8] -> [10]) {
//!         conv1: conv(16, kernel = 3, padding = same), relu, max_pool(2),
//!         conv2: conv(32, kernel = 3, padding = same), relu, max_pool(2),
//!         flatten,
//!         fc: linear(10),
//!     }
//! }
//!
//! let (train, test) = tenonet::data::digits().split(0.25, 7);
//! let mut net = SmallNet::init(&mut rand::rng());
//! let report = Trainer::new(&mut net)
//!     .loss(SoftmaxCrossEntropy)
//!     .optimizer(Sgd::new(0.05).momentum(0.9).weight_decay(5e-4))
//!     .schedule(Cosine::new())
//!     .batch(32).epochs(1)                        // the example: 30
//!     .fit(&train, &test)?;
//!
//! // What training makes small, and what one wanted: the part of unseen digits that is wrong.
//! let _ = report.train_loss();
//! let errors = evaluate(&net, &test, &ZeroOne)?.loss;
//! assert!(errors < 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What was learned, and what was not seen
//! A quarter of the 1,797 digits is held out. The empirical risk of the others falls as long as one likes; the mean loss of those held out, an estimate of the risk, comes to rest. The distance
//! between the two is what the network learned by heart (Goodfellow, Bengio & Courville 2016, 5.2).
//!
#![doc = include_str!("pictures/08_learning.svg")]
//!
//! # Where it errs
//! In the end it is right with all digits that it learned from, and wrong with 1.8 % of those that it did not. The matrix tells which are taken for which, the pictures show that some of them are hard for us as well.
//!
#![doc = include_str!("pictures/08_confusion.svg")]
//!
#![doc = include_str!("pictures/08_mistakes.svg")]
