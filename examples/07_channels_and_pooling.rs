//! Lesson 7: several channels, and pooling.
//!
//! A convolutional layer has a kernel for each pair of an input channel `c` and an output channel `o`, and adds up what they see; an activation `φ` follows, and pooling of size 2 and stride 2 keeps the largest of
//! each 2 × 2 places:
//!
//! ```text
//! z_o = b_o + Σ_c x_c ⋆ g_{o,c},    y_o[i, j] = max { φ(z_o)[2i + k, 2j + l] : k, l ∈ {0, 1} }
//! ```
//!
//! A kernel of 5 takes 4 off each side, and pooling halves it: 32 → 28 → 14 → 10 → 5. Channels grow as the maps shrink, 3 → 8 → 16, until a linear layer sees 16 × 5 × 5 = 400 features.
//!
//! ```sh
//! cargo run --release --example 07_channels_and_pooling                  # a drawn picture
//! cargo run --release --example 07_channels_and_pooling -- --data DIR    # the first picture of CIFAR-10, the binary version
//! ```
//!
//! The layers stand here one by one, with the shape of each step written down, and the compiler compares. If the line of `p1` said `Tensor<8, 13, 14>`, it would not compile. What is said of the two
//! layers beside it begins so:
//!
//! ```text
//! error[E0080]: evaluation panicked: MaxPool2d: declared output [8, 13, 14] differs from the real output [8, 14, 14]
//! error[E0080]: evaluation panicked: Conv2d: declared output [16, 10, 10] differs from the real output [16, 9, 10]
//! ```
//!
//! - `07_input`, `07_conv1`, `07_pool1`, `07_conv2`, `07_pool2`: the maps of each step. The weights are random ones: nothing is learned here.
//! - `07_network`: the same layers in `network!`, whose output is the same.

mod lesson;

use std::process::ExitCode;

use lesson::Lesson;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tenonet::FeatureMap;
use tenonet::data;
use tenonet::plot::{Architecture, Maps};
use tenonet::prelude::*;
use tenonet::signal::{Stride, correlate};

network! {
    /// The same layers, declared.
    pub struct Declared([3, 32, 32] -> [10]) {
        conv1: conv(8, kernel = 5), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc: linear(10),
    }
}

const _: () = assert!(Declared::PARAMS == (3 * 8 * 25 + 8) + (8 * 16 * 25 + 16) + (400 * 10 + 10));

