use crate::{Conv, ConvTranspose, Pad, Pool, Residual, Shape, Text};

/// An axis of a feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Rows.
    Height,
    /// Columns.
    Width,
}

impl Axis {
    const fn index(self) -> usize {
        self as usize
    }

    const fn name(self) -> &'static str {
        match self {
            Axis::Height => "height",
            Axis::Width => "width",
        }
    }

    /// Rows or columns.
    const fn lines(self) -> &'static str {
        match self {
            Axis::Height => "row",
            Axis::Width => "column",
        }
    }

    pub(crate) const fn of(self, shape: Shape) -> usize {
        match self {
            Axis::Height => shape.h,
            Axis::Width => shape.w,
        }
    }
}

/// The part of a declaration that a fault belongs to: it is underlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The layer as a whole: its name's token.
    Layer,
    /// The number of output channels or features.
    Channels,
    /// The kernel or window.
    Kernel,
    /// The stride.
    Stride,
    /// The padding.
    Padding,
    /// The dilation.
    Dilation,
    /// The groups.
    Groups,
    /// The factor of an upsampling.
    Factor,
    /// What a transposed convolution puts on.
    OutputPadding,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Field::Layer => "layer",
            Field::Channels => "number of outputs",
            Field::Kernel => "kernel",
            Field::Stride => "stride",
            Field::Padding => "padding",
            Field::Dilation => "dilation",
            Field::Groups => "groups",
            Field::Factor => "factor",
            Field::OutputPadding => "output_padding",
        }
    }
}

/// What can be wrong with the shape of one layer: plain numbers, made into words by [`headline`](Fault::headline), [`note`](Fault::note) and [`help`](Fault::help).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A number that must be at least 1 is 0.
    Zero {
        /// Which number.
        field: Field,
    },
    /// The dilated kernel is larger than the padded input.
    KernelTooLarge {
        /// The layer.
        conv: Conv,
        /// The first axis on which it does not fit.
        axis: Axis,
    },
    /// The groups do not divide the channels.
    Groups {
        /// Groups.
        groups: usize,
        /// Channels that they do not divide.
        channels: usize,
        /// Whether these are the layer's output channels.
        out: bool,
    },
    /// The pooling window is larger than the padded input.
    WindowTooLarge {
        /// The layer.
        pool: Pool,
        /// The first axis on which it does not fit.
        axis: Axis,
    },
    /// The pooling's padding is as large as its window.
    PoolPadding {
        /// The layer.
        pool: Pool,
        /// The first axis on which it is.
        axis: Axis,
    },
    /// A transposed convolution cuts off all that it yields.
    NothingLeft {
        /// The layer.
        conv: ConvTranspose,
        /// The first axis on which it does.
        axis: Axis,
    },
    /// What a transposed convolution puts on could be more input instead, or is beyond all that the input reaches.
    OutputPadding {
        /// The layer.
        conv: ConvTranspose,
        /// The first axis on which it is.
        axis: Axis,
    },
    /// As many rows or columns are to be reflected as there are.
    Reflection {
        /// The layer.
        pad: Pad,
        /// The first axis on which they are.
        axis: Axis,
    },
    /// The windows do not cover the input, and neither `floor` nor `ceil` was said.
    Remainder {
        /// The layer.
        pool: Pool,
        /// The first axis with a rest.
        axis: Axis,
        /// Rows or columns of the rest.
        dropped: usize,
    },
    /// The window has more elements than an index of max-pooling can tell apart.
    WindowArea {
        /// The layer.
        pool: Pool,
    },
    /// The output or the parameters have more elements than memory has addresses.
    TooLarge {
        /// What leaves the layer.
        output: Shape,
        /// Its parameters.
        params: usize,
    },
    /// A layer for signals, `C×1×L`, stands behind a feature map of several rows.
    NotSignal {
        /// The feature map.
        input: Shape,
    },
    /// A linear layer stands behind a feature map.
    NotFlat {
        /// The feature map.
        input: Shape,
    },
    /// The two arms of a block yield different shapes.
    Arms {
        /// The block.
        block: Residual,
    },
}

/// One axis in which two shapes differ, behind those that are told already.
pub(crate) const fn difference(text: Text, axis: &str, one: usize, other: usize) -> Text {
    if one == other {
        return text;
    }
    let text = if text.is_empty() { text } else { text.str("; ") };
    text.str(axis).str(" ").num(one).str(" and ").num(other)
}

/// The numbers of a pair: `5×3`, or `5×5`.
const fn pair(text: Text, pair: [usize; 2]) -> Text {
    text.num(pair[0]).str("×").num(pair[1])
}

