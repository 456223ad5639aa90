//! One window of a pooling: all channels of the pixels under it, a vector at a time (see `channels.rs`).
//!
//! Maps lie in pixels order, `[H][W][C]`. Forward a window's pixels become one pixel; backward the gradient of that one is
//! spread over them.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::channels::{each_vector, is_ragged, lanes, load, store};
use crate::kernels::simd::Simd;
use crate::kernels::stage::PoolSpec;
use crate::shape::Pool;

/// The pixels of a window that lie on the map, and the pixel that it becomes.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Rows and columns.
    pub size: [usize; 2],
    /// Row and column in the window of the first pixel on the map: not 0 where the window begins in the padding.
    pub first: [usize; 2],
    /// Where the first pixel on the map begins: an element of `x`.
    pub x: usize,
    /// Where the window's result begins: an element of `y`.
    pub y: usize,
}

impl Window {
    /// A window that lies on the map as a whole.
    #[inline(always)]
    pub const fn whole(pool: &Pool, x: usize, y: usize) -> Window {
        Window { size: pool.kernel, first: [0; 2], x, y }
    }

    /// The same window, with the numbers of [`whole`](Self::whole) if it is one: then the compiler knows them.
    #[inline(always)]
    fn if_whole(&self, pool: &Pool) -> Option<Window> {
        (self.size == pool.kernel).then_some(Window::whole(pool, self.x, self.y))
    }

    /// Where pixel `(u, v)` begins.
    #[inline(always)]
    const fn pixel(&self, pool: &Pool, u: usize, v: usize) -> usize {
        self.x + (u * pool.input.w + v) * pool.input.c
    }

    /// The place of pixel `(u, v)` as it is kept: `u · kernel width + v`, counted from the window's own beginning.
    #[inline(always)]
    const fn place(&self, pool: &Pool, u: usize, v: usize) -> u32 {
        ((self.first[0] + u) * pool.kernel[1] + self.first[1] + v) as u32
    }

    /// Elements of slices of these lengths that may be touched from each pixel's beginning on; `None` where not all channels are inside.
    #[inline(always)]
    fn room(&self, pool: &Pool, x: usize, y: usize) -> Option<usize> {
        let [rows, columns] = self.size;
        let x = x.checked_sub(self.pixel(pool, rows.saturating_sub(1), columns.saturating_sub(1)))?;
        let room = x.min(y.checked_sub(self.y)?);
        (room >= pool.input.c).then_some(room)
    }
}

/// Where the places of maxima go.
///
/// # Safety
/// `entries` says how many there is memory for.
pub unsafe trait Keep {
    /// Elements that have an entry.
    fn entries(&self) -> usize;

    /// Keeps places for the elements from `at` on.
    ///
    /// # Safety
    /// `at + L ≤ entries()`.
    unsafe fn keep<const L: usize>(&mut self, at: usize, places: [u32; L]);
}

/// Where the places of maxima come from.
///
/// # Safety
/// `entries` says how many there are.
pub unsafe trait Recall {
    /// Elements that have an entry.
    fn entries(&self) -> usize;

    /// Whether place `place` has a share in each of the elements from `at` on.
    ///
    /// # Safety
    /// `at + L ≤ entries()`.
    unsafe fn is<const L: usize>(&self, at: usize, place: u32) -> [bool; L];
}

/// No places: forward nobody wants them, backward all have the same share.
#[derive(Clone, Copy, Debug)]
pub struct NoPlaces;

// SAFETY: nothing is written.
unsafe impl Keep for NoPlaces {
    #[inline(always)]
    fn entries(&self) -> usize {
        usize::MAX
    }

    #[inline(always)]
    unsafe fn keep<const L: usize>(&mut self, _: usize, _: [u32; L]) {}
}

// SAFETY: nothing is read.
unsafe impl Recall for NoPlaces {
    #[inline(always)]
    fn entries(&self) -> usize {
        usize::MAX
    }

    #[inline(always)]
    unsafe fn is<const L: usize>(&self, _: usize, _: u32) -> [bool; L] {
        [true; L]
    }
}

/// Entries of one or two bytes, the lower one first.
macro_rules! entries {
    ($bytes:literal, |$place:ident| $entry:expr) => {
        // SAFETY: a slice has its length.
        unsafe impl Keep for &mut [[u8; $bytes]] {
            #[inline(always)]
            fn entries(&self) -> usize {
                self.len()
            }

            #[inline(always)]
            unsafe fn keep<const L: usize>(&mut self, at: usize, places: [u32; L]) {
                // One by one: of a whole array of bytes the compiler makes a number, which it puts together bit by bit.
                for (i, $place) in places.into_iter().enumerate() {
                    // SAFETY: the caller's, as i < L.
                    unsafe { *self.get_unchecked_mut(at + i) = $entry };
                }
            }
        }

        // SAFETY: a slice has its length.
        unsafe impl Recall for &[[u8; $bytes]] {
            #[inline(always)]
            fn entries(&self) -> usize {
                self.len()
            }

            #[inline(always)]
            unsafe fn is<const L: usize>(&self, at: usize, $place: u32) -> [bool; L] {
                let wanted = $entry;
                // SAFETY: the caller's, as i < L.
                lanes(|i| unsafe { *self.get_unchecked(at + i) } == wanted)
            }
        }
    };
}

