//! What a declaration says, after parsing: plain data with spans, no tokens but the user's own expressions.
//!
//! `parse` makes it without knowing any arithmetic; `check` fills in the shapes and collects the faults; `plan` and
//! `expand` read it.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Expr, Ident, Visibility};
use tenonet_shape::{Rounding, Shape};

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

/// A declared network.
#[derive(Debug)]
pub struct Network {
    /// Doc comments and other attributes, without `budget`.
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub ident: Ident,
    /// `[C, H, W]`; a declared `[N]` is `[N, 1, 1]`.
    pub input: [Num; 3],
    /// `[C, H, W]`; a declared `[N]` is `[N, 1, 1]`.
    pub output: [Num; 3],
    /// The bracket of the declared output.
    pub output_span: Span,
    pub budget: Budget,
    /// The layers in order. A later form of the language (residual, concat, …) becomes another [`Op`] with blocks of its own.
    pub layers: Vec<Layer>,
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
#[derive(Debug)]
pub struct Layer {
    /// The declared name, or kind and position (`relu_1`, counted from 0): the field, and the name in tables, files and messages.
    pub name: Ident,
    /// The token of the kind: `conv`, `conv1d`, ….
    pub kind: Ident,
    pub op: Op,
    /// What arrives and what leaves, where the macro can know it: all numbers up to here are literals.
    pub input: Option<Shape>,
    pub output: Option<Shape>,
}

impl Layer {
    /// Whether it is one of the shorthands for signals, whose input has one row.
    pub fn is_1d(&self) -> bool {
        matches!(self.op, Op::Conv(_) | Op::Pool(_)) && self.kind.to_string().ends_with("1d")
    }
}

#[derive(Clone, Debug)]
pub enum Op {
    Conv(Conv),
    Pool(Pool),
    GlobalAvgPool,
    Linear(Linear),
    Activation(Activation),
    Softmax,
    Flatten,
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
pub struct Linear {
    pub outputs: Num,
    pub bias: bool,
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
