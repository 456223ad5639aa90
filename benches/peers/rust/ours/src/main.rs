//! tenonet, and what the core can do.

#[allow(dead_code, reason = "criterion's benchmarks use the rest")]
#[path = "../../../../common/layers.rs"]
mod layers;
mod memory;
#[path = "../../../../common/networks.rs"]
mod networks;
mod peak;

use contest::networks::{BATCH, MOMENTUM, RATE, label};
use contest::{Contest, median, noise};
use layers::{Operands, Passes};
use networks::{Conv64, LeNet5, MnistCnn, MobileNet, ResNet8};
use rand::SeedableRng;
use tenonet::loss::Loss;
use tenonet::prelude::*;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        None => contest(),
        Some("memory") => memory::main(arguments),
        Some("check") => check(&arguments.next().expect("a folder of weights, inputs and outputs")),
        Some(other) => panic!("what is `{other}`?"),
    }
}

/// Calls `$call!(name, type)` for every network.
macro_rules! each_network {
    ($call:ident) => {
        $call!("lenet5", LeNet5);
        $call!("mnist_cnn", MnistCnn);
        $call!("resnet8", ResNet8);
        $call!("mobilenet_v1", MobileNet);
    };
}

fn contest() {
    // The main thread is one of rayon's: on one thread nothing is handed to another.
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(1);
    rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global().expect("the first pool");

    let mut contest = Contest::new("tenonet");
    macro_rules! network {
        ($name:literal, $network:ty) => {
            forward::<$network>(&mut contest, $name);
            train::<$network>(&mut contest, $name);
        };
    }
    each_network!(network);
    forward::<Conv64>(&mut contest, "conv64");
    macro_rules! layer {
        ($layer:ident) => {
            layer::<layers::$layer>(&mut contest);
        };
    }
    layers::each_convolution!(layer);
    peak::cases(&mut contest);
    contest.serve();
}

/// Inputs of noise.
fn batch<N: Network<Scalar = f32>>(count: usize) -> Vec<N::Input> {
    let len = <N::Input as Plain<f32>>::LEN;
    let noise = noise(count * len);
    let input = |values: &[f32]| {
        let mut input = N::Input::zeroed_box();
        input.flat_mut().copy_from_slice(values);
        *input
    };
    noise.chunks_exact(len).map(input).collect()
}

fn init<N: Network<Scalar = f32>>() -> Box<N> {
    N::init(&mut rand::rngs::StdRng::seed_from_u64(1))
}

fn forward<N: Network<Scalar = f32>>(contest: &mut Contest, name: &str) {
    contest.fact(&format!("{name}/params"), N::PARAMS);
    contest.fact(&format!("{name}/macs"), N::MACS);
    contest.fact(&format!("{name}/scratch"), N::SCRATCH_BYTES);
    contest.fact(&format!("{name}/thread"), N::THREAD_BYTES);
    contest.fact(&format!("{name}/tape"), N::TAPE_BYTES);
    contest.fact(&format!("{name}/micro_batch"), N::MICRO_BATCH);
    contest.case(&format!("{name}/forward_1"), || {
        let (net, x, mut scratch) = (init::<N>(), batch::<N>(1), N::scratch());
        move || net.forward(&x[0], &mut scratch)
    });
    contest.case(&format!("{name}/forward_{BATCH}"), || {
        let (net, x) = (init::<N>(), batch::<N>(BATCH));
        let mut y: Vec<N::Output> = x.iter().map(|_| N::Output::ZERO).collect();
        move || net.forward_batch(&x, &mut y)
    });
}

fn train<N: Network<Scalar = f32>>(contest: &mut Contest, name: &str)
where
    SoftmaxCrossEntropy: Loss<N::Output, u8>,
{
    // The loop that a user writes, on the calling thread.
    contest.case(&format!("{name}/train_{BATCH}"), || {
        let (mut net, mut grad, x) = (init::<N>(), N::zeroed_box(), batch::<N>(BATCH));
        let labels: Vec<u8> = (0..BATCH).map(|i| label(i) as u8).collect();
        let mut sgd = Sgd::new(RATE).momentum(MOMENTUM);
        move || {
            let loss = net.loss_and_grad(&x, &labels, &SoftmaxCrossEntropy, &mut grad).expect("labels fit");
            sgd.step(net.params_mut(), grad.params()).expect("the rate is positive");
            net.update_statistics(&grad);
            loss
        }
    });
    // The trainer: also shuffles and gathers its batches, and shares them among threads. Epochs of some steps until the time is over.
    contest.timed(&format!("{name}/trainer_{BATCH}"), || {
        const STEPS: usize = 4;
        let (mut net, x) = (init::<N>(), batch::<N>(STEPS * BATCH));
        let labels: Vec<u8> = (0..x.len()).map(|i| label(i) as u8).collect();
        let mut sgd = Sgd::new(RATE).momentum(MOMENTUM);
        move |seconds| {
            let mut steps = Vec::new();
            let start = std::time::Instant::now();
            Trainer::new(&mut net)
                .loss(SoftmaxCrossEntropy)
                .optimizer(&mut sgd)
                .batch(BATCH)
                .epochs(u64::MAX)
                .on_epoch(|epoch| {
                    steps.push(epoch.seconds / STEPS as f64 * 1e6);
                    // The first is the warm-up.
                    if steps.len() > 1 && start.elapsed().as_secs_f64() > seconds {
                        std::ops::ControlFlow::Break(())
                    } else {
                        std::ops::ControlFlow::Continue(())
                    }
                })
                .fit(&(&x, &labels), &(&x[..0], &labels[..0]))
                .expect("noise can be learned");
            median(&mut steps[1..])
        }
    });
}

fn layer<C: Operands>(contest: &mut Contest) {
    let name = C::NAME;
    contest.fact(&format!("{name}/flops"), C::FLOPS);
    contest.fact(&format!("{name}/images"), C::IMAGES);
    contest.case(&format!("layer/{name}/forward"), || {
        let mut passes = Passes::<C>::default();
        move || passes.forward()
    });
    contest.case(&format!("layer/{name}/dw"), || {
        let mut passes = Passes::<C>::default();
        move || passes.backward::<false>()
    });
    if !C::PLANES {
        contest.case(&format!("layer/{name}/dw_dx"), || {
            let mut passes = Passes::<C>::default();
            move || passes.backward::<true>()
        });
    }
}

/// Prints how far each network is from PyTorch's outputs of the same weights and input: the largest difference, by the largest output.
fn check(folder: &str) {
    macro_rules! network {
        ($name:literal, $network:ty) => {{
            let read = |what: &str| {
                let bytes = std::fs::read(format!("{folder}/{}.{what}", $name)).expect("the file is there");
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>()
            };
            let net = <$network>::load(format!("{folder}/{}.safetensors", $name)).expect("the weights fit");
            let mut x = <<$network as Network>::Input as Plain<f32>>::zeroed_box();
            x.flat_mut().copy_from_slice(&read("x"));
            let (y, wanted) = (net.forward(&x, &mut <$network>::scratch()), read("y"));
            let largest = wanted.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
            let apart = y.flat().iter().zip(&wanted).fold(0.0, |a: f32, (y, w)| a.max((y - w).abs()));
            println!("{} {}", $name, apart / largest);
        }};
    }
    each_network!(network);
    network!("conv64", Conv64);
}
