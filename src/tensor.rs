//! [`Tensor`]: channels, height and width in the type.

use core::ops::{Index, IndexMut};

use crate::Scalar;
use crate::plain::Plain;
use crate::shape::Shape;

/// A feature map of `C` channels, `H` rows and `W` columns; a flat vector of `N` features is `Tensor<N>`.
///
/// The memory layout is that of the nested array: `[channel][row][column]`, the column fastest.
///
/// ```
/// use tenonet::Tensor;
///
/// let x = Tensor::<1, 2, 3>::from_fn(|c, h, w| (c + 10 * h + w) as f32);
/// assert_eq!(x[0][1], [10.0, 11.0, 12.0]);
/// assert_eq!(x.as_slice(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
/// let y: &Tensor<6> = x.flatten();
/// assert_eq!(y[3], [[10.0]]);
/// ```
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor<const C: usize, const H: usize = 1, const W: usize = 1, T = f32>(pub [[[T; W]; H]; C]);

// SAFETY: transparent over nested arrays of T: C·H·W elements, no padding.
unsafe impl<T: 'static, U: Plain<T>, const C: usize, const H: usize, const W: usize> Plain<T> for Tensor<C, H, W, U> {}

// SAFETY: transparent over nested arrays of T, for which zeroed memory is valid if it is for T.
unsafe impl<T: bytemuck::Zeroable, const C: usize, const H: usize, const W: usize> bytemuck::Zeroable
    for Tensor<C, H, W, T>
{
}
// SAFETY: transparent over nested arrays of T: no padding, any bits are valid if they are for T.
unsafe impl<T: bytemuck::Pod, const C: usize, const H: usize, const W: usize> bytemuck::Pod for Tensor<C, H, W, T> {}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Tensor<C, H, W, T> {
    /// Elements: `C · H · W`.
    pub const LEN: usize = C * H * W;

    /// All elements zero, by value. See [`Tensor::zeroed_box`](Plain::zeroed_box) for large ones.
    pub fn zeros() -> Self {
        Self::ZERO
    }

    /// The tensor whose element `[c][h][w]` is `f(c, h, w)`.
    pub fn from_fn(mut f: impl FnMut(usize, usize, usize) -> T) -> Self {
        Tensor(core::array::from_fn(|c| core::array::from_fn(|h| core::array::from_fn(|w| f(c, h, w)))))
    }

    /// The tensor with these elements in order; `None` unless there are exactly [`LEN`](Self::LEN).
    pub fn from_slice(elements: &[T]) -> Option<Self> {
        let mut tensor = Self::zeros();
        (elements.len() == Self::LEN).then(|| {
            tensor.as_mut_slice().copy_from_slice(elements);
            tensor
        })
    }

    /// The elements in order of memory.
    #[inline(always)]
    pub fn as_slice(&self) -> &[T] {
        Plain::<T>::flat(self)
    }

    /// The elements in order of memory.
    #[inline(always)]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        Plain::<T>::flat_mut(self)
    }

    /// The same elements as a flat vector; `N` must be `C · H · W`, or it does not compile.
    #[inline(always)]
    pub fn flatten<const N: usize>(&self) -> &Tensor<N, 1, 1, T> {
        const { Shape::new(C, H, W).deny_other_length(Shape::flat(N), "flatten") };
        Plain::<T>::cast(self)
    }

    /// The same elements in another shape of the same length, or it does not compile.
    #[inline(always)]
    pub fn reshape<const C2: usize, const H2: usize, const W2: usize>(&self) -> &Tensor<C2, H2, W2, T> {
        const { Shape::new(C, H, W).deny_other_length(Shape::new(C2, H2, W2), "reshape") };
        Plain::<T>::cast(self)
    }

    /// All elements zero, allocated on the heap: the value never lies on the stack.
    #[cfg(feature = "std")]
    pub fn boxed_zeros() -> Box<Self> {
        Self::zeroed_box()
    }

    /// As [`from_fn`](Self::from_fn), on the heap: the value never lies on the stack.
    #[cfg(feature = "std")]
    pub fn boxed_from_fn(mut f: impl FnMut(usize, usize, usize) -> T) -> Box<Self> {
        let mut tensor = Self::zeroed_box();
        for (c, map) in tensor.0.iter_mut().enumerate() {
            for (h, row) in map.iter_mut().enumerate() {
                for (w, element) in row.iter_mut().enumerate() {
                    *element = f(c, h, w);
                }
            }
        }
        tensor
    }
}

impl<const N: usize, T: Scalar> Tensor<N, 1, 1, T> {
    /// The index of the largest element, the first of equal ones: the class of a classifier's output. NaN is never the largest.
    pub fn argmax(&self) -> usize {
        argmax(self.as_slice())
    }
}

/// The index of the largest element, the first of equal ones. NaN is never the largest.
pub(crate) fn argmax<T: Scalar>(elements: &[T]) -> usize {
    let (mut best, mut index) = (T::neg_infinity(), 0);
    for (i, &element) in elements.iter().enumerate() {
        if element > best {
            (best, index) = (element, i);
        }
    }
    index
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Default for Tensor<C, H, W, T> {
    fn default() -> Self {
        Self::zeros()
    }
}

impl<const C: usize, const H: usize, const W: usize, T> Index<usize> for Tensor<C, H, W, T> {
    type Output = [[T; W]; H];

    fn index(&self, channel: usize) -> &Self::Output {
        &self.0[channel]
    }
}

impl<const C: usize, const H: usize, const W: usize, T> IndexMut<usize> for Tensor<C, H, W, T> {
    fn index_mut(&mut self, channel: usize) -> &mut Self::Output {
        &mut self.0[channel]
    }
}

/// A [`Tensor`] of some shape: what networks take and yield.
pub trait FeatureMap: Plain<Self::Scalar> + Clone {
    /// The element type.
    type Scalar: Scalar;
    /// Channels, rows, columns.
    const SHAPE: Shape;
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> FeatureMap for Tensor<C, H, W, T> {
    type Scalar = T;
    const SHAPE: Shape = Shape::new(C, H, W);
}
