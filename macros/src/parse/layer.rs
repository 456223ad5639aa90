//! One layer: `name: kind(arguments)`.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, Ident, Lit, Token};
use tenonet_shape::{PadMode, Rounding, UpsampleMode};

use super::Doubt;
use super::args::{Args, entries, single_word, skip_to_comma};
use super::number::{bare, float, literal_value, number, real};
use super::words::{self, Kind};
use crate::diagnostics::Diagnostics;
use crate::ir::{
    Activation, BatchNorm, Conv, ConvTranspose, Dropout, Groups, LayerNorm, Linear, Num, Op, Pad, Padding, Place, Pool,
    PoolKind, Upsample,
};

/// How a layer or a block begins: `name: kind`, or `kind`.
pub struct Head {
    pub name: Option<Ident>,
    pub kind: Ident,
}

/// A layer as it was read, and what its faults leave in doubt.
pub struct Read {
    pub name: Ident,
    pub kind: Ident,
    pub op: Op,
    pub doubt: Doubt,
}

/// Reads the beginning of a layer. `None`: there is no layer here.
pub fn head(input: ParseStream, faults: &mut Diagnostics) -> Option<Head> {
    let name = if input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
        let name = input.call(Ident::parse_any).ok()?;
        let _ = input.parse::<Token![:]>();
        Some(name)
    } else {
        None
    };
    if !input.peek(Ident::peek_any) {
        let place = if input.is_empty() { name.as_ref().map(Ident::span) } else { None };
        let place = Place::at(place.unwrap_or_else(|| input.span()));
        faults.push(place, "expected a layer here, such as `conv(16, kernel = 3)` or `relu`");
        skip_to_comma(input);
        return None;
    }
    Some(Head { name, kind: input.call(Ident::parse_any).ok()? })
}

/// Reads the rest of a layer and stops before its comma. `None`: there is none that could be guessed; what it yields is unknown.
pub fn layer(head: Head, input: ParseStream, position: usize, faults: &mut Diagnostics) -> Option<Read> {
    let Head { name, kind } = head;
    let word = kind.unraw().to_string();
    let mut doubt = Doubt::NONE;
    let name = match name {
        Some(name) => usable(name, position, &word, faults),
        None => implicit(position, &kind),
    };
    let who = name.unraw().to_string();

    let meant = match words::kind(&word) {
        Some(meant) => meant,
        None => {
            let nearest = words::nearest_kind(&word);
            let fault = faults.push(Place::at(kind.span()), format!("unknown layer `{word}`"));
            match nearest {
                Some(nearest) => fault.help(format!("did you mean `{nearest}`?")),
                None => fault.help(format!("the layers are {}", words::all_kinds())),
            };
            doubt = Doubt::ALL;
            match nearest.and_then(words::kind) {
                Some(meant) => meant,
                None => {
                    skip_to_comma(input);
                    return None;
                }
            }
        }
    };

    let (parentheses, arguments) = parentheses(input);
    let (list, read) = entries(arguments, &who, faults);
    let takes = meant.takes();
    let (args, sorted) = Args::sort(list, &takes, &word, &who, faults);
    let mut reader = Reader { who: &who, kind: &kind, meant, args, whole: read && sorted, parentheses, faults, doubt };
    let op = reader.op();
    let doubt = reader.doubt;
    Some(Read { name, kind, op, doubt })
}

/// The name of a layer without one: its kind and position.
pub fn implicit(position: usize, kind: &Ident) -> Ident {
    format_ident!("{}_{position}", kind.unraw(), span = kind.span())
}

/// A declared name, or the implicit one where that cannot name a field.
pub fn usable(name: Ident, position: usize, kind: &str, faults: &mut Diagnostics) -> Ident {
    let word = name.to_string();
    // syn parses an identifier only where the word is neither a keyword nor `_`.
    if syn::parse_str::<Ident>(&word).is_ok() {
        return name;
    }
    let why = if word == "_" { "is no name" } else { "is a keyword of Rust" };
    faults
        .push(Place::at(name.span()), format!("`{word}` {why} and cannot name a layer"))
        .help(format!("call it `{kind}{position}`, say, or leave the name away"));
    format_ident!("{kind}_{position}", span = name.span())
}

