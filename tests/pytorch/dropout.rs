//! Dropout with masks that PyTorch was given as tensors: in training the same elements are dropped, at inference none.

use tenonet::prelude::*;

use crate::declared::Inner;
use crate::reference::{Reference, agree, agree_params, fill, fill_params};

/// As in `reference.py`, which draws the masks by a description of its own.
const MASKS: Masks = Masks::new(7).step(3);

network! {
    /// Dropout of a map, whose mask lies as maps do inside a network, and of a vector.
    struct Net([2, 6, 5] -> [4]) {
        conv(3, kernel = 3, padding = 1), relu, dropout(0.3), flatten,
        linear(6), tanh, dropout(0.5),
        linear(4),
    }
}

#[test]
fn by_hand() {
    fn with<T: Scalar>() {
        let reference = Reference::open("dropout.safetensors");
        let read = |name| *reference.read::<T, Tensor<3, 5, 6, T>>(name);
        let y = Dropout::new(0.3).forward(MASKS, &read("layer.input"));
        agree(y.as_slice(), &reference.get("layer.output"), "output");
        let dx = Dropout::new(0.3).backward(MASKS, &read("layer.d_output"));
        agree(dx.as_slice(), &reference.get("layer.d_input"), "d_input");
    }
    with::<f32>();
    with::<f64>();
}

#[test]
fn more_than_a_block() {
    let kept = Reference::open("dropout.safetensors").get("kept");
    let y = Dropout::new(0.9).forward(MASKS, &Tensor([[[1.0_f32; 9000]]]));
    assert_eq!(y.as_slice().len(), kept.len());
    assert!(y.as_slice().iter().zip(&kept).all(|(y, kept)| (*y > 0.0) == (*kept > 0.0)));
    // The list is a mask that keeps a tenth.
    assert!((800..1000).contains(&kept.iter().filter(|kept| **kept > 0.0).count()));
}

#[test]
fn declared() {
    judge::<Net<f32>>();
    judge::<Net<f64>>();
}

fn judge<N: Network>() {
    let reference = Reference::open("dropout.safetensors");
    let stored = |name: &str| reference.get(&format!("net.{name}"));
    let mut net = N::zeroed_box();
    fill_params(N::TENSORS, net.params_mut(), stored);
    let mut x = vec![N::Input::ZERO; 3];
    let mut dy = vec![N::Output::ZERO; 3];
    for (i, (x, dy)) in x.iter_mut().zip(&mut dy).enumerate() {
        fill(x.flat_mut(), &stored("x")[60 * i..][..60], "x");
        fill(dy.flat_mut(), &stored("d_output")[4 * i..][..4], "d_output");
    }

    let mut scratch = N::scratch();
    let outputs: Vec<N::Scalar> = x.iter().flat_map(|x| net.forward(x, &mut scratch).flat().to_vec()).collect();
    agree(&outputs, &stored("output"), "output at inference");

    let mut grad = N::zeroed_box();
    let loss = net.loss_and_grad_with(&x, &dy, &Inner, &mut grad, MASKS).unwrap();
    let products: Vec<f64> = stored("trained").iter().zip(stored("d_output")).map(|(y, dy)| y * dy / 3.0).collect();
    // Beside it the sum without cancellation, to which its rounding errors are relative.
    let scale = products.iter().map(|product| product.abs()).sum::<f64>();
    agree(&[loss, N::Scalar::of(scale)], &[products.iter().sum(), scale], "⟨d_output, output⟩ in training");
    agree_params(N::TENSORS, grad.params(), |tensor| stored(&format!("d_{tensor}")), "gradient");
}
