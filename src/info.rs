//! The tables of a network: its layers and its tensors, as plain data.

use crate::shape::Shape;

/// One row of a network's table: a layer as it was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerInfo {
    /// The declared name, or kind and position.
    pub name: &'static str,
    /// The kind, as in the declaration: `conv`, `relu`, ….
    pub kind: &'static str,
    /// What leaves the layer.
    pub output: Shape,
    /// Parameters.
    pub params: usize,
    /// Multiply-adds for one input.
    pub macs: usize,
}

/// One tensor of a network's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name in weight files: `conv1.weight`.
    pub name: &'static str,
    /// The shape in weight files, PyTorch's order: `[out, in, height, width]`, `[out, in]`, `[out]`.
    pub shape: &'static [usize],
    /// The first element's place in [`Network::params`](crate::Network::params).
    pub offset: usize,
    /// What it is, and how to initialise it.
    pub role: Role,
}

impl TensorInfo {
    /// Elements.
    pub const fn len(&self) -> usize {
        let (mut len, mut i) = (1, 0);
        while i < self.shape.len() {
            len *= self.shape[i];
            i += 1;
        }
        len
    }

    /// Whether it has no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a tensor of parameters is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix or a set of kernels.
    Weight {
        /// Inputs that one output sums.
        fan_in: usize,
        /// Outputs that one input reaches.
        fan_out: usize,
    },
    /// Added to a weighted sum.
    Bias,
}
