//! Stopping and going on.

use super::*;
use crate::augment::RandomHorizontalFlip;
use crate::weights::WeightsError;

fn saved(net: &Linear, folder: &std::path::Path) -> Vec<u8> {
    net.save(folder.join("net.safetensors")).unwrap();
    std::fs::read(folder.join("net.safetensors")).unwrap()
}

/// Stops after each epoch in turn, resumes with a network that was begun differently, and compares files with an uninterrupted run.
fn resumes_to_the_same_bytes<O: Optimizer<f32>>(optimizer: impl Fn() -> O) {
    let (train, test) = (points(100, 1), points(30, 2));
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let mut net = network();
    let report = trainer(&mut net).optimizer(optimizer()).epochs(4).checkpoint(&whole).fit(&train, &test).unwrap();
    let want = saved(&net, folder.path());
    for stop in 1..4 {
        let mut net = network();
        let stop_there =
            |e: &EpochReport| if e.epoch == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        trainer(&mut net)
            .optimizer(optimizer())
            .epochs(4)
            .checkpoint(&parts)
            .on_epoch(stop_there)
            .fit(&train, &test)
            .unwrap();
        let mut other = Linear::init(&mut ChaCha8Rng::seed_from_u64(99));
        // The folder's last epoch is `stop`: later ones of a former round are taken away.
        for later in stop + 1..=4 {
            let _ = std::fs::remove_file(parts.join(format!("epoch-{later:04}.safetensors")));
        }
        let resumed = trainer(&mut other)
            .optimizer(optimizer())
            .epochs(4)
            .threads(2)
            .checkpoint(&parts)
            .resume(&parts)
            .fit(&train, &test)
            .unwrap();
        assert_eq!(resumed.epochs.len() as u64, 4 - stop);
        assert_eq!(resumed.test, report.test);
        assert_eq!(saved(&other, folder.path()), want);
        for epoch in 1..=4 {
            let name = format!("epoch-{epoch:04}.safetensors");
            assert_eq!(std::fs::read(whole.join(&name)).unwrap(), std::fs::read(parts.join(&name)).unwrap(), "{name}");
        }
    }
}

#[test]
fn sgd_resumes_to_the_same_bytes() {
    resumes_to_the_same_bytes(|| Sgd::new(0.2).momentum(0.9).nesterov(true).weight_decay(1e-3));
    resumes_to_the_same_bytes(|| Sgd::new(0.2));
}

#[test]
fn adam_resumes_to_the_same_bytes() {
    resumes_to_the_same_bytes(|| AdamW::new(0.05));
}

