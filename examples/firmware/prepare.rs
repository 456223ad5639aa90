//! Writes the images that the firmware has in its flash, and the host's logits for some of them.
//!
//! ```sh
//! cargo run --release --example firmware-prepare
//! ```
//!
//! The weights beside them are those that `cargo run --release --example digits` leaves in `weights.safetensors`. This program finds the same
//! fifth of the digits that was held out there.

use std::path::Path;

use tenonet::data::{self, Dataset};
use tenonet::prelude::*;

include!("src/network.rs");

#[allow(dead_code, reason = "the device reads what is only written here")]
#[path = "src/stored.rs"]
mod stored;

use stored::{HELD_OUT, JUDGED, LEARNED};

/// Pixels as they were in the data set, 0 to 16, and labels.
fn set(images: &Dataset<Tensor<1, 8, 8>>, count: usize, bytes: &mut Vec<u8>) {
    for image in &images.inputs()[..count] {
        bytes.extend(image.as_slice().iter().map(|pixel| (pixel * 16.0).round() as u8));
    }
    bytes.extend(&images.labels()[..count]);
}

fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/firmware");
    let net = Digits::load(folder.join("digits.safetensors"))?;
    // The seed of the example.
    let (train, test) = data::digits().split(0.2, 7);
    let mut bytes = Vec::new();
    set(&test, HELD_OUT, &mut bytes);
    set(&train, LEARNED, &mut bytes);
    let mut scratch = Digits::scratch();
    for image in &test.inputs()[..JUDGED] {
        let logits = net.forward(image, &mut scratch);
        bytes.extend(logits.as_slice().iter().flat_map(|logit| logit.to_le_bytes()));
    }
    assert_eq!(bytes.len(), size_of::<stored::Stored>());
    std::fs::write(folder.join("digits.bin"), bytes)?;
    println!("wrote {HELD_OUT} held-out images, {LEARNED} to learn from and {JUDGED} results");
    Ok(())
}
