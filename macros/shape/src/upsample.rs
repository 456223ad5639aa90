use crate::{Axis, Fault, Faults, Field, Shape};

/// How upsampling fills in what lies between the elements of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsampleMode {
    /// Each element is repeated.
    Nearest,
    /// Between the centres of neighbours lies their weighted mean; what lies beyond the outermost centres is as they are (PyTorch's
    /// `align_corners = False`).
    Bilinear,
}

/// A larger map, by whole factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upsample {
    /// The feature map that arrives.
    pub input: Shape,
    /// Rows and columns for each one of the input.
    pub factor: [usize; 2],
    /// What lies between.
    pub mode: UpsampleMode,
}

/// Two neighbouring rows (or columns) and the share of the second one, in parts of `of`: `((of − share) · x[first] + share · x[second]) / of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The one before.
    pub first: usize,
    /// The one behind; the same at the edges.
    pub second: usize,
    /// The second one's share.
    pub share: usize,
    /// The parts of a whole.
    pub of: usize,
}

impl Upsample {
    const fn factor(&self, axis: Axis) -> usize {
        let factor = self.factor[axis as usize];
        if factor == 0 { 1 } else { factor }
    }

    /// `input · factor` on each axis.
    #[inline]
    pub const fn output(&self) -> Shape {
        Shape {
            c: self.input.c,
            h: self.input.h.saturating_mul(self.factor(Axis::Height)),
            w: self.input.w.saturating_mul(self.factor(Axis::Width)),
        }
    }

    /// What row (or column) `at` of the output is made of.
    ///
    /// With factor f the centre of output `at` lies at `(at + ½) / f − ½` among the inputs' centres, and not before the first.
    #[inline]
    pub const fn between(&self, axis: Axis, at: usize) -> Between {
        let (input, factor) = (axis.of(self.input), self.factor(axis));
        let last = input.saturating_sub(1);
        match self.mode {
            UpsampleMode::Nearest => Between { first: at / factor, second: at / factor, share: 0, of: 1 },
            UpsampleMode::Bilinear => {
                let of = factor.saturating_mul(2);
                let place = at.saturating_mul(2).saturating_add(1).saturating_sub(factor);
                let first = place / of;
                Between { first, second: if first < last { first + 1 } else { first }, share: place % of, of }
            }
        }
    }

    /// What is wrong with the layer.
    pub const fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        if self.factor[0] == 0 || self.factor[1] == 0 {
            faults = faults.with(Fault::Zero { field: Field::Factor });
        }
        let output = self.output();
        if output.len() > Shape::MOST_ELEMENTS {
            faults = faults.with(Fault::TooLarge { output, params: 0 });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_where_pytorch_has_it() {
        let at = |factor, at| {
            let upsample = Upsample { input: Shape::new(1, 2, 1), factor: [factor, 1], mode: UpsampleMode::Bilinear };
            let Between { first, second, share, of } = upsample.between(Axis::Height, at);
            (first, second, share as f64 / of as f64)
        };
        // torch.nn.Upsample(scale_factor=2, mode="bilinear") of two rows: 1, ¾ ¼, ¼ ¾, 1.
        assert_eq!([at(2, 0), at(2, 1), at(2, 2), at(2, 3)], [(0, 1, 0.0), (0, 1, 0.25), (0, 1, 0.75), (1, 1, 0.25)]);
        assert_eq!(
            [at(3, 0), at(3, 1), at(3, 4), at(3, 5)],
            [(0, 1, 0.0), (0, 1, 0.0), (1, 1, 0.0), (1, 1, 1.0 / 3.0)]
        );
        assert_eq!([at(1, 0), at(1, 1)], [(0, 1, 0.0), (1, 1, 0.0)]);
    }

    #[test]
    fn total_on_nonsense() {
        for mode in [UpsampleMode::Nearest, UpsampleMode::Bilinear] {
            for factor in [0, 1, usize::MAX] {
                for n in [0, 1, usize::MAX] {
                    let upsample = Upsample { input: Shape::new(n, n, n), factor: [factor; 2], mode };
                    let _ = (upsample.output(), upsample.between(Axis::Width, usize::MAX));
                    for fault in upsample.faults().iter() {
                        let _ = (fault.headline("upsample"), fault.note(), fault.help());
                    }
                }
            }
        }
    }
}
