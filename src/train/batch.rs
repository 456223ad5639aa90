//! [`Batch`]: how many samples an optimizer step is made of.

/// Samples of one optimizer step: a number, or [`All`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// So many; the last of an epoch has what is left.
    Of(usize),
    /// The whole training set: plain gradient descent.
    All,
}

/// All samples in one batch: `.batch(All)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct All;

impl From<usize> for Batch {
    fn from(samples: usize) -> Self {
        Batch::Of(samples)
    }
}

impl From<All> for Batch {
    fn from(_: All) -> Self {
        Batch::All
    }
}

impl Batch {
    /// The number, for a training set of so many samples.
    pub(super) fn size(self, samples: usize) -> usize {
        match self {
            Batch::Of(size) => size,
            Batch::All => samples,
        }
    }
}
