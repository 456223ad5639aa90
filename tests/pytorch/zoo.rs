//! Small versions of the zoo's networks: PyTorch's `state_dict` loads under its own names, and outputs, loss, gradients, and running averages after a step in training are
//! PyTorch's. What is saved under the same names is the file that PyTorch wrote, tensor by tensor and bit by bit. See `zoo.py`, which made the files.

use std::fs;

use safetensors::tensor::SafeTensors;
use tenonet::prelude::*;

use crate::reference::{Reference, agree, fill, path};

network! {
    /// Named like torchvision's `alexnet`.
    struct AlexNet([3, 63, 63] -> [5]) {
        features_0: conv(4, kernel = 11, stride = 4, padding = 2), relu, max_pool(3, stride = 2),
        features_3: conv(6, kernel = 5, padding = 2), relu, max_pool(3, stride = 2),
        features_6: conv(8, kernel = 3, padding = 1), relu,
        features_8: conv(6, kernel = 3, padding = 1), relu,
        features_10: conv(6, kernel = 3, padding = 1), relu, max_pool(3, stride = 2),
        flatten,
        dropout(0.5), classifier_1: linear(12), relu,
        dropout(0.5), classifier_4: linear(12), relu,
        classifier_6: linear(5),
    }
}

network! {
    /// Three stages of VGG-16's five.
    struct Vgg([3, 16, 16] -> [5]) {
        features_0: conv(4, kernel = 3, padding = 1), relu,
        features_2: conv(4, kernel = 3, padding = 1), relu, max_pool(2),
        features_5: conv(6, kernel = 3, padding = 1), relu,
        features_7: conv(6, kernel = 3, padding = 1), relu, max_pool(2),
        features_10: conv(8, kernel = 3, padding = 1), relu,
        features_12: conv(8, kernel = 3, padding = 1), relu,
        features_14: conv(8, kernel = 3, padding = 1), relu, max_pool(2),
        flatten,
        classifier_0: linear(14), relu, dropout(0.5),
        classifier_3: linear(14), relu, dropout(0.5),
        classifier_6: linear(5),
    }
}

network! {
    /// Two stages of ResNet-18's four: a block without and one with a convolution in its shortcut, and one behind it.
    struct ResNet([3, 32, 32] -> [5]) {
        conv1: conv(6, kernel = 7, stride = 2, padding = 3, bias = false), bn1: batch_norm, relu,
        max_pool(3, stride = 2, padding = 1, floor),
        residual {
            layer1_0_conv1: conv(6, kernel = 3, padding = 1, bias = false), layer1_0_bn1: batch_norm, relu,
            layer1_0_conv2: conv(6, kernel = 3, padding = 1, bias = false), layer1_0_bn2: batch_norm,
        }, relu,
        residual {
            layer2_0_conv1: conv(8, kernel = 3, stride = 2, padding = 1, bias = false), layer2_0_bn1: batch_norm, relu,
            layer2_0_conv2: conv(8, kernel = 3, padding = 1, bias = false), layer2_0_bn2: batch_norm,
        } shortcut {
            layer2_0_downsample_0: conv(8, kernel = 1, stride = 2, bias = false), layer2_0_downsample_1: batch_norm,
        }, relu,
        residual {
            layer2_1_conv1: conv(8, kernel = 3, padding = 1, bias = false), layer2_1_bn1: batch_norm, relu,
            layer2_1_conv2: conv(8, kernel = 3, padding = 1, bias = false), layer2_1_bn2: batch_norm,
        }, relu,
        global_avg_pool,
        fc: linear(5),
    }
}

network! {
    /// Two depthwise separable convolutions of MobileNetV1's thirteen, one with a stride, under TensorFlow's `same` padding.
    struct MobileNet([3, 18, 18] -> [7]) {
        conv1: conv(6, kernel = 3, stride = 2, padding = same, bias = false), conv1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_1: conv(6, kernel = 3, padding = same, groups = depthwise, bias = false), conv_dw_1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_1: conv(8, kernel = 1, bias = false), conv_pw_1_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_dw_2: conv(8, kernel = 3, stride = 2, padding = same, groups = depthwise, bias = false), conv_dw_2_bn: batch_norm(epsilon = 1e-3), relu6,
        conv_pw_2: conv(12, kernel = 1, bias = false), conv_pw_2_bn: batch_norm(epsilon = 1e-3), relu6,
        global_avg_pool, dropout(0.25),
        conv_preds: linear(7),
    }
}

