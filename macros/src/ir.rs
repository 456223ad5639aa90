//! What a declaration says, after parsing: plain data with spans, no tokens but the user's own expressions.
//!
//! `parse` makes it without knowing any arithmetic; `check` fills in the shapes and collects the faults; `plan` and
//! `expand` read it.

use std::fmt;
use std::ops::Range;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Ident, Visibility};
use tenonet_shape::{PadMode, Rounding, Shape, UpsampleMode};

/// A stretch of the declaration, from its first token to its last. (Joining two spans into one is not stable.)
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub start: Span,
    pub end: Span,
}

impl Place {
    /// One token, or a group with its brackets.
    pub fn at(span: Span) -> Self {
        Place { start: span, end: span }
    }

    /// All tokens of a piece of syntax.
    pub fn of(syntax: &impl ToTokens) -> Self {
        let mut tokens = syntax.to_token_stream().into_iter();
        match tokens.next() {
            Some(first) => Place { start: first.span(), end: tokens.last().unwrap_or(first).span() },
            None => Place::at(Span::call_site()),
        }
    }

    /// From this one's start to the other's end.
    pub fn to(self, other: Place) -> Self {
        Place { start: self.start, end: other.end }
    }
}

/// A number of a declaration.
#[derive(Clone, Debug)]
pub enum Num {
    /// A literal, arithmetic of literals, or what a shorthand stands for; the macro can compute with it.
    Known(usize, Place),
    /// A `const` expression: only the compiler knows its value, later. Outer brackets are taken off, so it needs them
    /// wherever it does not stand alone.
    Const(Box<Expr>),
}

impl Num {
    /// The value, if it is a literal.
    pub fn known(&self) -> Option<usize> {
        match self {
            Num::Known(value, _) => Some(*value),
            Num::Const(_) => None,
        }
    }

    /// Where it is written.
    pub fn place(&self) -> Place {
        match self {
            Num::Known(_, place) => *place,
            Num::Const(expr) => Place::of(expr),
        }
    }
}

/// The name of a layer or of a network within the network: the networks that it lies in, the outermost first, and its own.
#[derive(Clone, Debug)]
pub struct Name {
    pub nets: Vec<Ident>,
    pub own: Ident,
}

impl Name {
    /// Where it is written.
    pub fn span(&self) -> Span {
        self.own.span()
    }

    /// Joined by underscores, as a part of an identifier: `backbone_conv1`.
    pub fn word(&self) -> String {
        self.to_string().replace('.', "_")
    }
}

/// As in tables, weight files and messages: `backbone.conv1`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.nets.iter().try_for_each(|net| write!(f, "{}.", net.unraw()))?;
        write!(f, "{}", self.own.unraw())
    }
}

/// As a field: `backbone.conv1`.
impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Name { nets, own } = self;
        tokens.extend(quote!(#(#nets.)* #own));
    }
}

/// A declared network.
#[derive(Debug)]
pub struct Network {
    /// Doc comments and other attributes, without `budget`, `folded` and `macro_export`.
    pub attrs: Vec<Attribute>,
    /// Whether networks of other crates may hold it.
    pub exported: bool,
    /// `#[folded(Name)]`: the name of the network for inference, without `batch_norm`.
    pub folded: Option<Ident>,
    pub vis: Visibility,
    pub ident: Ident,
    /// `[C, H, W]`; a declared `[N]` is `[N, 1, 1]`.
    pub input: [Num; 3],
    /// `[C, H, W]`; a declared `[N]` is `[N, 1, 1]`.
    pub output: [Num; 3],
    /// The bracket of the declared output.
    pub output_span: Span,
    pub budget: Budget,
    /// The layers in the order of the declaration; each reads the network's input or layers before it. A block stands
    /// behind its arms: the layers of `residual { … }`, those of its shortcut, then the sum; the branches of `concat { … }`, then the joined map. There is at least one.
    pub layers: Vec<Layer>,
    /// The networks within, `net(Other)`, each before those in it. Their layers are among `layers`.
    pub nets: Vec<Net>,
}

impl Network {
    /// What leaves the network.
    pub fn last(&self) -> Source {
        self.layers.len().checked_sub(1).map_or(Source::Input, Source::Layer)
    }

