//! Each layer, written by hand, in f32 and f64.

use std::collections::BTreeSet;

use tenonet::MemoryOrder;
use tenonet::MemoryOrder::{OutputsLast, Pixels, Same, Transposed};
use tenonet::prelude::*;

use crate::reference::{Reference, agree, agree_params, fill_params};

/// Holds a layer's output and all its gradients against the case; `params` are its parameters as one slice, in which weight and bias lie in
/// these orders.
fn judge<T: Scalar, L: Layer<X, Y> + Clone, X: Plain<T>, Y: Plain<T>>(
    case: &str, mut layer: L, orders: [MemoryOrder; 2], params: fn(&mut L) -> &mut [T],
) {
    let reference = Reference::open("layers.safetensors");
    let name = |part: &str| format!("{case}.{part}");
    let tensors = reference.layer_tensors(case, orders);
    fill_params(&tensors, params(&mut layer), |part| reference.get(&name(part)));
    let (x, dy) = (reference.read::<T, X>(&name("input")), reference.read::<T, Y>(&name("d_output")));

    let y = layer.forward(&x);
    agree(y.flat(), &reference.get(&name("output")), &name("output"));

    let mut grad = layer.clone();
    params(&mut grad).fill(T::default());
    let dx = layer.backward(&x, &y, &dy, &mut grad);
    agree(dx.flat(), &reference.get(&name("d_input")), &name("d_input"));
    let gradient = |part: &str| reference.get(&name(&format!("d_{part}")));
    agree_params(&tensors, params(&mut grad), gradient, &name("gradient"));

    // Backward adds to the gradient: a second pass doubles it.
    layer.backward(&x, &y, &dy, &mut grad);
    let doubled = |part: &str| gradient(part).iter().map(|d| 2.0 * d).collect();
    agree_params(&tensors, params(&mut grad), doubled, &name("gradient, twice"));
}

/// A normalisation with its epsilon, as a layer.
#[derive(Clone)]
struct With<N>(f64, N);

impl<const C: usize, const H: usize, const W: usize, T: Scalar> Layer<Tensor<C, H, W, T>, Tensor<C, H, W, T>>
    for With<LayerNorm<C, H, W, T>>
{
    fn forward(&self, x: &Tensor<C, H, W, T>) -> Tensor<C, H, W, T> {
        self.1.forward(self.0, x)
    }

    fn backward(
        &self, x: &Tensor<C, H, W, T>, _: &Tensor<C, H, W, T>, dy: &Tensor<C, H, W, T>, grad: &mut Self,
    ) -> Tensor<C, H, W, T> {
        self.1.backward(self.0, x, dy, &mut grad.1)
    }
}

/// `case: input shape => output shape, layer`; `T` is the element type. With `params`, `spread` (of so many groups) or `normed` the layer has parameters.
macro_rules! cases {
    (@params) => { |_| &mut [] };
    (@params normed) => { |layer| layer.1.flat_mut() };
    (@params $($other:tt)+) => { Plain::<T>::flat_mut };
    (@orders normed) => { [Pixels; 2] };
    (@orders spread $groups:literal) => { [Transposed { groups: $groups }, Same] };
    (@orders $($other:tt)*) => { [OutputsLast, Same] };
    ($($case:ident: [$($x:literal),*] => [$($y:literal),*], $layer:expr $(, $params:ident $($groups:literal)?)?;)*) => {
        $(
            #[test]
            fn $case() {
                fn with<T: Scalar>() {
                    let orders = cases!(@orders $($params $($groups)?)?);
                    judge::<T, _, Tensor<$($x,)* T>, Tensor<$($y,)* T>>(
                        stringify!($case), $layer, orders, cases!(@params $($params)?),
                    );
                }
                with::<f32>();
                with::<f64>();
            }
        )*

        /// The cases of this file.
        const JUDGED: &[&str] = &[$(stringify!($case)),*];
    };
}

