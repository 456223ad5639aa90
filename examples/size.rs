//! What networks take: the zoo's weights, scratch and tape, and the sections of built images.
//!
//! ```sh
//! cargo run --features zoo --example size                                  # the zoo
//! cargo run --features zoo --example size -- --elf path/to/image            # and what an image for a device takes
//! examples/firmware/sizes                                                   # code, stack and instructions on a Cortex-M4F, beside others'
//! ```
//!
//! All sizes but those of images are constants that the compiler knows; `size_of` needs no network. Scratch is that of this machine; a device without
//! vectors takes as much or a little less. Beside it, on a host, a thread keeps a space for Winograd's tiles, which serves all networks. Code, stack and instructions are found by building and running, which `examples/firmware/sizes` does; it hands them to this program
//! (`--measured`).

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
    /// What `examples/firmware/sizes` measured on a device: a line of name, scratch, stack, instructions and two sizes of code for each network.
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
}

/// One row: bytes but for parameters and multiply-adds.
fn row<N: Network>() {
    let (params, macs, weights) = (N::PARAMS, N::MACS, N::WEIGHT_BYTES);
    let (scratch, thread, tape) = (N::SCRATCH_BYTES, N::THREAD_BYTES, N::TAPE_BYTES);
    println!("{:<20}{params:>13}{macs:>16}{weights:>14}{scratch:>14}{thread:>14}{tape:>14}", N::NAME);
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

/// What TensorFlow Lite Micro takes for a network in `f32`: bytes of its arena's head, which holds input and activations, and of its tail, which is the interpreter's own.
///
/// Measured by `benches/peers/tflm.py`, with pointers of 64 bits, which the tail holds.
struct Arena {
    name: &'static str,
    macs: usize,
    input: usize,
    activations: u64,
    own: u64,
}

const ARENAS: [Arena; 5] = [
    Arena::of::<zoo::LeNet5>(23_520, 2_496),
    Arena::of::<zoo::ResNet8>(196_608, 6_288),
    Arena::of::<zoo::DsCnn>(64_000, 7_680),
    Arena::of::<zoo::PersonDetection>(294_912, 29_040),
    Arena::of::<zoo::AutoEncoder>(3_072, 2_912),
];

/// What others take for LeNet-5, built and run as `benches/peers/README.md` says, and what they have published.
const OTHERS: &str = "\
LeNet-5 of others, code, static memory and stack, opt-level s / 3:
  TFLM, f32, its reference kernels, without messages: code 26,896 / 34,704, arena 24,960, stack 912 to 944
  TFLM, int8, average pooling, the same:              code 26,864 / 34,768, arena 7,364, stack 1,080 / 980
  MicroFlow 0.1.3, int8, average pooling:             code 9,998 / 29,726 (biases in it), no static memory, stack 15,372 / 12,500

Published, int8, flash and RAM of whole programs:
  person detection, nRF52840: TFLM 459.6 kB and 143.7 kB; MicroFlow 391.7 kB and 96.0 kB
    (github.com/matteocarnelos/microflow-rs, analysis/memory; M. Carnelos et al., arXiv:2409.19432)
  ResNet-8, STM32H7: ST Edge AI Core 3.0 36.1 KiB of code, 76.9 KiB of weights, 63.8 KiB of RAM
    (github.com/STMicroelectronics/stm32ai-modelzoo, image_classification/resnet)";

impl Arena {
    const fn of<N: Network>(activations: u64, own: u64) -> Self {
        Arena { name: N::NAME, macs: N::MACS, input: size_of::<N::Input>(), activations, own }
    }
}

/// The networks that were measured on a device, each beside TensorFlow Lite Micro.
fn device(path: &PathBuf) -> anyhow::Result<()> {
    let lines = std::fs::read_to_string(path).with_context(|| format!("{}: cannot read it", path.display()))?;
    println!(
        "\nOn a Cortex-M4F, f32; TFLM is TensorFlow Lite Micro's arena for the same network in f32. Memory includes the input.\n"
    );
    let (ours, theirs) =
        (["input", "memory", "stack", "code", "code \"s\"", "instructions", "a MAC"], ["TFLM", "its own"]);
    println!(
        "{:<18}{:>10}{:>10}{:>8}{:>10}{:>10}{:>14}{:>7}{:>12}{:>9}",
        "network", ours[0], ours[1], ours[2], ours[3], ours[4], ours[5], ours[6], theirs[0], theirs[1]
    );
    for line in lines.lines() {
        let wrong = || format!("{}: found \"{line}\", wanted a name and five numbers", path.display());
        let (name, numbers) = line.split_once(' ').with_context(wrong)?;
        let numbers: Vec<u64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().with_context(wrong)?;
        let [scratch, stack, instructions, code, small] = numbers[..] else { anyhow::bail!(wrong()) };
        let arena =
            ARENAS.iter().find(|arena| arena.name == name).with_context(|| format!("{name}: an unknown network"))?;
        let each = instructions as f64 / arena.macs as f64;
        println!(
            "{name:<18}{:>10}{:>10}{stack:>8}{code:>10}{small:>10}{instructions:>14}{each:>7.1}{:>12}{:>9}",
            arena.input,
            arena.input as u64 + scratch,
            arena.activations,
            arena.own
        );
    }
    println!("\n{OTHERS}");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let [network, parameters, macs] = ["network", "parameters", "multiply-adds"];
    let [weights, scratch, thread, tape] = ["weights", "scratch", "thread", "tape"];
    println!("{network:<20}{parameters:>13}{macs:>16}{weights:>14}{scratch:>14}{thread:>14}{tape:>14}");
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
    args.elf.iter().try_for_each(image)?;
    args.measured.iter().try_for_each(device)
}
