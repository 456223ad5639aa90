//! An arena: the activations of a micro-batch in one piece of memory, placed by the macro.
//!
//! The macro gives each activation an offset (in elements, for one input); for `n` inputs all offsets are `n` times as
//! large, and the `n` maps of one activation lie one after the other. That windows do not overlap is asserted when compiling.

use core::marker::PhantomData;

use crate::plain::Plain;

/// A feature map inside a network: rows of pixels, the channels of a pixel side by side.
pub type Pixels<const H: usize, const W: usize, const C: usize, T> = [[[T; C]; W]; H];

/// The window of an activation of type `A`, `OFFSET` elements from the arena's beginning.
pub struct At<A, const OFFSET: usize>(PhantomData<A>);

/// A place in an arena.
pub trait Window<T> {
    /// What lies there.
    type Item: Plain<T>;
    /// The first element.
    const START: usize;
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
}

/// Memory for `n` inputs, each of which has `N::LEN` elements.
pub struct Arena<'a, T, N> {
    first: *mut T,
    n: usize,
    memory: PhantomData<&'a mut [N]>,
}

impl<'a, T: Copy + 'static, N: Plain<T>> Arena<'a, T, N> {
    /// The arena in this memory, for at most `n` inputs.
    #[inline(always)]
    pub fn new(memory: &'a mut [N], n: usize) -> Self {
        Arena { n: n.min(memory.len()), first: memory.as_mut_ptr().cast(), memory: PhantomData }
    }

    /// Inputs.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether it is for no input.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// # Safety
    /// No other reference to the window is alive while the result is.
    #[inline(always)]
    unsafe fn window<'b, W: Window<T>>(&self) -> &'b mut [W::Item] {
        const { assert!(end::<T, W>() <= N::LEN, "an activation lies outside its arena") };
        // SAFETY: the memory has n · N::LEN elements; the window's n items are elements START · n to END · n of it, inside by
        // the assertion above. Items are plain elements of T: any element is valid, and T's alignment is enough.
        unsafe { core::slice::from_raw_parts_mut(self.first.add(W::START * self.n).cast(), self.n) }
    }

    /// # Safety
    /// No unique reference to the window is alive while the result is.
    #[inline(always)]
    unsafe fn view<'b, W: Window<T>>(&self) -> &'b [W::Item] {
        const { assert!(end::<T, W>() <= N::LEN, "an activation lies outside its arena") };
        // SAFETY: as in `window`, for shared references.
        unsafe { core::slice::from_raw_parts(self.first.add(W::START * self.n).cast(), self.n) }
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
