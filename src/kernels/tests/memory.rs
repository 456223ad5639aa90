//! Memory that ends where a page without access begins, or begins where one ends: one element too many, read or written, ends the process.

use core::ops::{Deref, DerefMut};

use bytemuck::Zeroable;

/// Which end of the values lies at a page that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::kernels) enum Border {
    /// The first value begins there.
    Begin,
    /// The last value ends there.
    End,
}

/// `len` values beside a page that cannot be read.
pub(in crate::kernels) struct Guarded<X: Zeroable> {
    items: *mut X,
    len: usize,
    #[allow(dead_code, reason = "dropped with the value")]
    pages: Pages,
}

impl<X: Zeroable> Guarded<X> {
    /// Zeroed values, the last of which ends at the border.
    pub(in crate::kernels) fn zeroed(len: usize) -> Self {
        Self::zeroed_at(Border::End, len)
    }

    /// Zeroed values.
    pub(in crate::kernels) fn zeroed_at(border: Border, len: usize) -> Self {
        let bytes = len * size_of::<X>();
        let pages = Pages::new(bytes);
        let behind = if border == Border::Begin { pages.room(bytes) } else { bytes };
        // SAFETY: `pages` has `room(bytes) ≥ bytes` bytes that end at its end; a type's size is a multiple of its alignment, and the
        // border of a page is aligned for everything.
        let items = unsafe { pages.end().sub(behind) }.cast();
        Guarded { items, len, pages }
    }
}

impl<X: Zeroable> Deref for Guarded<X> {
    type Target = [X];

    fn deref(&self) -> &[X] {
        // SAFETY: `len` values, zeroed when made, and zero bytes are a valid X.
        unsafe { core::slice::from_raw_parts(self.items, self.len) }
    }
}

impl<X: Zeroable> DerefMut for Guarded<X> {
    fn deref_mut(&mut self) -> &mut [X] {
        // SAFETY: as in `deref`; the borrow is unique.
        unsafe { core::slice::from_raw_parts_mut(self.items, self.len) }
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
mod pages {
    use core::ffi::{c_int, c_void};

    unsafe extern "C" {
        fn mmap(
            address: *mut c_void, length: usize, prot: c_int, flags: c_int, file: c_int, offset: i64,
        ) -> *mut c_void;
        fn mprotect(address: *mut c_void, length: usize, prot: c_int) -> c_int;
        fn munmap(address: *mut c_void, length: usize) -> c_int;
    }

    const NONE: c_int = 0;
    const READ_WRITE: c_int = 1 | 2;
    const PRIVATE_ANONYMOUS: c_int = 2 | 0x20;
    /// The largest page that Linux has on the machines of today.
    const PAGE: usize = 1 << 16;

    /// Pages that can be read and written, between two that cannot.
    pub(in crate::kernels) struct Pages {
        first: *mut u8,
        length: usize,
    }

    impl Pages {
        /// Zeroed pages for at least `bytes` bytes.
        pub(in crate::kernels) fn new(bytes: usize) -> Self {
            let inside = bytes.next_multiple_of(PAGE);
            let length = inside + 2 * PAGE;
            // SAFETY: a new mapping of its own, of which the pages between the first and the last get access.
            unsafe {
                let first = mmap(core::ptr::null_mut(), length + PAGE, NONE, PRIVATE_ANONYMOUS, -1, 0);
                assert!(!first.is_null() && first as isize != -1, "no memory for a test");
                let pages = Pages { first: first.cast(), length: length + PAGE };
                if inside > 0 {
                    let begin = pages.end().sub(inside);
                    assert_eq!(mprotect(begin.cast(), inside, READ_WRITE), 0);
                }
                pages
            }
        }

        /// Bytes from the beginning of the pages for `bytes` bytes to their end.
        pub(in crate::kernels) fn room(&self, bytes: usize) -> usize {
            bytes.next_multiple_of(PAGE)
        }

        /// Where the pages end, and the one without access begins.
        pub(in crate::kernels) fn end(&self) -> *mut u8 {
            // The mapping begins at a border of the machine's own page, which may be smaller than PAGE: the last border
            // of a PAGE that has a whole one behind it.
            let end = (self.first as usize + self.length - PAGE) / PAGE * PAGE;
            self.first.wrapping_add(end - self.first as usize)
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the mapping that `new` made.
            unsafe { munmap(self.first.cast(), self.length) };
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
mod pages {
    /// Without a page to guard it: exactly as long as it must be, for tools that watch allocations.
    pub(in crate::kernels) struct Pages {
        first: *mut u8,
        layout: std::alloc::Layout,
    }

    impl Pages {
        /// Zeroed memory of `bytes` bytes.
        pub(in crate::kernels) fn new(bytes: usize) -> Self {
            let layout = std::alloc::Layout::from_size_align(bytes.max(1), 1 << 6).expect("sizes of tests are small");
            // SAFETY: the layout has a size.
            let first = unsafe { std::alloc::alloc_zeroed(layout) };
            assert!(!first.is_null(), "no memory for a test");
            Pages { first, layout }
        }

        /// Bytes from the beginning to the end.
        pub(in crate::kernels) fn room(&self, bytes: usize) -> usize {
            bytes.max(1)
        }

        /// Where the memory ends.
        pub(in crate::kernels) fn end(&self) -> *mut u8 {
            self.first.wrapping_add(self.layout.size())
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: allocated by `new` with this layout.
            unsafe { std::alloc::dealloc(self.first, self.layout) };
        }
    }
}

use pages::Pages;

/// The guard itself: without it, no test of bounds could fail.
#[test]
fn ends_at_its_border() {
    for len in [0, 1, 7, 4096, 70_000] {
        let mut guarded = Guarded::<[f32; 3]>::zeroed(len);
        assert_eq!(guarded.len(), len);
        guarded.fill([1.0; 3]);
        assert!(guarded.iter().all(|v| *v == [1.0; 3]));
        if cfg!(all(target_os = "linux", target_pointer_width = "64", not(miri))) {
            assert!((guarded.as_ptr_range().end as usize).is_multiple_of(1 << 12));
            let guarded = Guarded::<[f32; 3]>::zeroed_at(Border::Begin, len);
            assert!((guarded.as_ptr() as usize).is_multiple_of(1 << 12));
        }
    }
}
