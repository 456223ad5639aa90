//! The promises of [`Trainer`], on a linear classifier.

use std::ops::ControlFlow;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::fixture::{CLASSES, INPUTS, Linear, points};
use super::*;
use crate::loss::{Loss, SoftmaxCrossEntropy, SquaredError, TargetFault};
use crate::network::Network;
use crate::optim::{AdamW, Optimizer, OptimizerError, Sgd};
use crate::schedule::Cosine;
use crate::tensor::Tensor;

fn network() -> Box<Linear> {
    Linear::init(&mut ChaCha8Rng::seed_from_u64(11))
}

fn bits(net: &Linear) -> Vec<u32> {
    net.params().iter().map(|p| p.to_bits()).collect()
}

type TestTrainer<'a> = Trainer<'a, Linear, SoftmaxCrossEntropy, Sgd<f32>, Cosine>;

/// A trainer as most tests want it; the last batch of an epoch is a short one with their numbers of samples.
fn trainer(net: &mut Linear) -> TestTrainer<'_> {
    Trainer::new(net)
        .loss(SoftmaxCrossEntropy)
        .optimizer(Sgd::new(0.2).momentum(0.9).nesterov(true))
        .schedule(Cosine::new())
        .batch(16)
        .epochs(3)
        .seed(7)
}

