//! The progress bar.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::EpochReport;
use super::lanes::Sums;

/// What a training shows on standard error: a bar for each epoch and a line after it, the line alone where standard error is no terminal, or nothing.
pub(super) struct Progress {
    shown: bool,
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(shown: bool) -> Self {
        // Drawn to standard error; hidden by itself where that is no terminal.
        Progress { shown, bar: ProgressBar::hidden() }
    }

    /// An epoch of so many samples begins.
    pub(super) fn begin(&mut self, epoch: u64, epochs: u64, samples: usize) {
        if !self.shown {
            return;
        }
        self.bar = ProgressBar::new(samples as u64);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}") {
            self.bar.set_style(style);
        }
        self.bar.set_prefix(format!("epoch {epoch}/{epochs}"));
    }

    /// A step was taken; the sums are those of the epoch so far.
    pub(super) fn step(&self, sums: &Sums, elapsed: Duration) {
        if !self.shown || self.bar.is_hidden() {
            return;
        }
        let accuracy = sums.accuracy().map_or(String::new(), |part| format!("accuracy {:.2} %  ", 100.0 * part));
        let speed = sums.samples as f64 / elapsed.as_secs_f64().max(1e-9);
        self.bar.set_message(format!("loss {:.4}  {accuracy}{speed:.0} images/s", sums.mean_loss()));
        self.bar.set_position(sums.samples);
    }

    /// The epoch is over.
    pub(super) fn end(&self, report: &EpochReport) {
        if self.shown {
            self.bar.finish_and_clear();
            eprintln!("{report}");
        }
    }
}
