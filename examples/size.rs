//! What networks take: the zoo's weights, scratch and tape, and the sections of built images.
//!
//! ```sh
//! cargo run --features zoo --example size                                  # the zoo
//! cargo run --features zoo --example size -- --elf path/to/image            # and what an image for a device takes
//! ```
//!
//! All sizes but those of images are constants that the compiler knows; `size_of` needs no network. Scratch is that of this build: with `std` it holds the workspace of
//! Winograd's convolution, which a device does not have. Stack is found by running: `examples/firmware/run` paints it and counts.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use object::{Object as _, ObjectSection as _, SectionKind};
use tenonet::prelude::*;
use tenonet::zoo;

/// Prints what networks take.
#[derive(Parser)]
struct Args {
    /// A built image, whose sections are added up.
    #[arg(long, value_name = "FILE")]
    elf: Vec<PathBuf>,
}

/// One row: bytes but for parameters and multiply-adds.
fn row<N: Network>() {
    let (params, macs, weights) = (N::PARAMS, N::MACS, N::WEIGHT_BYTES);
    println!("{:<20}{params:>13}{macs:>16}{weights:>14}{:>14}{:>14}", N::NAME, N::SCRATCH_BYTES, N::TAPE_BYTES);
}

/// Code, constants and static memory of an image.
fn image(path: &PathBuf) -> anyhow::Result<()> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{name}: cannot read it"))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{name}: no object file"))?;
    let sum = |kinds: &[SectionKind]| -> u64 {
        file.sections().filter(|section| kinds.contains(&section.kind())).map(|section| section.size()).sum()
    };
    let code = sum(&[SectionKind::Text]);
    let constants = sum(&[SectionKind::ReadOnlyData, SectionKind::ReadOnlyString, SectionKind::ReadOnlyDataWithRel]);
    let (data, zeroed) = (sum(&[SectionKind::Data]), sum(&[SectionKind::UninitializedData]));
    println!("{name}: code {code}, constants {constants}, initialised RAM {data}, zeroed RAM {zeroed}");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let [network, parameters, macs] = ["network", "parameters", "multiply-adds"];
    println!("{network:<20}{parameters:>13}{macs:>16}{:>14}{:>14}{:>14}", "weights", "scratch", "tape");
    row::<zoo::LeNet5>();
    row::<zoo::MnistCnn>();
    row::<zoo::ResNet8>();
    row::<zoo::DsCnn>();
    row::<zoo::PersonDetection>();
    row::<zoo::AutoEncoder>();
    row::<zoo::M5>();
    row::<zoo::UNet>();
    row::<zoo::AlexNet>();
    row::<zoo::Vgg16>();
    row::<zoo::ResNet18>();
    row::<zoo::MobileNetV1>();
    row::<zoo::MobileNetV1Quarter>();
    row::<zoo::SqueezeNet>();
    args.elf.iter().try_for_each(image)
}
