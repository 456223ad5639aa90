use crate::{Fault, Text};

/// Channels, height and width of a feature map. A flat vector of `n` features is `[n, 1, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels (or features).
    pub c: usize,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
}

impl Shape {
    /// The shape `[c, h, w]`.
    pub const fn new(c: usize, h: usize, w: usize) -> Self {
        Shape { c, h, w }
    }

    /// The shape of a flat vector of `n` features.
    pub const fn flat(n: usize) -> Self {
        Shape { c: n, h: 1, w: 1 }
    }

    /// Elements: `c · h · w`.
    #[inline]
    pub const fn len(self) -> usize {
        self.c.saturating_mul(self.h).saturating_mul(self.w)
    }

    /// As many elements as an array can have: 8 bytes each, in `isize::MAX` bytes.
    pub const MOST_ELEMENTS: usize = isize::MAX as usize / 8;

    /// Whether a dimension is zero.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether this is a flat vector, `[n, 1, 1]`.
    #[inline]
    pub const fn is_flat(self) -> bool {
        self.h == 1 && self.w == 1
    }

    /// `const` equality (`==` is not `const`).
    #[inline]
    pub const fn same(self, other: Shape) -> bool {
        self.c == other.c && self.h == other.h && self.w == other.w
    }

    /// Panics unless this is a signal, `C×1×L`: a compile error where this is evaluated in a `const`, at the place of the call.
    ///
    /// # Panics
    /// If there are several rows.
    #[track_caller]
    pub const fn deny_map(self, layer: &str) {
        if self.h != 1 {
            panic!("{}", Fault::NotSignal { input: self }.panic_text(layer).as_str());
        }
    }

    /// Panics if the number of elements differs from that of `other`.
    ///
    /// # Panics
    /// If it does.
    #[track_caller]
    pub const fn deny_other_length(self, other: Shape, what: &str) {
        if self.len() != other.len() {
            let text = Text::new().str(what).str(": ").text(&self.brackets()).str(" has ").num(self.len());
            let text = text.str(" elements, ").text(&other.brackets()).str(" has ").num(other.len());
            panic!("{}", text.as_str());
        }
    }

    /// `[16, 5, 5]`, or `[400]` for a flat vector: as it is declared.
    pub const fn brackets(self) -> Text {
        let text = Text::new().str("[").num(self.c);
        if self.is_flat() { text } else { text.str(", ").num(self.h).str(", ").num(self.w) }.str("]")
    }

    /// `16×5×5`, or `400` for a flat vector.
    pub const fn text(self) -> Text {
        if self.is_flat() { Text::new().num(self.c) } else { self.map_text() }
    }

    /// `16×5×5`, and `400×1×1` too: for layers that work on maps.
    pub const fn map_text(self) -> Text {
        Text::new().num(self.c).str("×").num(self.h).str("×").num(self.w)
    }

    /// What is wrong if this shape arrives at a network within that declares another input.
    pub const fn arrival_text(self, declared: Shape, name: &str, network: &str) -> Text {
        let text = Text::new().str(name).str(": ").str(network).str(" takes ").text(&declared.brackets());
        text.str(", but ").text(&self.brackets()).str(" arrives")
    }

    /// Panics unless this shape is the input that a network within declares.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub const fn deny_arrival(self, declared: Shape, name: &str, network: &str) {
        if !self.same(declared) {
            panic!("{}", self.arrival_text(declared, name, network).as_str());
        }
    }

    /// Panics unless `declared` is this shape: a compile error where it is evaluated in a `const`, at the place of the call.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub const fn deny_other(self, declared: Shape, layer: &str) {
        if !self.same(declared) {
            let text = Text::new().str(layer).str(": declared output ").text(&declared.brackets());
            panic!("{}", text.str(" differs from the real output ").text(&self.brackets()).as_str());
        }
    }
}
