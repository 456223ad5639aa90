//! LeNet-5's inference, measured: instructions, scratch and stack.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use tenonet::prelude::*;
use tenonet::zoo::{LeNet5, LeNet5Scratch};
use tenonet_firmware::end;
use tenonet_firmware::measure::Meter;

static NET: LeNet5 = include_weights!(LeNet5, "../../tests/pytorch/lenet_weights.safetensors");

#[entry]
fn main() -> ! {
    static mut SCRATCH: LeNet5Scratch = LeNet5Scratch::ZERO;
    static mut X: Tensor<1, 28, 28> = Tensor::ZERO;
    let Some(peripherals) = cortex_m::Peripherals::take() else { end(false) };
    let mut meter = Meter::new(peripherals.SYST);
    for (index, pixel) in X.as_mut_slice().iter_mut().enumerate() {
        *pixel = (index % 7) as f32 / 7.0;
    }
    let mut y = Tensor::ZERO;
    let taken = meter.measure(|| y = NET.forward(core::hint::black_box(X), SCRATCH));
    let tenths = 10 * taken.instructions / LeNet5::MACS as u64;
    hprintln!("LeNet-5: class {}", y.argmax());
    hprintln!("LeNet-5: {} instructions, {}.{} a multiply-add", taken.instructions, tenths / 10, tenths % 10);
    hprintln!("LeNet-5: {} bytes of scratch, {} of stack", LeNet5::SCRATCH_BYTES, taken.stack);
    end(LeNet5::SCRATCH_BYTES <= 8 * 1024 && taken.stack <= 2 * 1024)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    tenonet_firmware::panicked(info)
}