cases! {
    conv_plain: [1, 6, 6] => [2, 4, 4], Conv2d::<1, 2, 3, 3, T>::zeros(), params;
    conv_rectangular: [2, 5, 7] => [3, 4, 4], Conv2d::<2, 3, 2, 4, T>::zeros(), params;
    conv_tall: [2, 7, 4] => [3, 7, 4], Conv2d::<2, 3, 5, 1, T, Window<1, 1, 2, 2, 0, 0>>::zeros(), params;
    conv_pointwise: [5, 3, 4] => [4, 3, 4], Conv2d::<5, 4, 1, 1, T>::zeros(), params;
    conv_stride_2: [2, 7, 8] => [3, 3, 3], Conv2d::<2, 3, 3, 3, T, Window<2, 2>>::zeros(), params;
    conv_stride_3: [1, 8, 9] => [2, 3, 3], Conv2d::<1, 2, 2, 3, T, Window<3, 3>>::zeros(), params;
    conv_stride_pair: [2, 7, 6] => [3, 6, 4], Conv2d::<2, 3, 3, 2, T, Window<1, 2, 1, 0, 0, 2>>::zeros(), params;
    conv_asymmetric_padding: [2, 4, 5] => [3, 4, 7], Conv2d::<2, 3, 3, 3, T, Window<1, 1, 0, 2, 3, 1>>::zeros(), params;
    conv_wide_padding: [1, 2, 2] => [2, 6, 6], Conv2d::<1, 2, 3, 3, T, Window<1, 1, 3, 3, 3, 3>>::zeros(), params;
    conv_dilation_2: [2, 7, 8] => [3, 3, 6], Conv2d::<2, 3, 3, 2, T, Window<1, 1, 0, 0, 0, 0, 2, 2>>::zeros(), params;
    conv_dilation_stride: [2, 9, 8] => [2, 4, 6],
        Conv2d::<2, 2, 2, 3, T, Window<2, 1, 1, 1, 0, 2, 3, 2>>::zeros(), params;
    conv_groups_2: [4, 5, 5] => [6, 3, 3], Conv2d::<4, 6, 3, 3, T, Window<1, 1, 0, 0, 0, 0, 1, 1, 2>, 2>::zeros(), params;
    conv_depthwise: [3, 6, 5] => [3, 6, 5], Conv2d::<3, 3, 3, 3, T, Window<1, 1, 1, 1, 1, 1, 1, 1, 3>, 1>::zeros(), params;
    conv_depthwise_twice: [3, 5, 5] => [6, 3, 3],
        Conv2d::<3, 6, 3, 3, T, Window<2, 2, 1, 1, 1, 1, 1, 1, 3>, 1>::zeros(), params;
    conv_no_bias: [2, 5, 5] => [3, 3, 3], Conv2d::<2, 3, 3, 3, T, Window, 2, 0>::zeros(), params;
    conv_signal: [2, 1, 12] => [3, 1, 4], Conv2d::<2, 3, 1, 5, T, Window<1, 2>>::zeros(), params;
    conv_many_channels: [17, 4, 5] => [9, 3, 4], Conv2d::<17, 9, 2, 2, T>::zeros(), params;
    max_pool_2: [3, 4, 6] => [3, 2, 3], MaxPool2d::<2, 2>;
    max_pool_rectangular: [2, 4, 6] => [2, 2, 2], MaxPool2d::<2, 3>;
    max_pool_overlapping: [2, 7, 7] => [2, 3, 3], MaxPool2d::<3, 3, 2, 2>;
    max_pool_resnet: [2, 7, 7] => [2, 4, 4], MaxPool2d::<3, 3, 2, 2, 1, 1>;
    max_pool_gaps: [2, 8, 8] => [2, 3, 3], MaxPool2d::<2, 2, 3, 3>;
    max_pool_floor: [2, 5, 7] => [2, 2, 3], MaxPool2d::<2, 2, 2, 2, 0, 0, true>;
    avg_pool_2: [3, 4, 6] => [3, 2, 3], AvgPool2d::<2, 2>;
    avg_pool_rectangular: [2, 4, 6] => [2, 2, 2], AvgPool2d::<2, 3>;
    avg_pool_overlapping: [2, 7, 7] => [2, 3, 3], AvgPool2d::<3, 3, 2, 2>;
    avg_pool_padding: [2, 5, 5] => [2, 3, 3], AvgPool2d::<3, 3, 2, 2, 1, 1>;
    avg_pool_floor: [2, 5, 7] => [2, 2, 3], AvgPool2d::<2, 2, 2, 2, 0, 0, true>;
    global_avg_pool: [5, 3, 4] => [5, 1, 1], GlobalAvgPool;
    linear: [7, 1, 1] => [5, 1, 1], Linear::<7, 5, T>::zeros(), params;
    linear_no_bias: [3, 1, 1] => [4, 1, 1], Linear::<3, 4, T, 0>::zeros(), params;
    softmax: [7, 1, 1] => [7, 1, 1], Softmax;
    softmax_channels: [4, 2, 3] => [4, 2, 3], Softmax;
    relu: [2, 3, 5] => [2, 3, 5], Relu;
    relu6: [2, 3, 5] => [2, 3, 5], Relu6;
    leaky_relu: [2, 3, 5] => [2, 3, 5], LeakyRelu::new(0.1);
    elu: [2, 3, 5] => [2, 3, 5], Elu::new(1.3);
    sigmoid: [2, 3, 5] => [2, 3, 5], Sigmoid;
    tanh: [2, 3, 5] => [2, 3, 5], Tanh;
    gelu: [2, 3, 5] => [2, 3, 5], Gelu;
    silu: [2, 3, 5] => [2, 3, 5], Silu;
    hard_sigmoid: [2, 3, 5] => [2, 3, 5], HardSigmoid;
    hard_swish: [2, 3, 5] => [2, 3, 5], HardSwish;
    softplus: [2, 3, 5] => [2, 3, 5], Softplus;
    global_max_pool: [5, 3, 4] => [5, 1, 1], GlobalMaxPool;
    pad_zero: [2, 3, 4] => [2, 4, 9], ZeroPad2d::<1, 0, 3, 2>;
    pad_reflect: [2, 4, 3] => [2, 8, 5], ReflectPad2d::<3, 1, 0, 2>;
    pad_replicate: [3, 2, 3] => [3, 6, 9], ReplicatePad2d::<0, 4, 5, 1>;
    upsample_nearest: [2, 3, 4] => [2, 9, 8], UpsampleNearest2d::<3, 2>;
    upsample_bilinear: [3, 3, 4] => [3, 6, 20], UpsampleBilinear2d::<2, 5>;
    upsample_bilinear_one: [2, 1, 3] => [2, 3, 9], UpsampleBilinear2d::<3, 3>;
    scale: [3, 2, 5] => [3, 2, 5], Scale::<3, T>::new(), params;
    bias: [3, 2, 5] => [3, 2, 5], Bias::<3, T>::new(), params;
    layer_norm: [3, 4, 5] => [3, 4, 5], With(1e-5, LayerNorm::<3, 4, 5, T>::new()), normed;
    layer_norm_flat: [7, 1, 1] => [7, 1, 1], With(0.1, LayerNorm::<7, 1, 1, T>::new()), normed;
    conv_transpose_plain: [3, 4, 5] => [2, 6, 6], ConvTranspose2d::<3, 2, 3, 2, T>::zeros(), spread 1;
    conv_transpose_double: [5, 3, 4] => [7, 6, 8],
        ConvTranspose2d::<5, 7, 4, 4, T, Window<2, 2, 1, 1, 1, 1>>::zeros(), spread 1;
    conv_transpose_odd: [2, 3, 4] => [3, 11, 8],
        ConvTranspose2d::<2, 3, 3, 5, T, Window<3, 2, 0, 0, 2, 2>>::zeros(), spread 1;
    conv_transpose_gaps: [2, 3, 4] => [3, 6, 13], ConvTranspose2d::<2, 3, 1, 2, T, Window<2, 3>, 2, 0>::zeros(), spread 1;
    conv_transpose_dilation: [2, 4, 3] => [3, 7, 8],
        ConvTranspose2d::<2, 3, 2, 3, T, Window<1, 1, 1, 1, 0, 0, 3, 2>>::zeros(), spread 1;
    conv_transpose_groups: [4, 3, 2] => [6, 6, 3],
        ConvTranspose2d::<4, 6, 3, 2, T, Window<2, 2, 1, 1, 1, 1, 1, 1, 2>, 2>::zeros(), spread 2;
    conv_transpose_depthwise: [5, 3, 3] => [5, 5, 5],
        ConvTranspose2d::<5, 5, 3, 3, T, Window<2, 2, 1, 1, 1, 1, 1, 1, 5>, 1>::zeros(), spread 5;
    conv_transpose_signal: [3, 1, 5] => [2, 1, 11],
        ConvTranspose2d::<3, 2, 1, 4, T, Window<1, 2, 0, 0, 1, 1>>::zeros(), spread 1;
}

/// What only `network!` can say: padding of pools on one side, partial windows, branches.
const DECLARED_ONLY: &[&str] =
    &["max_pool_padding", "max_pool_ceil", "avg_pool_ceil", "avg_pool_ceil_padding", "concat", "concat_flat"];

#[test]
fn every_stored_case_is_judged() {
    let names = Reference::open("layers.safetensors").names();
    let stored: BTreeSet<&str> = names.iter().filter_map(|name| name.split('.').next()).collect();
    let judged: BTreeSet<&str> = JUDGED.iter().chain(DECLARED_ONLY).copied().collect();
    assert_eq!(stored, judged);
}
