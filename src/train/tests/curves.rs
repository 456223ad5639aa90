//! Curves of learning: points where they were asked for, of what they say.

use super::*;

type Points = Vec<(u64, u64)>;

fn places(points: &[CurvePoint]) -> Points {
    points.iter().map(|point| (point.step, point.samples)).collect()
}

/// 50 samples in batches of 16 are four steps an epoch, the last of two samples.
#[test]
fn points_are_where_they_were_asked_for() {
    let (train, test) = (points(50, 1), points(10, 2));
    let mut net = network();
    let before = evaluate(&net, &train, &SoftmaxCrossEntropy).unwrap();
    let report = trainer(&mut net).epochs(2).record_loss(2).record_risk(3).fit(&train, &test).unwrap();
    assert_eq!(places(&report.losses), [(2, 32), (4, 50), (6, 82), (8, 100)]);
    assert_eq!(places(&report.risks), [(0, 0), (3, 48), (6, 82)]);
    assert_eq!((report.risks[0].loss, report.risks[0].seconds), (before.loss, 0.0));
    for points in [&report.losses, &report.risks] {
        assert!(points.is_sorted_by(|a, b| a.seconds < b.seconds), "{points:?}");
    }
    // The first two points are the first epoch: 32 and 18 samples.
    let mean = (32.0 * report.losses[0].loss + 18.0 * report.losses[1].loss) / 50.0;
    assert!((mean - report.epochs[0].train_loss).abs() < 1e-12, "{mean} against {:?}", report.epochs[0]);
}

#[test]
fn the_risk_is_the_mean_loss_of_the_training_set_and_disturbs_nothing() {
    let (train, test) = (points(50, 1), points(10, 2));
    let (mut watched, mut alone) = (network(), network());
    let report = trainer(&mut watched).record_risk(4).record_loss(1).fit(&train, &test).unwrap();
    let plain = trainer(&mut alone).fit(&train, &test).unwrap();
    assert_eq!(bits(&watched), bits(&alone));
    assert!(plain.losses.is_empty() && plain.risks.is_empty());
    let last = evaluate(&alone, &train, &SoftmaxCrossEntropy).unwrap();
    assert_eq!(report.risks.last().map(|point| (point.step, point.loss)), Some((12, last.loss)));
}

/// One trainer does gradient descent, stochastic gradient descent and what is between.
#[test]
fn batches_of_all_and_of_one() {
    let (train, none) = (points(50, 1), points(0, 2));
    let mut net = network();
    let of_all = trainer(&mut net).batch(All).record_risk(1).fit(&train, &none).unwrap();
    assert_eq!(places(&of_all.risks), [(0, 0), (1, 50), (2, 100), (3, 150)]);
    let mut net = network();
    let of_one = trainer(&mut net).optimizer(Sgd::new(0.05)).batch(1).epochs(1).record_risk(25).fit(&train, &none);
    assert_eq!(places(&of_one.unwrap().risks), [(0, 0), (25, 25), (50, 50)]);
}

#[cfg(feature = "weights")]
#[test]
fn a_resumed_training_counts_on() {
    let (train, none) = (points(50, 1), points(0, 2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let mut net = network();
    let stop = |_: &EpochReport| ControlFlow::Break(());
    trainer(&mut net).checkpoint(&file).on_epoch(stop).fit(&train, &none).unwrap();
    let mut net = network();
    let report = trainer(&mut net).resume(&file).record_risk(4).record_loss(4).fit(&train, &none).unwrap();
    assert_eq!(places(&report.risks), [(4, 50), (8, 100), (12, 150)]);
    assert_eq!(places(&report.losses), [(8, 100), (12, 150)]);
}

#[test]
fn never_is_no_number_of_steps() {
    let train = points(20, 1);
    for (name, wanted) in [("record_loss", "`record_loss` is 0"), ("record_risk", "`record_risk` is 0")] {
        let mut net = network();
        let trainer = trainer(&mut net);
        let trainer = if name == "record_loss" { trainer.record_loss(0) } else { trainer.record_risk(0) };
        let error = trainer.fit(&train, &train).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
