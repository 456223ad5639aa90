use crate::{Shape, Text};

/// Batch normalisation: `y[c] = γ[c] · (x[c] − μ[c]) / √(σ²[c] + ε) + β[c]` for each channel (or feature) `c`.
///
/// Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithms 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchNorm {
    /// What arrives, and leaves in the same shape.
    pub input: Shape,
}

impl BatchNorm {
    /// Parameters: γ and β of each channel.
    pub const fn params(&self) -> usize {
        self.input.c.saturating_mul(2)
    }

    /// Running averages: mean and variance of each channel. They are no parameters.
    pub const fn statistics(&self) -> usize {
        self.input.c.saturating_mul(2)
    }
}

/// What is wrong with an epsilon that keeps no variance of 0 apart from 0.
pub const fn epsilon_text(layer: &str) -> Text {
    Text::new().str(layer).str(": epsilon must be above 0")
}

/// Panics unless `epsilon` is above 0: a compile error where this is evaluated in a `const`, at the place of the call.
///
/// # Panics
/// If it is not.
#[track_caller]
pub const fn deny_epsilon(layer: &str, epsilon: f64) {
    if epsilon > 0.0 {
        return;
    }
    panic!("{}", epsilon_text(layer).as_str());
}
