//! Lesson 5: why images do not go into fully connected layers.
//!
//! A fully connected layer `y = W x` has a weight for each pair of an input and an output. An image of `c × h × w = 3 × 256 × 256` and 1,000 classes are
//!
//! ```text
//! 3 · 256 · 256 · 1,000 = 196,608,000 weights,
//! ```
//!
//! all in one layer, and four times as many on images of twice the side. A convolution looks at a small window, of `k_h × k_w` pixels, and has the same weights at every place: from `c_in` to `c_out` channels
//!
//! ```text
//! c_in · c_out · k_h · k_w weights,
//! ```
//!
//! 108 for 3 → 4 channels and a kernel of 3 × 3, whatever the size of the image. It is no cheaper to compute for it: the few weights are used at each place.
//!
//! ```sh
//! cargo run --release --example 05_why_not_fully_connected
//! ```
//!
//! All numbers are constants of declared networks, which the compiler knows: none of the networks is made, and the lesson takes no time.
//!
//! - `05_weights`: weights against the image's side, both axes logarithmic. The slopes are 2, 4 and 0.
//! - `05_fully_connected`, `05_convolutional`: two networks for 1,000 classes, of which the second has convolutions before its linear layer.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use tenonet::plot::{Architecture, Chart};
use tenonet::prelude::*;
use tenonet::shape::{Conv, Linear, Shape, Text};

network! {
    /// One linear layer from all pixels to all classes.
    pub struct FullyConnected([3, 256, 256] -> [1_000]) { flatten, fc: linear(1_000, bias = false) }
}
network! {
    /// Four maps of the image, by windows of 3 × 3.
    pub struct Conv3([3, 256, 256] -> [4, 254, 254]) { conv: conv(4, kernel = 3, bias = false) }
}
network! {
    /// Four maps of the image, by windows of 5 × 5.
    pub struct Conv5([3, 256, 256] -> [4, 252, 252]) { conv: conv(4, kernel = 5, bias = false) }
}
network! {
    /// Four maps of the image, by windows of 3 rows and 5 columns.
    pub struct Conv3x5([3, 256, 256] -> [4, 254, 252]) { conv: conv(4, kernel = (3, 5), bias = false) }
}
network! {
    /// Convolutions that halve the image and double the channels; what is left is a vector of 64 features.
    pub struct Convolutional([3, 256, 256] -> [1_000]) {
        conv1: conv(4, kernel = 3, padding = 1), relu, max_pool(2),
        conv2: conv(8, kernel = 3, padding = 1), relu, max_pool(2),
        conv3: conv(16, kernel = 3, padding = 1), relu, max_pool(2),
        conv4: conv(32, kernel = 3, padding = 1), relu, max_pool(2),
        conv5: conv(64, kernel = 3, padding = 1), relu, global_avg_pool,
        fc: linear(1_000),
    }
}

const _: () = assert!(FullyConnected::PARAMS == 3 * 256 * 256 * 1_000);
const _: () = assert!(FullyConnected::PARAMS == 196_608_000);
const _: () = assert!(Conv3::PARAMS == 3 * 4 * 3 * 3);
const _: () = assert!(Conv3::PARAMS == 108);
const _: () = assert!(Conv5::PARAMS == 3 * 4 * 5 * 5);
const _: () = assert!(Conv5::PARAMS == 300);
const _: () = assert!(Conv3x5::PARAMS == 3 * 4 * 3 * 5);
const _: () = assert!(Conv3x5::PARAMS == 180);
// Each weight of a linear layer is used once, each of a convolution at every place.
const _: () = assert!(FullyConnected::MACS == FullyConnected::PARAMS && Conv3::MACS == 254 * 254 * Conv3::PARAMS);

fn main() -> ExitCode {
    Lesson::run(|lesson| {
        println!("Layers on an image of 3 × 256 × 256:\n");
        println!("{:<28}{:>13}{:>16}{:>17}{:>16}", "", "output", "weights", "bytes", "multiply-adds");
        row::<FullyConnected>("fully connected");
        row::<Conv3>("convolution, kernel 3 × 3");
        row::<Conv5>("convolution, kernel 5 × 5");
        row::<Conv3x5>("convolution, kernel 3 × 5");
        row::<Convolutional>("5 convolutions and a linear");

        // The same four maps of 254 × 254 from a fully connected layer: no memory would hold it, so it is not even declared.
        let maps = maps_by_linear(256);
        println!(
            "\nThe convolution of 3 × 3 as a fully connected layer, with a weight for each pixel and each of 4 × 254 × 254 outputs:"
        );
        println!(
            "{} weights, {} GB. All but one in {} are 0.",
            grouped(maps),
            maps * 4 / 1_000_000_000,
            grouped(maps / Conv3::MACS)
        );

        let sides = || (4..=10).map(|power| 1 << power);
        let line = |weights: fn(usize) -> usize| sides().map(move |side| (side as f64, weights(side) as f64));
        let chart = Chart::new("Weights of one layer on a coloured image")
            .x_label("side of the image, in pixels")
            .y_label("weights")
            .line("linear to 4 maps", line(maps_by_linear))
            .line("linear to 1,000 classes", line(classes_by_linear))
            .line("convolution to 4 maps, 5 × 5", line(|side| convolution(side, 5)))
            .line("convolution to 4 maps, 3 × 3", line(|side| convolution(side, 3)))
            .points("196,608,000", [(256.0, FullyConnected::PARAMS as f64)])
            .points("108", [(256.0, Conv3::PARAMS as f64)])
            .log_x()
            .log_y();
        anyhow::ensure!(classes_by_linear(256) == FullyConnected::PARAMS && convolution(256, 3) == Conv3::PARAMS);
        anyhow::ensure!(
            sides().all(|side| classes_by_linear(2 * side) == 4 * classes_by_linear(side)),
            "the slope is not 2"
        );
        println!();
        lesson.save("05_weights", &chart)?;
        lesson.save("05_fully_connected", &Architecture::of::<FullyConnected>())?;
        lesson.save("05_convolutional", &Architecture::of::<Convolutional>())
    })
}

/// A row of the table.
fn row<N: Network>(name: &str) {
    use tenonet::FeatureMap;
    let output = N::Output::SHAPE.text();
    let [weights, bytes, macs] = [N::PARAMS, N::WEIGHT_BYTES, N::MACS].map(grouped);
    println!("{name:<28}{:>13}{weights:>16}{bytes:>17}{macs:>16}", output.as_str());
}

fn grouped(number: usize) -> String {
    Text::new().grouped(number).as_str().into()
}

/// Weights from an image of this side to 1,000 classes.
fn classes_by_linear(side: usize) -> usize {
    Linear { input: Shape::flat(3 * side * side), outputs: 1_000, bias: false }.params()
}

/// Weights of a convolution from 3 to 4 channels on an image of this side.
fn convolution(side: usize, kernel: usize) -> usize {
    Conv { bias: false, ..Conv::new(Shape::new(3, side, side), 4, [kernel; 2]) }.params()
}

/// Weights from an image of this side to the four maps of a convolution of 3 × 3.
fn maps_by_linear(side: usize) -> usize {
    let maps = Conv::new(Shape::new(3, side, side), 4, [3; 2]).output();
    Linear { input: Shape::flat(3 * side * side), outputs: maps.len(), bias: false }.params()
}
