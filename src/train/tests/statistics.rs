//! Running averages: part of the network, of its files and checkpoints, but of no optimizer.

use super::*;
use crate::plain::Plain;
use crate::prelude::{All, Constant, Cosine, Schedule, network};

network! {
    /// The classifier of the other tests, with two normalisations in it.
    #[derive(Debug)]
    struct Normed([INPUTS] -> [CLASSES]) {
        bn1: batch_norm,
        fc1: linear(6), bn2: batch_norm(epsilon = 1e-3), relu,
        fc2: linear(CLASSES),
    }
}

const STATISTICS: usize = 2 * (INPUTS + 6);

fn begin() -> Box<Normed> {
    Normed::init(&mut ChaCha8Rng::seed_from_u64(5))
}

fn trained<S: Schedule>(with: impl FnOnce(NormedTrainer<'_>) -> NormedTrainer<'_, S>) -> Box<Normed> {
    let (train, test) = (points(100, 1), points(30, 2));
    let mut net = begin();
    let optimizer = AdamW::new(0.05).weight_decay(0.1);
    let trainer = Trainer::new(&mut *net).loss(SoftmaxCrossEntropy).optimizer(optimizer).batch(24).epochs(3).seed(7);
    with(trainer).fit(&train, &test).unwrap();
    net
}

type NormedTrainer<'a, S = Constant> = Trainer<'a, Normed, SoftmaxCrossEntropy, AdamW<f32>, S>;

fn all_bits(net: &Normed) -> Vec<u32> {
    net.flat().iter().map(|p| p.to_bits()).collect()
}

#[test]
fn they_begin_as_no_change_and_are_no_parameters() {
    let net = begin();
    assert_eq!((<Normed>::STATISTICS, Normed::PARAMS), (STATISTICS, net.flat().len() - STATISTICS));
    assert_eq!((net.params().len(), begin().params_mut().len()), (Normed::PARAMS, Normed::PARAMS));
    assert_eq!((net.bn1.weight, net.bn1.bias), ([1.0; INPUTS], [0.0; INPUTS]));
    assert_eq!((net.statistics.bn2.mean, net.statistics.bn2.variance), ([0.0; 6], [1.0; 6]));
}

/// One step of a batch in one piece follows the batch's mean and unbiased variance by a tenth.
#[test]
fn a_step_follows_the_batch() {
    let (inputs, targets) = points(10, 3);
    let mut net = begin();
    let trainer = Trainer::new(&mut *net).loss(SoftmaxCrossEntropy).optimizer(Sgd::new(0.5)).batch(All).lanes(1);
    trainer.fit(&(&inputs, &targets), &(&inputs[..0], &targets[..0])).unwrap();
    for c in 0..INPUTS {
        let values: Vec<f32> = inputs.iter().map(|x| x.as_slice()[c]).collect();
        let mean = values.iter().sum::<f32>() / 10.0;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 9.0;
        assert!((net.statistics.bn1.mean[c] - 0.1 * mean).abs() < 1e-6);
        assert!((net.statistics.bn1.variance[c] - (0.9 + 0.1 * variance)).abs() < 1e-6);
    }
}

#[test]
fn threads_do_not_change_a_bit_of_them() {
    for lanes in [1, 3, 8] {
        let one = trained(|t| t.lanes(lanes).threads(1));
        assert_ne!(one.statistics.bn2.mean, [0.0; 6]);
        assert_eq!(all_bits(&one), all_bits(&trained(|t| t.lanes(lanes).threads(2))), "{lanes} lanes");
    }
}

/// Long averages are those of the data; then inference and training see the same.
#[test]
fn they_become_those_of_the_data() {
    // The rate ends at 0, so that how sums are rounded does not decide where the last steps lead.
    let net = trained(|t| t.epochs(40).schedule(Cosine::new()));
    let (inputs, _) = points(100, 1);
    for c in 0..INPUTS {
        let mean = inputs.iter().map(|x| x.as_slice()[c]).sum::<f32>() / 100.0;
        assert!((net.statistics.bn1.mean[c] - mean).abs() < 0.1, "{} against {mean}", net.statistics.bn1.mean[c]);
    }
    let report = evaluate(&net, &points(60, 2), &SoftmaxCrossEntropy).unwrap();
    assert!(report.accuracy.unwrap() > 0.95, "{report:?}");
}

#[cfg(feature = "weights")]
#[test]
fn files_and_checkpoints_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let (file, run) = (folder.path().join("net.safetensors"), folder.path().join("run.safetensors"));
    let whole = trained(|t| t.checkpoint(&run));
    whole.save(&file).unwrap();
    assert_eq!(all_bits(&whole), all_bits(&Normed::load(&file).unwrap()));
    assert_eq!(all_bits(&whole), all_bits(&Normed::from_bytes(&whole.to_bytes().unwrap()).unwrap()));

    // Stopped after the first epoch, and resumed by a network that was begun differently.
    trained(|t| t.checkpoint(&run).on_epoch(|_| ControlFlow::Break(())));
    let mut other = Normed::init(&mut ChaCha8Rng::seed_from_u64(99));
    other.statistics.bn1.mean = [7.0; INPUTS];
    let optimizer = AdamW::new(0.05).weight_decay(0.1);
    let trainer = Trainer::new(&mut *other).loss(SoftmaxCrossEntropy).optimizer(optimizer).batch(24).epochs(3).seed(7);
    trainer.resume(&run).fit(&points(100, 1), &points(30, 2)).unwrap();
    assert_eq!(all_bits(&whole), all_bits(&other));
}

/// PyTorch counts the steps of a batch normalisation in a tensor of its own; other strangers are refused.
#[cfg(feature = "weights")]
#[test]
fn files_of_pytorch_count_steps() {
    use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
    let net = trained(|t| t);
    let bytes = net.to_bytes().unwrap();
    let with = |name: &str| {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors = file.tensors();
        tensors.push((name.to_owned(), TensorView::new(Dtype::I64, vec![], &[9, 0, 0, 0, 0, 0, 0, 0]).unwrap()));
        Normed::from_bytes(&serialize(tensors, None).unwrap())
    };
    assert_eq!(all_bits(&with("bn2.num_batches_tracked").unwrap()), all_bits(&net));
    for name in ["fc1.num_batches_tracked", "num_batches_tracked", "bn2.steps"] {
        assert!(with(name).unwrap_err().to_string().contains(name));
    }
}

/// A training that fails gives back the averages of its last good epoch, too.
#[test]
fn a_training_that_fails_restores_them() {
    let (train, test) = (points(100, 1), points(30, 2));
    let mut net = begin();
    let optimizer = Breaks { sgd: Sgd::new(0.1), at: 2 };
    let trainer = Trainer::new(&mut *net).loss(SoftmaxCrossEntropy).optimizer(optimizer).batch(24);
    trainer.fit(&train, &test).unwrap_err();
    assert_eq!(all_bits(&net), all_bits(&begin()));
}
