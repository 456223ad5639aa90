//! What the programs share: measuring instructions and stack, and an end.
#![no_std]

pub mod measure;

use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};

/// Ends QEMU with a status.
pub fn end(right: bool) -> ! {
    exit(if right { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

/// A panic's message and a failure. Not a `#[panic_handler]`, which a library would force on its users.
pub fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m_semihosting::hprintln!("{}", info);
    end(false)
}

/// A program that runs a network once, with weights of 0, and prints what that took: a line for `sizes`.
#[macro_export]
macro_rules! measured {
    ($network:ty) => {
        #[cortex_m_rt::entry]
        fn main() -> ! {
            static mut NET: $network = tenonet::Plain::ZERO;
            static mut SCRATCH: tenonet::Scratch<$network> = tenonet::Scratch::ZERO;
            static mut X: <$network as tenonet::Network>::Input = tenonet::Plain::ZERO;
            let Some(peripherals) = cortex_m::Peripherals::take() else { $crate::end(false) };
            let taken = $crate::measure::Meter::new(peripherals.SYST).inference(NET, X, SCRATCH);
            cortex_m_semihosting::hprintln!(
                "{} {} {} {}",
                <$network as tenonet::Network>::NAME,
                <$network as tenonet::Network>::SCRATCH_BYTES,
                taken.stack,
                taken.instructions
            );
            $crate::end(true)
        }

        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
            $crate::panicked(info)
        }
    };
}
