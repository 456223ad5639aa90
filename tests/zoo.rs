//! The zoo: each small network runs and learns, the large ones have the tensors of their sources.
//!
//! Without optimisation a multiply-add takes a hundred times as long, so networks for ImageNet are judged by their tables: their layers are those that
//! `tests/pytorch` judges.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tenonet::prelude::*;
use tenonet::zoo::*;

fn random<X: Plain<f32>>(rng: &mut StdRng) -> Box<X> {
    let mut x = X::zeroed_box();
    x.flat_mut().fill_with(|| rng.random_range(-1.0..1.0));
    x
}

/// On random weights, outputs are finite, differ with the input, and are the same for a batch as for its inputs one by one.
fn runs<N: Network<Scalar = f32>>() {
    let mut rng = StdRng::seed_from_u64(1);
    let net = N::init(&mut rng);
    let x: Vec<N::Input> = (0..2).map(|_| *random(&mut rng)).collect();
    let mut scratch = N::scratch();
    let y: Vec<N::Output> = x.iter().map(|x| net.forward(x, &mut scratch)).collect();
    let mut batch = vec![N::Output::ZERO; x.len()];
    net.forward_batch(&x, &mut batch).unwrap();
    for (y, batch) in y.iter().zip(&batch) {
        assert!(y.flat().iter().all(|y| y.is_finite()), "{}", N::NAME);
        let largest = y.flat().iter().fold(0.0_f32, |most, y| most.max(y.abs()));
        let close = y.flat().iter().zip(batch.flat()).all(|(y, batch)| (y - batch).abs() <= 1e-4 * largest);
        assert!(largest > 0.0 && close, "{}", N::NAME);
    }
    assert_ne!(y[0].flat(), y[1].flat(), "{}", N::NAME);
}

/// A step against the gradient lowers the loss of the batch it was computed for, with the same masks, if it is small enough.
fn learns<N: Network<Scalar = f32>, L: Sync, E: Loss<N::Output, L>>(
    n: usize, loss: &E, target: impl Fn(usize, &N::Input) -> L,
) {
    let mut rng = StdRng::seed_from_u64(2);
    let mut net = N::init(&mut rng);
    let x: Vec<N::Input> = (0..n).map(|_| *random(&mut rng)).collect();
    let targets: Vec<L> = x.iter().enumerate().map(|(i, x)| target(i, x)).collect();
    let (mut grad, mut other) = (N::zeroed_box(), N::zeroed_box());
    let before = net.loss_and_grad(&x, &targets, loss, &mut grad).unwrap();
    for tensor in N::TENSORS.iter().filter(|tensor| tensor.range().end <= N::PARAMS) {
        assert!(grad.flat()[tensor.range()].iter().all(|d| d.is_finite()), "{}: {}", N::NAME, tensor.name);
    }
    let start = net.params().to_vec();
    let mut after = Vec::new();
    for rate in [1e-2, 1e-3, 1e-4] {
        net.params_mut().copy_from_slice(&start);
        Sgd::new(rate).step(net.params_mut(), grad.params()).unwrap();
        after.push(net.loss_and_grad(&x, &targets, loss, &mut other).unwrap());
        if after.last().is_some_and(|after| *after < before) {
            return;
        }
    }
    panic!("{}: the loss went from {before} to {after:?}", N::NAME);
}

/// [`learns`] for a classifier, its batch one of all classes in turn.
fn classifies<N: Network<Scalar = f32>>(n: usize)
where
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    let classes = <N::Output as Plain<f32>>::LEN;
    learns::<N, u8, _>(n, &SoftmaxCrossEntropy, |i, _| (i % classes) as u8);
}

#[test]
fn lenet5() {
    runs::<LeNet5>();
    classifies::<LeNet5>(8);
}

#[test]
fn mnist_cnn() {
    runs::<MnistCnn>();
    classifies::<MnistCnn>(2);
}

#[test]
fn res_net8() {
    runs::<ResNet8>();
    classifies::<ResNet8>(4);
}

#[test]
fn ds_cnn() {
    runs::<DsCnn>();
    classifies::<DsCnn>(4);
}

#[test]
fn person_detection() {
    runs::<PersonDetection>();
    classifies::<PersonDetection>(4);
}

#[test]
fn mobile_net_v1_quarter() {
    runs::<MobileNetV1Quarter>();
    learns::<MobileNetV1Quarter, u16, _>(4, &SoftmaxCrossEntropy, |i, _| 300 * i as u16);
}

#[test]
fn auto_encoder() {
    runs::<AutoEncoder>();
    learns::<AutoEncoder, Tensor<640>, _>(8, &SquaredError, |_, x| *x);
}

#[test]
fn m5() {
    runs::<M5>();
    classifies::<M5>(8);
}

#[test]
fn u_net() {
    runs::<UNet>();
    learns::<UNet, Tensor<1, 64, 64>, _>(1, &SquaredError, |_, x| {
        // The pixels whose first channel is positive.
        Tensor([x[0].map(|row| row.map(|x| f32::from(x > 0.0)))])
    });
}

/// The tensors of a network: their number, and some by name and shape.
fn has<N: Network<Scalar = f32>>(tensors: usize, some: &[(&str, &[usize])]) {
    assert_eq!(N::TENSORS.len(), tensors, "{}", N::NAME);
    for (name, shape) in some {
        let tensor = N::TENSORS.iter().find(|tensor| tensor.name == *name);
        assert_eq!(tensor.map(|tensor| tensor.shape), Some(*shape), "{}: {name}", N::NAME);
    }
    let elements: usize = N::TENSORS.iter().map(|tensor| tensor.len()).sum();
    assert_eq!(elements, N::PARAMS + N::STATISTICS, "{}", N::NAME);
}

// When compiling: the names of the most tensors.
const _: () = assert!(TORCHVISION.check(ResNet18::TENSORS).is_ok());

/// What the sources have; of torchvision's without `num_batches_tracked`.
#[test]
fn tensors_of_the_large() {
    has::<AlexNet>(16, &[("features_0.weight", &[64, 3, 11, 11]), ("classifier_1.weight", &[4096, 9216])]);
    has::<Vgg16>(32, &[("features_28.bias", &[512]), ("classifier_0.weight", &[4096, 25088])]);
    has::<ResNet18>(
        102,
        &[
            ("conv1.weight", &[64, 3, 7, 7]),
            ("bn1.running_var", &[64]),
            ("layer1_1_conv2.weight", &[64, 64, 3, 3]),
            ("layer2_0_downsample_0.weight", &[128, 64, 1, 1]),
            ("layer2_0_downsample_1.running_mean", &[128]),
            ("layer4_1_bn2.weight", &[512]),
            ("fc.bias", &[1000]),
        ],
    );
    has::<SqueezeNet>(
        52,
        &[
            ("features_3_squeeze.weight", &[16, 64, 1, 1]),
            ("features_12_expand3x3.weight", &[256, 64, 3, 3]),
            ("classifier_1.weight", &[1000, 512, 1, 1]),
        ],
    );
    has::<MobileNetV1>(
        137,
        &[
            ("conv_dw_13.weight", &[1024, 1, 3, 3]),
            ("conv_pw_12_bn.running_var", &[1024]),
            ("conv_preds.bias", &[1000]),
        ],
    );
}
