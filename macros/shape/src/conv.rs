use crate::{Axis, Fault, Faults, Field, Pool, Shape};

/// A 2-D convolution (cross-correlation, as in every framework):
///
/// `y[o][r][s] = b[o] + Σ_{i, u, v} w[o][i][u][v] · x[i][r·stride + u·dilation − top][s·stride + v·dilation − left]`,
///
/// the sum over the input channels `i` of `o`'s group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// The feature map that arrives.
    pub input: Shape,
    /// Channels out.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Rows and columns from one output to the next.
    pub stride: [usize; 2],
    /// Zero rows and columns around the input: top, bottom, left, right.
    pub padding: [usize; 4],
    /// Rows and columns from one tap of the kernel to the next.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

/// A divisor that may come from a faulty declaration.
#[inline]
pub(crate) const fn nonzero(n: usize) -> usize {
    if n == 0 { 1 } else { n }
}

/// Rows (or columns) that a dilated kernel spans: `dilation · (kernel − 1) + 1`.
#[inline]
pub(crate) const fn extent(kernel: usize, dilation: usize) -> usize {
    dilation.saturating_mul(kernel.saturating_sub(1)).saturating_add(1)
}

/// Zeros before and after an axis by TensorFlow's rule `same`: the output has `⌈input / stride⌉` entries, and the odd zero goes to the end.
///
/// Source: the TensorFlow API guide, "Notes on padding", `tf.nn`.
pub const fn same_padding(input: usize, kernel: usize, stride: usize, dilation: usize) -> [usize; 2] {
    let outputs = input.div_ceil(nonzero(stride));
    let span = outputs.saturating_sub(1).saturating_mul(nonzero(stride)).saturating_add(extent(kernel, dilation));
    let total = span.saturating_sub(input);
    [total / 2, total - total / 2]
}

impl Conv {
    /// A convolution of stride 1, without padding, dilation or groups, with a bias.
    pub const fn new(input: Shape, out_channels: usize, kernel: [usize; 2]) -> Self {
        Conv { input, out_channels, kernel, stride: [1; 2], padding: [0; 4], dilation: [1; 2], groups: 1, bias: true }
    }

    /// The padding `same` for this convolution's other numbers ([`same_padding`]).
    #[inline]
    pub const fn same(&self) -> [usize; 4] {
        let [top, bottom] = same_padding(self.input.h, self.kernel[0], self.stride[0], self.dilation[0]);
        let [left, right] = same_padding(self.input.w, self.kernel[1], self.stride[1], self.dilation[1]);
        [top, bottom, left, right]
    }

    /// This convolution with the padding `same`.
    pub const fn with_same_padding(self) -> Conv {
        Conv { padding: self.same(), ..self }
    }

    /// Height and width of the padded input.
    #[inline]
    pub const fn padded(&self) -> [usize; 2] {
        let [top, bottom, left, right] = self.padding;
        [
            self.input.h.saturating_add(top).saturating_add(bottom),
            self.input.w.saturating_add(left).saturating_add(right),
        ]
    }

    /// Whether the map that leaves a pooling behind this convolution may take the place of the map that arrives, both in pixels and from the first element on: row by row of windows, what
    /// was written must end before the first row that is still to be read.
    ///
    /// Windows that do not overlap and need no padding: row `r` of them reads from row `r · pool stride · stride − top` on.
    pub const fn pools_in_place(&self, pool: &Pool) -> bool {
        let out = pool.output();
        let x_row = self.input.w.saturating_mul(self.input.c);
        let y_row = out.w.saturating_mul(self.out_channels);
        let step = pool.stride[0].saturating_mul(self.stride[0]);
        let (mut r, mut fits) = (1, y_row.saturating_mul(out.h) <= self.input.len());
        // From r = 1 on, if it holds there, both sides are straight lines in r (the right one is above 0 then): what holds at both ends holds between them.
        while r < out.h {
            let first = r.saturating_mul(step).saturating_sub(self.padding[0]);
            fits = fits && r.saturating_mul(y_row) <= first.saturating_mul(x_row);
            r = if r + 1 < out.h { out.h - 1 } else { out.h };
        }
        fits
    }

    /// Rows and columns that the dilated kernel spans.
    #[inline]
    pub const fn extent(&self) -> [usize; 2] {
        [extent(self.kernel[0], self.dilation[0]), extent(self.kernel[1], self.dilation[1])]
    }

    /// `⌊(input + before + after − extent) / stride⌋ + 1` on each axis; 1 where the kernel does not fit.
    #[inline]
    pub const fn output(&self) -> Shape {
        let (padded, extent) = (self.padded(), self.extent());
        Shape {
            c: nonzero(self.out_channels),
            h: padded[0].saturating_sub(extent[0]) / nonzero(self.stride[0]) + 1,
            w: padded[1].saturating_sub(extent[1]) / nonzero(self.stride[1]) + 1,
        }
    }

    /// Input channels of one group.
    #[inline]
    pub const fn group_inputs(&self) -> usize {
        nonzero(self.input.c / nonzero(self.groups))
    }

    /// Output channels of one group.
    #[inline]
    pub const fn group_outputs(&self) -> usize {
        nonzero(self.out_channels / nonzero(self.groups))
    }

    /// Biases: `out_channels` or none.
    #[inline]
    pub const fn biases(&self) -> usize {
        if self.bias { self.out_channels } else { 0 }
    }

    /// Taps that one output sums: `group_inputs · kernel height · kernel width`, the rows of the im2col matrix.
    #[inline]
    pub const fn taps(&self) -> usize {
        self.group_inputs().saturating_mul(self.kernel[0]).saturating_mul(self.kernel[1])
    }

