//! The digits' network as a WebAssembly module without allocator and without imports: the page writes 8 × 8 pixels into its memory, calls
//! [`classify`], and reads probabilities and feature maps from it.
//!
//! All memory is three statics: the network with its weights, the scratch, and what the page shares.
#![no_std]

use core::cell::UnsafeCell;
use core::panic::PanicInfo;

use tenonet::prelude::*;

include!("../../firmware/src/network.rs");

static NET: Digits = include_weights!(Digits, "../firmware/digits.safetensors");

/// What the page reads and writes.
#[repr(C)]
struct Shared {
    /// Ink, 0 to 1, row by row.
    image: Tensor<1, 8, 8>,
    /// Of the digits 0 to 9; they sum to 1.
    probabilities: Tensor<10>,
    /// What the first layer sees, behind its `relu`.
    features: Tensor<16, 8, 8>,
    scratch: DigitsScratch,
}

/// A static for the single thread of a module without shared memory.
struct Single<T>(UnsafeCell<T>);

// SAFETY: the module is built without threads (no `atomics`), so nothing is shared.
unsafe impl<T> Sync for Single<T> {}

static SHARED: Single<Shared> = Single(UnsafeCell::new(Shared {
    image: Tensor([[[0.0; 8]; 8]; 1]),
    probabilities: Tensor([[[0.0]]; 10]),
    features: Tensor([[[0.0; 8]; 8]; 16]),
    scratch: DigitsScratch::ZERO,
}));

/// Where the 64 pixels are to be written: ink, 0 to 1, row by row.
#[unsafe(no_mangle)]
pub extern "C" fn image() -> *mut f32 {
    // The address of the static's first field; nothing is read.
    SHARED.0.get().cast()
}

/// Where the 10 probabilities stand.
#[unsafe(no_mangle)]
pub extern "C" fn probabilities() -> *const f32 {
    // SAFETY: the place of a field of a static; no reference is made.
    unsafe { (&raw const (*SHARED.0.get()).probabilities).cast() }
}

/// Where the 16 feature maps of 8 × 8 stand, one behind the other.
#[unsafe(no_mangle)]
pub extern "C" fn features() -> *const f32 {
    // SAFETY: the place of a field of a static; no reference is made.
    unsafe { (&raw const (*SHARED.0.get()).features).cast() }
}

/// Finds the probabilities of the pixels, and what the first layer sees in them.
#[unsafe(no_mangle)]
pub extern "C" fn classify() {
    // SAFETY: one thread, and no function of this module calls another, so this is the only reference.
    let Shared { image, probabilities, features, scratch } = unsafe { &mut *SHARED.0.get() };
    *probabilities = Softmax.forward(&NET.forward(image, scratch));
    *features = Relu.forward(&NET.conv1.forward(image));
}

/// There is no panic path; the compiler wants a handler all the same.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
