//! An arena: the activations of a micro-batch in one piece of memory, placed by the macro.
//!
//! The macro gives each activation an offset (in elements, for one input); for `n` inputs all offsets are `n` times as
//! large, and the `n` maps of one activation lie one after the other. A kernel's workspace lies between them. That windows do not overlap is asserted when compiling.

use core::marker::PhantomData;

use crate::plain::Plain;
use crate::shape::room;

/// A feature map inside a network: rows of pixels, the channels of a pixel side by side.
pub type Pixels<const H: usize, const W: usize, const C: usize, T> = [[[T; C]; W]; H];

/// The window of an activation of type `A`, `OFFSET` elements from the arena's beginning.
pub struct At<A, const OFFSET: usize>(PhantomData<A>);

/// As [`At`], of an activation that is needed no longer than the same inputs are seen: the next ones have the same places, which are near then.
pub struct Near<A, const OFFSET: usize>(PhantomData<A>);

/// A place in an arena.
pub trait Window<T> {
    /// What lies there.
    type Item: Plain<T>;
    /// The first element.
    const START: usize;
    /// Whether inputs that are seen one after the other have the same places.
    const REUSED: bool;
}

/// One behind a window's last element. Not a constant of [`Window`]: an implementation could say something else.
const fn end<T, W: Window<T>>() -> usize {
    W::START + <W::Item as Plain<T>>::LEN
}

/// Whether two windows have no element in common.
const fn apart<T, X: Window<T>, Y: Window<T>>() -> bool {
    end::<T, X>() <= Y::START || end::<T, Y>() <= X::START
}

impl<T, A: Plain<T>, const OFFSET: usize> Window<T> for At<A, OFFSET> {
    type Item = A;
    const START: usize = OFFSET;
    const REUSED: bool = false;
}

impl<T, A: Plain<T>, const OFFSET: usize> Window<T> for Near<A, OFFSET> {
    type Item = A;
    const START: usize = OFFSET;
    const REUSED: bool = true;
}

/// What an arena lends to a kernel as its workspace, once for all inputs: beside the activations that live while the kernel has it.
#[derive(Clone, Copy)]
pub struct Lent {
    /// The first element, of one input.
    pub first: usize,
    /// Elements.
    pub len: usize,
}

impl Lent {
    /// `len` elements where these ranges, `[first, end]`, are not.
    pub const fn beside(taken: &[[usize; 2]], len: usize) -> Lent {
        Lent { first: room(taken, len), len }
    }

    /// One behind the last element.
    pub const fn end(self) -> usize {
        self.first + self.len
    }
}

/// Memory for `n` inputs, of which there is one at least, each with `N::LEN` elements; all of them are seen, or some. Of each input's, `LENT` elements from `FIRST` on are lent to
/// a workspace: no window may touch them.
pub struct Arena<'a, T, N, const FIRST: usize = 0, const LENT: usize = 0> {
    memory: *mut T,
    n: usize,
    /// The first input that is seen, and how many are: inside 0..n.
    from: usize,
    count: usize,
    lives: PhantomData<&'a mut [N]>,
}

impl<'a, T: Copy + 'static, N: Plain<T>> Arena<'a, T, N> {
    /// The arena in this memory, for at most `n` inputs; nothing for none.
    #[inline(always)]
    pub fn new(memory: &'a mut [N], n: usize) -> Option<Self> {
        let n = n.min(memory.len());
        (n > 0).then(|| Arena { n, from: 0, count: n, memory: memory.as_mut_ptr().cast(), lives: PhantomData })
    }

    /// The arena without a workspace of `LEN` elements from `FIRST` on, and that.
    #[inline(always)]
    pub fn beside<const FIRST: usize, const LEN: usize>(&mut self) -> (Arena<'_, T, N, FIRST, LEN>, &mut [T; LEN])
    where
        [T; LEN]: Plain<T>,
    {
        const { assert!(FIRST + LEN <= N::LEN, "a workspace lies outside its arena") };
        let arena = Arena { n: self.n, from: self.from, count: self.count, memory: self.memory, lives: PhantomData };
        // SAFETY: the memory has n · N::LEN elements, n ≥ 1: these are inside by the assertion above, and among elements FIRST · n to (FIRST + LEN) · n, which no
        // window of the arena that goes with them has. Both borrow from `self`, uniquely.
        let work = unsafe { &mut *self.memory.add(FIRST * self.n).cast::<[T; LEN]>() };
        (arena, work)
    }

    /// What inputs `from..to` of these have, as far as there are such: the same places, of fewer inputs.
    #[inline(always)]
    pub fn inputs(&mut self, from: usize, to: usize) -> Arena<'_, T, N> {
        let to = to.min(self.count);
        let from = from.min(to);
        Arena { n: self.n, from: self.from + from, count: to - from, memory: self.memory, lives: PhantomData }
    }
}

impl<T: Copy + 'static, N: Plain<T>, const FIRST: usize, const LENT: usize> Arena<'_, T, N, FIRST, LENT> {
    /// Inputs.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it is for no input.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first of a window's items that is seen: `count` behind it are inside 0..n, as `from + count` is.
    #[inline(always)]
    fn first<W: Window<T>>(&self) -> usize {
        if W::REUSED { 0 } else { self.from }
    }

    /// Whether a window lies inside, and apart from what is lent.
    const fn has<W: Window<T>>() -> bool {
        end::<T, W>() <= N::LEN && (end::<T, W>() <= FIRST || FIRST + LENT <= W::START)
    }

