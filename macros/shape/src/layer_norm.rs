use crate::{Fault, Faults, Shape};

/// Layer normalisation: `y = γ ⊙ (x − μ) / √(σ² + ε) + β`, with mean and variance of all elements of one input.
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNorm {
    /// What arrives, and leaves in the same shape.
    pub input: Shape,
}

impl LayerNorm {
    /// What leaves: the input's shape.
    pub const fn output(&self) -> Shape {
        self.input
    }

    /// Parameters: γ and β of each element.
    pub const fn params(&self) -> usize {
        self.input.len().saturating_mul(2)
    }

    /// What is wrong with the layer.
    pub const fn faults(&self) -> Faults {
        let faults = Faults::new();
        let (output, params) = (self.input, self.params());
        if params > Shape::MOST_ELEMENTS { faults.with(Fault::TooLarge { output, params }) } else { faults }
    }
}
