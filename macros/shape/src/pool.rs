use crate::{Axis, Fault, Faults, Field, Shape};

/// What happens where the windows do not cover the input evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Nothing was said: it is a fault.
    Exact,
    /// The rest is dropped.
    Floor,
    /// A last, partial window takes the rest; it must start inside the input or its left padding (PyTorch's rule for `ceil_mode`).
    Ceil,
}

/// Pooling by windows, maximum or average alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The feature map that arrives.
    pub input: Shape,
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Rows and columns from one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns around the input: top, bottom, left, right. Max-pooling takes them as −∞, average pooling as zeros that count.
    pub padding: [usize; 4],
    /// What to do with a rest.
    pub rounding: Rounding,
}

impl Pool {
    /// Elements of a window: the place of a maximum is kept in 16 bits.
    pub const MOST_ELEMENTS: usize = 1 << 16;

    /// Pooling by windows that stand side by side.
    pub const fn new(input: Shape, kernel: [usize; 2]) -> Self {
        Pool { input, kernel, stride: kernel, padding: [0; 4], rounding: Rounding::Exact }
    }

    #[inline]
    const fn axis(&self, axis: usize) -> (usize, usize, usize, usize, usize) {
        let input = if axis == 0 { self.input.h } else { self.input.w };
        let stride = if self.stride[axis] == 0 { 1 } else { self.stride[axis] };
        (input, self.kernel[axis], stride, self.padding[2 * axis], self.padding[2 * axis + 1])
    }

    #[inline]
    const fn outputs(&self, axis: usize) -> usize {
        let (input, kernel, stride, before, after) = self.axis(axis);
        let room = input.saturating_add(before).saturating_add(after).saturating_sub(kernel);
        match self.rounding {
            Rounding::Exact | Rounding::Floor => (room / stride).saturating_add(1),
            Rounding::Ceil => {
                let outputs = room.div_ceil(stride).saturating_add(1);
                let last_start = (outputs - 1).saturating_mul(stride);
                if outputs > 1 && last_start >= input.saturating_add(before) { outputs - 1 } else { outputs }
            }
        }
    }

    /// Rows or columns that no window covers.
    const fn dropped(&self, axis: usize) -> usize {
        let (input, kernel, stride, before, after) = self.axis(axis);
        input.saturating_add(before).saturating_add(after).saturating_sub(kernel) % stride
    }

    /// `(input + before + after − kernel) / stride + 1` on each axis, rounded as said.
    #[inline]
    pub const fn output(&self) -> Shape {
        Shape { c: self.input.c, h: self.outputs(0), w: self.outputs(1) }
    }

    /// What is wrong with the layer.
    pub const fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        if self.kernel[0] == 0 || self.kernel[1] == 0 {
            return faults.with(Fault::Zero { field: Field::Kernel });
        }
        if self.stride[0] == 0 || self.stride[1] == 0 {
            return faults.with(Fault::Zero { field: Field::Stride });
        }
        let mut axis = 0;
        while axis < 2 {
            let name = if axis == 0 { Axis::Height } else { Axis::Width };
            let (input, kernel, _, before, after) = self.axis(axis);
            // A window that lies wholly in the padding would have no maximum.
            if before >= kernel || after >= kernel {
                return faults.with(Fault::PoolPadding { pool: *self, axis: name });
            }
            if kernel > input.saturating_add(before).saturating_add(after) {
                return faults.with(Fault::WindowTooLarge { pool: *self, axis: name });
            }
            axis += 1;
        }
        if self.kernel[0].saturating_mul(self.kernel[1]) > Pool::MOST_ELEMENTS {
            faults = faults.with(Fault::WindowArea { pool: *self });
        }
        let output = self.output();
        if output.len() > Shape::MOST_ELEMENTS {
            faults = faults.with(Fault::TooLarge { output, params: 0 });
        }
        if matches!(self.rounding, Rounding::Exact) {
            if self.dropped(0) != 0 {
                faults = faults.with(Fault::Remainder { pool: *self, axis: Axis::Height, dropped: self.dropped(0) });
            } else if self.dropped(1) != 0 {
                faults = faults.with(Fault::Remainder { pool: *self, axis: Axis::Width, dropped: self.dropped(1) });
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_on_nonsense() {
        let big = usize::MAX;
        for kernel in [0, 1, big] {
            for (stride, padding) in [(0, 0), (1, big), (big, 1), (big, big)] {
                for rounding in [Rounding::Exact, Rounding::Floor, Rounding::Ceil] {
                    for n in [0, 1, big] {
                        let input = Shape::new(n, n, n);
                        let pool =
                            Pool { input, kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 4], rounding };
                        assert!(pool.output().h >= 1);
                        for fault in pool.faults().iter() {
                            let _ = (fault.headline("pool"), fault.note(), fault.help());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn counts_the_window() {
        let pool = |n| Pool { rounding: Rounding::Floor, ..Pool::new(Shape::new(1, 300, 300), [n; 2]) };
        assert!(pool(256).faults().is_empty());
        assert!(matches!(pool(257).faults().iter().next(), Some(Fault::WindowArea { .. })));
    }

    #[test]
    fn rounds_as_pytorch() {
        let pool = |n, kernel, stride, padding, rounding| {
            let pool = Pool {
                input: Shape::new(1, n, n),
                kernel: [kernel; 2],
                stride: [stride; 2],
                padding: [padding; 4],
                rounding,
            };
            pool.output().h
        };
        assert_eq!(pool(28, 2, 2, 0, Rounding::Exact), 14);
        assert_eq!(pool(5, 2, 2, 0, Rounding::Floor), 2);
        assert_eq!(pool(5, 2, 2, 0, Rounding::Ceil), 3);
        // torch.nn.MaxPool2d(2, 2, padding=1, ceil_mode=True) on 5×5: 4 would start beyond the input, so 3.
        assert_eq!(pool(5, 2, 2, 1, Rounding::Ceil), 3);
        assert_eq!(pool(112, 3, 2, 1, Rounding::Floor), 56);
    }
}
