//! LeNet-5 in f32 and f64: logits, loss, all gradients, and ten steps of SGD on one batch.

use tenonet::network;
use tenonet::prelude::*;

use crate::reference::{Reference, agree, agree_params, fill, fill_params, path};

network! {
    /// LeNet-5 for 28 × 28 grey digits.
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
        conv2: conv(16, kernel = 5), relu, max_pool(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

/// PyTorch's numbers of one element type: `suffix` is that of `logits` and `losses`.
fn judge<N: Network>(suffix: &str)
where
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    let weights = Reference::open("lenet_weights.safetensors");
    let reference = Reference::open("lenet.safetensors");
    let mut net = N::zeroed_box();
    fill_params(N::TENSORS, net.params_mut(), |tensor| weights.get(tensor));
    let pixels = reference.get("images");
    let images: Vec<N::Input> = pixels
        .chunks(28 * 28)
        .map(|pixels| {
            let mut image = N::Input::ZERO;
            fill(image.flat_mut(), pixels, "images");
            image
        })
        .collect();
    let labels: Vec<u8> = reference.get("labels").iter().map(|&label| label as u8).collect();

    let logits = reference.get(&format!("logits{suffix}"));
    let mut scratch = N::scratch();
    let outputs: Vec<N::Output> = images.iter().map(|image| net.forward(image, &mut scratch)).collect();
    let flat: Vec<N::Scalar> = outputs.iter().flat_map(|y| y.flat()).copied().collect();
    agree(&flat, &logits, "logits");
    let mut batch = vec![N::Output::ZERO; images.len()];
    net.forward_batch(&images, &mut batch).unwrap();
    let flat: Vec<N::Scalar> = batch.iter().flat_map(|y| y.flat()).copied().collect();
    agree(&flat, &logits, "logits of a batch");

    let mut grad = N::zeroed_box();
    let losses = reference.get(&format!("losses{suffix}"));
    let mut sgd = Sgd::new(0.05).momentum(0.9);
    for (step, &wanted) in losses.iter().enumerate() {
        let loss = net.loss_and_grad(&images, &labels, &SoftmaxCrossEntropy, &mut grad).unwrap();
        agree(&[loss], &[wanted], &format!("loss before step {step}"));
        if step == 0 {
            agree_params(N::TENSORS, grad.params(), |tensor| reference.get(tensor), "gradient");
        }
        sgd.step(net.params_mut(), grad.params()).unwrap();
    }
    assert_eq!(losses.len(), 10);
}

#[test]
fn in_f32() {
    judge::<LeNet<f32>>("");
}

#[test]
fn in_f64() {
    judge::<LeNet<f64>>(".f64");
}

/// A file that PyTorch's side wrote is a weight file.
#[test]
fn weights_load_by_name() {
    let net = LeNet::<f32>::load(path("lenet_weights.safetensors")).unwrap();
    let weights = Reference::open("lenet_weights.safetensors");
    assert_eq!(net.params().len(), weights.names().iter().map(|name| weights.get(name).len()).sum::<usize>());
    agree_params(LeNet::TENSORS, net.params(), |tensor| weights.get(tensor), "weights");
}
