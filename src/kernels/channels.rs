//! The channels of a pixel, a vector at a time: maps lie in pixels order, so neighbours in memory are channels, and
//! whatever treats them alike is a vector operation.
//!
//! Vectors are arrays here, `[T; L]` with a power of two as length, and operations on them are loops over the lanes, of
//! which the compiler makes one instruction each. Measured with 16 lanes and AVX-512, a maximum of four pixels runs as
//! fast as it can be loaded.

use core::array;

/// `$body` for the channels `$c..$c + L` of a pixel, for vectors of `$l` = 16, 8, 4, 2 and 1 lanes but no more than `$lanes`,
/// until all of `$channels` are done.
///
/// `$room ≥ $channels`: elements that may be touched from the pixel's first on. Where it is more than the channels, the last vector
/// may be one that goes beyond them: less than as far again. A pixel that is written so must be followed by the next
/// one, which puts right what was written there; where results are added, or stand where operands stood, the room is the channels.
macro_rules! each_vector {
    ($lanes:expr, $channels:expr, $room:expr, |$c:ident, $l:ident| $body:expr) => {{
        let (lanes, channels, room): (usize, usize, usize) = ($lanes, $channels, $room);
        let mut $c: usize = 0;
        $crate::kernels::channels::each_vector!(@ lanes, channels, room, $c, $l, $body, 16 8 4 2 1);
    }};
    (@ $lanes:ident, $channels:ident, $room:ident, $c:ident, $l:ident, $body:expr, $($n:literal)*) => {$(
        if $n <= $lanes || $n == 1 {
            const $l: usize = $n;
            // Whole, or more than half of it with room for the rest.
            while $c + $n <= $channels || ($c + $n / 2 < $channels && $c + $n <= $room) {
                $body;
                $c += $n;
            }
        }
    )*};
}
pub(super) use each_vector;

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