    /// Parameters: weights and biases.
    pub const fn params(&self) -> usize {
        self.out_channels.saturating_mul(self.taps()).saturating_add(self.biases())
    }

    /// Multiply-adds for one input, padding counted as input.
    pub const fn macs(&self) -> usize {
        self.output().len().saturating_mul(self.taps())
    }

    /// What is wrong with the layer.
    pub const fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        if self.out_channels == 0 {
            faults = faults.with(Fault::Zero { field: Field::Channels });
        }
        if self.kernel[0] == 0 || self.kernel[1] == 0 {
            faults = faults.with(Fault::Zero { field: Field::Kernel });
        }
        if self.stride[0] == 0 || self.stride[1] == 0 {
            faults = faults.with(Fault::Zero { field: Field::Stride });
        }
        if self.dilation[0] == 0 || self.dilation[1] == 0 {
            faults = faults.with(Fault::Zero { field: Field::Dilation });
        }
        if self.groups == 0 {
            faults = faults.with(Fault::Zero { field: Field::Groups });
        } else {
            if !self.input.c.is_multiple_of(self.groups) {
                faults = faults.with(Fault::Groups { groups: self.groups, channels: self.input.c, out: false });
            }
            if !self.out_channels.is_multiple_of(self.groups) {
                faults = faults.with(Fault::Groups { groups: self.groups, channels: self.out_channels, out: true });
            }
        }
        let (output, params) = (self.output(), self.params());
        if output.len() > Shape::MOST_ELEMENTS || params > Shape::MOST_ELEMENTS {
            faults = faults.with(Fault::TooLarge { output, params });
        }
        let (padded, extent) = (self.padded(), self.extent());
        let axis = if extent[0] > padded[0] {
            Axis::Height
        } else if extent[1] > padded[1] {
            Axis::Width
        } else {
            return faults;
        };
        faults.with(Fault::KernelTooLarge { conv: *self, axis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_in_place_where_rows_shrink() {
        let pools = |input: Shape, channels: usize, padding: usize| {
            let conv = Conv { padding: [padding; 4], ..Conv::new(input, channels, [3, 3]) };
            conv.pools_in_place(&Pool::new(conv.output(), [2, 2]))
        };
        assert!(pools(Shape::new(32, 26, 26), 64, 0));
        // A row of windows reads the row above it, padded: a row of pooled pixels has half of the elements, or as many, or more.
        assert!(pools(Shape::new(8, 16, 16), 8, 1));
        assert!(pools(Shape::new(8, 16, 16), 16, 1));
        assert!(!pools(Shape::new(8, 16, 16), 17, 1));
        // Larger than what arrived.
        assert!(!pools(Shape::new(1, 8, 8), 8, 1));
        // One row of windows: all is read before anything is written.
        assert!(pools(Shape::new(4, 2, 8), 4, 1));
        let huge = Conv::new(Shape::new(usize::MAX, usize::MAX, usize::MAX), usize::MAX, [1, 1]);
        let _ = huge.pools_in_place(&Pool::new(huge.output(), [2, 2]));
    }

    /// Against all rows.
    #[test]
    fn pools_in_place_by_its_ends() {
        for (h, channels, padding) in (2..12).flat_map(|h| (1..9).flat_map(move |c| (0..3).map(move |p| (h, c, p)))) {
            let conv = Conv { padding: [padding; 4], ..Conv::new(Shape::new(2, h, 6), channels, [3, 3]) };
            let pool = Pool::new(conv.output(), [2, 2]);
            let out = pool.output();
            let every = (1..out.h).all(|r| r * out.w * channels <= (2 * r).saturating_sub(padding) * 12);
            assert_eq!(conv.pools_in_place(&pool), every && out.len() <= conv.input.len(), "{conv:?}");
        }
    }

    #[test]
    fn lenet() {
        let conv1 = Conv { padding: [2; 4], ..Conv::new(Shape::new(1, 28, 28), 6, [5, 5]) };
        assert_eq!(conv1.output(), Shape::new(6, 28, 28));
        assert_eq!((conv1.params(), conv1.macs()), (156, 117_600));
    }

    #[test]
    fn same_is_tensorflows() {
        // DS-CNN's first layer: 49×10, kernel 10×4, stride 2 gives 25×5, with 4 + 5 rows and 1 + 1 columns of zeros.
        assert_eq!(same_padding(49, 10, 2, 1), [4, 5]);
        assert_eq!(same_padding(10, 4, 2, 1), [1, 1]);
        assert_eq!(same_padding(28, 5, 1, 1), [2, 2]);
        assert_eq!(same_padding(7, 3, 1, 2), [2, 2]);
        assert_eq!(same_padding(4, 1, 2, 1), [0, 0]);
    }

    #[test]
    fn total_on_nonsense() {
        let conv = Conv {
            input: Shape::new(0, 0, 0),
            out_channels: 0,
            kernel: [0, usize::MAX],
            stride: [0; 2],
            padding: [usize::MAX; 4],
            dilation: [usize::MAX; 2],
            groups: 0,
            bias: true,
        };
        assert!(conv.output().c == 1 && !conv.faults().is_empty());
        let _ = (conv.params(), conv.macs(), conv.same());
        for fault in conv.faults().iter() {
            let _ = (fault.headline("conv"), fault.note(), fault.help());
        }
    }

    #[test]
    fn refuses_what_no_memory_holds() {
        let conv = Conv::new(Shape::new(1, 1 << 32, 1 << 32), 1, [1, 1]);
        assert!(matches!(conv.faults().iter().next(), Some(Fault::TooLarge { .. })));
    }
}
