//! A space that each thread keeps for its kernels, on hosts: for what would be the largest part of a scratch, and is of no use between two kernels.
//!
//! Winograd's transformed kernels and tiles take more than the maps do that they are made of. In the network's own scratch they would stand in each of these,
//! and in a budget for a device, which has no such kernels. A thread needs one for all its networks. Without `std` there is none, and no kernel asks for one.

use crate::Scalar;

#[cfg(feature = "std")]
mod kept {
    use std::cell::Cell;

    pub(super) use crate::aligned::Line;

    #[cfg(not(test))]
    pub(super) type Lines = Box<[Line]>;
    /// Tests see to it that no kernel reads or writes beyond what it asked for.
    #[cfg(test)]
    pub(super) type Lines = crate::kernels::tests::memory::Guarded<Line>;

    thread_local! {
        /// As large as the hungriest kernel that this thread has run.
        static KEPT: Cell<Option<Lines>> = const { Cell::new(None) };
    }

    /// The thread's lines, at least as many as are `wanted`.
    pub(super) fn take(wanted: usize) -> Lines {
        // A thread that is ending keeps nothing any more.
        match KEPT.try_with(Cell::take).ok().flatten() {
            Some(lines) if lines.len() >= wanted && cfg!(not(test)) => lines,
            // Where it is too small it goes first, so that both are never there together.
            lines => {
                drop(lines);
                new(wanted)
            }
        }
    }

    #[cfg(not(test))]
    fn new(len: usize) -> Lines {
        crate::plain::zeroed_slice(len)
    }

    /// All bits are set: what a kernel reads and did not write is NaN.
    #[cfg(test)]
    fn new(len: usize) -> Lines {
        let mut lines = Lines::zeroed(len);
        lines.fill(Line::ONES);
        lines
    }

    pub(super) fn give_back(lines: Lines) {
        // Where the thread is ending, they are freed with what would have kept them.
        let _ = KEPT.try_with(|kept| kept.set(Some(lines)));
    }
}

/// The thread's space, while a kernel has it. It goes back when this is dropped; a kernel within a kernel would find none, and make another.
pub struct Space {
    #[cfg(feature = "std")]
    lines: Option<kept::Lines>,
}

impl Space {
    /// Borrows `len` elements, of no meaning. It allocates where no kernel before has asked this thread for as many, and does nothing for none.
    #[inline(always)]
    #[cfg_attr(not(feature = "std"), allow(unused_variables, reason = "there is nothing to borrow from"))]
    pub fn borrow<T: Scalar>(len: usize) -> Space {
        Space {
            #[cfg(feature = "std")]
            lines: (len > 0).then(|| kept::take((len * size_of::<T>()).div_ceil(size_of::<kept::Line>()))),
        }
    }

    /// The elements: as many as were borrowed or more.
    #[inline(always)]
    pub fn elements<T: Scalar>(&mut self) -> &mut [T] {
        #[cfg(feature = "std")]
        if let Some(lines) = &mut self.lines {
            return bytemuck::cast_slice_mut(lines);
        }
        &mut []
    }
}

#[cfg(feature = "std")]
impl Drop for Space {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(lines) = self.lines.take() {
            kept::give_back(lines);
        }
    }
}
