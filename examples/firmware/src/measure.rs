//! Instructions and stack of a piece of work, by SysTick and by paint.
//!
//! QEMU's `-icount shift=0` lets its clock go on by a nanosecond with each instruction, so that SysTick counts instructions; how many are one tick is
//! found by a loop of known length.

use core::arch::asm;
use core::hint::black_box;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::register::msp;
use tenonet::{Network, Plain, Scratch};

/// What a piece of work took.
pub struct Taken {
    /// Instructions, to a tick of SysTick.
    pub instructions: u64,
    /// Bytes of stack.
    pub stack: usize,
}

/// SysTick, counting.
pub struct Meter {
    systick: SYST,
    /// Instructions of 1024 ticks.
    per_1024_ticks: u64,
}

/// SysTick counts down from here; it has 24 bits.
const TOP: u32 = 0x00ff_ffff;

impl Meter {
    /// Starts the clock and measures it.
    pub fn new(mut systick: SYST) -> Self {
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(TOP);
        systick.clear_current();
        systick.enable_counter();
        let mut meter = Meter { systick, per_1024_ticks: 0 };
        const TURNS: u32 = 1_000_000;
        let ticks = meter.ticks(|| {
            // SAFETY: two instructions a turn, on one register.
            unsafe { asm!("1: subs {0}, #1", "bne 1b", inout(reg) TURNS => _, options(nomem, nostack)) };
        });
        meter.per_1024_ticks = u64::from(2 * TURNS) * 1024 / u64::from(ticks.max(1));
        meter
    }

    fn ticks(&mut self, work: impl FnOnce()) -> u32 {
        self.systick.clear_current();
        let before = SYST::get_current();
        work();
        before.wrapping_sub(SYST::get_current()) & TOP
    }

    /// Instructions and stack of some work. More than 2²⁴ ticks are not seen.
    pub fn measure(&mut self, work: impl FnOnce()) -> Taken {
        let top = paint();
        let ticks = self.ticks(work);
        let stack = painted_over(top);
        Taken { instructions: u64::from(ticks) * self.per_1024_ticks / 1024, stack }
    }
}

impl Meter {
    /// Instructions and stack of one inference.
    pub fn inference<N: Network>(&mut self, net: &N, x: &N::Input, scratch: &mut Scratch<N>) -> Taken {
        let mut y = Plain::ZERO;
        let taken = self.measure(|| y = black_box(net).forward(black_box(x), scratch));
        black_box(&y);
        taken
    }
}

/// What the stack is painted with.
const PAINT: u32 = 0xa5a5_a5a5;

/// Bytes below the stack pointer that are painted; and those that are left out, for the painter's own use.
const DEPTH: usize = 64 * 1024;
const OWN: usize = 64;

/// Paints the free stack, and yields where it begins.
#[inline(never)]
fn paint() -> usize {
    let top = msp::read() as usize;
    for address in (top - DEPTH..top - OWN).step_by(4) {
        // SAFETY: below the stack pointer of the only thread lies free memory, far more than DEPTH of it, and no interrupt is enabled.
        unsafe { (address as *mut u32).write_volatile(PAINT) };
    }
    top
}

/// How deep below `top` the paint is gone.
#[inline(never)]
fn painted_over(top: usize) -> usize {
    // SAFETY: as in `paint`.
    let is_paint = |address: &usize| unsafe { (*address as *const u32).read_volatile() } == PAINT;
    let whole = (top - DEPTH..top - OWN).step_by(4).take_while(is_paint).count();
    DEPTH - 4 * whole
}