#[test]
fn a_finished_training_resumes_to_nothing() {
    let (train, test) = (points(40, 1), points(9, 2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.safetensors");
    let (mut net, mut other) = (network(), Linear::boxed_zeros());
    trainer(&mut net).checkpoint(&file).fit(&train, &test).unwrap();
    let report = trainer(&mut other).resume(&file).fit(&train, &test).unwrap();
    assert!(report.epochs.is_empty() && report.test.samples == 9);
    assert_eq!(bits(&net), bits(&other));
    // A checkpoint is no weight file, and says so.
    let error = Linear::<f32>::load(&file).unwrap_err().to_string();
    assert!(error.contains("`optimizer/momentum` [15]") && error.contains("it may be a checkpoint"), "{error}");
}

#[test]
fn another_training_is_refused_and_nothing_changes() {
    let (train, test) = (points(40, 1), points(9, 2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.safetensors");
    trainer(&mut network()).lanes(2).checkpoint(&file).fit(&train, &test).unwrap();
    let start = network();
    let refused = |error: TrainError, want: &str| {
        let text = error.to_string();
        assert!(text.ends_with(&format!("the checkpoint does not fit this training: {want}")), "{text}");
        assert!(text.contains("run.safetensors"), "{text}");
    };
    let mut net = start.clone();
    let mut with = |change: &dyn Fn(TestTrainer<'_>) -> TrainError, want| {
        refused(change(trainer(&mut net).lanes(2).resume(&file)), want);
        assert_eq!(bits(&net), bits(&start));
    };
    with(&|t| t.seed(8).fit(&train, &test).unwrap_err(), "`seed` was 7, but is 8 here");
    with(&|t| t.batch(8).fit(&train, &test).unwrap_err(), "`batch` was 16, but is 8 here");
    with(&|t| t.lanes(3).fit(&train, &test).unwrap_err(), "`lanes` was 2, but is 3 here");
    with(&|t| t.epochs(5).fit(&train, &test).unwrap_err(), "`epochs` was 3, but is 5 here");
    with(&|t| t.fit(&points(41, 1), &test).unwrap_err(), "`samples` was 40, but is 41 here");
    with(&|t| t.optimizer(AdamW::new(0.2)).fit(&train, &test).unwrap_err(), "`optimizer` was sgd, but is adamw here");
    with(
        &|t| t.optimizer(Sgd::new(0.2).momentum(0.5)).fit(&train, &test).unwrap_err(),
        "`optimizer.momentum` was 0.9, but is 0.5 here",
    );
    with(
        &|t| t.schedule(Cosine::to(0.1)).fit(&train, &test).unwrap_err(),
        "`schedule` was Cosine { minimum: 0.0 }, but is Cosine { minimum: 0.1 } here",
    );
    with(
        &|t| t.augment(RandomHorizontalFlip::new()).fit(&train, &test).unwrap_err(),
        "`augmentation` was (), but is RandomHorizontalFlip { probability: 0.5 } here",
    );
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let (train, test) = (points(40, 1), points(9, 2));
    let folder = tempfile::tempdir().unwrap();
    let resume = |path: &std::path::Path| trainer(&mut network()).resume(path).fit(&train, &test).unwrap_err();
    assert!(matches!(resume(folder.path()), TrainError::NoCheckpoint { .. }));
    let weights = folder.path().join("weights.safetensors");
    assert!(matches!(resume(&weights), TrainError::Checkpoint(WeightsError::Read { .. })));
    network().save(&weights).unwrap();
    assert!(resume(&weights).to_string().ends_with("weights.safetensors: no checkpoint: it has no note of a training"));
    std::fs::write(&weights, b"not at all").unwrap();
    assert!(matches!(resume(&weights), TrainError::Checkpoint(WeightsError::Format { .. })));
}

#[test]
fn a_training_that_fails_keeps_its_last_good_checkpoint() {
    let (train, test) = (points(100, 1), points(30, 2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.safetensors");
    let mut net = network();
    let optimizer = Breaks { sgd: Sgd::new(0.1), at: 9 };
    trainer(&mut net).optimizer(optimizer).checkpoint(&file).fit(&train, &test).unwrap_err();
    let mut resumed = Linear::boxed_zeros();
    let optimizer = Breaks { sgd: Sgd::new(0.1), at: 0 };
    trainer(&mut resumed).optimizer(optimizer).epochs(3).resume(&file).on_epoch(|_| ()).fit(&train, &test).unwrap();
    // It went on from the first epoch's end, where the failed one was restored to.
    let mut whole = network();
    let optimizer = Breaks { sgd: Sgd::new(0.1), at: 0 };
    trainer(&mut whole).optimizer(optimizer).fit(&train, &test).unwrap();
    assert_eq!(bits(&resumed), bits(&whole));
}

/// It is told before an epoch is spent.
#[test]
fn a_place_that_cannot_be_written_is_an_error_at_once() {
    let (train, test) = (points(40, 1), points(9, 2));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let (mut net, start) = (network(), network());
    for place in ["no/where.safetensors", "file/folder"] {
        let place = folder.path().join(place);
        let error = trainer(&mut net).checkpoint(&place).fit(&train, &test).unwrap_err();
        assert!(matches!(&error, TrainError::Checkpoint(WeightsError::Write { .. })), "{error}");
        assert!(error.to_string().contains(place.to_str().unwrap()), "{error}");
        assert_eq!(bits(&net), bits(&start));
    }
}
