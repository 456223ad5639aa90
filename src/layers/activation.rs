//! Activations, softmax and flatten as layers: any shape in, the same number of elements out.

use super::{
    Activation, Elu, Gelu, HardSigmoid, HardSwish, Identity, Layer, LeakyRelu, Relu, Relu6, Sigmoid, Silu, Softplus,
    Tanh,
};
use crate::kernels::map;
use crate::kernels::simd::Portable;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

macro_rules! activation_layers {
    ($($name:ident),*) => {$(
        impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, H, W, T>>
            for $name
        {
            fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, H, W, T> {
                Tensor(x.0.map(|map| map.map(|row| row.map(|z| self.apply(z)))))
            }

            fn backward(
                &self, x: &Tensor<C, H, W, T>, y: &Tensor<C, H, W, T>, dy: &Tensor<C, H, W, T>, _: &mut Self,
            ) -> Tensor<C, H, W, T> {
                let mut dx = *dy;
                let kept = if <$name as Activation<T>>::MONOTONE { y } else { x };
                map::backward_in_place(Portable, *self, core::slice::from_ref(kept), core::slice::from_mut(&mut dx));
                dx
            }
        }
    )*};
}

activation_layers!(Identity, Relu, Relu6, LeakyRelu, Elu, Sigmoid, Tanh, Gelu, Silu, HardSigmoid, HardSwish, Softplus);

/// `y[c] = exp(x[c]) / Σ_k exp(x[k])` over the channels, at each place of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softmax;

/// The channels at row `h` and column `w`.
fn pixel<const C: usize, const H: usize, const W: usize, T: Scalar>(
    map: &Tensor<C, H, W, T>, h: usize, w: usize,
) -> [T; C] {
    core::array::from_fn(|c| map[c][h][w])
}

/// `map[c][h][w] ← f(h, w)[c]`.
fn each_pixel<const C: usize, const H: usize, const W: usize, T: Scalar>(
    map: &mut Tensor<C, H, W, T>, mut f: impl FnMut(usize, usize) -> [T; C],
) {
    for h in 0..H {
        for w in 0..W {
            for (map, value) in map.0.iter_mut().zip(f(h, w)) {
                map[h][w] = value;
            }
        }
    }
}

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, H, W, T>>
    for Softmax
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, H, W, T> {
        let mut y = Tensor::zeros();
        each_pixel(&mut y, |h, w| {
            let mut y = pixel(x, h, w);
            map::softmax_forward_in_place(Portable, C, core::slice::from_mut(&mut y));
            y
        });
        y
    }

    fn backward(
        &self, _: &Tensor<C, H, W, T>, y: &Tensor<C, H, W, T>, dy: &Tensor<C, H, W, T>, _: &mut Self,
    ) -> Tensor<C, H, W, T> {
        let mut dx = Tensor::zeros();
        each_pixel(&mut dx, |h, w| {
            let (y, mut dx) = (pixel(y, h, w), pixel(dy, h, w));
            map::softmax_backward_in_place(Portable, C, core::slice::from_ref(&y), core::slice::from_mut(&mut dx));
            dx
        });
        dx
    }
}

/// A map as a vector. [`Tensor::flatten`] does the same without a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flatten;

impl<const C: usize, const H: usize, const W: usize, const N: usize, T: Scalar>
    Layer<Tensor<C, H, W, T>, Tensor<N, 1, 1, T>> for Flatten
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<N, 1, 1, T> {
        *x.flatten()
    }

    fn backward(
        &self, _: &Tensor<C, H, W, T>, _: &Tensor<N, 1, 1, T>, dy: &Tensor<N, 1, 1, T>, _: &mut Self,
    ) -> Tensor<C, H, W, T> {
        *dy.reshape()
    }
}