entries!(1, |place| [place as u8]);
entries!(2, |place| (place as u16).to_le_bytes());

/// Whether `v` takes the place of the maximum `best`: NaN counts as larger than any number, so that it is not hidden.
#[inline(always)]
pub fn exceeds<T: Scalar>(v: T, best: T) -> bool {
    // By `&` and not `&&`: two comparisons and no branch, which data would mispredict. `v <= best` is false for NaN.
    #[allow(clippy::neg_cmp_op_on_partial_ord, clippy::eq_op, reason = "how NaN compares is the point")]
    return !(v <= best) & (best == best);
}

/// `y ← max of the window`, and the place of the first of its maxima.
#[inline(always)]
pub fn max<T: Scalar, S: Simd<T>, P: PoolSpec, K: Keep>(
    simd: S, spec: P, window: Window, x: &[T], y: &mut [T], places: &mut K,
) {
    let pool = const { &P::POOL };
    let Some(room) = window.room(pool, x.len(), y.len().min(places.entries())) else { return };
    // SAFETY: there is room.
    unsafe {
        match window.if_whole(pool) {
            Some(window) => max_within(simd, spec, window, room, x, y, places),
            None => max_within(simd, spec, window, room, x, y, places),
        }
    }
}

/// # Safety
/// `C ≤ room`, and `room` elements lie behind the beginning of each pixel of the window in `x`, and of the result in `y` and `places`.
#[inline(always)]
unsafe fn max_within<T: Scalar, S: Simd<T>, P: PoolSpec, K: Keep>(
    _: S, _: P, window: Window, room: usize, x: &[T], y: &mut [T], places: &mut K,
) {
    let pool = const { &P::POOL };
    each_vector!(S::LANES, P::POOL.input.c, room, |c, L| {
        // SAFETY: the caller's, as c + L ≤ room.
        unsafe {
            let mut best: [T; L] = load(x, window.x + c);
            let mut at = [window.place(pool, 0, 0); L];
            for u in 0..window.size[0] {
                for v in 0..window.size[1] {
                    let value: [T; L] = load(x, window.pixel(pool, u, v) + c);
                    let place = window.place(pool, u, v);
                    for i in 0..L {
                        let larger = exceeds(value[i], best[i]);
                        best[i] = if larger { value[i] } else { best[i] };
                        at[i] = if larger { place } else { at[i] };
                    }
                }
            }
            store(y, window.y + c, best);
            places.keep(window.y + c, at);
        }
    });
}

/// `y ← sum of the window / divisor`.
#[inline(always)]
pub fn mean<T: Scalar, S: Simd<T>, P: PoolSpec>(simd: S, spec: P, window: Window, divisor: T, x: &[T], y: &mut [T]) {
    let pool = const { &P::POOL };
    let Some(room) = window.room(pool, x.len(), y.len()) else { return };
    // SAFETY: there is room.
    unsafe {
        match window.if_whole(pool) {
            Some(window) => mean_within(simd, spec, window, room, divisor, x, y),
            None => mean_within(simd, spec, window, room, divisor, x, y),
        }
    }
}

/// # Safety
/// As for [`max_within`].
#[inline(always)]
unsafe fn mean_within<T: Scalar, S: Simd<T>, P: PoolSpec>(
    _: S, _: P, window: Window, room: usize, divisor: T, x: &[T], y: &mut [T],
) {
    let pool = const { &P::POOL };
    each_vector!(S::LANES, P::POOL.input.c, room, |c, L| {
        // SAFETY: the caller's, as c + L ≤ room.
        unsafe {
            let mut sum = [T::zero(); L];
            for u in 0..window.size[0] {
                for v in 0..window.size[1] {
                    let value: [T; L] = load(x, window.pixel(pool, u, v) + c);
                    sum = lanes(|i| sum[i] + value[i]);
                }
            }
            store::<T, L>(y, window.y + c, lanes(|i| sum[i] / divisor));
        }
    });
}