network! {
    /// Three Fire modules of SqueezeNet's eight.
    struct SqueezeNet([3, 31, 31] -> [5]) {
        features_0: conv(8, kernel = 3, stride = 2), relu, max_pool(3, stride = 2),
        features_3_squeeze: conv(4, kernel = 1), relu,
        concat { { features_3_expand1x1: conv(6, kernel = 1), relu }, { features_3_expand3x3: conv(6, kernel = 3, padding = 1), relu } },
        features_4_squeeze: conv(4, kernel = 1), relu,
        concat { { features_4_expand1x1: conv(6, kernel = 1), relu }, { features_4_expand3x3: conv(6, kernel = 3, padding = 1), relu } },
        max_pool(3, stride = 2),
        features_6_squeeze: conv(5, kernel = 1), relu,
        concat { { features_6_expand1x1: conv(8, kernel = 1), relu }, { features_6_expand3x3: conv(8, kernel = 3, padding = 1), relu } },
        dropout(0.5),
        classifier_1: conv(5, kernel = 1), relu,
        global_avg_pool,
    }
}

network! {
    /// Two halvings of the U-Net's three.
    struct UNet([3, 12, 12] -> [1, 12, 12]) {
        down1: repeat(2) { conv: conv(4, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
        concat {
            {
                max_pool(2),
                down2: repeat(2) { conv: conv(6, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                concat {
                    {
                        max_pool(2),
                        bottom: repeat(2) { conv: conv(8, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                        up2: conv_transpose(6, kernel = 2, stride = 2),
                    },
                    {},
                },
                across2: repeat(2) { conv: conv(6, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
                up1: conv_transpose(4, kernel = 2, stride = 2),
            },
            {},
        },
        across1: repeat(2) { conv: conv(4, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
        output: conv(1, kernel = 1),
    }
}

network! {
    /// Two stages of M5's four.
    struct M5([1, 1, 832] -> [5]) {
        conv1: conv1d(6, kernel = 80, stride = 16), bn1: batch_norm, relu, max_pool1d(4),
        conv2: conv1d(8, kernel = 3), bn2: batch_norm, relu, max_pool1d(4, floor),
        global_avg_pool,
        fc1: linear(5),
    }
}

network! {
    /// Two separable convolutions of the four of MLPerf Tiny's keyword spotting.
    struct DsCnn([1, 13, 6] -> [5]) {
        conv: conv(8, kernel = (10, 4), stride = 2, padding = same), bn: batch_norm(epsilon = 1e-3), relu, dropout(0.2),
        separable: repeat(2) {
            depthwise: conv(8, kernel = 3, padding = same, groups = depthwise), depthwise_bn: batch_norm(epsilon = 1e-3), relu,
            pointwise: conv(8, kernel = 1), pointwise_bn: batch_norm(epsilon = 1e-3), relu,
        },
        dropout(0.4), avg_pool((7, 3)), flatten,
        fc: linear(5),
    }
}

network! {
    /// ResNet-8 in a quarter of its width, on a quarter of the picture.
    struct ResNet8([3, 16, 16] -> [5]) {
        conv1: conv(4, kernel = 3, padding = same), bn1: batch_norm(epsilon = 1e-3), relu,
        residual {
            conv2: conv(4, kernel = 3, padding = same), bn2: batch_norm(epsilon = 1e-3), relu,
            conv3: conv(4, kernel = 3, padding = same), bn3: batch_norm(epsilon = 1e-3),
        }, relu,
        residual {
            conv4: conv(8, kernel = 3, stride = 2, padding = same), bn4: batch_norm(epsilon = 1e-3), relu,
            conv5: conv(8, kernel = 3, padding = same), bn5: batch_norm(epsilon = 1e-3),
        } shortcut {
            skip2: conv(8, kernel = 1, stride = 2),
        }, relu,
        residual {
            conv6: conv(16, kernel = 3, stride = 2, padding = same), bn6: batch_norm(epsilon = 1e-3), relu,
            conv7: conv(16, kernel = 3, padding = same), bn7: batch_norm(epsilon = 1e-3),
        } shortcut {
            skip3: conv(16, kernel = 1, stride = 2),
        }, relu,
        avg_pool(4), flatten,
        fc: linear(5),
    }
}

network! {
    /// The auto-encoder of MLPerf Tiny, two layers on each side.
    struct AutoEncoder([20] -> [20]) {
        encoder: repeat(2) { fc: linear(10), bn: batch_norm(epsilon = 1e-3), relu },
        code: linear(4), code_bn: batch_norm(epsilon = 1e-3), relu,
        decoder: repeat(2) { fc: linear(10), bn: batch_norm(epsilon = 1e-3), relu },
        output: linear(20),
    }
}

/// As torchvision does it, and whoever names modules like our layers.
const DOTTED: Names = Names::of(&[]).dotted().num_batches_tracked();
const DECLARED: Names = Names::DECLARED.num_batches_tracked();
/// In PyTorch each part is one `Sequential`.
const AUTO_ENCODER: Names = Names::of(&[
    ("encoder_1_fc", "encoder.0"),
    ("encoder_1_bn", "encoder.1"),
    ("encoder_2_fc", "encoder.3"),
    ("encoder_2_bn", "encoder.4"),
    ("code", "code.0"),
    ("code_bn", "code.1"),
    ("decoder_1_fc", "decoder.0"),
    ("decoder_1_bn", "decoder.1"),
    ("decoder_2_fc", "decoder.3"),
    ("decoder_2_bn", "decoder.4"),
])
.num_batches_tracked();
const _: () = assert!(AUTO_ENCODER.check(AutoEncoder::TENSORS).is_ok());

/// What PyTorch's dropout was given: the same seed and step as in `zoo.py`.
const MASKS: Masks = Masks::new(7).step(3);

/// The elements of the tensors, one after another.
fn flat<X: Plain<f32>>(tensors: &[X]) -> Vec<f32> {
    tensors.iter().flat_map(|tensor| tensor.flat()).copied().collect()
}

/// The stored elements as tensors.
fn tensors<X: Plain<f32>>(stored: &[f64], name: &str) -> Vec<X> {
    let tensor = |stored: &[f64]| {
        let mut tensor = X::zeroed_box();
        fill(tensor.flat_mut(), stored, name);
        *tensor
    };
    stored.chunks(X::LEN).map(tensor).collect()
}

/// Bytes as inputs.
fn inputs(bytes: &[f64]) -> Vec<f64> {
    bytes.iter().map(|byte| (byte - 128.0) / 64.0).collect()
}

fn judge<N: Network<Scalar = f32>, L: Sync, E: Loss<N::Output, L>>(
    case: &str, names: &Names, loss: &E, targets: impl Fn(&[f64]) -> Vec<L>,
) {
    let (file, reference) = (path(&format!("zoo/{case}.safetensors")), Reference::open("zoo.safetensors"));
    let stored = |part: &str| reference.get(&format!("{case}.{part}"));
    let name = |part: &str| format!("{case}, {part}");
    let mut net = N::load_named(&file, names).unwrap();
    is_theirs(&net.to_bytes_named(names).unwrap(), &fs::read(&file).unwrap());

    let x: Vec<N::Input> = tensors(&inputs(&stored("x")), case);
    let mut scratch = N::scratch();
    let outputs: Vec<N::Output> = x.iter().map(|x| net.forward(x, &mut scratch)).collect();
    agree(&flat(&outputs), &stored("output"), &name("outputs"));
    let mut batch = vec![N::Output::ZERO; x.len()];
    net.forward_batch(&x, &mut batch).unwrap();
    agree(&flat(&batch), &stored("output"), &name("outputs of a batch"));

    let mut grad = N::zeroed_box();
    let value = net.loss_and_grad_with(&x, &targets(&stored("target")), loss, &mut grad, MASKS).unwrap();
    agree(&[value], &stored("loss"), &name("loss"));
    net.update_statistics(&grad);
    for tensor in N::TENSORS {
        let theirs = names.theirs(tensor.name).to_string();
        let mut ours = vec![0.0; tensor.len()];
        if tensor.range().end > N::PARAMS {
            tensor.copy_to_file_order(&net.flat()[tensor.range()], &mut ours);
            agree(&ours, &stored(&format!("after.{theirs}")), &name(&theirs));
            continue;
        }
        tensor.copy_to_file_order(&grad.params()[tensor.range()], &mut ours);
        let mut wanted = stored(&format!("d.{theirs}"));
        // Before a normalisation a bias changes nothing: its gradient is what rounding left of a sum that cancels. Beside it the gradient of its layer's
        // weight, to which the difference is relative then.
        let most = |values: &[f64]| values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let layer = theirs.rsplit_once('.').map_or("", |(layer, _)| layer);
        let weight = most(&stored(&format!("d.{layer}.weight")));
        if most(&wanted) < 1e-9 * weight {
            ours.push(weight as f32);
            wanted.push(weight);
        }
        agree(&ours, &wanted, &name(&format!("gradient of {theirs}")));
    }
}

/// That a file has the tensors of another, bit by bit.
fn is_theirs(ours: &[u8], theirs: &[u8]) {
    let (ours, theirs) = (SafeTensors::deserialize(ours).unwrap(), SafeTensors::deserialize(theirs).unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (name, theirs) in theirs.iter() {
        let ours = ours.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((ours.dtype(), ours.shape()), (theirs.dtype(), theirs.shape()), "{name}");
        assert!(ours.data() == theirs.data(), "{name}: the elements differ");
    }
}

fn classifies<N: Network<Scalar = f32>>(case: &str, names: &Names)
where
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    judge::<N, u8, _>(case, names, &SoftmaxCrossEntropy, |stored| stored.iter().map(|&label| label as u8).collect());
}

#[test]
fn alex_net() {
    classifies::<AlexNet>("alex_net", &DOTTED);
}

#[test]
fn vgg() {
    classifies::<Vgg>("vgg", &DOTTED);
}

#[test]
fn res_net() {
    classifies::<ResNet>("res_net", &DOTTED);
}

#[test]
fn mobile_net() {
    classifies::<MobileNet>("mobile_net", &DECLARED);
}

#[test]
fn squeeze_net() {
    classifies::<SqueezeNet>("squeeze_net", &DOTTED);
}

#[test]
fn u_net() {
    judge::<UNet, Tensor<1, 12, 12>, _>("u_net", &DECLARED, &SquaredError, |stored| tensors(stored, "targets"));
}

#[test]
fn m5() {
    classifies::<M5>("m5", &DECLARED);
}

#[test]
fn ds_cnn() {
    classifies::<DsCnn>("ds_cnn", &DECLARED);
}

#[test]
fn res_net8() {
    classifies::<ResNet8>("res_net8", &DECLARED);
}

#[test]
fn auto_encoder() {
    judge::<AutoEncoder, Tensor<20>, _>("auto_encoder", &AUTO_ENCODER, &SquaredError, |stored| {
        tensors(&inputs(stored), "targets")
    });
}

static RES_NET: ResNet = include_weights!(ResNet, "tests/pytorch/zoo/res_net.safetensors", names = DOTTED);
static AUTO: AutoEncoder =
    include_weights!(AutoEncoder, "tests/pytorch/zoo/auto_encoder.safetensors", names = AUTO_ENCODER);

#[test]
fn included_files_are_as_loaded() {
    assert_eq!(RES_NET.flat(), ResNet::load_named(path("zoo/res_net.safetensors"), &DOTTED).unwrap().flat());
    assert_eq!(
        AUTO.flat(),
        AutoEncoder::load_named(path("zoo/auto_encoder.safetensors"), &AUTO_ENCODER).unwrap().flat()
    );
}