impl Fault {
    /// The part of the declaration to underline.
    pub const fn field(&self) -> Field {
        match self {
            Fault::Zero { field } => *field,
            Fault::KernelTooLarge { .. } | Fault::WindowTooLarge { .. } => Field::Kernel,
            Fault::Remainder { .. } | Fault::WindowArea { .. } => Field::Kernel,
            Fault::Groups { .. } => Field::Groups,
            Fault::PoolPadding { .. } | Fault::Reflection { .. } | Fault::NothingLeft { .. } => Field::Padding,
            Fault::OutputPadding { .. } => Field::OutputPadding,
            Fault::NotFlat { .. } | Fault::NotSignal { .. } | Fault::TooLarge { .. } => Field::Layer,
            Fault::Arms { .. } => Field::Layer,
        }
    }

    /// One line: the layer, what it is, what it meets.
    pub const fn headline(&self, layer: &str) -> Text {
        let text = Text::new().str(layer).str(": ");
        match self {
            Fault::Zero { field } => text.str(field.name()).str(" is 0, it must be at least 1"),
            Fault::KernelTooLarge { conv, .. } => {
                let text = pair(text.str("kernel "), conv.kernel);
                let text = if conv.dilation[0] > 1 || conv.dilation[1] > 1 {
                    pair(text.str(" (dilated "), conv.extent()).str(")")
                } else {
                    text
                };
                text.str(" does not fit its input ").text(&conv.input.map_text())
            }
            Fault::Groups { groups, channels, out } => text
                .str("groups = ")
                .num(*groups)
                .str(" does not divide the ")
                .num(*channels)
                .str(if *out { " output channels" } else { " input channels" }),
            Fault::WindowTooLarge { pool, .. } => {
                pair(text.str("window "), pool.kernel).str(" does not fit its input ").text(&pool.input.map_text())
            }
            Fault::PoolPadding { pool, .. } => pair(text.str("padding must be smaller than the window "), pool.kernel),
            Fault::NothingLeft { axis, .. } => text.str("padding leaves no ").str(axis.lines()).str(" of its output"),
            Fault::OutputPadding { .. } => text.str("output_padding must be smaller than stride or dilation"),
            Fault::Reflection { pad, .. } => {
                text.str("`reflect` wants padding smaller than its input ").text(&pad.input.map_text())
            }
            Fault::Remainder { pool, axis, dropped } => {
                let text = pair(text.str("window "), pool.kernel);
                let text = if pool.stride[0] != pool.kernel[0] || pool.stride[1] != pool.kernel[1] {
                    pair(text.str(" with stride "), pool.stride)
                } else {
                    text
                };
                let text = text.str(" does not divide its input ").text(&pool.input.map_text()).str(": ").num(*dropped);
                let text = text.str(" ").str(axis.lines());
                if *dropped > 1 { text.str("s would be dropped") } else { text.str(" would be dropped") }
            }
            Fault::WindowArea { pool } => pair(text.str("window "), pool.kernel)
                .str(" has ")
                .grouped(pool.kernel[0].saturating_mul(pool.kernel[1]))
                .str(" elements, it must have at most ")
                .grouped(Pool::MOST_ELEMENTS),
            Fault::TooLarge { output, params } => {
                if output.len() > Shape::MOST_ELEMENTS {
                    text.str("its output ").text(&output.text()).str(" has more elements than memory has addresses")
                } else {
                    text.str("its ").grouped(*params).str(" parameters are more than memory has addresses")
                }
            }
            Fault::NotSignal { input } => {
                text.str("its input ").text(&input.map_text()).str(" is no signal, it has ").num(input.h).str(" rows")
            }
            Fault::NotFlat { input } => text.str("linear takes a flat vector, its input is ").text(&input.text()),
            Fault::Arms { block } => {
                let text = text.str("its arms differ: the layers yield ").text(&block.layers.text());
                let text = text.str(if block.shortcut.is_some() { ", the shortcut " } else { ", the input is " });
                text.text(&block.skip().text())
            }
        }
    }

