//! Digits on a Cortex-M4F: classified with weights that lie in flash, then learned anew when they come inverted.
//!
//! ```sh
//! examples/firmware/run
//! ```
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use tenonet::prelude::*;
use tenonet_firmware::end;
use tenonet_firmware::measure::Meter;

mod stored;

use stored::{HELD_OUT, JUDGED, LEARNED, PIXELS, Set, Stored};

include!("network.rs");

/// The network, in flash: the compiler has put its weights in order.
static NET: Digits = include_weights!(Digits, "digits.safetensors");

/// The images, in flash.
static STORED: Stored = {
    let bytes = *include_bytes!("../digits.bin");
    // SAFETY: bytes and arrays of them alone, without padding: any value of as many bytes is one.
    unsafe { core::mem::transmute::<[u8; size_of::<Stored>()], Stored>(bytes) }
};

type Image = Tensor<1, 8, 8>;

/// The image, as the network was trained on it, or inverted: black on white.
fn image(pixels: &[u8; PIXELS], inverted: bool) -> Image {
    let mut image = Image::zeros();
    for (element, &pixel) in image.as_mut_slice().iter_mut().zip(pixels) {
        let grey = f32::from(pixel) / 16.0;
        *element = if inverted { 1.0 - grey } else { grey };
    }
    image
}

/// How many images of a set are taken for what they are.
fn right<const N: usize>(net: &Digits, set: &Set<N>, inverted: bool, scratch: &mut DigitsScratch) -> usize {
    let is_right = |(pixels, label): &(&[u8; PIXELS], &u8)| {
        net.forward(&image(pixels, inverted), scratch).argmax() == usize::from(**label)
    };
    set.pixels.iter().zip(&set.labels).filter(is_right).count()
}

/// Images of a step of learning, and times that all are gone through.
const BATCH: usize = 16;
const EPOCHS: usize = 4;

/// All that learning needs, in static memory.
struct Learning {
    net: Digits,
    grad: Digits,
    momentum: Digits,
    images: [Image; BATCH],
    workspace: Workspace<Digits, 4>,
}

impl Learning {
    const ZERO: Self = Learning {
        net: Plain::ZERO,
        grad: Plain::ZERO,
        momentum: Plain::ZERO,
        images: Plain::ZERO,
        workspace: Workspace::ZERO,
    };
}

/// Learns the images, inverted: SGD with momentum on all layers. Yields whether every step was taken.
#[inline(never)]
fn learn(it: &mut Learning, set: &Set<LEARNED>) -> bool {
    let Learning { net, grad, momentum, images, workspace } = it;
    let mut sgd = Sgd::with_storage(0.01, momentum.flat_mut()).momentum(0.9);
    for _ in 0..EPOCHS {
        for (pixels, labels) in set.pixels.chunks_exact(BATCH).zip(set.labels.chunks_exact(BATCH)) {
            for (image, pixels) in images.iter_mut().zip(pixels) {
                *image = self::image(pixels, true);
            }
            grad.flat_mut().fill(0.0);
            let mean = 1.0 / BATCH as f32;
            let loss = net.accumulate_grad(images, labels, &SoftmaxCrossEntropy, mean, grad, workspace.as_parts());
            if loss.is_err() || sgd.step(net.params_mut(), grad.params()).is_err() {
                return false;
            }
        }
    }
    true
}

#[entry]
fn main() -> ! {
    static mut SCRATCH: DigitsScratch = DigitsScratch::ZERO;
    static mut LEARNING: Learning = Learning::ZERO;

    let Some(peripherals) = cortex_m::Peripherals::take() else { end(false) };
    let mut meter = Meter::new(peripherals.SYST);

    let mut most = 0.0_f32;
    for (index, (pixels, logits)) in STORED.held_out.pixels.iter().zip(&STORED.logits).enumerate() {
        let y = NET.forward(&image(pixels, false), SCRATCH);
        for (logit, bytes) in y.as_slice().iter().zip(logits) {
            let difference = (logit - f32::from_le_bytes(*bytes)).abs();
            // A NaN is kept.
            most = if difference <= most { most } else { difference };
        }
        if let Some(label) = STORED.held_out.labels.get(index) {
            hprintln!("image {}: class {}, it is {}", index, y.argmax(), label);
        }
    }
    hprintln!("logits of {} images: at most {}e-9 from the host's", JUDGED, (most * 1e9) as u32);

    let x = image(&STORED.held_out.pixels[0], false);
    let mut y = Tensor::ZERO;
    let taken = meter.measure(|| y = NET.forward(core::hint::black_box(&x), SCRATCH));
    core::hint::black_box(&y);
    let tenths = 10 * taken.instructions / Digits::MACS as u64;
    hprintln!("inference: {} instructions, {}.{} a multiply-add", taken.instructions, tenths / 10, tenths % 10);
    hprintln!("inference: {} bytes of scratch, {} of stack", Digits::SCRATCH_BYTES, taken.stack);

    let held_out = &STORED.held_out;
    let known = right(&NET, held_out, false, SCRATCH);
    hprintln!("held out: {} of {} right", known, HELD_OUT);
    let before = right(&NET, held_out, true, SCRATCH);
    hprintln!("inverted, before learning: {} of {} right", before, HELD_OUT);
    LEARNING.net.flat_mut().copy_from_slice(NET.flat());
    let mut learned = false;
    let taken = meter.measure(|| learned = learn(LEARNING, &STORED.learned));
    let after = right(&LEARNING.net, held_out, true, SCRATCH);
    let steps = EPOCHS * (LEARNED / BATCH);
    hprintln!("inverted, after {} steps of {} images: {} of {} right", steps, BATCH, after, HELD_OUT);
    hprintln!("learning: {} bytes of static memory, {} of stack", size_of::<Learning>(), taken.stack);

    let classifies = most <= 1e-5 && 100 * known >= 95 * HELD_OUT;
    end(classifies && learned && 2 * before < HELD_OUT && 100 * after >= 90 * HELD_OUT)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    tenonet_firmware::panicked(info)
}
