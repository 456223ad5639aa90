//! The zoo's full networks beside PyTorch: our half of `zoo.py --full`, which makes the files that are read here and judges those that are written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tenonet::prelude::*;
use tenonet::zoo::*;

/// As `zoo.py` has it.
const MASKS: Masks = Masks::new(7).step(3);
const DECLARED: Names = Names::DECLARED.num_batches_tracked();
const AUTO_ENCODER: Names = Names::of(&[
    ("encoder_1_fc", "encoder.0"),
    ("encoder_1_bn", "encoder.1"),
    ("encoder_2_fc", "encoder.3"),
    ("encoder_2_bn", "encoder.4"),
    ("encoder_3_fc", "encoder.6"),
    ("encoder_3_bn", "encoder.7"),
    ("encoder_4_fc", "encoder.9"),
    ("encoder_4_bn", "encoder.10"),
    ("code", "code.0"),
    ("code_bn", "code.1"),
    ("decoder_1_fc", "decoder.0"),
    ("decoder_1_bn", "decoder.1"),
    ("decoder_2_fc", "decoder.3"),
    ("decoder_2_bn", "decoder.4"),
    ("decoder_3_fc", "decoder.6"),
    ("decoder_3_bn", "decoder.7"),
    ("decoder_4_fc", "decoder.9"),
    ("decoder_4_bn", "decoder.10"),
])
.num_batches_tracked();

/// A tensor of `batch.safetensors`.
fn read(folder: &Path, name: &str) -> Vec<f32> {
    let bytes = fs::read(folder.join("batch.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.tensor(name).unwrap().data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn tensors<X: Plain<f32>>(elements: &[f32]) -> Vec<X> {
    let tensor = |elements: &[f32]| {
        let mut tensor = X::zeroed_box();
        tensor.flat_mut().copy_from_slice(elements);
        *tensor
    };
    elements.chunks_exact(X::LEN).map(tensor).collect()
}

/// Reads weights and a batch; writes outputs, loss, gradient, and the weights again.
fn run<N: Network<Scalar = f32>, L: Sync, E: Loss<N::Output, L>>(
    folder: &Path, names: &Names, loss: &E, targets: impl Fn(&[f32]) -> Vec<L>,
) {
    let net = N::load_named(folder.join("weights.safetensors"), names).unwrap();
    net.save_named(folder.join("saved.safetensors"), names).unwrap();

    let x: Vec<N::Input> = tensors(&read(folder, "x"));
    let mut scratch = N::scratch();
    let outputs: Vec<N::Output> = x.iter().map(|x| net.forward(x, &mut scratch)).collect();
    let outputs: Vec<f32> = outputs.iter().flat_map(|y| y.flat()).copied().collect();

    let mut grad = N::zeroed_box();
    let value = net.loss_and_grad_with(&x, &targets(&read(folder, "target")), loss, &mut grad, MASKS).unwrap();
    grad.save_named(folder.join("gradient.safetensors"), names).unwrap();
    let bytes = |elements: &[f32]| elements.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let found = [("output", bytes(&outputs)), ("loss", bytes(&[value]))];
    let views =
        found.iter().map(|(name, bytes)| (*name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).unwrap()));
    fs::write(folder.join("ours.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
}

fn classifier<N: Network<Scalar = f32>>(folder: &Path, names: &Names)
where
    SoftmaxCrossEntropy: Loss<N::Output, u16>,
{
    run::<N, u16, _>(folder, names, &SoftmaxCrossEntropy, |labels| labels.iter().map(|&label| label as u16).collect());
}

#[test]
#[ignore = "needs PyTorch: python tests/pytorch/zoo.py --full"]
fn computes_what_is_asked() {
    type Run = fn(&Path);
    let networks: HashMap<&str, Run> = HashMap::from([
        ("LeNet5", (|folder| classifier::<LeNet5>(folder, &DECLARED)) as Run),
        ("MnistCnn", |folder| classifier::<MnistCnn>(folder, &DECLARED)),
        ("ResNet8", |folder| classifier::<ResNet8>(folder, &DECLARED)),
        ("DsCnn", |folder| classifier::<DsCnn>(folder, &DECLARED)),
        ("PersonDetection", |folder| classifier::<PersonDetection>(folder, &DECLARED)),
        ("AutoEncoder", |folder| run::<AutoEncoder, Tensor<640>, _>(folder, &AUTO_ENCODER, &SquaredError, tensors)),
        ("M5", |folder| classifier::<M5>(folder, &DECLARED)),
        ("UNet", |folder| run::<UNet, Tensor<1, 64, 64>, _>(folder, &DECLARED, &SquaredError, tensors)),
        ("AlexNet", |folder| classifier::<AlexNet>(folder, &TORCHVISION)),
        ("Vgg16", |folder| classifier::<Vgg16>(folder, &TORCHVISION)),
        ("ResNet18", |folder| classifier::<ResNet18>(folder, &TORCHVISION)),
        ("MobileNetV1", |folder| classifier::<MobileNetV1>(folder, &DECLARED)),
        ("MobileNetV1Quarter", |folder| classifier::<MobileNetV1Quarter>(folder, &DECLARED)),
        ("SqueezeNet", |folder| classifier::<SqueezeNet>(folder, &TORCHVISION)),
    ]);
    let given = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set: zoo.py --full sets it"));
    let folder = PathBuf::from(given("TENONET_FOLDER"));
    networks[given("TENONET_FULL").as_str()](&folder);
}