    /// The layers in an order to run them in: as declared, but a shortcut before the layers beside it, so that the last
    /// of those can add it.
    pub fn order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.layers.len());
        let mut done = vec![false; self.layers.len()];
        // From the end back to what it reads, without recursion: a network may be long.
        let mut open: Vec<usize> = self.layers.len().checked_sub(1).into_iter().collect();
        while let Some(&layer) = open.last() {
            let missing = self.layers[layer].reads().find_map(|source| match source {
                Source::Layer(read) if !done[read] => Some(read),
                _ => None,
            });
            match missing {
                Some(read) => open.push(read),
                None => {
                    open.pop();
                    done[layer] = true;
                    order.push(layer);
                }
            }
        }
        order
    }
}

/// What a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The network's input.
    Input,
    /// What leaves a layer.
    Layer(usize),
}

/// `backbone: net(Backbone)`: another network in place of a layer.
#[derive(Clone, Debug)]
pub struct Net {
    pub name: Name,
    /// Whether the name was declared.
    pub named: bool,
    /// The name in messages, with the number of the repetition from the second one on.
    pub title: String,
    /// In a repetition behind the first one: the one of the same tokens in the first.
    pub copy_of: Option<usize>,
    /// The token `net`.
    pub kind: Ident,
    /// What the other network is called, and where that is written here.
    pub of: String,
    pub place: Place,
    /// Where what arrives comes from.
    pub from: Source,
    /// `[C, H, W]`: the input that it declares.
    pub input: [Num; 3],
    pub layers: Range<usize>,
}

/// The innermost of networks within that a layer is in and whose input `source` is.
pub fn entered(nets: &[Net], layer: usize, source: Source) -> Option<usize> {
    nets.iter().rposition(|net| net.layers.contains(&layer) && net.from == source)
}

/// `#[budget(weights = …, scratch = …, macs = …, tape = …)]`: limits, in bytes and multiply-adds.
#[derive(Debug, Default)]
pub struct Budget {
    pub weights: Option<Num>,
    pub scratch: Option<Num>,
    pub tape: Option<Num>,
    pub macs: Option<Num>,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The declared name, or kind and position (`relu_1`, counted from 0): the field, and the name in tables and files.
    pub name: Name,
    /// Whether the name was declared.
    pub named: bool,
    /// The name in messages, with the number of the repetition from the second one on.
    pub title: String,
    /// In a repetition behind the first one: the layer of the same tokens in the first.
    pub copy_of: Option<usize>,
    /// The token of the kind: `conv`, `conv1d`, ….
    pub kind: Ident,
    pub op: Op,
    /// Where what arrives comes from; at a sum, the end of the block's layers; where branches are joined, the end of the first one.
    pub from: Source,
    /// What arrives and what leaves, where the macro can know it: all numbers up to here are literals.
    pub input: Option<Shape>,
    pub output: Option<Shape>,
}

impl Layer {
    /// Whether it is one of the shorthands for signals, whose input has one row.
    pub fn is_1d(&self) -> bool {
        matches!(self.op, Op::Conv(_) | Op::ConvTranspose(_) | Op::Pool(_) | Op::Pad(_) | Op::Upsample(_))
            && self.kind.to_string().ends_with("1d")
    }

    /// All that it reads, a block's shortcut before its layers.
    pub fn reads(&self) -> impl Iterator<Item = Source> {
        let (skip, others) = match &self.op {
            Op::Residual(residual) => (Some(residual.skip()), None),
            Op::Concat(concat) => (None, concat.branches.get(1..)),
            _ => (None, None),
        };
        let others = others.unwrap_or_default().iter().map(|branch| branch.end);
        skip.into_iter().chain([self.from]).chain(others)
    }

    /// Its real number: a slope, a scale, an epsilon, a probability.
    pub fn real(&self) -> Option<&Expr> {
        match &self.op {
            Op::Activation(Activation::LeakyRelu(number) | Activation::Elu(number)) => Some(number),
            Op::BatchNorm(BatchNorm { epsilon }) | Op::LayerNorm(LayerNorm { epsilon }) => Some(epsilon),
            Op::Dropout(Dropout { probability }) => Some(probability),
            _ => None,
        }
    }

