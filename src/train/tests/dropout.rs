//! Dropout in training: the masks are those of seed and step, whoever does the work.

use super::*;
use crate::plain::Plain;
use crate::prelude::network;

network! {
    /// The classifier of the other tests, with something to forget.
    #[derive(Debug)]
    struct Forgetful([INPUTS] -> [CLASSES]) { fc1: linear(16), relu, dropout(0.5), fc2: linear(CLASSES), dropout(0.1) }
}

type ForgetfulTrainer<'a> = Trainer<'a, Forgetful, SoftmaxCrossEntropy, Sgd<f32>>;

fn trained(with: impl FnOnce(ForgetfulTrainer<'_>) -> ForgetfulTrainer<'_>) -> Vec<u32> {
    let mut net = Forgetful::init(&mut ChaCha8Rng::seed_from_u64(5));
    let sgd = Sgd::new(0.1).momentum(0.9);
    let trainer = Trainer::new(&mut *net).loss(SoftmaxCrossEntropy).optimizer(sgd).batch(40).epochs(3).seed(7);
    let report = with(trainer).fit(&points(100, 1), &points(30, 2)).unwrap();
    assert!(report.test.loss.is_finite());
    net.flat().iter().map(|p| p.to_bits()).collect()
}

#[test]
fn threads_do_not_change_a_bit() {
    for lanes in [1, 3, 8] {
        assert_eq!(trained(|t| t.lanes(lanes).threads(1)), trained(|t| t.lanes(lanes).threads(2)), "{lanes} lanes");
    }
    // What a sample's mask is does not depend on the lane either: sums in another order differ by rounding alone.
    let (one, many) = (trained(|t| t.lanes(1).epochs(1)), trained(|t| t.lanes(8).epochs(1)));
    assert!(one.iter().zip(&many).all(|(a, b)| (f32::from_bits(*a) - f32::from_bits(*b)).abs() < 1e-4));
    assert_ne!(trained(|t| t), trained(|t| t.seed(8)));
}

#[cfg(feature = "weights")]
#[test]
fn a_resumed_run_draws_the_same_masks() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run.safetensors");
    let whole = trained(|t| t);
    trained(|t| t.checkpoint(&run).on_epoch(|_| ControlFlow::Break(())));
    assert_eq!(whole, trained(|t| t.threads(2).resume(&run)));
}