    /// The arithmetic behind it; empty where the headline says all.
    pub const fn note(&self) -> Text {
        let text = Text::new();
        match self {
            Fault::KernelTooLarge { conv, axis } => {
                let (i, input) = (axis.index(), axis.of(conv.input));
                let (before, after) = (conv.padding[2 * i], conv.padding[2 * i + 1]);
                output_equation(text, *axis, input, before, after, conv.extent()[i], conv.stride[i])
                    .str(", which is below 1")
            }
            Fault::WindowTooLarge { pool, axis } => {
                let (i, input) = (axis.index(), axis.of(pool.input));
                let (before, after) = (pool.padding[2 * i], pool.padding[2 * i + 1]);
                output_equation(text, *axis, input, before, after, pool.kernel[i], pool.stride[i])
                    .str(", which is below 1")
            }
            Fault::Remainder { pool, axis, .. } => {
                let (i, input) = (axis.index(), axis.of(pool.input));
                let (before, after) = (pool.padding[2 * i], pool.padding[2 * i + 1]);
                output_equation(text, *axis, input, before, after, pool.kernel[i], pool.stride[i])
                    .str(", which is not whole")
            }
            Fault::PoolPadding { pool, axis } => {
                let i = axis.index();
                text.str("on the ")
                    .str(axis.name())
                    .str(": padding ")
                    .num(pool.padding[2 * i])
                    .str(" and ")
                    .num(pool.padding[2 * i + 1])
                    .str(", window ")
                    .num(pool.kernel[i])
                    .str("; a window would lie wholly in the padding")
            }
            Fault::NothingLeft { conv, axis } => {
                let (i, input) = (axis.index(), axis.of(conv.input));
                let text =
                    text.str("output ").str(axis.name()).str(" = (").num(input).str(" − 1) · ").num(conv.stride[i]);
                let text = text.str(" + ").num(conv.extent(*axis)).str(" + ").num(conv.output_padding[i]).str(" − ");
                text.num(conv.padding[2 * i]).str(" − ").num(conv.padding[2 * i + 1]).str(", which is below 1")
            }
            Fault::OutputPadding { conv, axis } => {
                let i = axis.index();
                let text = text.str("on the ").str(axis.name()).str(": output_padding ").num(conv.output_padding[i]);
                text.str(", stride ").num(conv.stride[i]).str(", dilation ").num(conv.dilation[i])
            }
            Fault::Reflection { pad, axis } => {
                let (i, size) = (axis.index(), axis.of(pad.input));
                let text = text.str("on the ").str(axis.name()).str(": padding ").num(pad.padding[2 * i]);
                let text = text.str(" and ").num(pad.padding[2 * i + 1]).str(", ").num(size).str(" ").str(axis.lines());
                text.str(if size == 1 { "" } else { "s" }).str("; the edge itself is not repeated")
            }
            Fault::WindowArea { .. } => text.str("the place of a maximum is kept in 16 bits"),
            Fault::NotSignal { .. } => text.str("a signal is C×1×L"),
            Fault::Arms { block } => {
                let (layers, skip) = (block.layers, block.skip());
                let text = difference(text, "channels", layers.c, skip.c);
                let text = difference(text, "height", layers.h, skip.h);
                difference(text, "width", layers.w, skip.w).str(": a sum is taken element by element")
            }
            Fault::Zero { .. } | Fault::Groups { .. } | Fault::NotFlat { .. } | Fault::TooLarge { .. } => text,
        }
    }

    /// The repair.
    pub const fn help(&self) -> Text {
        let text = Text::new();
        match self {
            Fault::Zero { .. } | Fault::TooLarge { .. } => text,
            Fault::WindowArea { .. } => text.str("use several smaller windows, or `global_avg_pool`"),
            Fault::KernelTooLarge { conv, axis } => {
                let i = axis.index();
                let (padded, extent) = (conv.padded()[i], conv.extent()[i]);
                // The largest kernel whose dilated extent fits: d·(k − 1) + 1 ≤ padded.
                let dilation = if conv.dilation[i] == 0 { 1 } else { conv.dilation[i] };
                let fits = if padded == 0 { 0 } else { (padded - 1) / dilation + 1 };
                // The smallest equal padding on both sides that makes room.
                let missing = extent.saturating_sub(axis.of(conv.input));
                let text = if fits > 0 { text.str("use kernel ≤ ").num(fits).str(", or ") } else { text.str("use ") };
                text.str("padding ≥ ").num(missing.div_ceil(2))
            }
            Fault::Groups { channels, .. } => {
                let mut text = text.str("the divisors of ").num(*channels).str(" are ");
                let (mut d, mut first) = (1, true);
                // Enough divisors to choose from; a long list helps nobody.
                let mut left = 12;
                while d <= *channels && d <= 4096 && left > 0 {
                    if channels.is_multiple_of(d) {
                        text = if first { text.num(d) } else { text.str(", ").num(d) };
                        first = false;
                        left -= 1;
                    }
                    d += 1;
                }
                if d <= *channels { text.str(", …") } else { text }
            }
            Fault::WindowTooLarge { pool, axis } => {
                let i = axis.index();
                let padded =
                    axis.of(pool.input).saturating_add(pool.padding[2 * i]).saturating_add(pool.padding[2 * i + 1]);
                text.str("use a window ≤ ").num(padded)
            }
            Fault::PoolPadding { pool, axis } => text.str("use padding ≤ ").num(pool.kernel[axis.index()] - 1),
            Fault::NothingLeft { conv, axis } => {
                text.str("use padding ≤ ").num(conv.full(*axis).saturating_sub(1) / 2).str(" on each side")
            }
            Fault::OutputPadding { conv, axis } => {
                let (stride, dilation) = (conv.stride[axis.index()], conv.dilation[axis.index()]);
                let most = if stride > dilation { stride } else { dilation };
                match most {
                    0 | 1 => text.str("leave `output_padding` out"),
                    _ => text.str("use output_padding ≤ ").num(most - 1),
                }
            }
            Fault::Reflection { pad, axis } => {
                text.str("use padding ≤ ").num(axis.of(pad.input).saturating_sub(1)).str(", or `replicate`")
            }
            Fault::Remainder { axis, .. } => text
                .str("say `floor` to drop the last ")
                .str(axis.lines())
                .str("s, or `ceil` for a last, partial window"),
            Fault::NotSignal { .. } => text.str("the layers without `1d` work on maps"),
            Fault::NotFlat { .. } => text.str("put `flatten` before it"),
            Fault::Arms { block } => {
                let (input, layers) = (block.input, block.layers);
                let shortened =
                    layers.h < input.h && layers.h > input.h / 2 || layers.w < input.w && layers.w > input.w / 2;
                match block.stride() {
                    Some(_) if input.is_flat() => {
                        let text =
                            text.str("use `shortcut { linear(").num(layers.c).str(") }`, or make the layers yield ");
                        text.text(&block.skip().text())
                    }
                    Some(stride) => {
                        let text = text.str("use `shortcut { conv(").num(layers.c).str(", kernel = 1");
                        let text = if stride[0] != stride[1] {
                            text.str(", stride = (").num(stride[0]).str(", ").num(stride[1]).str(")")
                        } else if stride[0] > 1 {
                            text.str(", stride = ").num(stride[0])
                        } else {
                            text
                        };
                        text.str(") }`, or make the layers yield ").text(&block.skip().text())
                    }
                    None if shortened => text.str("keep the size in the layers: `padding = same`"),
                    None => text.str("give both arms one shape"),
                }
            }
        }
    }