fn main() -> ExitCode {
    Lesson::run(|lesson| {
        let picture = match &lesson.data {
            Some(folder) => data::cifar10(folder)?.train.inputs()[0],
            None => drawn(),
        };
        lesson.save("07_input", &Maps::of(&picture).title("Input: 3×32×32").cell(8))?;
        // Around 0, so that about half of what the layers yield is above it.
        let x = Tensor::from_fn(|c, row, column| picture[c][row][column] - 0.5);
        let mut rng = StdRng::seed_from_u64(7);
        let conv1 = Conv2d::<3, 8, 5, 5>::init(&mut rng);
        let conv2 = Conv2d::<8, 16, 5, 5>::init(&mut rng);
        let fc = Linear::<400, 10>::init(&mut rng);

        let y1: Tensor<8, 28, 28> = Relu.forward(&conv1.forward(&x));
        let p1: Tensor<8, 14, 14> = MaxPool2d::<2, 2>.forward(&y1);
        let y2: Tensor<16, 10, 10> = Relu.forward(&conv2.forward(&p1));
        let p2: Tensor<16, 5, 5> = MaxPool2d::<2, 2>.forward(&y2);
        let features: &Tensor<400> = p2.flatten();
        let y: Tensor<10> = fc.forward(features);

        println!("\nShapes as the compiler knows them:\n\n{:<28}{:>10}{:>10}", "step", "shape", "elements");
        show("input", &x);
        show("conv 3 → 8, kernel 5, relu", &y1);
        show("max_pool 2, stride 2", &p1);
        show("conv 8 → 16, kernel 5, relu", &y2);
        show("max_pool 2, stride 2", &p2);
        show("flatten", features);
        show("linear 400 → 10", &y);

        let apart = channels(&conv1, &x);
        println!("\nChannel 0 of conv1 and the sum of its three correlations differ by {apart:.1e} at most.");
        anyhow::ensure!(apart < 1e-5, "channels are not summed");
        pooling()?;

        let mut net = Declared::zeroed_box();
        (net.conv1, net.conv2, net.fc) = (conv1, conv2, fc);
        let declared = net.forward(&x, &mut Declared::scratch());
        let apart = y.as_slice().iter().zip(declared.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!(
            "\nThe declared network with the same weights differs by {apart:.1e} at most.\n\n{}\n",
            Declared::summary()
        );
        anyhow::ensure!(apart < 1e-5, "the declared network is another one");

        lesson.save("07_conv1", &maps("conv1 and relu: 8×28×28", &y1).columns(4))?;
        lesson.save("07_pool1", &maps("max_pool: 8×14×14", &p1).columns(4))?;
        lesson.save("07_conv2", &maps("conv2 and relu: 16×10×10", &y2).columns(8))?;
        lesson.save("07_pool2", &maps("max_pool: 16×5×5", &p2).columns(8))?;
        lesson.save("07_network", &Architecture::of::<Declared>())
    })
}

/// A row of the table: the shape comes from the type alone.
fn show<M: FeatureMap>(step: &str, _: &M) {
    println!("{step:<28}{:>10}{:>10}", M::SHAPE.text().as_str(), M::SHAPE.len());
}

fn maps<M: FeatureMap>(title: &str, map: &M) -> Maps {
    // As large on paper whatever their size: what becomes coarser is the grid.
    Maps::new().title(title).image("channel", map).cell(112 / M::SHAPE.h)
}

/// How far channel 0 of the first layer is from `Σ_c x_c ⋆ g_{0,c}`; its bias is 0.
fn channels(conv1: &Conv2d<3, 8, 5, 5>, x: &Tensor<3, 32, 32>) -> f32 {
    let z: Tensor<8, 28, 28> = conv1.forward(x);
    let mut sum = Tensor::<1, 28, 28>::zeros();
    for c in 0..3 {
        let kernel = conv1.weight.map(|row| row.map(|taps| taps[c][0]));
        let seen: Tensor<1, 28, 28> = correlate(&Tensor([x[c]]), &kernel, Stride::<1>);
        sum.as_mut_slice().iter_mut().zip(seen.as_slice()).for_each(|(sum, seen)| *sum += seen);
    }
    sum.as_slice().iter().zip(z[0].as_flattened()).map(|(sum, z)| (sum - z).abs()).fold(0.0, f32::max)
}

/// Pooling in numbers: the largest of each four, and their mean.
fn pooling() -> anyhow::Result<()> {
    let x = Tensor([[[1.0, 3.0, 0.0, 2.0], [5.0, 7.0, 2.0, 0.0], [0.0, 0.0, 4.0, 4.0], [8.0, 0.0, 4.0, 4.0]]]);
    let most: Tensor<1, 2, 2> = MaxPool2d::<2, 2>.forward(&x);
    let mean: Tensor<1, 2, 2> = AvgPool2d::<2, 2>.forward(&x);
    println!("\nPooling of size 2 and stride 2:\n\n{:<22}{:<14}mean", "x", "maximum");
    for row in 0..4 {
        let pooled = |y: &Tensor<1, 2, 2>| y[0].get(row).map_or(String::new(), |row| format!("{row:?}"));
        println!("{:<22}{:<14}{}", format!("{:?}", x[0][row]), pooled(&most), pooled(&mean));
    }
    anyhow::ensure!(most[0] == [[7.0, 2.0], [8.0, 4.0]] && mean[0] == [[4.0, 1.0], [2.0, 4.0]]);
    Ok(())
}

/// A red ball before a blue sky on a green meadow, in colours of 0 to 1.
fn drawn() -> Tensor<3, 32, 32> {
    Tensor::from_fn(|c, row, column| {
        let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
        let ball = (x - 18.0).hypot(y - 17.0);
        let light = 1.0 - (x - 15.0).hypot(y - 13.0) / 16.0;
        let ground = if y > 22.0 { [0.15, 0.55, 0.2] } else { [0.35 + y / 60.0, 0.6 + y / 80.0, 0.95] };
        let stripe = (x + y).rem_euclid(8.0) < 3.0;
        let ball_colour = if stripe { [0.95, 0.9, 0.5] } else { [0.9, 0.15, 0.15] };
        // The edge of the ball is as soft as a pixel.
        let inside = (9.5 - ball).clamp(0.0, 1.0);
        inside * ball_colour[c] * (0.4 + 0.6 * light) + (1.0 - inside) * ground[c]
    })
}
