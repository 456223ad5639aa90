//! burn, on its backend "flex".

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};
use contest::networks::{self, BATCH, Layer, MOMENTUM, Network, RATE, label, output};
use contest::{Contest, noise};

/// A layer with its parameters. A map lies in 4 dimensions, a vector in 2.
#[derive(Module, Debug)]
enum Step {
    Conv(Conv2d),
    BatchNorm(BatchNorm),
    Relu(Relu),
    MaxPool(MaxPool2d),
    AvgPool(AvgPool2d),
    Linear(Linear),
    Residual(Residual),
}

/// Nothing to learn.
#[derive(Module, Debug)]
struct Relu;

#[derive(Module, Debug)]
struct Residual {
    chain: Vec<Step>,
    shortcut: Vec<Step>,
}

/// Maps, then vectors.
#[derive(Module, Debug)]
struct Model {
    maps: Vec<Step>,
    vectors: Vec<Step>,
}

fn build(layers: &[Layer], mut shape: [usize; 3], device: &Device) -> Vec<Step> {
    let mut steps = Vec::new();
    for layer in layers {
        let channels = shape[0];
        steps.push(match *layer {
            Layer::Conv { out, kernel, stride, padding, groups, bias } => Step::Conv(
                Conv2dConfig::new([channels, out], [kernel; 2])
                    .with_stride([stride; 2])
                    .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                    .with_groups(groups)
                    .with_bias(bias)
                    .init(device),
            ),
            Layer::BatchNorm => Step::BatchNorm(BatchNormConfig::new(channels).init(device)),
            Layer::Relu | Layer::Flatten => Step::Relu(Relu),
            Layer::MaxPool(k) => Step::MaxPool(MaxPool2dConfig::new([k; 2]).init()),
            Layer::AvgPool(k) => Step::AvgPool(AvgPool2dConfig::new([k; 2]).init()),
            Layer::Linear(n) => Step::Linear(LinearConfig::new(channels, n).init(device)),
            Layer::Residual(ref chain, ref shortcut) => Step::Residual(Residual {
                chain: build(chain, shape, device),
                shortcut: build(shortcut, shape, device),
            }),
        });
        shape = output(shape, layer);
    }
    steps
}

impl Model {
    fn new(network: &Network, device: &Device) -> Self {
        let flatten = network.layers.iter().position(|layer| matches!(layer, Layer::Flatten));
        let (maps, vectors) = network.layers.split_at(flatten.unwrap_or(network.layers.len()));
        let shape = maps.iter().fold(network.input, output);
        let shape = vectors.first().map_or(shape, |flatten| output(shape, flatten));
        Model {
            maps: build(maps, network.input, device),
            vectors: build(vectors.get(1..).unwrap_or(&[]), shape, device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = maps(&self.maps, x).flatten::<2>(1, 3);
        for step in &self.vectors {
            x = match step {
                Step::Linear(layer) => layer.forward(x),
                Step::Relu(_) => relu(x),
                other => panic!("{other:?} on a vector"),
            };
        }
        x
    }
}

fn maps(steps: &[Step], mut x: Tensor<4>) -> Tensor<4> {
    for step in steps {
        x = match step {
            Step::Conv(layer) => layer.forward(x),
            Step::BatchNorm(layer) => layer.forward(x),
            Step::Relu(_) => relu(x),
            Step::MaxPool(layer) => layer.forward(x),
            Step::AvgPool(layer) => layer.forward(x),
            Step::Residual(block) => relu(maps(&block.chain, x.clone()) + maps(&block.shortcut, x)),
            Step::Linear(_) => panic!("a linear layer on a map"),
        };
    }
    x
}

fn input(network: &Network, batch: usize, device: &Device) -> Tensor<4> {
    let [c, h, w] = network.input;
    Tensor::from_data(TensorData::new(noise(batch * c * h * w), [batch, c, h, w]), device)
}

fn main() {
    let mut contest = Contest::new("burn 0.22.1 (flex)");
    for (mode, batch) in [("forward_1", 1), ("forward_64", BATCH)] {
        for network in networks::all() {
            contest.case(&format!("{}/{mode}", network.name), move || {
                let device = Device::flex();
                let (model, x) = (Model::new(&network, &device), input(&network, batch, &device));
                move || model.forward(x.clone()).into_data()
            });
        }
    }
    for network in networks::all() {
        if network.classes == 0 {
            continue;
        }
        contest.case(&format!("{}/train_64", network.name), move || {
            let device = Device::flex().autodiff();
            let x = input(&network, BATCH, &device);
            let labels: Vec<i32> = (0..BATCH).map(|i| label(i) as i32).collect();
            let labels: Tensor<1, Int> = Tensor::from_data(TensorData::new(labels, [BATCH]), &device);
            let loss = CrossEntropyLossConfig::new().init(&device);
            let momentum = MomentumConfig::new().with_momentum(MOMENTUM);
            let mut sgd = SgdConfig::new().with_momentum(Some(momentum)).init();
            let mut model = Some(Model::new(&network, &device));
            move || {
                let old = model.take().expect("each step leaves a model");
                let value = loss.forward(old.forward(x.clone()), labels.clone());
                let grads = GradientsParams::from_grads(value.backward(), &old);
                model = Some(sgd.step(RATE, old, grads));
                value.into_data()
            }
        });
    }
    contest.serve();
}
