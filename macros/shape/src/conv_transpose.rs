use crate::conv::{extent, nonzero};
use crate::{Axis, Conv, Fault, Faults, Field, Shape};

/// A transposed 2-D convolution: what a [`Conv`] does to gradients, from its output's size back to its input's.
///
/// Each element of the input is spread over the output by the kernel:
///
/// `y[o][r·stride + u·dilation − top][s·stride + v·dilation − left] += Σ_i w[i][o][u][v] · x[i][r][s]`, and `y` begins as the bias,
///
/// the sum over the input channels `i` of `o`'s group.
///
/// Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose {
    /// The feature map that arrives.
    pub input: Shape,
    /// Channels out.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Rows and columns of the output from one input to the next.
    pub stride: [usize; 2],
    /// Rows and columns that are cut off: top, bottom, left, right.
    pub padding: [usize; 4],
    /// Rows and columns that are put on at the bottom and at the right: with a stride, convolutions of several sizes yield one.
    pub output_padding: [usize; 2],
    /// Rows and columns from one tap of the kernel to the next.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl ConvTranspose {
    /// A transposed convolution of stride 1, without padding, dilation or groups, with a bias.
    pub const fn new(input: Shape, out_channels: usize, kernel: [usize; 2]) -> Self {
        ConvTranspose {
            input,
            out_channels,
            kernel,
            stride: [1; 2],
            padding: [0; 4],
            output_padding: [0; 2],
            dilation: [1; 2],
            groups: 1,
            bias: true,
        }
    }

    /// Rows or columns before any are cut off: `(input − 1) · stride + extent + output_padding`.
    pub(crate) const fn full(&self, axis: Axis) -> usize {
        let (i, input) = (axis as usize, axis.of(self.input));
        input
            .saturating_sub(1)
            .saturating_mul(self.stride[i])
            .saturating_add(extent(self.kernel[i], self.dilation[i]))
            .saturating_add(self.output_padding[i])
    }

    /// Rows and columns that the dilated kernel spans.
    pub(crate) const fn extent(&self, axis: Axis) -> usize {
        extent(self.kernel[axis as usize], self.dilation[axis as usize])
    }

    const fn cut(&self, axis: Axis) -> usize {
        self.padding[2 * axis as usize].saturating_add(self.padding[2 * axis as usize + 1])
    }

    /// `(input − 1) · stride + extent + output_padding − before − after` on each axis; 1 where nothing is left.
    #[inline]
    pub const fn output(&self) -> Shape {
        Shape {
            c: nonzero(self.out_channels),
            h: nonzero(self.full(Axis::Height).saturating_sub(self.cut(Axis::Height))),
            w: nonzero(self.full(Axis::Width).saturating_sub(self.cut(Axis::Width))),
        }
    }

    /// The convolution whose input's gradient this is: it reads a map like this one's output. Its own output is as large as this one's
    /// input, or larger where `output_padding` is as large as the stride.
    #[inline]
    pub const fn across(&self) -> Conv {
        Conv {
            input: self.output(),
            out_channels: self.input.c,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            groups: self.groups,
            bias: false,
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

    /// Weights: `[kernel height][kernel width][inputs / groups][outputs]`.
    #[inline]
    pub const fn weights(&self) -> usize {
        let taps = self.kernel[0].saturating_mul(self.kernel[1]);
        taps.saturating_mul(self.group_inputs()).saturating_mul(self.out_channels)
    }

    /// Inputs that one output sums: with a stride it is reached by some of the taps alone.
    pub const fn fan_in(&self) -> usize {
        self.group_inputs().saturating_mul(self.meets(0)).saturating_mul(self.meets(1))
    }

    /// Taps along an axis that reach an output, of those that reach the most.
    const fn meets(&self, axis: usize) -> usize {
        let (stride, dilation) = (nonzero(self.stride[axis]), nonzero(self.dilation[axis]));
        let (mut a, mut b) = (stride, dilation);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        self.kernel[axis].div_ceil(stride / a)
    }

    /// Outputs that one input reaches.
    pub const fn fan_out(&self) -> usize {
        self.group_outputs().saturating_mul(self.kernel[0]).saturating_mul(self.kernel[1])
    }

    /// Parameters: weights and biases.
    pub const fn params(&self) -> usize {
        self.weights().saturating_add(self.biases())
    }

    /// Multiply-adds for one input, what is cut off counted as output.
    pub const fn macs(&self) -> usize {
        self.input.len().saturating_mul(self.fan_out())
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
        } else if !self.input.c.is_multiple_of(self.groups) {
            faults = faults.with(Fault::Groups { groups: self.groups, channels: self.input.c, out: false });
        } else if !self.out_channels.is_multiple_of(self.groups) {
            faults = faults.with(Fault::Groups { groups: self.groups, channels: self.out_channels, out: true });
        }
        if !faults.is_empty() {
            return faults;
        }
        if !self.pads_little(Axis::Height) {
            faults = faults.with(Fault::OutputPadding { conv: *self, axis: Axis::Height });
        } else if !self.pads_little(Axis::Width) {
            faults = faults.with(Fault::OutputPadding { conv: *self, axis: Axis::Width });
        }
        if self.cut(Axis::Height) >= self.full(Axis::Height) {
            faults = faults.with(Fault::NothingLeft { conv: *self, axis: Axis::Height });
        } else if self.cut(Axis::Width) >= self.full(Axis::Width) {
            faults = faults.with(Fault::NothingLeft { conv: *self, axis: Axis::Width });
        }
        let (output, params) = (self.output(), self.params());
        if output.len() > Shape::MOST_ELEMENTS || params > Shape::MOST_ELEMENTS {
            faults = faults.with(Fault::TooLarge { output, params });
        }
        faults
    }

    /// Whether the output's padding is smaller than stride or dilation.
    const fn pads_little(&self, axis: Axis) -> bool {
        let i = axis as usize;
        self.output_padding[i] < self.stride[i] || self.output_padding[i] < self.dilation[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_pytorchs() {
        // DCGAN's: ConvTranspose2d(_, _, 4, stride=2, padding=1) doubles.
        let double =
            ConvTranspose { stride: [2; 2], padding: [1; 4], ..ConvTranspose::new(Shape::new(8, 4, 5), 6, [4, 4]) };
        assert_eq!(double.output(), Shape::new(6, 8, 10));
        assert_eq!((double.params(), double.macs()), (8 * 6 * 16 + 6, 8 * 4 * 5 * 6 * 16));
        assert_eq!((double.fan_in(), double.fan_out()), (8 * 4, 6 * 16));
        let odd = ConvTranspose {
            stride: [3, 1],
            padding: [1, 2, 0, 1],
            output_padding: [2, 1],
            dilation: [1, 2],
            ..ConvTranspose::new(Shape::new(2, 3, 3), 1, [3, 2])
        };
        assert_eq!(odd.output(), Shape::new(1, 2 * 3 + 3 + 2 - 3, 2 + 3 + 1 - 1));
        assert!(odd.faults().is_empty());
    }

    /// A convolution's output goes back to its input.
    #[test]
    fn goes_back() {
        for (n, k, s, p, d) in [(9, 3, 2, 1, 1), (10, 3, 2, 1, 1), (12, 4, 3, 0, 2), (7, 2, 1, 1, 3), (5, 5, 4, 2, 1)] {
            let conv =
                Conv { stride: [s; 2], padding: [p; 4], dilation: [d; 2], ..Conv::new(Shape::new(1, n, n), 1, [k, k]) };
            let rest = (n + 2 * p - (d * (k - 1) + 1)) % s;
            let back = ConvTranspose {
                stride: [s; 2],
                padding: [p; 4],
                dilation: [d; 2],
                output_padding: [rest; 2],
                ..ConvTranspose::new(conv.output(), 1, [k, k])
            };
            assert!(back.faults().is_empty());
            assert_eq!((back.output(), back.across().output()), (conv.input, conv.output()));
        }
    }

    #[test]
    fn tells_what_is_wrong() {
        let conv = ConvTranspose::new(Shape::new(4, 1, 3), 4, [3, 3]);
        let first = |conv: ConvTranspose| *conv.faults().iter().next().unwrap();
        assert!(matches!(
            first(ConvTranspose { padding: [2, 1, 0, 0], ..conv }),
            Fault::NothingLeft { axis: Axis::Height, .. }
        ));
        assert!(matches!(
            first(ConvTranspose { output_padding: [0, 1], ..conv }),
            Fault::OutputPadding { axis: Axis::Width, .. }
        ));
        assert!(ConvTranspose { output_padding: [0, 1], dilation: [1, 2], ..conv }.faults().is_empty());
        assert!(matches!(first(ConvTranspose { groups: 3, ..conv }), Fault::Groups { out: false, .. }));
    }

    #[test]
    fn total_on_nonsense() {
        for n in [0, 1, usize::MAX] {
            for m in [0, 1, usize::MAX] {
                let conv = ConvTranspose {
                    input: Shape::new(n, m, n),
                    out_channels: m,
                    kernel: [n, m],
                    stride: [m; 2],
                    padding: [n; 4],
                    output_padding: [m; 2],
                    dilation: [n; 2],
                    groups: m,
                    bias: true,
                };
                assert!(conv.output().h >= 1);
                let _ = (conv.params(), conv.macs(), conv.fan_in());
                for fault in conv.faults().iter() {
                    let _ = (fault.headline("conv"), fault.note(), fault.help());
                }
            }
        }
    }
}
