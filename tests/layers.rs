//! Layers written by hand: a declared network of the same layers and weights yields the same output, whichever of them
//! the macro fuses; and what a layer borrows to work in does not show.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tenonet::kernels::reference::{self, Order};
use tenonet::prelude::*;

fn random<X: Plain<f64>>(seed: u64) -> Box<X> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut x = X::zeroed_box();
    x.flat_mut().fill_with(|| rng.random_range(-1.0..1.0));
    x
}

#[track_caller]
fn assert_close(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= 1e-12 * (1.0 + wanted.abs()), "[{i}]: {found} instead of {wanted}");
    }
}

network! {
    /// Fused steps of all sorts, and steps by themselves.
    struct Declared([2, 13, 11] -> [7]) {
        conv1: conv(6, kernel = (3, 5), padding = (1, 0, 2, 1)), leaky_relu(0.1), max_pool(2),
        conv2: conv(4, kernel = 3, stride = (1, 2), padding = 1, groups = 2, bias = false), silu,
        avg_pool(2, stride = 1),
        conv3: conv(8, kernel = (2, 1), dilation = (2, 1), groups = depthwise), tanh,
        conv4: conv(5, kernel = 1), gelu, max_pool((3, 1)),
        flatten,
        fc1: linear(9), sigmoid,
        fc2: linear(7, bias = false), softmax,
    }
}

fn by_hand(net: &Declared<f64>, x: &Tensor<2, 13, 11, f64>) -> Tensor<7, 1, 1, f64> {
    let z: Tensor<6, 12, 10, f64> = net.conv1.forward(x);
    let y: Tensor<6, 6, 5, f64> = MaxPool2d::<2, 2>.forward(&LeakyRelu::new(0.1).forward(&z));
    let z: Tensor<4, 6, 3, f64> = net.conv2.forward(&y);
    let y: Tensor<4, 5, 2, f64> = AvgPool2d::<2, 2, 1, 1>.forward(&Silu.forward(&z));
    let z: Tensor<8, 3, 2, f64> = net.conv3.forward(&y);
    let z: Tensor<5, 3, 2, f64> = net.conv4.forward(&Tanh.forward(&z));
    let y: Tensor<5, 1, 2, f64> = MaxPool2d::<3, 1>.forward(&Gelu.forward(&z));
    let z: Tensor<9, 1, 1, f64> = net.fc1.forward(y.flatten());
    Softmax.forward(&net.fc2.forward(&Sigmoid.forward(&z)))
}

#[test]
fn hand_written_is_declared() {
    let net = random::<Declared<f64>>(1);
    let mut scratch = Scratch::boxed();
    let inputs: Vec<Tensor<2, 13, 11, f64>> = (0..40).map(|seed| *random(seed + 100)).collect();
    let mut outputs = vec![Tensor::zeros(); inputs.len()];
    net.forward_batch(&inputs, &mut outputs).unwrap();
    for (x, y) in inputs.iter().zip(&outputs) {
        let wanted = by_hand(&net, x);
        assert_close(y.as_slice(), wanted.as_slice());
        assert_close(net.forward(x, &mut scratch).as_slice(), wanted.as_slice());
        assert!((y.as_slice().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

/// A convolution against the naive kernels.
fn check_conv<const IN: usize, const OUT: usize, const SIDE: usize>() {
    let conv = random::<Conv2d<IN, OUT, 3, 3, f64, Window<1, 1, 1, 1, 1, 1>>>(2);
    let x = random::<Tensor<IN, SIDE, SIDE, f64>>(3);
    let y: Tensor<OUT, SIDE, SIDE, f64> = conv.forward(&x);
    let shape = Conv2d::<IN, OUT, 3, 3, f64, Window<1, 1, 1, 1, 1, 1>>::shape(SIDE, SIDE);
    let (weight, planes) = (Plain::<f64>::flat(&conv.weight), [Order::Planes; 2]);
    let mut wanted = vec![0.0; y.as_slice().len()];
    reference::conv_forward(&shape, planes, x.as_slice(), weight, &conv.bias, &mut wanted);
    let scale = (9 * IN) as f64;
    let scaled = |values: &[f64]| values.iter().map(|v| v / scale).collect::<Vec<_>>();
    assert_close(&scaled(y.as_slice()), &scaled(&wanted));

    let dy = random::<Tensor<OUT, SIDE, SIDE, f64>>(4);
    let mut grad = Box::new(Conv2d::zeros());
    let dx = conv.backward(&x, &y, &dy, &mut grad);
    let mut wanted = vec![0.0; x.as_slice().len()];
    reference::conv_backward_input(&shape, planes, weight, dy.as_slice(), &mut wanted);
    assert_close(&scaled(dx.as_slice()), &scaled(&wanted));
    let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; OUT]);
    reference::conv_backward_params(&shape, planes, x.as_slice(), dy.as_slice(), &mut dw, &mut db);
    assert_close(Plain::<f64>::flat(&grad.weight), &dw);
    assert_close(&grad.bias, &db);
}

/// A linear layer whose backward pass works on the heap, against the naive kernels.
#[test]
fn a_large_linear_layer() {
    const IN: usize = 130;
    const OUT: usize = 70;
    let linear = random::<Linear<IN, OUT, f64>>(2);
    let x = random::<Tensor<IN, 1, 1, f64>>(3);
    let y: Tensor<OUT, 1, 1, f64> = linear.forward(&x);
    let mut wanted = vec![0.0; OUT];
    reference::linear_forward(x.as_slice(), linear.weight.as_flattened(), &linear.bias, &mut wanted);
    assert_close(y.as_slice(), &wanted);

    let dy = random::<Tensor<OUT, 1, 1, f64>>(4);
    let mut grad = Box::new(Linear::zeros());
    let dx = linear.backward(&x, &y, &dy, &mut grad);
    let (mut dw, mut db, mut wanted) = (vec![0.0; IN * OUT], vec![0.0; OUT], vec![0.0; IN]);
    let weight = linear.weight.as_flattened();
    reference::linear_backward(x.as_slice(), weight, dy.as_slice(), &mut dw, &mut db, &mut wanted);
    assert_close(dx.as_slice(), &wanted);
    assert_close(grad.weight.as_flattened(), &dw);
    assert_close(&grad.bias, &db);
}

#[test]
fn workspace_of_any_size() {
    // On the stack, and on the heap.
    check_conv::<1, 2, 5>();
    check_conv::<32, 2, 20>();
}

/// A window of more than 256 places has its maximum found again, wherever it is.
#[test]
fn windows_of_many_places() {
    let pool = MaxPool2d::<20, 30>;
    for at in [0, 255, 256, 300, 511, 599] {
        let mut x = Tensor::<1, 20, 30, f64>::zeros();
        x.as_mut_slice()[at] = 2.0;
        let y: Tensor<1, 1, 1, f64> = pool.forward(&x);
        assert_eq!(y[0][0][0], 2.0);
        let dx = pool.backward(&x, &y, &Tensor([[[3.0]]]), &mut MaxPool2d);
        assert!(dx.as_slice().iter().enumerate().all(|(i, dx)| *dx == if i == at { 3.0 } else { 0.0 }));
    }
}
