//! The loop of a training.

use num_traits::Float;

use crate::kernels::dropout::Masks;
use crate::loss::Loss;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::schedule::{Position, Schedule};

#[cfg(feature = "weights")]
use super::checkpoint::Checkpoints;
use super::crew::Crew;
use super::curve::Curves;
use super::evaluate::evaluate_on;
use super::lanes::{Lanes, Source, Sums};
use super::progress::Progress;
use super::trainer::{Options, Trainer};
use super::{EpochReport, Evaluation, Report, Set, TrainError};
use crate::order::shuffle;

/// Inputs and targets.
type Pair<'a, I, L> = (&'a [I], &'a [L]);

/// A training's size, all of it fixed before it begins.
pub(super) struct Plan {
    /// Samples of the training set.
    pub(super) samples: usize,
    /// Samples of a batch.
    pub(super) batch: usize,
    pub(super) lanes: usize,
    pub(super) seed: u64,
    pub(super) epochs: u64,
    pub(super) steps_per_epoch: u64,
    /// The optimizer's own learning rate, which schedules start from.
    pub(super) base_rate: f64,
}

impl Plan {
    fn new<N: Network>(options: &Options<'_>, samples: usize, base_rate: f64) -> Result<Self, TrainError> {
        if samples == 0 {
            return Err(TrainError::Empty);
        }
        let batch = options.batch.size(samples);
        let lanes = options.lanes.unwrap_or(default_lanes::<N>(batch));
        for (name, found) in [("batch", batch), ("lanes", lanes)] {
            if found == 0 {
                return Err(TrainError::Setting { name, found, wanted: "at least 1" });
            }
        }
        for (name, every) in [("record_loss", options.record_loss), ("record_risk", options.record_risk)] {
            if every == Some(0) {
                return Err(TrainError::Setting { name, found: 0, wanted: "at least 1" });
            }
        }
        let steps_per_epoch = samples.div_ceil(batch) as u64;
        Ok(Plan { samples, batch, lanes, seed: options.seed, epochs: options.epochs, steps_per_epoch, base_rate })
    }

    fn position(&self, step: u64) -> Position {
        let steps_per_epoch = self.steps_per_epoch;
        Position { step, total_steps: self.epochs.saturating_mul(steps_per_epoch), steps_per_epoch }
    }
}

/// A lane for each micro-batch, and two for a batch of 16 and more, so that two threads have work; at most 8, as much as many machines have
/// cores, and at most 2 where a gradient takes more than 64 MiB.
fn default_lanes<N: Network>(batch: usize) -> usize {
    let (least, most) = (if batch >= 16 { 2 } else { 1 }, if N::PARAMS > 1 << 24 { 2 } else { 8 });
    batch.div_ceil(N::MICRO_BATCH).clamp(least, most)
}

/// [`Trainer::fit`].
pub(super) fn fit<N, L, E, O, S>(
    trainer: Trainer<'_, N, E, O, S>, train: Pair<'_, N::Input, L>, test: Pair<'_, N::Input, L>,
) -> Result<Report, TrainError>
where
    N: Network,
    L: Sync,
    E: Loss<N::Output, L>,
    O: Optimizer<N::Scalar>,
    S: Schedule,
{
    let Trainer { net, loss, mut optimizer, schedule, augmentation, mut options } = trainer;
    check::<N, L, E>(Set::Training, train, &loss)?;
    check::<N, L, E>(Set::Test, test, &loss)?;
    let plan = Plan::new::<N>(&options, train.0.len(), optimizer.learning_rate())?;
    optimizer.prepare(N::PARAMS)?;
    let crew = Crew::new(options.threads)?;

    #[cfg(feature = "weights")]
    let checkpoints = Checkpoints::new(&plan, &optimizer, &schedule, &*augmentation, options.checkpoint.take())?;
    #[cfg(feature = "weights")]
    let done = match &options.resume {
        Some(path) => checkpoints.resume(path, net, &mut optimizer)?,
        None => 0,
    };
    #[cfg(not(feature = "weights"))]
    let done = 0;

    let (inputs, targets) = train;
    let mut source =
        Source { inputs, targets, loss: &loss, augmentation: &*augmentation, seed: plan.seed, epoch: done };
    let mut training = Training {
        last_good: net.boxed_copy(),
        // A lane without a sample would hold memory for nothing; the sums are the same without it.
        lanes: Lanes::new(plan.lanes.min(plan.batch).min(plan.samples), &crew),
        order: vec![0; plan.samples],
        progress: Progress::new(options.progress),
        curves: Curves::new(options.record_loss, options.record_risk, done.saturating_mul(plan.samples as u64)),
        net,
        optimizer: &mut optimizer,
        schedule: &schedule,
        plan: &plan,
        crew: &crew,
    };
    if done < plan.epochs {
        measure_risk(&mut training.curves, done * plan.steps_per_epoch, training.net, &source, &crew);
    }
    let mut epochs = Vec::new();
    let mut at_end = None;
    let mut outcome = Ok(());
    for epoch in done..plan.epochs {
        source.epoch = epoch;
        let (learned, seconds, rate) = match training.epoch(&source) {
            Ok(learned) => learned,
            Err(error) => {
                outcome = Err(error);
                break;
            }
        };
        let evaluation = evaluate_on(&crew, training.net, test.0, test.1, &loss);
        at_end = Some(evaluation);
        let report = report(&plan, epoch, &learned, seconds, rate, evaluation);
        training.progress.end(&report);
        epochs.push(report);
        #[cfg(feature = "weights")]
        if let Err(error) = checkpoints.write(epoch + 1, training.net, training.optimizer) {
            outcome = Err(error);
            break;
        }
        if !(options.on_epoch)(&report) {
            break;
        }
    }
    // A lent optimizer goes back with the rate that it came with.
    training.optimizer.set_learning_rate(plan.base_rate);
    let Training { net, curves: Curves { losses, risks, .. }, .. } = training;
    outcome?;
    let test = at_end.unwrap_or_else(|| evaluate_on(&crew, net, test.0, test.1, &loss));
    Ok(Report { epochs, losses: losses.points, risks: risks.points, test })
}

