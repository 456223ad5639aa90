//! The memory that passes work in: [`Scratch`] for inference, [`Workspace`] for training. Callers own it.

use bytemuck::Zeroable;

#[cfg(feature = "std")]
use crate::aligned::{Aligned, AlignedSlice};
use crate::kernels::dropout::Masks;
use crate::network::Network;
use crate::plain;

/// Scratch for the inference of `B` inputs at a time: lies where the user puts it, a static included.
///
/// `Scratch::ZERO` is a constant; with `std`, `Scratch::boxed()` allocates it.
#[repr(C, align(64))]
pub struct Scratch<N: Network, const B: usize = 1> {
    pub(crate) activations: [N::Activations; B],
}

// SAFETY: the field is Zeroable (Plain requires it), and padding may be anything.
unsafe impl<N: Network, const B: usize> Zeroable for Scratch<N, B> {}

impl<N: Network, const B: usize> Scratch<N, B> {
    /// An empty scratch.
    pub const ZERO: Self = plain::zeroed();

    /// An empty scratch on the heap.
    #[cfg(feature = "std")]
    pub fn boxed() -> Box<Self> {
        plain::zeroed_box()
    }
}

/// Everything that training needs beside network and gradient, for `B` inputs at a time. (With `std`, kernels borrow of the thread's space, too: [`Network::THREAD_BYTES`].)
#[repr(C, align(64))]
pub struct Workspace<N: Network, const B: usize = 1> {
    tape: [N::Tape; B],
    indices: [N::Indices; B],
    outputs: [N::Output; B],
    d_outputs: [N::Output; B],
    deltas: [N::Deltas; B],
    work: N::TrainWork,
}

// SAFETY: all fields are Zeroable (Plain requires it), and padding may be anything.
unsafe impl<N: Network, const B: usize> Zeroable for Workspace<N, B> {}

impl<N: Network, const B: usize> Workspace<N, B> {
    /// An empty workspace.
    pub const ZERO: Self = plain::zeroed();

    /// An empty workspace on the heap.
    #[cfg(feature = "std")]
    pub fn boxed() -> Box<Self> {
        plain::zeroed_box()
    }

    /// The workspace as slices.
    pub fn as_parts(&mut self) -> WorkspaceParts<'_, N> {
        WorkspaceParts {
            tape: &mut self.tape,
            indices: &mut self.indices,
            outputs: &mut self.outputs,
            d_outputs: &mut self.d_outputs,
            deltas: &mut self.deltas,
            work: &mut self.work,
            masks: Masks::default(),
        }
    }
}

/// A [`Workspace`] borrowed as slices of equal length, so that nothing is compiled anew for another size of the micro-batch.
pub struct WorkspaceParts<'a, N: Network> {
    pub(crate) tape: &'a mut [N::Tape],
    pub(crate) indices: &'a mut [N::Indices],
    pub(crate) outputs: &'a mut [N::Output],
    pub(crate) d_outputs: &'a mut [N::Output],
    pub(crate) deltas: &'a mut [N::Deltas],
    pub(crate) work: &'a mut N::TrainWork,
    pub(crate) masks: Masks,
}

impl<N: Network> WorkspaceParts<'_, N> {
    /// With these masks for `dropout`: those of the first input that the workspace is used for.
    #[must_use]
    pub fn masks(mut self, masks: Masks) -> Self {
        self.masks = masks;
        self
    }
}

/// A workspace on the heap whose micro-batch is [`Network::MICRO_BATCH`].
#[cfg(feature = "std")]
pub struct BatchWorkspace<N: Network> {
    tape: AlignedSlice<N::Tape>,
    indices: AlignedSlice<N::Indices>,
    outputs: AlignedSlice<N::Output>,
    d_outputs: AlignedSlice<N::Output>,
    deltas: AlignedSlice<N::Deltas>,
    work: Box<Aligned<N::TrainWork>>,
}

#[cfg(feature = "std")]
impl<N: Network> BatchWorkspace<N> {
    /// An empty workspace.
    pub fn new() -> Self {
        Self {
            tape: AlignedSlice::zeroed(N::MICRO_BATCH),
            indices: AlignedSlice::zeroed(N::MICRO_BATCH),
            outputs: AlignedSlice::zeroed(N::MICRO_BATCH),
            d_outputs: AlignedSlice::zeroed(N::MICRO_BATCH),
            deltas: AlignedSlice::zeroed(N::MICRO_BATCH),
            work: plain::zeroed_box(),
        }
    }

    /// The workspace as slices.
    pub fn as_parts(&mut self) -> WorkspaceParts<'_, N> {
        WorkspaceParts {
            tape: &mut self.tape,
            indices: &mut self.indices,
            outputs: &mut self.outputs,
            d_outputs: &mut self.d_outputs,
            deltas: &mut self.deltas,
            work: &mut self.work.0,
            masks: Masks::default(),
        }
    }
}

#[cfg(feature = "std")]
impl<N: Network> Default for BatchWorkspace<N> {
    fn default() -> Self {
        Self::new()
    }
}
