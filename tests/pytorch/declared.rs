//! Each layer, declared alone in `network!`, in f32 and f64: output, and gradient of the parameters.

use std::collections::BTreeSet;

use tenonet::loss::{Loss, TargetFault};
use tenonet::prelude::*;
use tenonet::{FeatureMap, network};

use crate::reference::{Reference, agree, agree_params, fill_params};

/// `⟨output, target⟩`, whose gradient is the target: it brings a case's upstream gradient into a network.
pub(crate) struct Inner;

impl<O: FeatureMap> Loss<O, O> for Inner {
    fn value(&self, output: &O, target: &O) -> O::Scalar {
        output.flat().iter().zip(target.flat()).map(|(&y, &dy)| y * dy).sum()
    }

    fn value_and_grad(&self, output: &O, target: &O, d_output: &mut O) -> O::Scalar {
        d_output.clone_from(target);
        self.value(output, target)
    }

    fn check(&self, _: &O) -> Result<(), TargetFault> {
        Ok(())
    }
}

fn judge<N: Network>(case: &str) {
    let reference = Reference::open("layers.safetensors");
    let name = |part: &str| format!("{case}.{part}");
    let mut net = N::zeroed_box();
    // `conv_0.weight` of the network is `weight` of the case.
    let part = |tensor: &str| tensor.rsplit('.').next().unwrap_or_default().to_owned();
    fill_params(N::TENSORS, net.params_mut(), |tensor| reference.get(&name(&part(tensor))));
    // Three times the same input, so that a batch is more than its first place.
    let x: Vec<N::Input> = vec![*reference.read::<N::Scalar, _>(&name("input")); 3];
    let dy: Vec<N::Output> = vec![*reference.read::<N::Scalar, _>(&name("d_output")); 3];
    let wanted = reference.get(&name("output"));

    let y = net.forward(&x[0], &mut N::scratch());
    agree(y.flat(), &wanted, &name("output"));
    let mut outputs = dy.clone();
    net.forward_batch(&x, &mut outputs).unwrap();
    outputs.iter().for_each(|y| agree(y.flat(), &wanted, &name("output of a batch")));

    let mut grad = N::zeroed_box();
    let loss = net.loss_and_grad(&x, &dy, &Inner, &mut grad).unwrap();
    let products: Vec<f64> = wanted.iter().zip(reference.get(&name("d_output"))).map(|(y, dy)| y * dy).collect();
    // Beside it the sum without cancellation, to which its rounding errors are relative.
    let scale = products.iter().map(|product| product.abs()).sum::<f64>();
    agree(&[loss, N::Scalar::of(scale)], &[products.iter().sum(), scale], &name("⟨d_output, output⟩"));
    let gradient = |tensor: &str| reference.get(&name(&format!("d_{}", part(tensor))));
    agree_params(N::TENSORS, grad.params(), gradient, &name("gradient"));
}

macro_rules! cases {
    ($($case:ident: ($($shapes:tt)*) { $($layer:tt)* };)*) => {
        $(
            mod $case {
                super::network! {
                    /// The case alone.
                    pub(super) struct Net($($shapes)*) { $($layer)* }
                }

                #[test]
                fn agrees() {
                    super::judge::<Net<f32>>(stringify!($case));
                    super::judge::<Net<f64>>(stringify!($case));
                }
            }
        )*

        const JUDGED: &[&str] = &[$(stringify!($case)),*];
    };
}

