//! The networks as lists of layers, for the peers that are told a network layer by layer; `../../../networks.py` says the same in PyTorch.

/// A layer.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A square convolution.
    Conv {
        out: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        groups: usize,
        bias: bool,
    },
    /// Per channel.
    BatchNorm,
    Relu,
    /// Windows side by side.
    MaxPool(usize),
    /// Windows side by side.
    AvgPool(usize),
    Flatten,
    Linear(usize),
    /// The sum of a chain and a shortcut (nothing is the identity), and ReLU.
    Residual(Vec<Layer>, Vec<Layer>),
}
use Layer::{AvgPool, BatchNorm, Flatten, Linear, MaxPool, Relu, Residual};

/// A network.
pub struct Network {
    pub name: &'static str,
    /// Channels, rows, columns.
    pub input: [usize; 3],
    /// Classes that it is trained to tell; 0: it is not trained.
    pub classes: usize,
    pub layers: Vec<Layer>,
}

/// Inputs of a batch.
pub const BATCH: usize = 64;
/// The learning rate.
pub const RATE: f64 = 0.01;
/// SGD's.
pub const MOMENTUM: f64 = 0.9;

/// The classes that a batch is trained on: only the first two, which every network has.
pub fn label(i: usize) -> usize {
    i * 7 / 3 % 2
}

fn conv(out: usize, kernel: usize, padding: usize) -> Layer {
    Layer::Conv { out, kernel, stride: 1, padding, groups: 1, bias: true }
}

/// Without a bias, for batch normalisation follows; padded by half the kernel.
fn plain(out: usize, kernel: usize, stride: usize) -> Layer {
    Layer::Conv { out, kernel, stride, padding: kernel / 2, groups: 1, bias: false }
}

fn block(from: usize, out: usize, stride: usize) -> Layer {
    let shortcut = Layer::Conv { out, kernel: 1, stride, padding: 0, groups: 1, bias: true };
    Residual(
        vec![plain(out, 3, stride), BatchNorm, Relu, plain(out, 3, 1), BatchNorm],
        if from == out && stride == 1 { vec![] } else { vec![shortcut] },
    )
}

fn mobilenet() -> Vec<Layer> {
    let mut layers = vec![plain(8, 3, 2), BatchNorm, Relu];
    let mut from = 8;
    let blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)].into_iter();
    for (out, stride) in blocks.chain([(128, 1); 5]).chain([(256, 2), (256, 1)]) {
        let depthwise = Layer::Conv { out: from, kernel: 3, stride, padding: 1, groups: from, bias: false };
        layers.extend([depthwise, BatchNorm, Relu, plain(out, 1, 1), BatchNorm, Relu]);
        from = out;
    }
    layers.extend([AvgPool(3), Flatten, Linear(2)]);
    layers
}

/// All of them.
pub fn all() -> Vec<Network> {
    let lenet = vec![
        conv(6, 5, 2),
        Relu,
        MaxPool(2),
        conv(16, 5, 0),
        Relu,
        MaxPool(2),
        Flatten,
        Linear(120),
        Relu,
        Linear(84),
        Relu,
        Linear(10),
    ];
    let mnist_cnn =
        vec![conv(32, 3, 0), Relu, conv(64, 3, 0), Relu, MaxPool(2), Flatten, Linear(128), Relu, Linear(10)];
    let resnet = vec![
        plain(16, 3, 1),
        BatchNorm,
        Relu,
        block(16, 16, 1),
        block(16, 32, 2),
        block(32, 64, 2),
        AvgPool(8),
        Flatten,
        Linear(10),
    ];
    vec![
        Network { name: "lenet5", input: [1, 28, 28], classes: 10, layers: lenet },
        Network { name: "mnist_cnn", input: [1, 28, 28], classes: 10, layers: mnist_cnn },
        Network { name: "resnet8", input: [3, 32, 32], classes: 10, layers: resnet },
        Network { name: "mobilenet_v1", input: [3, 96, 96], classes: 2, layers: mobilenet() },
        Network { name: "conv64", input: [64, 56, 56], classes: 0, layers: vec![conv(64, 3, 1), Relu] },
    ]
}

/// The shape after a layer.
pub fn output([c, h, w]: [usize; 3], layer: &Layer) -> [usize; 3] {
    match *layer {
        Layer::Conv { out, kernel, stride, padding, .. } => {
            let side = |n: usize| (n + 2 * padding - kernel) / stride + 1;
            [out, side(h), side(w)]
        }
        MaxPool(k) | AvgPool(k) => [c, h / k, w / k],
        Flatten => [c * h * w, 1, 1],
        Linear(n) => [n, 1, 1],
        BatchNorm | Relu => [c, h, w],
        Residual(ref layers, _) => layers.iter().fold([c, h, w], output),
    }
}
