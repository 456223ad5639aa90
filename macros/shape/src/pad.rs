use crate::{Axis, Fault, Faults, Shape};

/// What stands around a padded map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// Zeros.
    Zero,
    /// The map, mirrored at its edges, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// The map's edges, again and again: `a a | a b c | c c`.
    Replicate,
}

/// Rows and columns around a map, as a layer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pad {
    /// The feature map that arrives.
    pub input: Shape,
    /// Rows and columns around it: top, bottom, left, right.
    pub padding: [usize; 4],
    /// What they hold.
    pub mode: PadMode,
}

impl Pad {
    /// `input + before + after` on each axis.
    #[inline]
    pub const fn output(&self) -> Shape {
        let [top, bottom, left, right] = self.padding;
        Shape {
            c: self.input.c,
            h: self.input.h.saturating_add(top).saturating_add(bottom),
            w: self.input.w.saturating_add(left).saturating_add(right),
        }
    }

    /// The row (or column) of the input that row `at` of the output shows; `None` where it is zeros.
    #[inline]
    pub const fn source(&self, axis: Axis, at: usize) -> Option<usize> {
        let (input, before) = match axis {
            Axis::Height => (self.input.h, self.padding[0]),
            Axis::Width => (self.input.w, self.padding[2]),
        };
        // How far it lies before the first one, or behind the last one.
        let (early, late) =
            (before.saturating_sub(at), (at.saturating_add(1)).saturating_sub(before.saturating_add(input)));
        let last = input.saturating_sub(1);
        match self.mode {
            _ if early == 0 && late == 0 => Some(at - before),
            PadMode::Zero => None,
            PadMode::Reflect if early > 0 => Some(early),
            PadMode::Reflect => Some(last.saturating_sub(late)),
            PadMode::Replicate if early > 0 => Some(0),
            PadMode::Replicate => Some(last),
        }
    }

    /// What is wrong with the layer.
    pub const fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        let [top, bottom, left, right] = self.padding;
        if matches!(self.mode, PadMode::Reflect) {
            if top >= self.input.h || bottom >= self.input.h {
                faults = faults.with(Fault::Reflection { pad: *self, axis: Axis::Height });
            } else if left >= self.input.w || right >= self.input.w {
                faults = faults.with(Fault::Reflection { pad: *self, axis: Axis::Width });
            }
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

    fn sources(mode: PadMode, before: usize, input: usize, after: usize) -> [Option<usize>; 7] {
        let pad = Pad { input: Shape::new(1, input, 1), padding: [before, after, 0, 0], mode };
        core::array::from_fn(|at| pad.source(Axis::Height, at))
    }

    #[test]
    fn shows_what_pytorch_does() {
        assert_eq!(sources(PadMode::Zero, 2, 3, 2), [None, None, Some(0), Some(1), Some(2), None, None]);
        assert_eq!(sources(PadMode::Reflect, 2, 3, 2), [2, 1, 0, 1, 2, 1, 0].map(Some));
        assert_eq!(sources(PadMode::Replicate, 2, 3, 2), [0, 0, 0, 1, 2, 2, 2].map(Some));
        assert_eq!(sources(PadMode::Replicate, 0, 1, 6), [Some(0); 7]);
    }

    #[test]
    fn reflects_less_than_there_is() {
        let pad = |h, w, mode| Pad { input: Shape::new(2, h, w), padding: [1, 2, 3, 0], mode };
        assert!(pad(3, 4, PadMode::Reflect).faults().is_empty());
        assert!(matches!(
            pad(2, 4, PadMode::Reflect).faults().iter().next(),
            Some(Fault::Reflection { axis: Axis::Height, .. })
        ));
        assert!(matches!(
            pad(3, 3, PadMode::Reflect).faults().iter().next(),
            Some(Fault::Reflection { axis: Axis::Width, .. })
        ));
        assert!(pad(1, 1, PadMode::Replicate).faults().is_empty());
    }

    #[test]
    fn total_on_nonsense() {
        for mode in [PadMode::Zero, PadMode::Reflect, PadMode::Replicate] {
            for padding in [0, 1, usize::MAX] {
                for n in [0, 1, usize::MAX] {
                    let pad = Pad { input: Shape::new(n, n, n), padding: [padding; 4], mode };
                    let _ = (pad.output(), pad.source(Axis::Width, 0), pad.source(Axis::Height, usize::MAX));
                    for fault in pad.faults().iter() {
                        let _ = (fault.headline("pad"), fault.note(), fault.help());
                    }
                }
            }
        }
    }
}
