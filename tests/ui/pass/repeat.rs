//! Repeated layers: what they are called, in a crate that warns of nothing.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use tenonet::prelude::*;

const WIDTH: usize = 8;
const SLOPE: f64 = 0.1;

network! {
    /// As deep as ResNet-20.
    #[budget(weights = 2 * 1024 * 1024)]
    #[derive(Clone, Debug)]
    pub struct Deep([3, 32, 32] -> [10]) {
        conv1: conv(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        stage1: repeat(3) {
            residual {
                conv1: conv(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
                conv2: conv(16, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            }, relu,
        },
        stage2: repeat(2 * 1) {
            residual { conv1: conv(32, kernel = 3, padding = 1, stride = 2) }
                shortcut { skip: conv(32, kernel = 1, stride = 2) },
            relu,
        },
        global_avg_pool,
        fc: linear(10),
    }
}

network! {
    /// Sizes that only the compiler knows, repetitions in repetitions, raw names.
    pub struct Nested([WIDTH, 9, 9] -> [WIDTH, 5, 5]) {
        repeat(2) {
            repeat(2) { r#type: conv(WIDTH, kernel = WIDTH / 4), leaky_relu(SLOPE) },
            tail: repeat(1) { norm: batch_norm, relu },
        },
    }
}

fn main() {
    let names: Vec<&str> = Deep::TENSORS.iter().map(|tensor| tensor.name).collect();
    for name in ["stage1_1_conv1.weight", "stage1_3_bn2.running_var", "stage2_2_skip.bias"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let net = Nested::init(&mut rand::make_rng::<rand::rngs::StdRng>());
    let y: Tensor<8, 5, 5> = net.forward(&Tensor::zeros(), &mut Nested::scratch());
    assert_eq!((net.type_2_1.bias[0], net.tail_2_1_norm.bias[0], y.as_slice().len()), (0.0, 0.0, 200));
    assert_eq!(Nested::LAYERS[11].name, "relu_11");
}
