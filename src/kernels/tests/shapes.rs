//! Convolutions for the tests: hand-picked ones, and random ones that a `const fn` makes from a number.
//!
//! Kernels take their geometry as consts, so random shapes are drawn when compiling, by a small generator; the data is drawn at run time.

use crate::Scalar;
use crate::kernels::concat::Slice;
use crate::kernels::conv::ConvSpec;
use crate::kernels::conv_transpose::ConvTransposeSpec;
use crate::kernels::stage::PoolSpec;
use crate::shape::{Conv, ConvTranspose, Pool, Rounding, Shape};

/// A linear congruential generator (Knuth's MMIX constants), of which the upper bits are used.
struct Lcg(u64);

impl Lcg {
    const fn new(seed: u64) -> Self {
        Lcg(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number from `low` to `high`.
    const fn next(&mut self, low: usize, high: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (self.0 >> 33) as usize % (high - low + 1)
    }

    /// One of these numbers.
    const fn of(&mut self, numbers: &[usize]) -> usize {
        numbers[self.next(0, numbers.len() - 1)]
    }
}

/// What the naive kernels do in some milliseconds without optimisation.
const MOST_MACS: usize = 100_000;

/// Channels around one and two vectors of 4, 8 and 16 lanes, and few.
const CHANNELS: [usize; 16] = [1, 2, 3, 4, 5, 6, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65];

/// One, or more than two vectors: such shapes have many products, so they are drawn more often than they are taken.
const FAR_CHANNELS: [usize; 6] = [1, 33, 40, 48, 64, 65];

/// A random convolution without fault.
const fn random_conv(seed: usize) -> Conv {
    let mut r = Lcg::new(seed as u64 + 101);
    loop {
        // Dense twice as often as grouped or depthwise.
        let (groups, inputs, outputs) = match r.next(0, 3) {
            0 | 1 => (1, r.of(&CHANNELS), if r.next(0, 2) == 0 { r.of(&FAR_CHANNELS) } else { r.of(&CHANNELS) }),
            2 => (r.next(2, 4), r.next(1, 9), r.next(1, 17)),
            _ => (r.of(&CHANNELS), 1, r.next(1, 2)),
        };
        // Narrow maps are the rest of a tile, wide ones several tiles.
        let widest = if r.next(0, 2) == 0 { 4 } else { 40 };
        let conv = Conv {
            input: Shape::new(groups * inputs, r.next(1, 8), r.next(1, widest)),
            out_channels: groups * outputs,
            kernel: [r.next(1, 5), r.next(1, 5)],
            stride: if r.next(0, 1) == 0 { [1; 2] } else { [r.next(1, 3), r.next(1, 3)] },
            padding: if r.next(0, 3) == 0 { [0; 4] } else { [r.next(0, 3), r.next(0, 3), r.next(0, 3), r.next(0, 3)] },
            dilation: if r.next(0, 1) == 0 { [1; 2] } else { [r.next(1, 3), r.next(1, 3)] },
            groups,
            bias: r.next(0, 3) > 0,
        };
        // The least, so that not most of them are tiny.
        if conv.faults().is_empty() && conv.macs() <= MOST_MACS && conv.macs() >= MOST_MACS / 50 {
            return conv;
        }
    }
}

/// A random pooling of a map, by windows that do not overlap.
const fn random_pool(seed: usize, input: Shape) -> Pool {
    let mut r = Lcg::new(seed as u64 + 1000);
    loop {
        let kernel = [r.next(1, 4), r.next(1, 4)];
        let gap = if r.next(0, 2) == 0 { [r.next(0, 2), r.next(0, 2)] } else { [0; 2] };
        let stride = [kernel[0] + gap[0], kernel[1] + gap[1]];
        let pool = Pool { stride, rounding: Rounding::Floor, ..Pool::new(input, kernel) };
        if pool.faults().is_empty() {
            return pool;
        }
    }
}

/// The convolution of a number, and a pooling behind it.
#[derive(Clone, Copy, Default)]
pub(super) struct Random<const SEED: usize>;

impl<const SEED: usize> ConvSpec for Random<SEED> {
    const CONV: Conv = random_conv(SEED);
    const PLANES: bool = false;
}

impl<const SEED: usize> PoolSpec for Random<SEED> {
    const POOL: Pool = random_pool(SEED, random_conv(SEED).output());
}

/// A convolution whose input lies in planes.
#[derive(Clone, Copy, Default)]
pub(super) struct InPlanes<C>(C);

impl<C: ConvSpec> ConvSpec for InPlanes<C> {
    const CONV: Conv = C::CONV;
    const PLANES: bool = true;
}

impl<C: PoolSpec> PoolSpec for InPlanes<C> {
    const POOL: Pool = C::POOL;
}

/// A convolution whose output is a slice of a joined map, with as many channels before and behind it as its shape draws.
#[derive(Clone, Copy, Default)]
pub(super) struct Sliced<C>(C);

/// The slice of an output of this shape.
pub(super) const fn slice(output: Shape) -> Slice {
    let first = output.w % 4;
    Slice { channels: output.c, first, total: first + output.c + output.h % 3 }
}

impl<C: ConvSpec> ConvSpec for Sliced<C> {
    const CONV: Conv = C::CONV;
    const PLANES: bool = C::PLANES;
    const SLICE: Option<Slice> = Some(slice(C::CONV.output()));
}

impl<C: ConvTransposeSpec> ConvTransposeSpec for Sliced<C> {
    const TRANSPOSED: ConvTranspose = C::TRANSPOSED;
    const SLICE: Option<Slice> = Some(slice(C::TRANSPOSED.output()));
}

/// Asserts that `joined` is `before`, of which the slice is `own` to the bit.
pub(super) fn assert_slice<T: Scalar>(what: &str, slice: Slice, own: &[T], before: &[T], joined: &[T]) {
    let mut wanted = before.to_vec();
    for (wanted, own) in wanted.chunks_exact_mut(slice.total).zip(own.chunks_exact(slice.channels)) {
        wanted[slice.first..slice.first + slice.channels].copy_from_slice(own);
    }
    assert!(joined == wanted, "{what}: {slice:?}");
}

/// Convolutions that have a name, each with a pooling of its output.
macro_rules! picked {
    ($($(#[$doc:meta])* $name:ident: $conv:expr, pool $kernel:expr $(, stride $stride:expr)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default)]
        pub(super) struct $name;

        impl ConvSpec for $name {
            const CONV: Conv = $conv;
            const PLANES: bool = false;
        }

        impl PoolSpec for $name {
            const POOL: Pool = Pool {
                $(stride: $stride,)?
                rounding: Rounding::Floor,
                ..Pool::new(<$name as ConvSpec>::CONV.output(), $kernel)
            };
        }
    )*};
}

const fn conv(input: [usize; 3], out: usize, kernel: [usize; 2]) -> Conv {
    Conv::new(Shape::new(input[0], input[1], input[2]), out, kernel)
}

picked! {
    /// LeNet-5's first, 28 × 28.
    LeNet1: Conv { padding: [2; 4], ..conv([1, 28, 28], 6, [5, 5]) }, pool [2, 2];
    /// LeNet-5's second.
    LeNet2: conv([6, 14, 14], 16, [5, 5]), pool [2, 2];
    /// A colour picture's first.
    Colours: Conv { padding: [1; 4], stride: [2, 2], ..conv([3, 20, 21], 24, [3, 3]) }, pool [2, 2];
    /// Many channels on a small map, as deep in a network.
    Deep: Conv { padding: [1; 4], ..conv([17, 5, 6], 33, [3, 3]) }, pool [3, 3];
    /// Whole panels of vectors.
    Wide: Conv { padding: [1; 4], ..conv([16, 4, 5], 64, [3, 3]) }, pool [2, 2];
    /// Whole panels and one channel more.
    Wider: Conv { padding: [1, 0, 0, 1], ..conv([3, 6, 7], 65, [2, 3]) }, pool [2, 3];
    /// One output channel.
    Single: Conv { padding: [1; 4], ..conv([33, 5, 13], 1, [3, 3]) }, pool [2, 2];
    /// Only channels are mixed.
    Pointwise: conv([9, 7, 7], 17, [1, 1]), pool [7, 7];
    /// Only channels are mixed, and more of them than a piece of the product has rows.
    LongPointwise: conv([1100, 2, 3], 5, [1, 1]), pool [2, 1];
    /// Only channels are mixed, into more than a normalisation's factors are made of at a time, and image by image.
    PointwiseFactors: conv([5, 13, 20], 71, [1, 1]), pool [13, 2];
    /// One channel becomes eight: rows are vectors where they can be, and not pixels.
    PointwiseRows: conv([1, 5, 19], 8, [1, 1]), pool [5, 2];
    /// Only channels are mixed, on every other place.
    PointwiseStrided: Conv { stride: [2, 2], ..conv([8, 7, 9], 7, [1, 1]) }, pool [2, 3];
    /// Only channels are mixed, on the first pixel of blocks that make up all of the input: two panels of channels and a rest.
    Shortcut: Conv { stride: [2, 3], ..conv([39, 8, 9], 21, [1, 1]) }, pool [2, 2];
    /// The same in groups, with two taps in a row, of which one may lie outside.
    ShortcutGroups: Conv { stride: [2, 2], dilation: [1, 2], padding: [0, 0, 2, 0], groups: 2, ..conv([32, 4, 10], 24, [1, 2]) }, pool [2, 2];
    /// Only channels are mixed, with zeros around.
    PointwisePadded: Conv { padding: [1, 2, 0, 1], ..conv([5, 4, 3], 31, [1, 1]) }, pool [2, 2];
    /// The kernel is the map: a linear layer.
    WholeMap: conv([3, 5, 4], 9, [5, 4]), pool [1, 1];
    /// More zeros than map, and outputs that see nothing but zeros.
    MostlyPadding: Conv { padding: [4, 6, 5, 3], ..conv([2, 2, 3], 8, [3, 2]) }, pool [3, 2];
    /// The same with strides and dilation: phases and classes without any tap.
    MostlyPaddingStrided: Conv { padding: [7, 5, 4, 9], stride: [3, 2], dilation: [2, 3], ..conv([4, 2, 3], 16, [3, 2]) }, pool [2, 2];
    /// A stride that leaves inputs out.
    Sparse: Conv { stride: [3, 4], ..conv([4, 11, 14], 15, [2, 2]) }, pool [2, 2];
    /// Stride and dilation that share a factor: some phases have no tap.
    Phases: Conv { stride: [2, 4], dilation: [2, 6], padding: [1, 3, 2, 5], ..conv([3, 12, 20], 6, [3, 3]) }, pool [2, 2];
    /// One column out.
    Column: Conv { padding: [1, 1, 0, 0], ..conv([3, 20, 3], 7, [3, 3]) }, pool [2, 1];
    /// A signal.
    Signal: Conv { padding: [0, 0, 4, 4], ..conv([1, 1, 300], 9, [1, 9]) }, pool [1, 4];
    /// Each channel by itself.
    Depthwise: Conv { padding: [1; 4], groups: 8, ..conv([8, 12, 20], 8, [3, 3]) }, pool [2, 2];
    /// Each channel by itself, a vector and a rest of them, on every other place.
    DepthwiseStrided: Conv { padding: [1; 4], groups: 35, stride: [2, 2], ..conv([35, 7, 8], 35, [3, 3]) }, pool [2, 2];
    /// Each channel by itself, twice.
    DepthwiseTwice: Conv { padding: [0, 1, 1, 0], groups: 9, ..conv([9, 6, 7], 18, [3, 2]) }, pool [2, 2];
    /// Each channel by itself, with more taps in a row than are summed together, and more zeros beside it than a part has outputs.
    DepthwiseLong: Conv { padding: [0, 1, 9, 5], groups: 17, ..conv([17, 3, 23], 17, [2, 11]) }, pool [2, 2];
    /// Each channel by itself, with a stride that leaves inputs out and another than down.
    DepthwiseSparse: Conv { padding: [2, 1, 1, 4], groups: 16, stride: [2, 3], ..conv([16, 9, 31], 16, [5, 2]) }, pool [2, 2];
    /// Groups of whole vectors.
    Groups: Conv { padding: [1; 4], groups: 2, ..conv([32, 4, 4], 32, [3, 3]) }, pool [2, 2];
    /// Rows between windows, and behind them.
    Gaps: Conv { padding: [1; 4], ..conv([2, 17, 19], 5, [3, 3]) }, pool [3, 4];
    /// A long row.
    WideRow: conv([1, 4, 1100], 2, [2, 2]), pool [2, 2];
    /// More pixels than dW sums at a time, of which the last are fewer.
    ManyPixels: Conv { padding: [1, 2, 2, 1], stride: [2, 1], groups: 2, ..conv([26, 21, 61], 10, [3, 3]) }, pool [2, 2];
    /// A picture's first, of few channels: rows are vectors.
    Few: Conv { stride: [2, 1], dilation: [2, 1], padding: [1, 0, 2, 1], ..conv([3, 20, 43], 8, [3, 4]) }, pool [2, 3];
    /// A picture's first of eight channels, every other column: even ones and odd ones behind an odd border.
    FirstEight: Conv { stride: [2, 2], padding: [1, 0, 1, 2], ..conv([3, 9, 37], 8, [3, 3]) }, pool [2, 2];
    /// The same behind an even border, and more rows than columns apart.
    FirstSparse: Conv { stride: [3, 2], dilation: [2, 1], padding: [2, 3, 2, 1], ..conv([4, 13, 70], 8, [3, 5]) }, pool [2, 2];
    /// A picture's first whose channels fill a vector: rows of a vector, and of one column more.
    FirstSixteen: Conv { padding: [2, 1, 1, 2], ..conv([2, 7, 33], 16, [3, 4]) }, pool [2, 2];
    /// Without a border, and with nothing behind the last odd column.
    FirstBare: Conv { stride: [1, 2], ..conv([1, 5, 48], 16, [2, 2]) }, pool [2, 2];
    /// Kernel rows of more vectors than a piece has.
    Broad: Conv { padding: [1, 0, 1, 0], ..conv([70, 6, 7], 5, [3, 3]) }, pool [2, 2];
    /// Kernels of more rows than a piece has.
    Tall: Conv { stride: [1, 2], ..conv([5, 14, 12], 9, [7, 3]) }, pool [2, 2];
    /// Tiles of 4 × 4 that stand over at both ends, make no equal parts, and two panels of channels; behind them windows in parts that are not equal.
    Tiled: Conv { padding: [2, 1, 0, 2], ..conv([16, 17, 11], 48, [3, 3]) }, pool [2, 2];
    /// Tiles of 4 × 4 behind which pooled rows just fit where the input was, those of the last windows again.
    TiledOver: Conv { padding: [1; 4], ..conv([16, 22, 12], 32, [3, 3]) }, pool [2, 2];
    /// Tiles of 2 × 2 of larger kernels, that stand over at all ends of x and at the right end of the map, in dX at both ends; behind them windows in parts that are not equal.
    TiledFive: Conv { padding: [2, 1, 1, 1], ..conv([16, 11, 9], 32, [5, 5]) }, pool [2, 2];
    /// Such tiles behind which pooled rows lie where the input was.
    TiledFiveOver: Conv { padding: [1, 3, 2, 2], ..conv([16, 12, 12], 16, [5, 5]) }, pool [2, 2];
    /// Pooled rows over the input: windows apart, of a convolution with everything else.
    Over: Conv { padding: [1, 0, 2, 1], stride: [2, 1], dilation: [2, 1], groups: 2, ..conv([6, 33, 12], 8, [3, 3]) }, pool [2, 2], stride [3, 2];
    /// Pooled rows over the input, channel by channel, in parts of a row that overlap.
    OverDepthwise: Conv { padding: [1; 4], groups: 9, ..conv([9, 12, 11], 9, [3, 3]) }, pool [2, 2];
    /// Pairs of rows that do not lie side by side: tiles of 2 × 2.
    TiledApart: Conv { padding: [1; 4], ..conv([16, 8, 7], 16, [3, 3]) }, pool [2, 2], stride [3, 2];
    /// More channels than tiles of 4 × 4 are for.
    ManyChannels: Conv { padding: [1; 4], ..conv([272, 4, 4], 256, [3, 3]) }, pool [2, 2];
    /// A window of more than 256 places, which take two bytes each.
    LargeWindow: Conv { padding: [1; 4], ..conv([1, 40, 40], 2, [3, 3]) }, pool [17, 20];
}

/// The generator draws what the tests are meant to see.
#[test]
fn random_shapes_are_varied() {
    let convs: Vec<Conv> = (0..40).map(random_conv).collect();
    for (i, conv) in convs.iter().enumerate() {
        assert!(conv.faults().is_empty() && random_pool(i, conv.output()).faults().is_empty());
    }
    let some = |what: &str, f: fn(&Conv) -> bool| {
        let n = convs.iter().filter(|conv| f(conv)).count();
        assert!(n >= 3, "only {n} of {} have {what}", convs.len());
    };
    some("stride 1", |c| c.stride == [1; 2]);
    some("stride 1 and no padding", |c| c.stride == [1; 2] && c.padding == [0; 4]);
    some("stride 1 and more padding than the kernel reaches", |c| {
        c.stride == [1; 2] && (c.padding[0] >= c.extent()[0] || c.padding[2] >= c.extent()[1])
    });
    some("strides", |c| c.stride[0] > 1 || c.stride[1] > 1);
    some("strides, padding and dilation", |c| c.stride != [1; 2] && c.padding != [0; 4] && c.dilation != [1; 2]);
    some("depthwise groups", |c| c.groups > 1 && c.group_inputs() == 1);
    some("groups of several channels", |c| c.groups > 1 && c.group_inputs() > 1);
    some("no bias", |c| !c.bias);
    some("a narrow map", |c| c.output().w <= 2);
    some("a wide map", |c| c.output().w > 16);
    some("padding on one side alone", |c| c.padding[0] != c.padding[1] && c.padding[2] != c.padding[3]);
    some("more than a vector of channels", |c| c.group_outputs() > 16);
    some("more than two vectors of channels", |c| c.group_outputs() > 32);
    some("one channel out", |c| c.group_outputs() == 1 && c.groups == 1);
}