    /// # Safety
    /// No other reference to the window is alive while the result is.
    #[inline(always)]
    unsafe fn window<'b, W: Window<T>>(&self) -> &'b mut [W::Item] {
        const { assert!(Self::has::<W>(), "an activation lies outside its arena, or where that is lent") };
        // SAFETY: the memory has n · N::LEN elements; the window's n items are elements START · n to END · n of it, inside by
        // the assertion above, and from + count ≤ n. Items are plain elements of T: any element is valid, and T's alignment is enough.
        unsafe {
            let items: *mut W::Item = self.memory.add(W::START * self.n).cast();
            core::slice::from_raw_parts_mut(items.add(self.first::<W>()), self.count)
        }
    }

    /// # Safety
    /// No unique reference to the window is alive while the result is.
    #[inline(always)]
    unsafe fn view<'b, W: Window<T>>(&self) -> &'b [W::Item] {
        const { assert!(Self::has::<W>(), "an activation lies outside its arena, or where that is lent") };
        // SAFETY: as in `window`, for shared references.
        unsafe {
            let items: *const W::Item = self.memory.add(W::START * self.n).cast();
            core::slice::from_raw_parts(items.add(self.first::<W>()), self.count)
        }
    }

    /// One activation.
    #[inline(always)]
    pub fn one<W: Window<T>>(&mut self) -> &mut [W::Item] {
        // SAFETY: the result borrows the arena uniquely.
        unsafe { self.window::<W>() }
    }

    /// Two activations that do not overlap, one to read, one to write.
    #[inline(always)]
    pub fn step<X: Window<T>, Y: Window<T>>(&mut self) -> (&[X::Item], &mut [Y::Item]) {
        let (x, y) = self.two::<X, Y>();
        (x, y)
    }

    /// Two activations to read.
    #[inline(always)]
    pub fn both<X: Window<T>, Y: Window<T>>(&self) -> (&[X::Item], &[Y::Item]) {
        // SAFETY: the results borrow the arena, so that nothing of it is written while they are alive.
        unsafe { (self.view::<X>(), self.view::<Y>()) }
    }

    /// Two activations to read, and one to write that overlaps with neither.
    #[inline(always)]
    #[allow(clippy::type_complexity, reason = "three slices, as they are asked for")]
    pub fn join<X: Window<T>, S: Window<T>, Y: Window<T>>(&mut self) -> (&[X::Item], &[S::Item], &mut [Y::Item]) {
        const { assert!(apart::<T, X, Y>() && apart::<T, S, Y>(), "activations overlap in their arena") };
        // SAFETY: the results borrow the arena uniquely; the two that are read are not written, and the one that is written
        // does not overlap with them by the assertion above: offsets of all windows are scaled by the same n.
        unsafe { (self.view::<X>(), self.view::<S>(), self.window::<Y>()) }
    }

    /// Two activations that do not overlap.
    #[inline(always)]
    pub fn two<X: Window<T>, Y: Window<T>>(&mut self) -> (&mut [X::Item], &mut [Y::Item]) {
        const { assert!(apart::<T, X, Y>(), "activations overlap in their arena") };
        // SAFETY: the results borrow the arena uniquely, and do not overlap by the assertion above: offsets of all
        // windows are scaled by the same n.
        unsafe { (self.window::<X>(), self.window::<Y>()) }
    }
}

/// `memory` cut to at most `n` items.
#[inline(always)]
pub fn first<A>(memory: &[A], n: usize) -> &[A] {
    &memory[..n.min(memory.len())]
}

/// `memory` cut to at most `n` items.
#[inline(always)]
pub fn first_mut<A>(memory: &mut [A], n: usize) -> &mut [A] {
    let n = n.min(memory.len());
    &mut memory[..n]
}

/// Items `from..to` of `memory`, as far as there are such.
#[inline(always)]
pub fn between<A>(memory: &[A], from: usize, to: usize) -> &[A] {
    memory.get(from..to.min(memory.len())).unwrap_or(&[])
}

/// Items `from..to` of `memory`, as far as there are such.
#[inline(always)]
pub fn between_mut<A>(memory: &mut [A], from: usize, to: usize) -> &mut [A] {
    let to = to.min(memory.len());
    memory.get_mut(from..to).unwrap_or(&mut [])
}

/// The parts of `n` inputs, no larger than `most` and as equal as can be: of 16, not 15 and one.
#[inline(always)]
pub fn equal_parts(n: usize, most: usize) -> usize {
    let parts = n.div_ceil(most.max(1));
    n.div_ceil(parts.max(1)).max(1)
}

/// Inputs that steps one after the other take at a time, so that what one writes is near when the next one reads it: of a step that reads and writes
/// `elements` of an input. As `weights` may be brought into another order in each step, they are not more than a part of what the inputs are.
pub const fn inputs_at_a_time(elements: usize, weights: usize) -> usize {
    let elements = if elements == 0 { 1 } else { elements };
    let near = NEAR / elements;
    let worth_it = (WORTH * weights).div_ceil(elements);
    let most = if near > worth_it { near } else { worth_it };
    if most == 0 { 1 } else { most }
}

/// Elements of a step that stay in the second-level cache beside those of the step before.
const NEAR: usize = 1 << 17;
/// Elements read and written for each weight.
const WORTH: usize = 8;