/// The tokens between the parentheses that follow, if any do.
fn parentheses(input: ParseStream) -> (Option<Span>, TokenStream) {
    let group = input.step(|cursor| match cursor.token_tree() {
        Some((proc_macro2::TokenTree::Group(group), rest))
            if group.delimiter() == proc_macro2::Delimiter::Parenthesis =>
        {
            Ok((group, rest))
        }
        _ => Err(cursor.error("no parentheses")),
    });
    match group {
        Ok(group) => (Some(group.span()), group.stream()),
        Err(_) => (None, TokenStream::new()),
    }
}

/// Makes an [`Op`] of a layer's arguments. Where one is faulty it goes on with a harmless guess and notes what that leaves in doubt.
struct Reader<'a> {
    who: &'a str,
    kind: &'a Ident,
    meant: Kind,
    args: Args,
    /// Whether every argument was read and taken.
    whole: bool,
    parentheses: Option<Span>,
    faults: &'a mut Diagnostics,
    doubt: Doubt,
}

impl Reader<'_> {
    fn op(&mut self) -> Op {
        let op = match self.meant {
            Kind::Conv => Op::Conv(self.conv(false)),
            Kind::Conv1d => Op::Conv(self.conv(true)),
            Kind::ConvTranspose => Op::ConvTranspose(self.conv_transpose(false)),
            Kind::ConvTranspose1d => Op::ConvTranspose(self.conv_transpose(true)),
            Kind::Pool(kind) => Op::Pool(self.pool(kind, false)),
            Kind::Pool1d(kind) => Op::Pool(self.pool(kind, true)),
            Kind::Linear => {
                let outputs = self.first_number(Doubt::CHANNELS);
                return Op::Linear(Linear { outputs, bias: self.bias() });
            }
            Kind::BatchNorm => Op::BatchNorm(BatchNorm { epsilon: self.epsilon() }),
            Kind::LayerNorm => Op::LayerNorm(LayerNorm { epsilon: self.epsilon() }),
            Kind::Scale => Op::Scale,
            Kind::Bias => Op::Bias,
            Kind::Dropout => Op::Dropout(Dropout { probability: self.probability() }),
            Kind::GlobalAvgPool => Op::GlobalAvgPool,
            Kind::GlobalMaxPool => Op::GlobalMaxPool,
            Kind::Pad => Op::Pad(self.pad(false)),
            Kind::Pad1d => Op::Pad(self.pad(true)),
            Kind::Upsample => Op::Upsample(self.upsample(false)),
            Kind::Upsample1d => Op::Upsample(self.upsample(true)),
            Kind::Flatten => Op::Flatten,
            Kind::Softmax => Op::Softmax,
            Kind::Relu => Op::Activation(Activation::Relu),
            Kind::Relu6 => Op::Activation(Activation::Relu6),
            Kind::LeakyRelu => Op::Activation(Activation::LeakyRelu(self.first_real(None))),
            Kind::Elu => Op::Activation(Activation::Elu(self.first_real(Some(1.0)))),
            Kind::Sigmoid => Op::Activation(Activation::Sigmoid),
            Kind::Tanh => Op::Activation(Activation::Tanh),
            Kind::Gelu => Op::Activation(Activation::Gelu),
            Kind::Silu => Op::Activation(Activation::Silu),
            Kind::HardSigmoid => Op::Activation(Activation::HardSigmoid),
            Kind::HardSwish => Op::Activation(Activation::HardSwish),
            Kind::Softplus => Op::Activation(Activation::Softplus),
        };
        let sized = matches!(op, Op::Conv(_) | Op::ConvTranspose(_) | Op::Pool(_) | Op::Pad(_) | Op::Upsample(_));
        if !self.whole && sized {
            self.doubt |= Doubt::SIZE;
        }
        op
    }

    fn conv(&mut self, one_d: bool) -> Conv {
        let out_channels = self.first_number(Doubt::CHANNELS);
        let kernel = match self.args.take("kernel") {
            Some((_, value)) => self.pair(value, "kernel", one_d),
            None => {
                // An argument that could not be read may have been the kernel.
                if self.whole {
                    let place = self.parentheses.map_or(Place::at(self.kind.span()), Place::at);
                    let help = format!("such as `{}`", self.meant.takes().example);
                    self.faults.push(place, format!("{}: the kernel is missing", self.who)).help(help);
                }
                self.doubt |= Doubt::SIZE;
                self.known_pair(1)
            }
        };
        let stride = self.pair_or(1, "stride", one_d);
        let dilation = self.pair_or(1, "dilation", one_d);
        let padding = self.padding(one_d);
        let groups = match self.args.take("groups") {
            Some((_, value)) => match single_word(&value) {
                Some(word) if word == "depthwise" => Groups::Depthwise(word.span()),
                _ => Groups::Number(self.number(value, "groups", Doubt::CHANNELS)),
            },
            None => Groups::Number(self.known(1)),
        };
        Conv { out_channels, kernel, stride, padding, dilation, groups, bias: self.bias() }
    }

    fn conv_transpose(&mut self, one_d: bool) -> ConvTranspose {
        let Conv { out_channels, kernel, stride, padding, dilation, groups, bias } = self.conv(one_d);
        let padding = match padding {
            Padding::Numbers(numbers) => numbers,
            Padding::Same(span) => {
                self.faults
                    .push(Place::at(span), format!("{}: a transposed convolution has no padding `same`", self.who))
                    .help("give what is cut off in numbers: `padding = 1`");
                self.doubt |= Doubt::SIZE;
                [0; 4].map(|n| self.known(n))
            }
        };
        let output_padding = match self.args.take("output_padding") {
            Some((_, value)) => {
                let [rows, columns] = self.pair(value, "output_padding", one_d);
                // A signal has one row whatever is put on.
                if one_d { [self.known(0), columns] } else { [rows, columns] }
            }
            None => self.known_pair(0),
        };
        ConvTranspose { out_channels, kernel, stride, padding, output_padding, dilation, groups, bias }
    }

    fn pool(&mut self, kind: PoolKind, one_d: bool) -> Pool {
        let kernel = match self.first(Doubt::SIZE) {
            Some(window) => self.pair(window, "window", one_d),
            None => self.known_pair(1),
        };
        let stride = match self.args.take("stride") {
            Some((_, value)) => self.pair(value, "stride", one_d),
            None => kernel.clone(),
        };
        let padding = match self.padding(one_d) {
            Padding::Numbers(numbers) => numbers,
            Padding::Same(span) => {
                self.faults
                    .push(Place::at(span), format!("{}: pooling has no padding `same`", self.who))
                    .help("give the rows and columns in numbers: `padding = 1`");
                self.doubt |= Doubt::SIZE;
                [0; 4].map(|n| self.known(n))
            }
        };
        let rounding = match (self.args.flag("floor"), self.args.flag("ceil")) {
            (true, _) => Rounding::Floor,
            (_, true) => Rounding::Ceil,
            _ => Rounding::Exact,
        };
        Pool { kind, kernel, stride, padding, rounding }
    }

    fn pad(&mut self, one_d: bool) -> Pad {
        let padding = match self.first(Doubt::SIZE) {
            Some(value) => self.sides(value, false, one_d),
            None => [0; 4].map(|n| self.known(n)),
        };
        let mode = match (self.args.flag("reflect"), self.args.flag("replicate")) {
            (true, _) => PadMode::Reflect,
            (_, true) => PadMode::Replicate,
            _ => PadMode::Zero,
        };
        Pad { padding, mode }
    }

    fn upsample(&mut self, one_d: bool) -> Upsample {
        let factor = match self.first(Doubt::SIZE) {
            Some(value) => self.pair(value, "factor", one_d),
            None => self.known_pair(1),
        };
        let mode = if self.args.flag("bilinear") { UpsampleMode::Bilinear } else { UpsampleMode::Nearest };
        Upsample { factor, mode }
    }

    /// `same`, `valid`, one number, `(rows, columns)` or `(top, bottom, left, right)`; in one dimension one number or `(left, right)`.
    fn padding(&mut self, one_d: bool) -> Padding {
        let Some((_, value)) = self.args.take("padding") else {
            return Padding::Numbers([0; 4].map(|n| self.known(n)));
        };
        match single_word(&value) {
            Some(word) if word == "same" => return Padding::Same(word.span()),
            Some(word) if word == "valid" => {
                return Padding::Numbers([0; 4].map(|n| Num::Known(n, Place::at(word.span()))));
            }
            _ => {}
        }
        Padding::Numbers(self.sides(value, true, one_d))
    }

    /// Rows and columns around a map: one number, `(rows, columns)` or `(top, bottom, left, right)`; in one dimension one number or
    /// `(left, right)`. `words`: whether the argument has words for some, too.
    fn sides(&mut self, value: Expr, words: bool, one_d: bool) -> [Num; 4] {
        let zero = self.known(0);
        match bare(value) {
            Expr::Tuple(tuple) => {
                let place = Place::of(&tuple);
                let elements: Vec<Expr> = tuple.elems.into_iter().collect();
                let count = elements.len();
                let numbers: Vec<Num> =
                    elements.into_iter().map(|element| self.number(element, "padding", Doubt::SIZE)).collect();
                match (<[Num; 2]>::try_from(numbers.clone()), <[Num; 4]>::try_from(numbers)) {
                    (Ok([left, right]), _) if one_d => [zero.clone(), zero, left, right],
                    (Ok([rows, columns]), _) => [rows.clone(), rows, columns.clone(), columns],
                    (_, Ok(four)) if !one_d => four,
                    _ => {
                        let forms = match (one_d, words) {
                            (true, true) => "one number, `(left, right)`, `same` or `valid`",
                            (true, false) => "one number or `(left, right)`",
                            (false, true) => {
                                "one number, `(rows, columns)`, `(top, bottom, left, right)`, `same` or `valid`"
                            }
                            (false, false) => "one number, `(rows, columns)` or `(top, bottom, left, right)`",
                        };
                        self.faults
                            .push(place, format!("{}: padding cannot be a list of {count}", self.who))
                            .help(format!("it is {forms}"));
                        self.doubt |= Doubt::SIZE;
                        [0; 4].map(|n| self.known(n))
                    }
                }
            }
            value => {
                let number = self.number(value, "padding", Doubt::SIZE);
                if one_d {
                    [zero.clone(), zero, number.clone(), number]
                } else {
                    [number.clone(), number.clone(), number.clone(), number]
                }
            }
        }
    }

    /// One number for both axes or `(rows, columns)`; in one dimension one number for the columns.
    fn pair(&mut self, value: Expr, what: &str, one_d: bool) -> [Num; 2] {
        match bare(value) {
            Expr::Tuple(tuple) if !one_d => {
                let place = Place::of(&tuple);
                let count = tuple.elems.len();
                let numbers: Vec<Num> =
                    tuple.elems.into_iter().map(|element| self.number(element, what, Doubt::SIZE)).collect();
                numbers.try_into().unwrap_or_else(|_| {
                    self.faults
                        .push(place, format!("{}: {what} cannot be a list of {count}", self.who))
                        .help("it is one number or a pair, `(rows, columns)`");
                    self.doubt |= Doubt::SIZE;
                    self.known_pair(1)
                })
            }
            value => {
                let number = self.number(value, what, Doubt::SIZE);
                if one_d { [Num::Known(1, number.place()), number] } else { [number.clone(), number] }
            }
        }
    }

    fn pair_or(&mut self, default: usize, what: &str, one_d: bool) -> [Num; 2] {
        match self.args.take(what) {
            Some((_, value)) => self.pair(value, what, one_d),
            None => self.known_pair(default),
        }
    }

    fn bias(&mut self) -> bool {
        let Some((_, value)) = self.args.take("bias") else { return true };
        let value = bare(value);
        match &value {
            Expr::Lit(lit) if matches!(lit.lit, Lit::Bool(_)) => matches!(&lit.lit, Lit::Bool(bool) if bool.value),
            _ => {
                self.faults.push(Place::of(&value), format!("{}: bias is `true` or `false`", self.who));
                true
            }
        }
    }

    /// The first argument; told if it is missing.
    fn first(&mut self, doubt: Doubt) -> Option<Expr> {
        let takes = self.meant.takes();
        if self.args.first.is_none() {
            self.doubt |= doubt;
            // An argument that could not be read may have been this one.
            if let (Some(first), true) = (takes.first, self.whole) {
                let place = self.parentheses.map_or(Place::at(self.kind.span()), Place::at);
                self.faults
                    .push(place, format!("{}: the {first} is missing", self.who))
                    .help(format!("such as `{}`", takes.example));
            }
        }
        self.args.first.take()
    }

    fn first_number(&mut self, doubt: Doubt) -> Num {
        let what = self.meant.takes().first.unwrap_or("number");
        match self.first(doubt) {
            Some(value) => self.number(value, what, doubt),
            None => self.known(1),
        }
    }

    fn first_real(&mut self, default: Option<f64>) -> Box<Expr> {
        let what = format!("{}: {}", self.who, self.meant.takes().first.unwrap_or("number"));
        // As with every number that nobody wrote, the kind's token stands for it.
        let value = match (&self.args.first, default) {
            (None, Some(default)) => return Box::new(float(default, self.kind.span())),
            _ => self.first(Doubt::NONE),
        };
        Box::new(
            value.and_then(|value| real(value, &what, self.faults)).unwrap_or_else(|| float(1.0, self.kind.span())),
        )
    }

    /// What `batch_norm` and `layer_norm` add to the variance; 1e-5 unless said.
    fn epsilon(&mut self) -> Box<Expr> {
        let default = float(1e-5, self.kind.span());
        let Some((_, value)) = self.args.take("epsilon") else { return Box::new(default) };
        let place = Place::of(&value);
        let epsilon = real(value, &format!("{}: epsilon", self.who), self.faults).unwrap_or(default);
        if literal_value(&epsilon).is_some_and(|value| value <= 0.0) {
            let text = tenonet_shape::epsilon_text(self.who);
            self.faults.push(place, text.as_str()).help("write `epsilon = 1e-5`");
        }
        Box::new(epsilon)
    }

    /// That of `dropout`.
    fn probability(&mut self) -> Box<Expr> {
        let Some(value) = self.first(Doubt::NONE) else { return Box::new(float(0.5, self.kind.span())) };
        let place = Place::of(&value);
        let what = format!("{}: the probability", self.who);
        let value = real(value, &what, self.faults).unwrap_or_else(|| float(0.5, self.kind.span()));
        if literal_value(&value).is_some_and(|value| !(0.0..1.0).contains(&value)) {
            let text = tenonet_shape::probability_text(self.who);
            self.faults.push(place, text.as_str()).help("it is that of an element to be dropped: `dropout(0.5)`");
        }
        Box::new(value)
    }

    fn number(&mut self, value: Expr, what: &str, doubt: Doubt) -> Num {
        let place = Place::of(&value);
        number(value, &format!("{}: {what}", self.who), self.faults).unwrap_or_else(|| {
            self.doubt |= doubt;
            Num::Known(1, place)
        })
    }

    /// A number that nobody wrote; it belongs to the layer's kind.
    fn known(&self, value: usize) -> Num {
        Num::Known(value, Place::at(self.kind.span()))
    }

    fn known_pair(&self, value: usize) -> [Num; 2] {
        [self.known(value), self.known(value)]
    }
}
