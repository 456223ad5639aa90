//! LeNet-5's inference, measured: instructions, scratch and stack.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
use cortex_m_semihosting::hprintln;
use tenonet::prelude::*;
use tenonet_firmware::measure::Meter;

network! {
    /// LeNet-5 for 28 × 28 grey digits.
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

static NET: LeNet = include_weights!(LeNet, "../../tests/pytorch/lenet_weights.safetensors");

#[entry]
fn main() -> ! {
    static mut SCRATCH: LeNetScratch = LeNetScratch::ZERO;
    static mut X: Tensor<1, 28, 28> = Tensor::ZERO;
    let Some(peripherals) = cortex_m::Peripherals::take() else { end(false) };
    let mut meter = Meter::new(peripherals.SYST);
    for (index, pixel) in X.as_mut_slice().iter_mut().enumerate() {
        *pixel = (index % 7) as f32 / 7.0;
    }
    let mut y = Tensor::ZERO;
    let taken = meter.measure(|| y = NET.forward(core::hint::black_box(X), SCRATCH));
    let tenths = 10 * taken.instructions / LeNet::MACS as u64;
    hprintln!("LeNet-5: class {}", y.argmax());
    hprintln!("LeNet-5: {} instructions, {}.{} a multiply-add", taken.instructions, tenths / 10, tenths % 10);
    hprintln!("LeNet-5: {} bytes of scratch, {} of stack", LeNet::SCRATCH_BYTES, taken.stack);
    end(LeNet::SCRATCH_BYTES <= 8 * 1024 && taken.stack <= 2 * 1024)
}

/// Ends QEMU with a status.
fn end(right: bool) -> ! {
    exit(if right { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    end(false)
}