/// The gradient of what left a pooling, on its way to what arrived: `dy · f′(y) / divisor`, all of it where the maximum was, or the same everywhere.
#[derive(Clone, Copy)]
pub struct Spread<'a, T, A, R> {
    /// The activation in front of the pooling, of which `y` is kept.
    pub act: A,
    /// What left; not read if the activation is the identity.
    pub y: &'a [T],
    /// Its gradient.
    pub dy: &'a [T],
    /// The size of an average's window, 1 for a maximum.
    pub divisor: T,
    /// Where the maxima were.
    pub places: R,
}

impl<T: Scalar, A: Activation<T>, R: Recall> Spread<'_, T, A, R> {
    /// Elements that left.
    #[inline(always)]
    fn len(&self) -> usize {
        self.y.len().min(self.dy.len()).min(self.places.entries())
    }

    /// Adds to the window's pixels in `dx`.
    #[inline(always)]
    pub fn add<S: Simd<T>, P: PoolSpec>(&self, simd: S, spec: P, window: Window, dx: &mut [T]) {
        let pool = const { &P::POOL };
        if window.room(pool, dx.len(), self.len()).is_none() {
            return;
        }
        // SAFETY: there is room for the channels.
        unsafe {
            match window.if_whole(pool) {
                Some(window) => self.within::<S, P, true>(simd, spec, window, pool.input.c, dx),
                None => self.within::<S, P, true>(simd, spec, window, pool.input.c, dx),
            }
        }
    }

    /// Writes the window's pixels in `dx`, or adds to them with `ADD`; then the room is the channels.
    ///
    /// # Safety
    /// As for [`max_within`], with `dx` as x, and y, dy and the places as y.
    #[inline(always)]
    unsafe fn within<S: Simd<T>, P: PoolSpec, const ADD: bool>(
        &self, _: S, _: P, window: Window, room: usize, dx: &mut [T],
    ) {
        let pool = const { &P::POOL };
        each_vector!(S::LANES, P::POOL.input.c, room, |c, L| {
            // SAFETY: the caller's, as c + L ≤ room.
            unsafe {
                let (y, dy) = (load::<_, L>(self.y, window.y + c), load::<_, L>(self.dy, window.y + c));
                let d: [T; L] = lanes(|i| self.act.backward(y[i], dy[i]) / self.divisor);
                for u in 0..window.size[0] {
                    for v in 0..window.size[1] {
                        let has: [bool; L] = self.places.is(window.y + c, window.place(pool, u, v));
                        let at = window.pixel(pool, u, v) + c;
                        let share: [T; L] = lanes(|i| if has[i] { d[i] } else { T::zero() });
                        let sum = if ADD { load(dx, at) } else { [T::zero(); L] };
                        store(dx, at, if ADD { lanes(|i| sum[i] + share[i]) } else { share });
                    }
                }
            }
        });
    }
}

/// Whether windows are whole, need no padding and do not overlap.
///
/// What follows is for such windows: what a row of them covers is tested at once, and every element is written once.
pub const fn are_apart(pool: &Pool) -> bool {
    let mut axis = 0;
    while axis < 2 {
        let input = if axis == 0 { pool.input.h } else { pool.input.w };
        let outputs = if axis == 0 { pool.output().h } else { pool.output().w };
        if pool.padding[2 * axis] != 0
            || pool.padding[2 * axis + 1] != 0
            || pool.stride[axis] < pool.kernel[axis]
            || (outputs - 1) * pool.stride[axis] + pool.kernel[axis] > input
        {
            return false;
        }
        axis += 1;
    }
    true
}

/// Elements of the rows under one row of windows.
#[inline(always)]
const fn rows_len(pool: &Pool) -> usize {
    pool.kernel[0] * pool.input.w * pool.input.c
}

/// Elements of the row that they become.
#[inline(always)]
pub const fn row_len(pool: &Pool) -> usize {
    pool.output().w * pool.input.c
}

/// Whether the rows under a row of windows are in `x` elements, and their result, from element `first` on, in `y` elements.
#[inline(always)]
const fn row_fits(pool: &Pool, x: usize, first: usize, y: usize) -> bool {
    x >= rows_len(pool) && y >= row_len(pool) && first <= y - row_len(pool)
}

/// Window `s` of a row whose result begins at element `first`.
#[inline(always)]
const fn in_row(pool: &Pool, s: usize, first: usize) -> Window {
    Window::whole(pool, s * pool.stride[1] * pool.input.c, first + s * pool.input.c)
}

/// Windows of a row that have room for another pixel behind each of theirs: all but the last, where that is made use of.
///
/// What lies behind the last one may be done already, so it is left alone.
const fn with_room<T: Scalar, S: Simd<T>>(pool: &Pool) -> usize {
    if is_ragged(S::LANES, pool.input.c) { pool.output().w - 1 } else { 0 }
}

