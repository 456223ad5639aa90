//! [`Work`]: the workspace of a kernel.

use crate::plain::Plain;

/// Plain data, whose length the compiler knows, or a slice.
///
/// A kernel that is a function of its own asserts that its workspace is long enough. A network's workspace keeps its length in its type, so that
/// the assertion is gone from the code, and with it the panic.
pub trait Work<T> {
    /// The elements.
    fn elements(&mut self) -> &mut [T];
}

impl<T, K: Plain<T>> Work<T> for K {
    #[inline(always)]
    fn elements(&mut self) -> &mut [T] {
        self.flat_mut()
    }
}

impl<T> Work<T> for [T] {
    #[inline(always)]
    fn elements(&mut self) -> &mut [T] {
        self
    }
}
