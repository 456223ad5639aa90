use crate::{Fault, Faults, Field, Shape};

/// A fully-connected layer: `y = W · x + b`, `W: [outputs, inputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    /// What arrives; it must be flat.
    pub input: Shape,
    /// Features out.
    pub outputs: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Linear {
    /// Features in.
    #[inline]
    pub const fn inputs(&self) -> usize {
        self.input.len()
    }

    /// `[outputs]`.
    #[inline]
    pub const fn output(&self) -> Shape {
        Shape::flat(if self.outputs == 0 { 1 } else { self.outputs })
    }

    /// Biases: `outputs` or none.
    #[inline]
    pub const fn biases(&self) -> usize {
        if self.bias { self.outputs } else { 0 }
    }

    /// Parameters: weights and biases.
    pub const fn params(&self) -> usize {
        self.inputs().saturating_mul(self.outputs).saturating_add(self.biases())
    }

    /// Multiply-adds for one input.
    pub const fn macs(&self) -> usize {
        self.inputs().saturating_mul(self.outputs)
    }

    /// What is wrong with the layer.
    pub const fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        if self.outputs == 0 {
            faults = faults.with(Fault::Zero { field: Field::Channels });
        }
        if !self.input.is_flat() {
            faults = faults.with(Fault::NotFlat { input: self.input });
        }
        let (output, params) = (self.output(), self.params());
        if output.len() > Shape::MOST_ELEMENTS || params > Shape::MOST_ELEMENTS {
            faults = faults.with(Fault::TooLarge { output, params });
        }
        faults
    }
}
