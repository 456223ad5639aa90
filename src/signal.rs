//! Signals and given kernels: convolution outside of networks, as a plain function.
//!
//! What networks call convolution is *cross-correlation*, and so are these: the kernel is not turned around.
//!
//! ```text
//! (f ⋆ g)[i]    = Σ_k f[i·S + k] g[k]
//! (f ⋆ g)[i, j] = Σ_k Σ_l f[i·S + k, j·S + l] g[k, l]
//! ```
//!
//! with the stride `S`, from one output to the next. There is no padding: a kernel of `K` elements yields `(L − K) / S + 1` from `L`, rounded down, and another length does not
//! compile. With the kernel turned around by [`flip`] and [`flip_1d`] it is the convolution of mathematics.
//!
//! ```
//! use tenonet::prelude::*;
//! use tenonet::signal::{Stride, correlate, correlate_1d};
//!
//! // The slope of a signal, from the neighbours of each place.
//! let f = Tensor::<1, 1, 6>([[[0.0, 1.0, 4.0, 9.0, 16.0, 25.0]]]);
//! let slope: Tensor<1, 1, 4> = correlate_1d(&f, &[-0.5, 0.0, 0.5], Stride::<1>);
//! assert_eq!(slope[0][0], [2.0, 4.0, 6.0, 8.0]);
//!
//! // Means of 2 × 2 pixels, each pixel in one of them.
//! let image = Tensor::<1, 4, 4>::from_fn(|_, row, column| (row + column) as f32);
//! let means: Tensor<1, 2, 2> = correlate(&image, &[[0.25; 2]; 2], Stride::<2>);
//! assert_eq!(means[0], [[1.0, 3.0], [3.0, 5.0]]);
//! ```

use crate::Scalar;
use crate::shape::{Conv, Shape};
use crate::tensor::Tensor;

/// The step from one output to the next, in elements of the input: rows and columns alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stride<const S: usize>;

/// `f ⋆ g` of each channel of a signal: `y[c][i] = Σ_k f[c][i·S + k] g[k]`.
pub fn correlate_1d<const C: usize, const L: usize, const K: usize, const S: usize, const OUT: usize, T: Scalar>(
    f: &Tensor<C, 1, L, T>, g: &[T; K], stride: Stride<S>,
) -> Tensor<C, 1, OUT, T> {
    correlate(f, core::array::from_ref(g), stride)
}

/// `f ⋆ g` of each channel of an image: `y[c][i][j] = Σ_k Σ_l f[c][i·S + k][j·S + l] g[k][l]`.
///
/// Of a signal of one row, with a kernel of one row, it is [`correlate_1d`].
pub fn correlate<
    const C: usize,
    const H: usize,
    const W: usize,
    const KH: usize,
    const KW: usize,
    const S: usize,
    const OH: usize,
    const OW: usize,
    T: Scalar,
>(
    f: &Tensor<C, H, W, T>, g: &[[T; KW]; KH], _stride: Stride<S>,
) -> Tensor<C, OH, OW, T> {
    const { deny(Conv { stride: [S; 2], ..Conv::new(Shape::new(C, H, W), C, [KH, KW]) }, Shape::new(C, OH, OW)) };
    Tensor::from_fn(|c, i, j| {
        let mut sum = T::zero();
        for (f, g) in f[c].iter().skip(i * S).zip(g) {
            for (&f, &g) in f.iter().skip(j * S).zip(g) {
                sum += f * g;
            }
        }
        sum
    })
}

/// Fails to compile unless the kernel fits the signal, and the output has the declared shape.
const fn deny(correlation: Conv, declared: Shape) {
    correlation.faults().deny_all("correlate");
    correlation.output().deny_other(declared, "correlate");
}

/// The kernel turned around in both directions: correlating with it is convolution as mathematics defines it.
pub fn flip<const KH: usize, const KW: usize, T: Scalar>(g: &[[T; KW]; KH]) -> [[T; KW]; KH] {
    core::array::from_fn(|k| flip_1d(&g[KH - 1 - k]))
}

/// The kernel turned around.
pub fn flip_1d<const K: usize, T: Scalar>(g: &[T; K]) -> [T; K] {
    core::array::from_fn(|k| g[K - 1 - k])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Conv2d, Layer, Window};

    #[test]
    fn by_hand() {
        let f = Tensor::<2, 1, 7>([[[1.0, 2.0, 0.0, -1.0, 3.0, 5.0, 4.0]], [[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]]]);
        let y: Tensor<2, 1, 5> = correlate_1d(&f, &[1.0, 10.0, 100.0], Stride::<1>);
        assert_eq!(y.0, [[[21.0, -98.0, 290.0, 529.0, 453.0]], [[100.0, 10.0, 1.0, 0.0, 100.0]]]);
        let y: Tensor<2, 1, 3> = correlate_1d(&f, &[1.0, 10.0, 100.0], Stride::<2>);
        assert_eq!(y.0, [[[21.0, 290.0, 453.0]], [[100.0, 1.0, 100.0]]]);
        // What is left behind the last whole step is not read.
        let y: Tensor<2, 1, 2> = correlate_1d(&f, &[1.0], Stride::<6>);
        assert_eq!(y.0, [[[1.0, 4.0]], [[0.0, 1.0]]]);
    }

    #[test]
    fn flipped_it_is_commutative() {
        // (1 + 2x)(3 + 4x) = 3 + 10x + 8x²: products of polynomials are convolutions of their coefficients, with zeros around.
        let y: Tensor<1, 1, 3> = correlate_1d(&Tensor([[[0.0, 1.0, 2.0, 0.0]]]), &flip_1d(&[3.0, 4.0]), Stride::<1>);
        let turned: Tensor<1, 1, 3> =
            correlate_1d(&Tensor([[[0.0, 3.0, 4.0, 0.0]]]), &flip_1d(&[1.0, 2.0]), Stride::<1>);
        assert_eq!((y.0, turned.0), ([[[3.0, 10.0, 8.0]]], [[[3.0, 10.0, 8.0]]]));
        assert_eq!(flip(&[[1.0, 2.0], [3.0, 4.0]]), [[4.0, 3.0], [2.0, 1.0]]);
    }

    /// It is what a convolutional layer of one channel computes.
    #[test]
    fn a_layer_agrees() {
        let f = Tensor::<1, 9, 8, f64>::from_fn(|_, row, column| ((row * 5 + column * 3) % 7) as f64 - 2.5);
        let g = [[0.5, -1.0, 2.0], [0.25, 3.0, -0.75]];
        let mut layer = Conv2d::<1, 1, 2, 3, f64, Window<2, 2>>::zeros();
        for (weights, taps) in layer.weight.iter_mut().zip(&g) {
            for (weight, &tap) in weights.iter_mut().zip(taps) {
                weight[0][0] = tap;
            }
        }
        let found: Tensor<1, 4, 3, f64> = correlate(&f, &g, Stride::<2>);
        let wanted: Tensor<1, 4, 3, f64> = layer.forward(&f);
        assert!(found.as_slice().iter().zip(wanted.as_slice()).all(|(a, b)| (a - b).abs() < 1e-14));
    }
}
