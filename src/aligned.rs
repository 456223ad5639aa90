//! Memory on the heap that begins where a line of the cache does.
//!
//! Plain values ask for the alignment of their elements only, and what an allocator adds to the pages of a large one puts every vector of 64 bytes across two lines.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};

use crate::plain::zeroed_slice;

/// 64 bytes, as long as a cache line and the widest vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line([u8; 64]);

impl Line {
    /// All bits are set.
    #[cfg(test)]
    pub(crate) const ONES: Line = Line([u8::MAX; 64]);
}

// SAFETY: it is its bytes, of which zeroes are valid ones.
unsafe impl Zeroable for Line {}
// SAFETY: it is its 64 bytes, as many as its alignment: there is no padding, and all bytes are valid.
unsafe impl Pod for Line {}

/// A value that begins with a line.
#[repr(C, align(64))]
pub(crate) struct Aligned<P>(pub(crate) P);

// SAFETY: the field is Zeroable, and padding may be anything.
unsafe impl<P: Zeroable> Zeroable for Aligned<P> {}

/// Values one after the other, of which the first begins with a line.
pub(crate) struct AlignedSlice<P> {
    memory: Box<[Line]>,
    len: usize,
    values: PhantomData<P>,
}

impl<P: Zeroable> AlignedSlice<P> {
    /// Zeroed values.
    pub(crate) fn zeroed(len: usize) -> Self {
        const { assert!(align_of::<P>() <= align_of::<Line>() && !core::mem::needs_drop::<P>()) };
        // More bytes than there are would be more than the allocator gives.
        let bytes = len.saturating_mul(size_of::<P>());
        AlignedSlice { memory: zeroed_slice(bytes.div_ceil(size_of::<Line>())), len, values: PhantomData }
    }
}

impl<P> Deref for AlignedSlice<P> {
    type Target = [P];

    fn deref(&self) -> &[P] {
        // SAFETY: as in `deref_mut`, shared.
        unsafe { core::slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }
}

impl<P> DerefMut for AlignedSlice<P> {
    fn deref_mut(&mut self) -> &mut [P] {
        // SAFETY: the memory has the bytes of `len` values and their alignment; they were zeroes, which are valid values (`zeroed` asks for that), and only such
        // are written. They borrow from the memory, uniquely.
        unsafe { core::slice::from_raw_parts_mut(self.memory.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_begin_with_a_line() {
        for len in [0, 1, 5, 100_000] {
            let mut values = AlignedSlice::<[f32; 7]>::zeroed(len);
            assert_eq!(values.len(), len);
            assert!(values.as_ptr().cast::<Line>().is_aligned());
            assert!(values.iter().all(|value| *value == [0.0; 7]));
            values.fill([1.0; 7]);
            assert!(values.iter().all(|value| *value == [1.0; 7]));
        }
        assert_eq!(AlignedSlice::<[u8; 0]>::zeroed(3).len(), 3);
        assert!((&raw const crate::plain::zeroed_box::<Aligned<[f32; 70_000]>>().0).cast::<Line>().is_aligned());
    }
}
