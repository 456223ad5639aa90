//! The channels of a pixel, a vector at a time: maps lie in pixels order, so neighbours in memory are channels, and
//! whatever treats them alike is a vector operation.
//!
//! Vectors are arrays here, `[T; L]` with a power of two as length, and operations on them are loops over the lanes, of
//! which the compiler makes one instruction each. Measured with AVX-512, the maximum of four pixels of 16 channels takes no longer than
//! loading them.

use core::array;

/// `$body` for the channels `$c..$c + L` of a pixel, for vectors of `$l` = 16, 8, 4, 2 and 1 lanes but no more than `$lanes`,
/// until all of `$channels` are done; both are consts, so that only the code of vectors that there are is made.
///
/// `$room ≥ $channels`: elements that may be touched from the pixel's first on. Where it is more than the channels, the last vector
/// may be one that goes beyond them: less than as far again. A pixel that is written so must be followed by the next
/// one, which puts right what was written there; where results are added, or stand where operands stood, the room is the channels.
macro_rules! each_vector {
    ($lanes:expr, $channels:expr, $room:expr, |$c:ident, $l:ident| $body:expr) => {{
        let room: usize = $room;
        let mut $c: usize = 0;
        $crate::kernels::channels::each_vector!(@ $lanes, $channels, room, $c, $l, $body, 16 8 4 2 1);
    }};
    (@ $lanes:expr, $channels:expr, $room:ident, $c:ident, $l:ident, $body:expr, $($n:literal)*) => {$(
        if const { $crate::kernels::channels::is_used($lanes, $channels, $n) } {
            const $l: usize = $n;
            // Whole, or more than half of it with room for the rest.
            while $c + $n <= const { $channels } || ($c + $n / 2 < const { $channels } && $c + $n <= $room) {
                $body;
                $c += $n;
            }
        }
    )*};
}
pub(super) use each_vector;

/// Whether vectors of `n` lanes are used for so many channels, where the machine has at most `lanes`.
pub(super) const fn is_used(lanes: usize, channels: usize, n: usize) -> bool {
    // What longer vectors leave; none are left behind the longest.
    let rest = if 2 * n <= lanes && n < 16 { channels % (2 * n) } else { channels };
    (n <= lanes || n == 1) && 2 * rest > n
}

/// Whether the last vector of so many channels goes beyond them where there is room.
pub(super) const fn is_ragged(lanes: usize, channels: usize) -> bool {
    let longest = if lanes < 16 { lanes } else { 16 };
    // The rest is whole vectors of 2ⁿ lanes where no more than one bit of it is set.
    (channels % longest).count_ones() > 1
}

/// `L` elements from `at` on.
///
/// # Safety
/// `at + L ≤ x.len()`.
#[inline(always)]
pub(super) unsafe fn load<T: Copy, const L: usize>(x: &[T], at: usize) -> [T; L] {
    debug_assert!(at.checked_add(L).is_some_and(|end| end <= x.len()));
    // SAFETY: the caller's; an array has the alignment of its elements.
    unsafe { x.as_ptr().add(at).cast::<[T; L]>().read() }
}

/// Writes `L` elements from `at` on.
///
/// # Safety
/// `at + L ≤ x.len()`.
#[inline(always)]
pub(super) unsafe fn store<T: Copy, const L: usize>(x: &mut [T], at: usize, values: [T; L]) {
    debug_assert!(at.checked_add(L).is_some_and(|end| end <= x.len()));
    // SAFETY: the caller's; an array has the alignment of its elements.
    unsafe { x.as_mut_ptr().add(at).cast::<[T; L]>().write(values) }
}

/// `f` in each lane.
#[inline(always)]
pub(super) fn lanes<T, const L: usize>(f: impl FnMut(usize) -> T) -> [T; L] {
    array::from_fn(f)
}
