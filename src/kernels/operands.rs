//! The maps of a step: those that it reads and those that it writes, apart or one over the other.

use core::marker::PhantomData;

use crate::plain::{Plain, elements, elements_mut};

/// The maps that a step reads and those that it writes, of the same images.
///
/// # Safety
/// Of as many images as [`parts`](Self::parts) says, X elements each can be read at the first pointer, and Y elements each written at the second one. Elements that
/// are written are not among those that can be read, but with `OVER`: then both begin at the same one.
pub unsafe trait Maps<T> {
    /// Elements of a map that arrives.
    const X: usize;
    /// Elements of a map that leaves.
    const Y: usize;
    /// Whether what leaves lies in the place of what arrives.
    const OVER: bool;

    /// Images, what arrives, and what leaves. While the pointers are in use, so is `self`.
    fn parts(&mut self) -> (usize, *const T, *mut T);
}

// SAFETY: slices of so many plain items, one of them unique.
unsafe impl<T, X: Plain<T>, Y: Plain<T>> Maps<T> for (&[X], &mut [Y]) {
    const X: usize = X::LEN;
    const Y: usize = Y::LEN;
    const OVER: bool = false;

    #[inline(always)]
    fn parts(&mut self) -> (usize, *const T, *mut T) {
        let (x, y) = self;
        (x.len().min(y.len()), elements(x).as_ptr(), elements_mut(y).as_mut_ptr())
    }
}

/// Maps that are overwritten from the first element on, row by row, by those that are made of them, which are no longer.
pub struct Over<'a, X, Y> {
    maps: &'a mut [X],
    leaves: PhantomData<Y>,
}

impl<'a, X, Y> Over<'a, X, Y> {
    /// What arrives in `maps` becomes maps of type `Y`, one after the other.
    #[inline(always)]
    pub fn new(maps: &'a mut [X]) -> Self {
        Over { maps, leaves: PhantomData }
    }
}

// SAFETY: a unique slice of plain items; as many items of Y lie inside, where these are not longer, and otherwise there are none.
unsafe impl<T, X: Plain<T>, Y: Plain<T>> Maps<T> for Over<'_, X, Y> {
    const X: usize = X::LEN;
    const Y: usize = Y::LEN;
    const OVER: bool = true;

    #[inline(always)]
    fn parts(&mut self) -> (usize, *const T, *mut T) {
        let memory = elements_mut(self.maps).as_mut_ptr();
        (if const { Y::LEN <= X::LEN } { self.maps.len() } else { 0 }, memory.cast_const(), memory)
    }
}
