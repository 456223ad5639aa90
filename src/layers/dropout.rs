//! Dropout.

use crate::kernels::dropout::{self, Masks};
use crate::kernels::simd::Portable;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// Dropout in training: each element is 0 with probability `p`, the others are divided by `1 − p`. At inference it is left out.
///
/// ```
/// use tenonet::prelude::*;
///
/// let (dropout, x) = (Dropout::new(0.5), Tensor([[[1.0_f32; 100]]]));
/// let y = dropout.forward(Masks::new(7), &x);
/// assert!(y.as_slice().iter().all(|y| *y == 0.0 || *y == 2.0));
/// // The same masks drop the same elements: so the gradient goes back.
/// assert_eq!(dropout.backward(Masks::new(7), &x), y);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    p: f64,
}

impl Dropout {
    /// Dropout with this probability.
    ///
    /// # Panics
    /// If it is not in [0, 1): a compile error in a `const`.
    #[track_caller]
    pub const fn new(p: f64) -> Self {
        crate::shape::deny_probability("Dropout", p);
        Dropout { p }
    }

    /// `y = m ⊙ x / (1 − p)` with a mask m of `masks`.
    pub fn forward<const C: usize, const H: usize, const W: usize, T: Scalar>(
        &self, masks: Masks, x: &Tensor<C, H, W, T>,
    ) -> Tensor<C, H, W, T> {
        let mut y = *x;
        dropout::apply_in_place(Portable, masks, 0, self.p, core::slice::from_mut(&mut y));
        y
    }

    /// The gradient with respect to `x`, from that with respect to the output of [`forward`](Self::forward) with the same masks.
    pub fn backward<const C: usize, const H: usize, const W: usize, T: Scalar>(
        &self, masks: Masks, dy: &Tensor<C, H, W, T>,
    ) -> Tensor<C, H, W, T> {
        self.forward(masks, dy)
    }
}
