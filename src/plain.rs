//! Plain data: values that are nothing but elements of one type, one after the other.
//!
//! Tensors, layers and whole networks are plain. That is what makes a network's parameters one flat slice, its gradient a value of the same type, and a
//! large network a single zeroed allocation that never passes through the stack.
//!
//! The order of the elements is that of the nested arrays: a [`Tensor`](crate::Tensor) lies in planes, `[C][H][W]`, and weights lie as the kernels
//! read them ([`MemoryOrder`](crate::MemoryOrder)).

use bytemuck::Zeroable;

/// A value that is `LEN` elements of type `T`, one after the other, and nothing else.
///
/// # Safety
/// The type has the size of `[T; LEN]` and the alignment of `T`, has no padding and no interior mutability, and every
/// value of its bytes that is valid for `[T; LEN]` is valid for it. It contains no pointer, so it may be shared and sent as `T` may.
pub unsafe trait Plain<T>: Zeroable + Send + Sync + 'static {
    /// Elements. Where size or alignment are not those of an array of `T`, as of a struct with `repr(align)`, it does not compile.
    const LEN: usize = {
        assert!(size_of::<Self>().is_multiple_of(size_of::<T>()) && align_of::<Self>() == align_of::<T>());
        size_of::<Self>() / size_of::<T>()
    };

    /// The elements as one slice.
    #[inline(always)]
    fn flat(&self) -> &[T] {
        // SAFETY: by the trait's contract `self` is LEN elements of T, contiguous and aligned (size and alignment are asserted
        // in LEN); the slice borrows from `self`.
        unsafe { core::slice::from_raw_parts((self as *const Self).cast::<T>(), Self::LEN) }
    }

    /// The elements as one mutable slice.
    #[inline(always)]
    fn flat_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `flat`; whatever elements are written, `Self` stays valid by the trait's contract, and the
        // slice borrows `self` uniquely.
        unsafe { core::slice::from_raw_parts_mut((self as *mut Self).cast::<T>(), Self::LEN) }
    }

    /// The same elements seen as another plain type of the same length.
    #[inline(always)]
    fn cast<U: Plain<T>>(&self) -> &U {
        // Known when compiling, and gone from the code; where it can be false, the caller has told it in better words.
        assert!(const { Self::LEN == U::LEN }, "cast between plain types of different lengths");
        // SAFETY: both types are LEN elements of T by the trait's contract, and LEN is the same (asserted above); U is
        // aligned as T is (asserted in its LEN).
        unsafe { &*(self as *const Self).cast::<U>() }
    }

    /// The same elements seen as another plain type of the same length.
    #[inline(always)]
    fn cast_mut<U: Plain<T>>(&mut self) -> &mut U {
        // Known when compiling, and gone from the code; where it can be false, the caller has told it in better words.
        assert!(const { Self::LEN == U::LEN }, "cast between plain types of different lengths");
        // SAFETY: as in `cast`; the borrow of `self` is unique.
        unsafe { &mut *(self as *mut Self).cast::<U>() }
    }

    /// All elements zero, as a value: for statics and small types.
    const ZERO: Self = zeroed();

    /// All elements zero, allocated on the heap: the value never lies on the stack, whatever its size.
    #[cfg(feature = "std")]
    fn zeroed_box() -> Box<Self> {
        zeroed_box()
    }

    /// A copy on the heap that never lies on the stack.
    #[cfg(feature = "std")]
    fn boxed_copy(&self) -> Box<Self>
    where
        T: Copy,
    {
        let mut copy = Self::zeroed_box();
        copy.flat_mut().copy_from_slice(self.flat());
        copy
    }
}

/// [`Zeroable::zeroed`], for constants and statics.
pub(crate) const fn zeroed<Z: Zeroable>() -> Z {
    // SAFETY: zeroed memory is a valid Z, by the contract of `Zeroable`.
    unsafe { core::mem::zeroed() }
}

/// The elements of items that lie one after the other.
#[inline(always)]
pub(crate) fn elements<T, P: Plain<T>>(items: &[P]) -> &[T] {
    // SAFETY: as in `Plain::flat`, for each item; they lie one after the other, and P has no padding.
    unsafe { core::slice::from_raw_parts(items.as_ptr().cast::<T>(), items.len() * P::LEN) }
}

/// The elements of items that lie one after the other.
#[inline(always)]
pub(crate) fn elements_mut<T, P: Plain<T>>(items: &mut [P]) -> &mut [T] {
    // SAFETY: as in `elements` and `Plain::flat_mut`.
    unsafe { core::slice::from_raw_parts_mut(items.as_mut_ptr().cast::<T>(), items.len() * P::LEN) }
}

/// [`Plain::flat_mut`], for constants.
pub(crate) const fn flat_mut<T, P: Plain<T>>(value: &mut P) -> &mut [T] {
    // SAFETY: as in `Plain::flat_mut`.
    unsafe { core::slice::from_raw_parts_mut((value as *mut P).cast::<T>(), P::LEN) }
}

/// The bytes of elements, for constants.
pub(crate) const fn bytes_mut<T: bytemuck::Pod>(elements: &mut [T]) -> &mut [u8] {
    // SAFETY: plain old data is its bytes, and any bytes are valid for it; the slice borrows `elements` uniquely.
    unsafe { core::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), size_of_val(elements)) }
}

/// A zeroed value, allocated on the heap directly.
#[cfg(feature = "std")]
pub(crate) fn zeroed_box<Z: Zeroable>() -> Box<Z> {
    if size_of::<Z>() == 0 {
        // Not `Box::new(zeroed())`: without optimisation this function's frame would have room for a Z of any size.
        // SAFETY: a box of no bytes is any aligned pointer; zeroed memory is a valid Z by the contract of `Zeroable`.
        return unsafe { Box::from_raw(core::ptr::NonNull::<Z>::dangling().as_ptr()) };
    }
    let layout = std::alloc::Layout::new::<Z>();
    // SAFETY: the layout has a size, as was just checked; zeroed memory is a valid Z by the contract of `Zeroable`; the
    // box frees it with the same layout and allocator.
    unsafe {
        let memory = std::alloc::alloc_zeroed(layout);
        if memory.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        Box::from_raw(memory.cast::<Z>())
    }
}

// SAFETY: a scalar is one element of itself.
unsafe impl Plain<f32> for f32 {}
// SAFETY: a scalar is one element of itself.
unsafe impl Plain<f64> for f64 {}
// SAFETY: a byte is one element of itself.
unsafe impl Plain<u8> for u8 {}
// SAFETY: an array is its items, one after the other, without padding; each of them is plain.
unsafe impl<T: 'static, U: Plain<T>, const N: usize> Plain<T> for [U; N] {}

/// Zeroed values, allocated on the heap directly.
#[cfg(feature = "std")]
pub(crate) fn zeroed_slice<Z: Zeroable>(len: usize) -> Box<[Z]> {
    let mut values = Box::new_uninit_slice(len);
    // Written element by element only where that is small: a zeroed allocation would need `Box::new_zeroed_slice`, stable from 1.92 on.
    for value in values.iter_mut() {
        // SAFETY: the memory is that of one Z, and zero bytes are a valid Z.
        unsafe { core::ptr::write_bytes(value.as_mut_ptr(), 0, 1) };
    }
    // SAFETY: every value was written above.
    unsafe { values.assume_init() }
}