    /// Whether it is a field of the network.
    pub fn has_params(&self) -> bool {
        matches!(
            self.op,
            Op::Conv(_)
                | Op::ConvTranspose(_)
                | Op::Linear(_)
                | Op::BatchNorm(_)
                | Op::LayerNorm(_)
                | Op::Scale
                | Op::Bias
        )
    }
}

#[derive(Clone, Debug)]
pub enum Op {
    Conv(Conv),
    ConvTranspose(ConvTranspose),
    Pool(Pool),
    GlobalAvgPool,
    GlobalMaxPool,
    Pad(Pad),
    Upsample(Upsample),
    Linear(Linear),
    BatchNorm(BatchNorm),
    LayerNorm(LayerNorm),
    /// A factor for each channel.
    Scale,
    /// A summand for each channel.
    Bias,
    Activation(Activation),
    Softmax,
    Dropout(Dropout),
    Flatten,
    /// The sum at the end of a block.
    Residual(Residual),
    /// The joined map behind branches.
    Concat(Concat),
}

#[derive(Clone, Debug)]
pub struct Conv {
    pub out_channels: Num,
    pub kernel: [Num; 2],
    pub stride: [Num; 2],
    pub padding: Padding,
    pub dilation: [Num; 2],
    pub groups: Groups,
    pub bias: bool,
}

#[derive(Clone, Debug)]
pub struct ConvTranspose {
    pub out_channels: Num,
    pub kernel: [Num; 2],
    pub stride: [Num; 2],
    /// Top, bottom, left, right.
    pub padding: [Num; 4],
    pub output_padding: [Num; 2],
    pub dilation: [Num; 2],
    pub groups: Groups,
    pub bias: bool,
}

#[derive(Clone, Debug)]
pub struct Pool {
    pub kind: PoolKind,
    pub kernel: [Num; 2],
    pub stride: [Num; 2],
    /// Top, bottom, left, right.
    pub padding: [Num; 4],
    pub rounding: Rounding,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PoolKind {
    Max,
    Avg,
}

#[derive(Clone, Debug)]
pub struct Pad {
    /// Top, bottom, left, right.
    pub padding: [Num; 4],
    pub mode: PadMode,
}

#[derive(Clone, Debug)]
pub struct Upsample {
    pub factor: [Num; 2],
    pub mode: UpsampleMode,
}

#[derive(Clone, Debug)]
pub struct Linear {
    pub outputs: Num,
    pub bias: bool,
}

#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// Is added to the variance: any `const` expression of type `f64`.
    pub epsilon: Box<Expr>,
}

#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Is added to the variance: any `const` expression of type `f64`.
    pub epsilon: Box<Expr>,
}

#[derive(Clone, Debug)]
pub struct Dropout {
    /// Of an element to be dropped: any `const` expression of type `f64`.
    pub probability: Box<Expr>,
}

/// `residual { … }`, `residual { … } shortcut { … }`: the layers' output plus the input, or plus what the shortcut makes of it.
#[derive(Clone, Debug)]
pub struct Residual {
    /// What arrives at the block.
    pub input: Source,
    /// The end of the shortcut.
    pub shortcut: Option<Source>,
}

impl Residual {
    /// What is added to the layers' output.
    pub fn skip(&self) -> Source {
        self.shortcut.unwrap_or(self.input)
    }
}

/// `concat { { … }, { … } }`: what the branches make of one input, joined along the channels.
#[derive(Clone, Debug)]
pub struct Concat {
    /// In the order of their channels; at least two.
    pub branches: Vec<Branch>,
}

/// One branch.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its last layer; what arrives at the block, if it has none.
    pub end: Source,
    /// Its braces.
    pub place: Place,
}

#[derive(Clone, Debug)]
pub enum Padding {
    /// Top, bottom, left, right. `valid` is four zeros.
    Numbers([Num; 4]),
    Same(Span),
}

#[derive(Clone, Debug)]
pub enum Groups {
    Number(Num),
    /// As many groups as input channels.
    Depthwise(Span),
}

/// An element-wise activation; its number (a slope, a scale) is any `const` expression of type `f64`.
#[derive(Clone, Debug)]
pub enum Activation {
    Relu,
    Relu6,
    LeakyRelu(Box<Expr>),
    Elu(Box<Expr>),
    Sigmoid,
    Tanh,
    Gelu,
    Silu,
    HardSigmoid,
    HardSwish,
    Softplus,
}
