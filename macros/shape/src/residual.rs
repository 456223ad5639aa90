use crate::{Fault, Faults, Shape};

/// A block whose layers' output is added to its input, or to what a shortcut makes of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residual {
    /// What arrives at the block.
    pub input: Shape,
    /// What the layers yield.
    pub layers: Shape,
    /// What the shortcut yields, if there is one.
    pub shortcut: Option<Shape>,
}

impl Residual {
    /// What is added to the layers' output.
    pub const fn skip(&self) -> Shape {
        match self.shortcut {
            Some(shortcut) => shortcut,
            None => self.input,
        }
    }

    /// The layers' output: a sum has the shape of its parts.
    pub const fn output(&self) -> Shape {
        self.layers
    }

    /// The least stride on each axis of a convolution 1×1 from the input's size to the layers'; `None` where there is none.
    pub(crate) const fn stride(&self) -> Option<[usize; 2]> {
        match (stride(self.input.h, self.layers.h), stride(self.input.w, self.layers.w)) {
            (Some(rows), Some(columns)) => Some([rows, columns]),
            _ => None,
        }
    }

    /// What is wrong with the block.
    pub const fn faults(&self) -> Faults {
        if self.layers.same(self.skip()) { Faults::new() } else { Faults::new().with(Fault::Arms { block: *self }) }
    }
}

/// The least stride with which a kernel of 1 makes `to` entries of `from`: `⌊(from − 1) / stride⌋ + 1 = to`.
const fn stride(from: usize, to: usize) -> Option<usize> {
    if from == 0 || to == 0 || to > from {
        return None;
    }
    // The least one with ⌊(from − 1) / stride⌋ < to.
    let stride = (from - 1) / to + 1;
    if (from - 1) / stride + 1 == to { Some(stride) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides() {
        assert_eq!(stride(32, 32), Some(1));
        assert_eq!(stride(32, 16), Some(2));
        assert_eq!(stride(33, 17), Some(2));
        assert_eq!(stride(7, 1), Some(7));
        assert_eq!(stride(32, 30), None);
        assert_eq!(stride(16, 32), None);
        for (from, to) in [(0, 1), (1, 0), (usize::MAX, 1), (usize::MAX, usize::MAX)] {
            let _ = stride(from, to);
        }
        for from in 1..40 {
            for to in 1..40 {
                let slow = (1..=from).find(|stride| (from - 1) / stride + 1 == to);
                assert_eq!(stride(from, to), slow, "{from} to {to}");
            }
        }
    }
}
