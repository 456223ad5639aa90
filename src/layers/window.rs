//! The geometry of a convolution, as a type.

/// Stride, padding, dilation and groups of a [`Conv2d`](super::Conv2d).
pub trait Geometry: Copy + Send + Sync + 'static {
    /// Rows and columns from one output to the next.
    const STRIDE: [usize; 2];
    /// Zero rows and columns around the input: top, bottom, left, right.
    const PADDING: [usize; 4];
    /// Rows and columns from one tap to the next.
    const DILATION: [usize; 2];
    /// Groups of channels.
    const GROUPS: usize;
}

/// A [`Geometry`] in numbers: stride (height, width), padding (top, bottom, left, right), dilation (height, width), groups.
///
/// `Window` alone is stride 1, no padding, no dilation, one group; `Window<2, 2, 1, 1, 1, 1>` is stride 2 with one zero all around.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window<
    const STRIDE_H: usize = 1,
    const STRIDE_W: usize = 1,
    const TOP: usize = 0,
    const BOTTOM: usize = 0,
    const LEFT: usize = 0,
    const RIGHT: usize = 0,
    const DILATION_H: usize = 1,
    const DILATION_W: usize = 1,
    const GROUPS: usize = 1,
>;

impl<
    const STRIDE_H: usize,
    const STRIDE_W: usize,
    const TOP: usize,
    const BOTTOM: usize,
    const LEFT: usize,
    const RIGHT: usize,
    const DILATION_H: usize,
    const DILATION_W: usize,
    const GROUPS: usize,
> Geometry for Window<STRIDE_H, STRIDE_W, TOP, BOTTOM, LEFT, RIGHT, DILATION_H, DILATION_W, GROUPS>
{
    const STRIDE: [usize; 2] = [STRIDE_H, STRIDE_W];
    const PADDING: [usize; 4] = [TOP, BOTTOM, LEFT, RIGHT];
    const DILATION: [usize; 2] = [DILATION_H, DILATION_W];
    const GROUPS: usize = GROUPS;
}