#[test]
fn it_learns_and_says_so() {
    let (train, test) = (points(200, 1), points(60, 2));
    let mut net = network();
    let before = evaluate(&net, &test, &SoftmaxCrossEntropy).unwrap();
    let mut seen = Vec::new();
    let report = trainer(&mut net).epochs(5).progress().on_epoch(|epoch| seen.push(*epoch)).fit(&train, &test).unwrap();
    assert_eq!(report.epochs, seen);
    assert_eq!(report.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(report.epochs[4].train_loss < report.epochs[0].train_loss);
    assert!(report.test.loss < before.loss);
    assert!(report.test_accuracy().unwrap() > 0.95, "{report:?}");
    assert!(report.epochs.iter().all(|e| e.seconds > 0.0 && e.images_per_second > 0.0));
    // What it reports is what an evaluation afterwards finds, to the bit.
    assert_eq!(report.test, evaluate(&net, &test, &SoftmaxCrossEntropy).unwrap());
    let text = report.epochs[4].to_string();
    assert!(text.starts_with("epoch 5/5: loss ") && text.contains("images/s"), "{text}");
}

/// One batch of everything on one lane is plain gradient descent, computed here by hand.
#[test]
fn a_step_is_the_mean_gradient() {
    let (inputs, targets) = points(10, 3);
    let mut net = network();
    let mut want = net.clone();
    let mut grad = Linear::zeros();
    let loss = want.loss_and_grad(&inputs, &targets, &SoftmaxCrossEntropy, &mut grad).unwrap();
    Sgd::new(0.5).step(want.params_mut(), grad.params()).unwrap();
    let trainer = Trainer::new(&mut net).loss(SoftmaxCrossEntropy).optimizer(Sgd::new(0.5)).batch(All).lanes(1);
    let report = trainer.fit(&(&inputs, &targets), &(&inputs[..0], &targets[..0])).unwrap();
    assert!((report.train_loss().unwrap() - f64::from(loss)).abs() < 1e-6);
    assert!(report.test.loss.is_nan() && report.test.accuracy.is_none() && report.epochs[0].test_loss.is_none());
    for (got, want) in net.params().iter().zip(want.params()) {
        assert!((got - want).abs() < 1e-6, "{got} against {want}");
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let (train, test) = (points(100, 1), points(30, 2));
    let run = |threads: usize, lanes: usize| {
        let mut net = network();
        let report = trainer(&mut net).lanes(lanes).threads(threads).fit(&train, &test).unwrap();
        let losses: Vec<u64> =
            report.epochs.iter().map(|e| e.train_loss.to_bits() ^ e.test_loss.unwrap().to_bits()).collect();
        (bits(&net), losses)
    };
    for lanes in [1, 3, 4, 8, 40] {
        let one = run(1, lanes);
        assert_eq!(one, run(2, lanes), "{lanes} lanes");
        assert_eq!(one, run(5, lanes), "{lanes} lanes");
    }
}

#[test]
fn lanes_sum_to_the_same_gradient() {
    let (train, test) = (points(100, 1), points(30, 2));
    let run = |lanes: usize| {
        let mut net = network();
        trainer(&mut net).lanes(lanes).fit(&train, &test).unwrap();
        net
    };
    let one = run(1);
    for lanes in [2, 3, 5, 8] {
        for (a, b) in run(lanes).params().iter().zip(one.params()) {
            assert!((a - b).abs() < 1e-4, "{lanes} lanes: {a} against {b}");
        }
    }
}

#[test]
fn the_seed_decides() {
    let (train, test) = (points(100, 1), points(30, 2));
    let run = |seed: u64| {
        let mut net = network();
        trainer(&mut net).seed(seed).fit(&train, &test).unwrap();
        bits(&net)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_tensor_is_a_target_too() {
    let (inputs, classes) = points(60, 1);
    let one_hot = |class: &u8| Tensor::<CLASSES>::from_fn(|c, _, _| if c == usize::from(*class) { 1.0 } else { 0.0 });
    let targets: Vec<_> = classes.iter().map(one_hot).collect();
    let (mut by_tensor, mut by_class) = (network(), network());
    let report = trainer(&mut by_tensor).loss(SquaredError).fit(&(&inputs, &targets), &(&inputs, &targets)).unwrap();
    trainer(&mut by_class).loss(SquaredError).fit(&(&inputs, &classes), &(&inputs, &classes)).unwrap();
    assert_eq!(bits(&by_tensor), bits(&by_class));
    assert_eq!((report.test_accuracy(), report.epochs[0].train_accuracy), (None, None));
}

#[test]
fn a_loss_that_is_no_number_stops_and_restores() {
    let (mut train, test) = (points(100, 1), points(30, 2));
    let start = network();
    // From the beginning.
    train.0[41] = Tensor::from_fn(|_, _, _| f32::NAN);
    let mut net = start.clone();
    let error = trainer(&mut net).fit(&train, &test).unwrap_err();
    let TrainError::NonFinite { what: "the loss", epoch: 1, step, .. } = error else { panic!("{error}") };
    assert!((1..=7).contains(&step));
    let text = error.to_string();
    assert!(text.contains(&format!("epoch 1, step {step} of the training")), "{text}");
    assert_eq!(bits(&net), bits(&start));
}

/// Steps as `Sgd`, but breaks the parameters at one of them.
struct Breaks {
    sgd: Sgd<f32>,
    at: u64,
}

impl Optimizer<f32> for Breaks {
    fn step(&mut self, params: &mut [f32], grads: &[f32]) -> Result<(), OptimizerError> {
        self.sgd.step(params, grads)?;
        if self.steps() == self.at {
            params[0] = f32::INFINITY;
        }
        Ok(())
    }

    fn prepare(&mut self, params: usize) -> Result<(), OptimizerError> {
        self.sgd.prepare(params)
    }

    fn learning_rate(&self) -> f64 {
        Optimizer::<f32>::learning_rate(&self.sgd)
    }

    fn set_learning_rate(&mut self, rate: f64) {
        Optimizer::<f32>::set_learning_rate(&mut self.sgd, rate);
    }

    fn kind(&self) -> &'static str {
        "breaks"
    }

    fn settings(&self, _each: &mut dyn FnMut(&'static str, f64)) {}

    fn steps(&self) -> u64 {
        Optimizer::<f32>::steps(&self.sgd)
    }

    fn set_steps(&mut self, steps: u64) {
        Optimizer::<f32>::set_steps(&mut self.sgd, steps);
    }

    fn state_names(&self) -> &'static [&'static str] {
        &[]
    }

    fn state(&self, _index: usize) -> &[f32] {
        &[]
    }

    fn state_mut(&mut self, _index: usize) -> &mut [f32] {
        &mut []
    }
}

/// 100 samples in batches of 16 are 7 steps an epoch: step 9 is in the second, step 14 is its last.
#[test]
fn a_later_break_restores_the_last_good_epoch() {
    let (train, test) = (points(100, 1), points(30, 2));
    let mut good = network();
    trainer(&mut good).optimizer(Sgd::new(0.1)).on_epoch(|_| ControlFlow::Break(())).fit(&train, &test).unwrap();
    for (at, want) in [(9, "the loss"), (14, "a parameter")] {
        let mut net = network();
        let optimizer = Breaks { sgd: Sgd::new(0.1), at };
        let mut epochs = 0;
        let error = trainer(&mut net).optimizer(optimizer).on_epoch(|_| epochs += 1).fit(&train, &test).unwrap_err();
        let TrainError::NonFinite { what, epoch: 2, step, .. } = error else { panic!("{error}") };
        assert_eq!((what, step, epochs), (want, if at == 14 { 14 } else { 10 }, 1));
        assert_eq!(bits(&net), bits(&good));
    }
}

#[test]
fn a_lent_optimizer_comes_back_with_its_rate() {
    let (train, test) = (points(40, 1), points(9, 2));
    let (mut net, mut adam) = (network(), AdamW::new(0.05));
    trainer(&mut net).optimizer(&mut adam).fit(&train, &test).unwrap();
    assert_eq!((adam.learning_rate(), adam.steps()), (0.05, 9));
}

#[test]
fn what_cannot_be_trained_is_refused_before_anything_changes() {
    let (train, test) = (points(20, 1), points(6, 2));
    let start = network();
    let mut net = start.clone();
    let mut refused = |change: &dyn Fn(&mut Train), want: &str| {
        let mut set = Train { train: train.clone(), test: test.clone(), batch: 16, lanes: 2, rate: 0.1 };
        change(&mut set);
        let trainer = trainer(&mut net).optimizer(Sgd::new(set.rate)).batch(set.batch).lanes(set.lanes);
        assert_eq!(trainer.fit(&set.train, &set.test).unwrap_err().to_string(), want);
        assert_eq!(bits(&net), bits(&start));
    };
    struct Train {
        train: (Vec<Tensor<INPUTS>>, Vec<u8>),
        test: (Vec<Tensor<INPUTS>>, Vec<u8>),
        batch: usize,
        lanes: usize,
        rate: f64,
    }
    refused(&|s| s.train = Default::default(), "the training set is empty");
    refused(&|s| s.train.1.truncate(19), "the training set has 20 inputs, but 19 targets");
    refused(&|s| s.test.0.truncate(1), "the test set has 1 inputs, but 6 targets");
    let classes = "class 3, but the network has 3 outputs: labels are 0 to 2";
    refused(&|s| s.train.1[13] = 3, &format!("the training set's target 13: {classes}"));
    refused(&|s| s.test.1[0] = 3, &format!("the test set's target 0: {classes}"));
    refused(&|s| s.batch = 0, "trainer: `batch` is 0, but must be at least 1");
    refused(&|s| s.lanes = 0, "trainer: `lanes` is 0, but must be at least 1");
    refused(&|s| s.rate = f64::NAN, "optimizer: `learning_rate` is NaN, but must be 0 or more, and finite");
}

#[test]
fn no_epochs_only_evaluate() {
    let (train, test) = (points(20, 1), points(6, 2));
    let mut net = network();
    let before = bits(&net);
    let report = trainer(&mut net).epochs(0).fit(&train, &test).unwrap();
    assert!(report.epochs.is_empty() && report.train_loss().is_none() && report.test.samples == 6);
    assert_eq!(bits(&net), before);
}

#[test]
fn evaluation_is_the_mean_over_samples() {
    let (inputs, targets) = points(31, 4);
    let net = network();
    let (mut scratch, mut sum, mut right) = (Linear::scratch(), 0.0, 0);
    for (x, target) in inputs.iter().zip(&targets) {
        let y = Network::forward(&*net, x, &mut scratch);
        sum += f64::from(SoftmaxCrossEntropy.value(&y, target));
        right += usize::from(y.argmax() == usize::from(*target));
    }
    let found = evaluate(&net, &(&inputs, &targets), &SoftmaxCrossEntropy).unwrap();
    assert!((found.loss - sum / 31.0).abs() < 1e-12);
    assert_eq!(found.accuracy, Some(right as f64 / 31.0));

    let confusion = Confusion::of(&net, &(&inputs, &targets)).unwrap();
    assert_eq!(confusion.accuracy(), found.accuracy);
    assert_eq!((0..CLASSES).map(|c| confusion.row(c).iter().sum::<u64>()).collect::<Vec<_>>(), [11, 10, 10]);
    assert_eq!((confusion.classes(), confusion.count(0, 3), confusion.count(3, 0)), (CLASSES, 0, 0));
    assert_eq!(confusion.to_string().lines().count(), 2 + CLASSES);

    let fault = crate::loss::BatchError::Target { index: 1, fault: TargetFault::Class { found: 9, classes: 3 } };
    assert_eq!(evaluate(&net, &(&inputs[..2], &[0_u8, 9]), &SoftmaxCrossEntropy), Err(fault));
    assert_eq!(Confusion::of(&net, &(&inputs[..2], &[0_u8, 9])), Err(fault));
    assert!(Confusion::of(&net, &(&inputs[..2], &[0_u8])).is_err());
}

mod augmentation;
#[cfg(feature = "weights")]
mod checkpoints;
mod curves;
mod dropout;
mod statistics;
