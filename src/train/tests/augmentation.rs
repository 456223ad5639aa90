//! Augmentation in training: what happens to a sample is decided by seed, epoch and sample, whoever does the work.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::augment::{Augment, Draws};

type Point = Tensor<INPUTS>;

/// Moves a point a little.
#[derive(Debug)]
struct Jitter;

impl Augment<Point> for Jitter {
    fn apply(&self, input: &mut Point, draws: &mut Draws) {
        for x in input.as_mut_slice() {
            *x += 0.2 * draws.unit() as f32;
        }
    }
}

fn trained(with: impl FnOnce(TestTrainer<'_>) -> TestTrainer<'_>) -> Vec<u32> {
    let mut net = network();
    with(trainer(&mut net).augment(Jitter)).fit(&points(100, 1), &points(30, 2)).unwrap();
    bits(&net)
}

#[test]
fn threads_do_not_change_a_bit() {
    for lanes in [1, 3, 8] {
        assert_eq!(trained(|t| t.lanes(lanes).threads(1)), trained(|t| t.lanes(lanes).threads(2)), "{lanes} lanes");
    }
    assert_ne!(trained(|t| t), trained(|t| t.augment(())));
    assert_ne!(trained(|t| t), trained(|t| t.seed(8)));
}

#[cfg(feature = "weights")]
#[test]
fn a_resumed_run_changes_its_inputs_alike() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run.safetensors");
    let whole = trained(|t| t);
    trained(|t| t.checkpoint(&run).on_epoch(|_| ControlFlow::Break(())));
    assert_eq!(whole, trained(|t| t.threads(2).resume(&run)));
}

/// Notes what each sample drew; the first element of an input is its number.
#[derive(Debug, Default)]
struct Notes(Mutex<BTreeMap<u32, Vec<u64>>>);

impl Augment<Point> for Notes {
    fn apply(&self, input: &mut Point, draws: &mut Draws) {
        self.0.lock().unwrap().entry(input[0][0][0] as u32).or_default().push(draws.below(1 << 40));
    }
}

#[test]
fn draws_are_those_of_seed_epoch_and_sample() {
    let inputs: Vec<Point> = (0..37).map(|i| Tensor::from_fn(|c, _, _| if c == 0 { i as f32 } else { 0.0 })).collect();
    let targets = vec![0_u8; 37];
    let set = (&inputs, &targets);
    let want: BTreeMap<u32, Vec<u64>> = (0..37)
        .map(|sample| (sample, (0..3).map(|epoch| Draws::new(7, epoch, sample.into()).below(1 << 40)).collect()))
        .collect();
    for (batch, lanes) in [(16, 1), (5, 3), (37, 8)] {
        let notes = Notes::default();
        let sgd = Sgd::new(1e-3);
        trainer(&mut network()).optimizer(sgd).batch(batch).lanes(lanes).augment(&notes).fit(&set, &set).unwrap();
        // The test set, here the same samples, is not changed: three epochs drew once each.
        assert_eq!(*notes.0.lock().unwrap(), want, "batches of {batch}");
    }
    // Nor is what is learned from: it is lent.
    assert_eq!(inputs[5][0][0][0], 5.0);
}
