//! Curves of learning: the loss against steps, samples seen and seconds.

use std::time::{Duration, Instant};

use super::lanes::Sums;

/// A point of a curve of learning.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CurvePoint {
    /// Optimizer steps taken.
    pub step: u64,
    /// Samples learned from, each as often as it was.
    pub samples: u64,
    /// Seconds of training, without any evaluation; of a resumed training, from there on.
    pub seconds: f64,
    /// A mean loss; of which samples is the curve's affair.
    pub loss: f64,
}

/// When a curve gets a point, and those that it has.
pub(super) struct Curve {
    /// Steps from one point to the next; no curve without.
    every: Option<u64>,
    pub(super) points: Vec<CurvePoint>,
}

impl Curve {
    pub(super) fn new(every: Option<u64>) -> Self {
        Curve { every, points: Vec::new() }
    }

    /// Whether there is a point after so many steps.
    pub(super) fn is_due(&self, step: u64) -> bool {
        self.every.is_some_and(|every| step.is_multiple_of(every))
    }
}

/// The curves of a training, and the clock that they share.
pub(super) struct Curves {
    /// Of the samples learned from since the point before, each at the step that it was learned in.
    pub(super) losses: Curve,
    /// Of the whole training set.
    pub(super) risks: Curve,
    since_last: Sums,
    samples: u64,
    clock: Clock,
}

/// Measures the time of training alone.
struct Clock {
    before: Duration,
    running: Option<Instant>,
}

impl Curves {
    /// Curves of a training that has learned from so many samples before.
    pub(super) fn new(losses: Option<u64>, risks: Option<u64>, samples: u64) -> Self {
        let clock = Clock { before: Duration::ZERO, running: None };
        Curves { losses: Curve::new(losses), risks: Curve::new(risks), since_last: Sums::default(), samples, clock }
    }

    /// Training begins, or goes on.
    pub(super) fn go_on(&mut self) {
        self.clock.running = Some(Instant::now());
    }

    /// Something else than training begins.
    pub(super) fn pause(&mut self) {
        self.clock.before = self.clock.elapsed();
        self.clock.running = None;
    }

    /// The time of training so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// A step was taken, the `step`th of the training, that had these sums.
    pub(super) fn step(&mut self, step: u64, sums: Sums) {
        self.samples += sums.samples;
        self.since_last.add(sums);
        if self.losses.is_due(step) {
            let point = self.point(step, self.since_last.mean_loss());
            self.losses.points.push(point);
            self.since_last = Sums::default();
        }
    }

    /// The mean loss of the training set, after so many steps.
    pub(super) fn risk(&mut self, step: u64, loss: f64) {
        let point = self.point(step, loss);
        self.risks.points.push(point);
    }

    fn point(&self, step: u64, loss: f64) -> CurvePoint {
        CurvePoint { step, samples: self.samples, seconds: self.clock.elapsed().as_secs_f64(), loss }
    }
}

impl Clock {
    fn elapsed(&self) -> Duration {
        self.before + self.running.map_or(Duration::ZERO, |since| since.elapsed())
    }
}
