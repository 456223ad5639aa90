//! Where backward leaves the gradient of what arrived at a step: nowhere, in memory of its own, or on top of what another reader of the same value has left.

use core::ops::Range;

use crate::Scalar;
use crate::kernels::epilogue::{AddTo, Epilogue, Store};
use crate::plain::{Plain, elements_mut};

/// Where the gradient goes.
///
/// # Safety
/// [`inputs`](InputGradient::inputs) yields `LEN` elements for each of the inputs, or nothing; the epilogue reads nothing but what lies at `dx`.
pub unsafe trait InputGradient<T: Scalar> {
    /// Whether it is computed at all.
    const WANTED: bool;
    /// Whether it is added to what lies there.
    const ADDS: bool;
    /// Elements of an input; 0 where it is not wanted.
    const LEN: usize;
    /// What becomes of its sums on their way to memory.
    type Sums: Epilogue<T>;

    /// The gradients of these inputs, one behind the other; nothing where there are fewer, or where they are not wanted.
    fn inputs(&mut self, inputs: Range<usize>) -> &mut [T];

    /// The epilogue of sums that go to what begins at `dx`.
    fn sums(dx: *mut T) -> Self::Sums;
}

/// Nowhere: nothing depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Unwanted;

// SAFETY: nothing is yielded, and nothing read.
unsafe impl<T: Scalar> InputGradient<T> for Unwanted {
    const WANTED: bool = false;
    const ADDS: bool = false;
    const LEN: usize = 0;
    type Sums = Store;

    #[inline(always)]
    fn inputs(&mut self, _: Range<usize>) -> &mut [T] {
        &mut []
    }

    #[inline(always)]
    fn sums(_: *mut T) -> Store {
        Store
    }
}

/// It is written.
#[derive(Debug)]
pub struct Written<'a, X>(pub &'a mut [X]);

// SAFETY: values of `LEN` elements each, or none; nothing is read.
unsafe impl<T: Scalar, X: Plain<T>> InputGradient<T> for Written<'_, X> {
    const WANTED: bool = true;
    const ADDS: bool = false;
    const LEN: usize = X::LEN;
    type Sums = Store;

    #[inline(always)]
    fn inputs(&mut self, inputs: Range<usize>) -> &mut [T] {
        self.0.get_mut(inputs).map_or(&mut [], elements_mut)
    }

    #[inline(always)]
    fn sums(_: *mut T) -> Store {
        Store
    }
}

/// It is added to what lies there.
#[derive(Debug)]
pub struct Added<'a, X>(pub &'a mut [X]);

// SAFETY: values of `LEN` elements each, or none; what is read lies where the sum goes.
unsafe impl<T: Scalar, X: Plain<T>> InputGradient<T> for Added<'_, X> {
    const WANTED: bool = true;
    const ADDS: bool = true;
    const LEN: usize = X::LEN;
    type Sums = AddTo<T>;

    #[inline(always)]
    fn inputs(&mut self, inputs: Range<usize>) -> &mut [T] {
        self.0.get_mut(inputs).map_or(&mut [], elements_mut)
    }

    #[inline(always)]
    fn sums(dx: *mut T) -> AddTo<T> {
        AddTo(dx)
    }
}
