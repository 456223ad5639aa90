//! candle: inference, and training with a momentum written here, for its SGD has none.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Module, ModuleT, Result, Tensor, Var};
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, Linear, VarBuilder, VarMap};
use contest::networks::{self, BATCH, Layer, MOMENTUM, Network, RATE, label, output};
use contest::{Contest, noise};

/// A layer with its parameters.
enum Step {
    Conv(Conv2d),
    BatchNorm(BatchNorm),
    Relu,
    MaxPool(usize),
    AvgPool(usize),
    Flatten,
    Linear(Linear),
    Residual(Vec<Step>, Vec<Step>),
}

fn build(layers: &[Layer], mut shape: [usize; 3], vb: &VarBuilder) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        let (vb, channels) = (vb.pp(i.to_string()), shape[0]);
        steps.push(match *layer {
            Layer::Conv { out, kernel, stride, padding, groups, bias } => {
                let config = Conv2dConfig { padding, stride, groups, ..Default::default() };
                let make = if bias { candle_nn::conv2d } else { candle_nn::conv2d_no_bias };
                Step::Conv(make(channels, out, kernel, config, vb)?)
            }
            Layer::BatchNorm => Step::BatchNorm(candle_nn::batch_norm(channels, 1e-5, vb)?),
            Layer::Relu => Step::Relu,
            Layer::MaxPool(k) => Step::MaxPool(k),
            Layer::AvgPool(k) => Step::AvgPool(k),
            Layer::Flatten => Step::Flatten,
            Layer::Linear(n) => Step::Linear(candle_nn::linear(channels, n, vb)?),
            Layer::Residual(ref chain, ref shortcut) => {
                Step::Residual(build(chain, shape, &vb.pp("chain"))?, build(shortcut, shape, &vb.pp("shortcut"))?)
            }
        });
        shape = output(shape, layer);
    }
    Ok(steps)
}

fn forward(steps: &[Step], x: &Tensor, train: bool) -> Result<Tensor> {
    let mut x = x.clone();
    for step in steps {
        x = match step {
            Step::Conv(layer) => layer.forward(&x)?,
            Step::BatchNorm(layer) => layer.forward_t(&x, train)?,
            Step::Relu => x.relu()?,
            Step::MaxPool(k) => x.max_pool2d(*k)?,
            Step::AvgPool(k) => x.avg_pool2d(*k)?,
            Step::Flatten => x.flatten_from(1)?,
            Step::Linear(layer) => layer.forward(&x)?,
            Step::Residual(chain, shortcut) => (forward(chain, &x, train)? + forward(shortcut, &x, train)?)?.relu()?,
        };
    }
    Ok(x)
}

/// Stochastic gradient descent with momentum.
struct Sgd {
    vars: Vec<Var>,
    velocities: Vec<Option<Tensor>>,
}

impl Sgd {
    fn step(&mut self, grads: &GradStore) -> Result<()> {
        for (var, velocity) in self.vars.iter().zip(&mut self.velocities) {
            if let Some(grad) = grads.get(var) {
                let new = match velocity.take() {
                    Some(old) => ((old * MOMENTUM)? + grad)?,
                    None => grad.clone(),
                }
                .detach();
                var.set(&var.sub(&(&new * RATE)?)?)?;
                *velocity = Some(new);
            }
        }
        Ok(())
    }
}

fn case(network: &Network, batch: usize, train: bool) -> Result<impl FnMut() -> Result<Tensor> + use<>> {
    let device = Device::Cpu;
    let vars = VarMap::new();
    let mut steps = build(&network.layers, network.input, &VarBuilder::from_varmap(&vars, DType::F32, &device))?;
    if !train {
        // Parameters that are no variables, so that no graph is kept.
        let named = vars.data().lock().expect("nobody else holds it");
        let plain = named.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
        steps = build(&network.layers, network.input, &VarBuilder::from_tensors(plain, DType::F32, &device))?;
    }
    let [c, h, w] = network.input;
    let x = Tensor::from_vec(noise(batch * c * h * w), (batch, c, h, w), &device)?;
    let labels: Vec<u32> = (0..batch).map(|i| label(i) as u32).collect();
    let labels = Tensor::from_vec(labels, batch, &device)?;
    let vars = vars.all_vars();
    let mut sgd = Sgd { velocities: vec![None; vars.len()], vars };
    Ok(move || {
        let y = forward(&steps, &x, train)?;
        if !train {
            return Ok(y);
        }
        let loss = candle_nn::loss::cross_entropy(&y, &labels)?;
        sgd.step(&loss.backward()?)?;
        Ok(loss)
    })
}

fn main() {
    let mut contest = Contest::new("candle 0.11.1");
    let modes = [("forward_1", 1, false), ("forward_64", BATCH, false), ("train_64", BATCH, true)];
    for (mode, batch, train) in modes {
        for network in networks::all() {
            if train && network.classes == 0 {
                continue;
            }
            contest.case(&format!("{}/{mode}", network.name), move || {
                let mut call = case(&network, batch, train).expect("candle builds the network");
                move || call().expect("candle runs the network")
            });
        }
    }
    contest.serve();
}