cases! {
    conv_plain: ([1, 6, 6] -> [2, 4, 4]) { conv(2, kernel = 3) };
    conv_rectangular: ([2, 5, 7] -> [3, 4, 4]) { conv(3, kernel = (2, 4)) };
    conv_tall: ([2, 7, 4] -> [3, 7, 4]) { conv(3, kernel = (5, 1), padding = same) };
    conv_pointwise: ([5, 3, 4] -> [4, 3, 4]) { conv(4, kernel = 1) };
    conv_stride_2: ([2, 7, 8] -> [3, 3, 3]) { conv(3, kernel = 3, stride = 2) };
    conv_stride_3: ([1, 8, 9] -> [2, 3, 3]) { conv(2, kernel = (2, 3), stride = 3) };
    conv_stride_pair: ([2, 7, 6] -> [3, 6, 4]) { conv(3, kernel = (3, 2), stride = (1, 2), padding = (1, 0, 0, 2)) };
    conv_asymmetric_padding: ([2, 4, 5] -> [3, 4, 7]) { conv(3, kernel = 3, padding = (0, 2, 3, 1)) };
    conv_wide_padding: ([1, 2, 2] -> [2, 6, 6]) { conv(2, kernel = 3, padding = 3) };
    conv_dilation_2: ([2, 7, 8] -> [3, 3, 6]) { conv(3, kernel = (3, 2), dilation = 2) };
    conv_dilation_stride: ([2, 9, 8] -> [2, 4, 6]) {
        conv(2, kernel = (2, 3), dilation = (3, 2), stride = (2, 1), padding = (1, 1, 0, 2))
    };
    conv_groups_2: ([4, 5, 5] -> [6, 3, 3]) { conv(6, kernel = 3, groups = 2) };
    conv_depthwise: ([3, 6, 5] -> [3, 6, 5]) { conv(3, kernel = 3, groups = depthwise, padding = 1) };
    conv_depthwise_twice: ([3, 5, 5] -> [6, 3, 3]) {
        conv(6, kernel = 3, groups = depthwise, stride = 2, padding = 1)
    };
    conv_no_bias: ([2, 5, 5] -> [3, 3, 3]) { conv(3, kernel = 3, bias = false) };
    conv_signal: ([2, 1, 12] -> [3, 1, 4]) { conv1d(3, kernel = 5, stride = 2) };
    conv_many_channels: ([17, 4, 5] -> [9, 3, 4]) { conv(9, kernel = 2) };
    max_pool_2: ([3, 4, 6] -> [3, 2, 3]) { max_pool(2) };
    max_pool_rectangular: ([2, 4, 6] -> [2, 2, 2]) { max_pool((2, 3)) };
    max_pool_overlapping: ([2, 7, 7] -> [2, 3, 3]) { max_pool(3, stride = 2) };
    max_pool_padding: ([2, 6, 6] -> [2, 3, 3]) { max_pool(3, padding = (1, 2, 1, 2)) };
    max_pool_resnet: ([2, 7, 7] -> [2, 4, 4]) { max_pool(3, stride = 2, padding = 1) };
    max_pool_gaps: ([2, 8, 8] -> [2, 3, 3]) { max_pool(2, stride = 3) };
    max_pool_floor: ([2, 5, 7] -> [2, 2, 3]) { max_pool(2, floor) };
    max_pool_ceil: ([2, 5, 7] -> [2, 3, 4]) { max_pool(2, ceil) };
    avg_pool_2: ([3, 4, 6] -> [3, 2, 3]) { avg_pool(2) };
    avg_pool_rectangular: ([2, 4, 6] -> [2, 2, 2]) { avg_pool((2, 3)) };
    avg_pool_overlapping: ([2, 7, 7] -> [2, 3, 3]) { avg_pool(3, stride = 2) };
    avg_pool_padding: ([2, 5, 5] -> [2, 3, 3]) { avg_pool(3, stride = 2, padding = 1) };
    avg_pool_floor: ([2, 5, 7] -> [2, 2, 3]) { avg_pool(2, floor) };
    avg_pool_ceil: ([2, 5, 7] -> [2, 3, 4]) { avg_pool(2, ceil) };
    avg_pool_ceil_padding: ([2, 6, 6] -> [2, 4, 4]) { avg_pool(3, stride = 2, padding = 1, ceil) };
    global_avg_pool: ([5, 3, 4] -> [5]) { global_avg_pool };
    linear: ([7] -> [5]) { linear(5) };
    linear_no_bias: ([3] -> [4]) { linear(4, bias = false) };
    softmax: ([7] -> [7]) { softmax };
    relu: ([2, 3, 5] -> [2, 3, 5]) { relu };
    relu6: ([2, 3, 5] -> [2, 3, 5]) { relu6 };
    leaky_relu: ([2, 3, 5] -> [2, 3, 5]) { leaky_relu(0.1) };
    elu: ([2, 3, 5] -> [2, 3, 5]) { elu(1.3) };
    sigmoid: ([2, 3, 5] -> [2, 3, 5]) { sigmoid };
    tanh: ([2, 3, 5] -> [2, 3, 5]) { tanh };
    gelu: ([2, 3, 5] -> [2, 3, 5]) { gelu };
    silu: ([2, 3, 5] -> [2, 3, 5]) { silu };
    hard_sigmoid: ([2, 3, 5] -> [2, 3, 5]) { hard_sigmoid };
    hard_swish: ([2, 3, 5] -> [2, 3, 5]) { hard_swish };
    softplus: ([2, 3, 5] -> [2, 3, 5]) { softplus };
    global_max_pool: ([5, 3, 4] -> [5]) { global_max_pool };
    pad_zero: ([2, 3, 4] -> [2, 4, 9]) { pad((1, 0, 3, 2)) };
    pad_reflect: ([2, 4, 3] -> [2, 8, 5]) { pad((3, 1, 0, 2), reflect) };
    pad_replicate: ([3, 2, 3] -> [3, 6, 9]) { pad((0, 4, 5, 1), replicate) };
    upsample_nearest: ([2, 3, 4] -> [2, 9, 8]) { upsample((3, 2)) };
    upsample_bilinear: ([3, 3, 4] -> [3, 6, 20]) { upsample((2, 5), bilinear) };
    upsample_bilinear_one: ([2, 1, 3] -> [2, 3, 9]) { upsample(3, bilinear) };
    scale: ([3, 2, 5] -> [3, 2, 5]) { scale };
    bias: ([3, 2, 5] -> [3, 2, 5]) { bias };
    layer_norm: ([3, 4, 5] -> [3, 4, 5]) { layer_norm };
    layer_norm_flat: ([7] -> [7]) { layer_norm(epsilon = 0.1) };
    conv_transpose_plain: ([3, 4, 5] -> [2, 6, 6]) { conv_transpose(2, kernel = (3, 2)) };
    conv_transpose_double: ([5, 3, 4] -> [7, 6, 8]) { conv_transpose(7, kernel = 4, stride = 2, padding = 1) };
    conv_transpose_odd: ([2, 3, 4] -> [3, 11, 8]) {
        conv_transpose(3, kernel = (3, 5), stride = (3, 2), padding = (0, 2), output_padding = (2, 1))
    };
    conv_transpose_gaps: ([2, 3, 4] -> [3, 6, 13]) {
        conv_transpose(3, kernel = (1, 2), stride = (2, 3), output_padding = (1, 2), bias = false)
    };
    conv_transpose_dilation: ([2, 4, 3] -> [3, 7, 8]) {
        conv_transpose(3, kernel = (2, 3), padding = (1, 0), output_padding = (2, 1), dilation = (3, 2))
    };
    conv_transpose_groups: ([4, 3, 2] -> [6, 6, 3]) {
        conv_transpose(6, kernel = (3, 2), stride = 2, padding = 1, output_padding = 1, groups = 2)
    };
    conv_transpose_depthwise: ([5, 3, 3] -> [5, 5, 5]) {
        conv_transpose(5, kernel = 3, stride = 2, padding = 1, groups = depthwise)
    };
    conv_transpose_signal: ([3, 1, 5] -> [2, 1, 11]) {
        conv_transpose1d(2, kernel = 4, stride = 2, padding = 1, output_padding = 1)
    };
    concat: ([3, 5, 6] -> [10, 5, 6]) {
        concat { {}, { conv(4, kernel = 3, padding = 1) }, { avg_pool(3, stride = 1, padding = 1) } }
    };
    concat_flat: ([6] -> [16]) { concat { {}, { linear(4) }, { tanh } } };
}

/// What only the layer written by hand can do: in `network!`, softmax takes a flat vector.
const BY_HAND_ONLY: &[&str] = &["softmax_channels"];

#[test]
fn every_stored_case_is_judged() {
    let names = Reference::open("layers.safetensors").names();
    let stored: BTreeSet<&str> = names.iter().filter_map(|name| name.split('.').next()).collect();
    assert_eq!(stored, JUDGED.iter().chain(BY_HAND_ONLY).copied().collect());
}