/// Whether a set can be learned from.
fn check<N: Network, L, E: Loss<N::Output, L>>(
    set: Set, (inputs, targets): Pair<'_, N::Input, L>, loss: &E,
) -> Result<(), TrainError> {
    if inputs.len() != targets.len() {
        return Err(TrainError::Lengths { set, inputs: inputs.len(), targets: targets.len() });
    }
    for (index, target) in targets.iter().enumerate() {
        loss.check(target).map_err(|fault| TrainError::Target { set, index, fault })?;
    }
    Ok(())
}

/// What an epoch needs and leaves.
struct Training<'a, N: Network, L, O, S> {
    net: &'a mut N,
    /// The network after the last epoch that went well.
    last_good: Box<N>,
    optimizer: &'a mut O,
    schedule: &'a S,
    lanes: Lanes<'a, N, L>,
    order: Vec<usize>,
    progress: Progress,
    curves: Curves,
    plan: &'a Plan,
    crew: &'a Crew,
}

impl<'a, N, L, O, S> Training<'a, N, L, O, S>
where
    N: Network,
    L: Sync,
    O: Optimizer<N::Scalar>,
    S: Schedule,
{
    /// One epoch, the source's: the sums over its samples, its seconds, its last learning rate. On an error the network is as before.
    fn epoch<E: Loss<N::Output, L>>(
        &mut self, source: &Source<'a, N::Input, L, E>,
    ) -> Result<(Sums, f64, f64), TrainError> {
        let result = self.steps(source);
        match result {
            Ok(_) => self.last_good.flat_mut().copy_from_slice(self.net.flat()),
            Err(_) => self.net.flat_mut().copy_from_slice(self.last_good.flat()),
        }
        result
    }

    fn steps<E: Loss<N::Output, L>>(
        &mut self, source: &Source<'a, N::Input, L, E>,
    ) -> Result<(Sums, f64, f64), TrainError> {
        let (plan, epoch) = (self.plan, source.epoch);
        shuffle(&mut self.order, plan.seed, epoch);
        self.progress.begin(epoch + 1, plan.epochs, plan.samples);
        let before = self.curves.elapsed();
        self.curves.go_on();
        let (mut learned, mut step, mut rate) = (Sums::default(), epoch * plan.steps_per_epoch, plan.base_rate);
        for batch in self.order.chunks(plan.batch) {
            rate = self.schedule.rate(plan.base_rate, plan.position(step));
            let masks = Masks::new(plan.seed).step(step);
            step += 1;
            self.optimizer.set_learning_rate(rate);
            let sums = self.lanes.run(self.net, source, batch, masks, self.crew)?;
            let not_finite = |what| TrainError::NonFinite { what, epoch: epoch + 1, step, learning_rate: rate };
            if !sums.loss.is_finite() {
                return Err(not_finite("the loss"));
            }
            if let Some(grad) = self.lanes.grad() {
                self.crew.step(self.optimizer, self.net.params_mut(), grad.params())?;
                self.net.update_statistics(grad);
            }
            learned.add(sums);
            self.curves.step(step, sums);
            self.progress.step(&learned, self.curves.elapsed() - before);
            // Measuring is no training: no clock counts it.
            self.curves.pause();
            measure_risk(&mut self.curves, step, self.net, source, self.crew);
            self.curves.go_on();
        }
        self.curves.pause();
        // A gradient that overflowed in the last step shows in no loss of this epoch.
        if !self.net.flat().iter().all(|p| p.is_finite()) {
            return Err(TrainError::NonFinite { what: "a parameter", epoch: epoch + 1, step, learning_rate: rate });
        }
        Ok((learned, (self.curves.elapsed() - before).as_secs_f64(), rate))
    }
}

/// The mean loss of the training set, if a point of its curve is due.
fn measure_risk<N: Network, L: Sync, E: Loss<N::Output, L>>(
    curves: &mut Curves, step: u64, net: &N, source: &Source<'_, N::Input, L, E>, crew: &Crew,
) {
    if !curves.risks.is_due(step) {
        return;
    }
    let risk = evaluate_on(crew, net, source.inputs, source.targets, source.loss).loss;
    curves.risk(step, risk);
}

fn report(plan: &Plan, epoch: u64, learned: &Sums, seconds: f64, rate: f64, test: Evaluation) -> EpochReport {
    EpochReport {
        epoch: epoch + 1,
        epochs: plan.epochs,
        train_loss: learned.mean_loss(),
        train_accuracy: learned.accuracy(),
        test_loss: (test.samples > 0).then_some(test.loss),
        test_accuracy: test.accuracy,
        learning_rate: rate,
        seconds,
        images_per_second: learned.samples as f64 / seconds.max(1e-9),
    }
}