    /// Headline, note and help in one text, for a `const` panic: a line each.
    pub(crate) const fn panic_text(&self, layer: &str) -> Text {
        let mut text = self.headline(layer);
        let (note, help) = (self.note(), self.help());
        if !note.is_empty() {
            text = text.str("\n= note: ").text(&note);
        }
        if !help.is_empty() {
            text = text.str("\n= help: ").text(&help);
        }
        text
    }
}

/// `output height = (3 + 0 + 0 − 5) / 1 + 1`.
const fn output_equation(
    text: Text, axis: Axis, input: usize, before: usize, after: usize, kernel: usize, stride: usize,
) -> Text {
    text.str("output ")
        .str(axis.name())
        .str(" = (")
        .num(input)
        .str(" + ")
        .num(before)
        .str(" + ")
        .num(after)
        .str(" − ")
        .num(kernel)
        .str(") / ")
        .num(stride)
        .str(" + 1")
}

/// The faults of one layer.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    list: [Option<Fault>; Faults::MOST],
    len: usize,
}

impl Faults {
    /// One for each field is the most that a layer can have.
    const MOST: usize = 8;

    pub(crate) const fn new() -> Self {
        Faults { list: [None; Faults::MOST], len: 0 }
    }

    pub(crate) const fn with(mut self, fault: Fault) -> Self {
        if self.len < Faults::MOST {
            self.list[self.len] = Some(fault);
            self.len += 1;
        }
        self
    }

    /// Whether the layer is right.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The faults, in the order of the layer's fields.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter().flatten()
    }

    /// Panics with the fault of `field`, if it has one: a compile error where this is evaluated in a `const`, at the place of the call.
    ///
    /// # Panics
    /// If one of the faults belongs to `field`.
    #[track_caller]
    pub const fn deny(&self, layer: &str, field: Field) {
        let mut i = 0;
        while i < self.len {
            if let Some(fault) = &self.list[i]
                && fault.field() as usize == field as usize
            {
                panic!("{}", fault.panic_text(layer).as_str());
            }
            i += 1;
        }
    }

    /// Panics with the first fault: what hand-written layers evaluate in `const { }`.
    ///
    /// # Panics
    /// If there is a fault.
    #[track_caller]
    pub const fn deny_all(&self, layer: &str) {
        if let Some(fault) = &self.list[0] {
            panic!("{}", fault.panic_text(layer).as_str());
        }
    }
}

/// Panics if `found` is above `limit`, and says `what` ("its weights take") and in which `unit`: a budget, as a compile error where this is evaluated in a `const`, at the place of the call.
///
/// # Panics
/// If the budget is exceeded.
#[track_caller]
pub const fn deny_excess(network: &str, what: &str, unit: &str, found: usize, limit: usize) {
    if found > limit {
        let text = Text::new().str(network).str(": ").str(what).str(" ").grouped(found).str(" ").str(unit);
        panic!("{}", text.str(", the budget is ").grouped(limit).as_str());
    }
}