/// As [`with_room`], of windows whose pixels are written one after the other, vector by vector.
///
/// One vector for all channels may go beyond its pixel, for the next one is written behind it. Of several the last one may not: the
/// next pixel's first vector lies there already.
const fn with_room_for_all<T: Scalar, S: Simd<T>>(pool: &Pool) -> usize {
    if pool.input.c <= S::LANES { with_room::<T, S>(pool) } else { 0 }
}

/// One row of windows, of which `x` begins with the first one: `y ← max of each` from element `first` on, and the places.
/// Where a slice is too short, nothing is done.
#[inline(always)]
pub fn max_row<T: Scalar, S: Simd<T>, P: PoolSpec, K: Keep>(
    simd: S, spec: P, x: &[T], first: usize, y: &mut [T], places: &mut K,
) {
    let pool = const { &P::POOL };
    let (channels, before) = const { (P::POOL.input.c, with_room::<T, S>(&P::POOL)) };
    if !const { are_apart(&P::POOL) } || !row_fits(pool, x.len(), first, y.len().min(places.entries())) {
        return;
    }
    // SAFETY: windows that are apart lie within these lengths, and have room as `with_room` says.
    unsafe {
        if const { with_room::<T, S>(&P::POOL) > 0 } {
            for s in 0..before {
                max_within(simd, spec, in_row(pool, s, first), 2 * channels, x, y, places);
            }
        }
        for s in before..pool.output().w {
            max_within(simd, spec, in_row(pool, s, first), channels, x, y, places);
        }
    }
}

/// As [`max_row`]: `y ← sum of each / divisor`.
#[inline(always)]
pub fn mean_row<T: Scalar, S: Simd<T>, P: PoolSpec>(simd: S, spec: P, divisor: T, x: &[T], first: usize, y: &mut [T]) {
    let pool = const { &P::POOL };
    let (channels, before) = const { (P::POOL.input.c, with_room::<T, S>(&P::POOL)) };
    if !const { are_apart(&P::POOL) } || !row_fits(pool, x.len(), first, y.len()) {
        return;
    }
    // SAFETY: as in `max_row`.
    unsafe {
        if const { with_room::<T, S>(&P::POOL) > 0 } {
            for s in 0..before {
                mean_within(simd, spec, in_row(pool, s, first), 2 * channels, divisor, x, y);
            }
        }
        for s in before..pool.output().w {
            mean_within(simd, spec, in_row(pool, s, first), channels, divisor, x, y);
        }
    }
}

impl<T: Scalar, A: Activation<T>, R: Recall> Spread<'_, T, A, R> {
    /// Writes the whole map's gradient: each element once, zeros between and behind windows.
    #[inline(always)]
    pub fn write<S: Simd<T>, P: PoolSpec>(&self, simd: S, spec: P, dx: &mut [T]) {
        let (pool, out) = const { (&P::POOL, P::POOL.output()) };
        let channels = pool.input.c;
        let row = pool.input.w * channels;
        let mut bands = dx.chunks_mut((pool.stride[0] * row).max(1));
        if const { are_apart(&P::POOL) } && self.len() >= out.len() {
            for (r, band) in (0..out.h).zip(&mut bands) {
                if band.len() < rows_len(pool) {
                    return;
                }
                let (first, before) = (r * row_len(pool), const { with_room_for_all::<T, S>(&P::POOL) });
                // SAFETY: as in `max_row`; `first` is where the row begins in what left.
                unsafe {
                    if const { with_room_for_all::<T, S>(&P::POOL) > 0 } {
                        for s in 0..before {
                            self.within::<S, P, false>(simd, spec, in_row(pool, s, first), 2 * channels, band);
                            clear(pool, s, band);
                        }
                    }
                    for s in before..out.w {
                        self.within::<S, P, false>(simd, spec, in_row(pool, s, first), channels, band);
                        clear(pool, s, band);
                    }
                }
                if let Some(behind) = band.get_mut(rows_len(pool)..) {
                    behind.fill(T::zero());
                }
            }
        }
        for band in bands {
            band.fill(T::zero());
        }
    }
}

/// Zeros behind window `s` of a row up to the next one, in each of its pixel rows.
#[inline(always)]
fn clear<T: Scalar>(pool: &Pool, s: usize, rows: &mut [T]) {
    let row = pool.input.w * pool.input.c;
    let begin = (s * pool.stride[1] + pool.kernel[1]) * pool.input.c;
    let end = if s + 1 == pool.output().w { row } else { (s + 1) * pool.stride[1] * pool.input.c };
    if begin < end {
        for row in rows.chunks_mut(row.max(1)).take(pool.kernel[0]) {
            if let Some(gap) = row.get_mut(begin..end) {
                gap.fill(T::zero());
            }
        }
    }
}
