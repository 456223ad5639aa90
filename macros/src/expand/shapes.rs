//! The shapes of a network as tokens: numbers where the macro knows them, paths to constants where only the compiler does.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Ident;
use tenonet_shape::{self as shape, PadMode, Rounding, Shape, UpsampleMode};

use crate::check::{
    known_conv, known_conv_transpose, known_pad, known_pool, known_shape, known_source, known_upsample,
};
use crate::ir::{
    Activation, Branch, Concat, Conv, ConvTranspose, Groups, Layer, Linear, Network, Num, Op, Pad, Padding, Place,
    Pool, Residual, Source, Upsample,
};
use crate::size::Size;

/// A shape: numbers, or a constant.
#[derive(Clone, Debug)]
pub enum ShapeRef {
    Known(Shape),
    /// A path to a `Shape`.
    Const(TokenStream),
}

/// A layer whose numbers are all known.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    Conv(shape::Conv),
    ConvTranspose(shape::ConvTranspose),
    Pool(shape::Pool),
    Linear(shape::Linear),
    BatchNorm(shape::BatchNorm),
    /// A sum: its arms have been compared.
    Residual,
    /// A layer without parameters that changes height and width.
    Resize,
    LayerNorm(shape::LayerNorm),
    /// A parameter for each of so many channels.
    PerChannel(usize),
    /// A joined map: its branches have been compared.
    Concat,
}

impl Known {
    fn new(network: &Network, layer: &Layer) -> Option<Known> {
        let input = layer.input?;
        let of = |source| known_source(network, source);
        match &layer.op {
            Op::Conv(conv) => known_conv(conv, input).map(Known::Conv),
            Op::ConvTranspose(conv) => known_conv_transpose(conv, input).map(Known::ConvTranspose),
            Op::Pool(pool) => known_pool(pool, input).map(Known::Pool),
            Op::Pad(pad) => known_pad(pad, input).map(|_| Known::Resize),
            Op::Upsample(upsample) => known_upsample(upsample, input).map(|_| Known::Resize),
            Op::Linear(Linear { outputs, bias }) => {
                Some(Known::Linear(shape::Linear { input, outputs: outputs.known()?, bias: *bias }))
            }
            Op::BatchNorm(_) => Some(Known::BatchNorm(shape::BatchNorm { input })),
            Op::LayerNorm(_) => Some(Known::LayerNorm(shape::LayerNorm { input })),
            Op::Scale | Op::Bias => Some(Known::PerChannel(input.c)),
            Op::Residual(residual) => of(residual.input).and(of(residual.skip())).map(|_| Known::Residual),
            Op::Concat(_) => layer.output.map(|_| Known::Concat),
            Op::GlobalAvgPool | Op::GlobalMaxPool | Op::Activation(_) | Op::Softmax => None,
            Op::Dropout(_) | Op::Flatten => None,
        }
    }

    /// Parameters and multiply-adds.
    pub fn counts(&self) -> [usize; 2] {
        match self {
            Known::Conv(conv) => [conv.params(), conv.macs()],
            Known::ConvTranspose(conv) => [conv.params(), conv.macs()],
            Known::Linear(linear) => [linear.params(), linear.macs()],
            Known::BatchNorm(norm) => [norm.params(), 0],
            Known::LayerNorm(norm) => [norm.params(), 0],
            Known::PerChannel(channels) => [*channels, 0],
            Known::Pool(_) | Known::Residual | Known::Concat | Known::Resize => [0; 2],
        }
    }
}

/// The shapes of all layers of one network.
pub struct Shapes {
    /// The hidden type that carries the constants.
    holder: Ident,
    pub input: ShapeRef,
    pub declared: ShapeRef,
    /// What leaves each layer.
    pub outputs: Vec<ShapeRef>,
    /// The layers whose numbers are all known.
    pub known: Vec<Option<Known>>,
    /// The constants, if there are any.
    constants: Vec<TokenStream>,
    /// The name of each layer's constant.
    names: Vec<Ident>,
    /// Where what arrives at each layer comes from.
    sources: Vec<Source>,
}

/// A number as the value of a constant of type `usize`: the user's tokens keep their span.
fn value(n: &Num) -> TokenStream {
    match n {
        Num::Known(n, _) => {
            let n = proc_macro2::Literal::usize_unsuffixed(*n);
            quote!(#n)
        }
        Num::Const(expr) => quote!(#expr),
    }
}

fn values(numbers: &[Num]) -> TokenStream {
    let numbers = numbers.iter().map(value);
    quote!([#(#numbers),*])
}

/// The shape of three numbers, or a constant with this name for it.
fn triple(n: &[Num; 3], holder: &Ident, name: &str, constants: &mut Vec<TokenStream>) -> ShapeRef {
    if let Some(shape) = known_shape(n) {
        return ShapeRef::Known(shape);
    }
    let name = format_ident!("{name}");
    let [c, h, w] = [value(&n[0]), value(&n[1]), value(&n[2])];
    constants.push(quote!(pub const #name: ::tenonet::shape::Shape = ::tenonet::shape::Shape::new(#c, #h, #w);));
    ShapeRef::Const(quote!(#holder::#name))
}

impl Shapes {
    pub fn new(network: &Network) -> Shapes {
        let holder = format_ident!("__{}Shapes", network.ident, span = Span::mixed_site());
        let mut constants = Vec::new();
        let input = triple(&network.input, &holder, "INPUT", &mut constants);
        let declared = triple(&network.output, &holder, "DECLARED", &mut constants);
        let names: Vec<Ident> = (network.layers.iter().enumerate())
            .map(|(i, layer)| format_ident!("{}_{i}", layer.name.word().to_uppercase()))
            .collect();
        let mut outputs: Vec<ShapeRef> = Vec::new();
        for (layer, name) in network.layers.iter().zip(&names) {
            if let Some(number) = layer.real()
                && !is_literal(number)
            {
                constants.push(quote!(pub const #name: f64 = #number;));
            }
            let of = |source| at(source, &input, &outputs);
            let output = match layer.output {
                Some(output) => ShapeRef::Known(output),
                None => {
                    let out = format_ident!("{name}_OUT");
                    let arrives = of(layer.from).value();
                    let leaves = match spec(layer, of) {
                        Some((ty, spec)) => {
                            let lifetime = matches!(layer.op, Op::Concat(_)).then(|| quote!(<'static>));
                            constants.push(quote!(pub const #name: ::tenonet::shape::#ty #lifetime = #spec;));
                            quote!(Self::#name.output())
                        }
                        None => match &layer.op {
                            Op::Flatten => quote!(::tenonet::shape::Shape::flat(#arrives.len())),
                            Op::GlobalAvgPool | Op::GlobalMaxPool => quote!(::tenonet::shape::Shape::flat(#arrives.c)),
                            _ => quote!(#arrives),
                        },
                    };
                    constants.push(quote!(pub const #out: ::tenonet::shape::Shape = #leaves;));
                    ShapeRef::Const(quote!(#holder::#out))
                }
            };
            outputs.push(output);
        }
        let known = network.layers.iter().map(|layer| Known::new(network, layer)).collect();
        let sources = network.layers.iter().map(|layer| layer.from).collect();
        Shapes { holder, input, declared, outputs, known, constants, names, sources }
    }

    /// The network's input, or what leaves a layer.
    pub fn at(&self, source: Source) -> &ShapeRef {
        at(source, &self.input, &self.outputs)
    }

    /// What arrives at a layer.
    pub fn before(&self, layer: usize) -> &ShapeRef {
        self.at(self.sources[layer])
    }

    /// A value of `Conv`, `Pool`, `Linear`, `Residual` or `Concat` that describes the layer: its numbers, or its constant.
    pub fn spec(&self, index: usize, layer: &Layer) -> Option<TokenStream> {
        let (_, spec) = spec(layer, |source| self.at(source))?;
        if layer.output.is_some() {
            return Some(spec);
        }
        let (holder, name) = (&self.holder, &self.names[index]);
        Some(quote!(#holder::#name))
    }

    /// The real number of a layer: a literal, or its constant.
    pub fn number(&self, index: usize, number: &syn::Expr) -> TokenStream {
        let (holder, name) = (&self.holder, &self.names[index]);
        if is_literal(number) { quote!(#number) } else { quote!(#holder::#name) }
    }

    /// `::tenonet::Tensor<6, 28, 28, T>`.
    pub fn tensor(&self, shape: &ShapeRef, element: TokenStream) -> TokenStream {
        let [c, h, w] = shape.sides().map(|side| side.argument());
        quote!(::tenonet::Tensor<#c, #h, #w, #element>)
    }

    /// ```text
    /// #[doc(hidden)]
    /// pub struct __LeNetShapes;
    /// impl __LeNetShapes { pub const CONV1_0: Conv = Conv { … }; pub const CONV1_0_OUT: Shape = Self::CONV1_0.output(); … }
    /// ```
    pub fn items(&self) -> TokenStream {
        if self.constants.is_empty() {
            return TokenStream::new();
        }
        let (holder, constants) = (&self.holder, &self.constants);
        quote! {
            #[doc(hidden)]
            #[allow(missing_docs, dead_code, clippy::all, reason = "constants of the declaration, for the compiler alone")]
            pub struct #holder;
            #[allow(missing_docs, dead_code, clippy::all, unused_parens, arithmetic_overflow, reason = "constants of the declaration, for the compiler alone, which tells an overflow anyway")]
            impl #holder { #(#constants)* }
        }
    }

    /// What the macro could not check, as constants that the compiler evaluates: each stands at the argument it is about.
    pub fn checks(&self, network: &Network) -> TokenStream {
        let mut checks = TokenStream::new();
        for (index, same) in repetitions(network) {
            let layer = &network.layers[index];
            let name = &layer.title;
            if let Some(number) = layer.real()
                && !is_literal(number)
            {
                let (value, place) = (self.number(index, number), Place::of(number));
                let kind = match &layer.op {
                    Op::Activation(Activation::LeakyRelu(_)) => Some(format_ident!("LeakyRelu")),
                    Op::Activation(_) => Some(format_ident!("Elu")),
                    _ => None,
                };
                checks.extend(match kind {
                    Some(kind) => quote_spanned!(place.start=> const _: ::tenonet::layers::#kind = ::tenonet::layers::#kind::new(#value);),
                    None if matches!(layer.op, Op::Dropout(_)) => {
                        assertion(place, quote!(::tenonet::shape::deny_probability), quote!(#name, #value))
                    }
                    None => assertion(place, quote!(::tenonet::shape::deny_epsilon), quote!(#name, #value)),
                });
            }
            // `check` has judged the layers whose numbers are all known.
            let same = same.into_iter().filter(|index| self.known[*index].is_none());
            let specs: Vec<(usize, TokenStream, &str)> = same
                .filter_map(|index| {
                    let layer = &network.layers[index];
                    Some((index, self.spec(index, layer)?, layer.title.as_str()))
                })
                .collect();
            if layer.is_1d() {
                let maps = specs.iter().map(|(index, _, name)| {
                    let before = self.before(*index).value();
                    quote!(#before, #name)
                });
                let place = Place::at(layer.kind.span());
                checks.extend(assertions(place, quote!(::tenonet::shape::Shape::deny_map), maps));
            }
            for (field, place) in fields(layer) {
                let field = format_ident!("{field}");
                let faults =
                    specs.iter().map(|(_, spec, name)| quote!(&#spec.faults(), #name, ::tenonet::shape::Field::#field));
                checks.extend(assertions(place, quote!(::tenonet::shape::Faults::deny), faults));
            }
            if let Op::Concat(concat) = &layer.op {
                for (branch, Branch { place, .. }) in concat.branches.iter().enumerate() {
                    let branch = Size::Known(branch);
                    let faults = specs.iter().map(|(_, spec, name)| quote!(&#spec, #name, #branch));
                    checks.extend(assertions(*place, quote!(::tenonet::shape::Concat::deny), faults));
                }
            }
        }
        for (index, net) in network.nets.iter().enumerate().filter(|(_, net)| net.copy_of.is_none()) {
            // A repetition has another input than the first one, and the same declaration.
            let same = network.nets.iter().enumerate().filter(|(i, net)| *i == index || net.copy_of == Some(index));
            let unknown = same.filter(|(_, net)| {
                !matches!((self.at(net.from), known_shape(&net.input)), (ShapeRef::Known(_), Some(_)))
            });
            let arrivals = unknown.map(|(_, net)| {
                let ([c, h, w], arrives, title, of) =
                    (net.input.each_ref().map(value), self.at(net.from).value(), &net.title, &net.of);
                quote!(#arrives, ::tenonet::shape::Shape::new(#c, #h, #w), #title, #of)
            });
            checks.extend(assertions(net.place, quote!(::tenonet::shape::Shape::deny_arrival), arrivals));
        }
        let real = self.outputs.last().unwrap_or(&self.input);
        if !matches!((&self.declared, real), (ShapeRef::Known(_), ShapeRef::Known(_))) {
            let (real, declared, name) = (real.value(), self.declared.value(), network.ident.to_string());
            let (place, function) = (Place::at(network.output_span), quote!(::tenonet::shape::Shape::deny_other));
            checks.extend(assertion(place, function, quote!(#real, #declared, #name)));
        }
        let ident = &network.ident;
        let budget = &network.budget;
        for (what, unit, constant, limit) in [
            ("its weights take", "bytes", "WEIGHT_BYTES", &budget.weights),
            ("its scratch takes", "bytes", "SCRATCH_BYTES", &budget.scratch),
            ("its tape takes", "bytes", "TAPE_BYTES", &budget.tape),
            ("it takes", "multiply-adds", "MACS", &budget.macs),
        ] {
            let Some(limit) = limit else { continue };
            let (place, limit, constant) = (limit.place(), value(limit), format_ident!("{constant}"));
            let name = ident.to_string();
            checks.extend(assertion(
                place,
                quote!(::tenonet::shape::deny_excess),
                quote!(#name, #what, #unit, <#ident<f32> as ::tenonet::Network>::#constant, #limit),
            ));
        }
        checks
    }
}

/// `const _: () = function(arguments);`, whose fault is told at a place: the call's first token and its parentheses lie there.
fn assertion(place: Place, function: TokenStream, arguments: TokenStream) -> TokenStream {
    assertions(place, function, [arguments].into_iter())
}

/// Assertions of which the first that fails is told alone: `const _: () = { function(arguments); function(arguments); };`.
fn assertions(place: Place, function: TokenStream, calls: impl Iterator<Item = TokenStream>) -> TokenStream {
    let start = place.start;
    let function: Vec<TokenTree> = function
        .into_iter()
        .map(|mut token| {
            token.set_span(start);
            token
        })
        .collect();
    let calls: Vec<TokenStream> =
        calls.map(|arguments| quote_spanned!(place.end=> #(#function)* (#arguments))).collect();
    match calls.as_slice() {
        [] => TokenStream::new(),
        [call] => quote!(const _: () = #call;),
        calls => quote!(const _: () = { #(#calls;)* };),
    }
}

/// The layers that the user wrote, each with all its repetitions, which have the same tokens.
fn repetitions(network: &Network) -> Vec<(usize, Vec<usize>)> {
    let mut same: Vec<Vec<usize>> = vec![Vec::new(); network.layers.len()];
    for (index, layer) in network.layers.iter().enumerate() {
        same[layer.copy_of.unwrap_or(index)].push(index);
    }
    same.into_iter().enumerate().filter(|(_, same)| !same.is_empty()).collect()
}

fn is_literal(number: &syn::Expr) -> bool {
    matches!(number, syn::Expr::Lit(_))
}

/// The fields of a layer that can be at fault, and where they are written.
fn fields(layer: &Layer) -> Vec<(&'static str, Place)> {
    let mut fields = vec![("Layer", Place::at(layer.kind.span()))];
    // One number stands for both axes as often as not; then it is underlined, otherwise the whole pair.
    let place = |n: &[Num]| n[0].place().to(n[n.len() - 1].place());
    match &layer.op {
        Op::Conv(conv) => {
            fields.push(("Channels", conv.out_channels.place()));
            fields.push(("Kernel", place(&conv.kernel)));
            fields.push(("Stride", place(&conv.stride)));
            fields.push(("Dilation", place(&conv.dilation)));
            fields.push(match &conv.groups {
                Groups::Number(groups) => ("Groups", groups.place()),
                Groups::Depthwise(span) => ("Groups", Place::at(*span)),
            });
        }
        Op::ConvTranspose(conv) => {
            fields.push(("Channels", conv.out_channels.place()));
            fields.push(("Kernel", place(&conv.kernel)));
            fields.push(("Stride", place(&conv.stride)));
            fields.push(("Padding", place(&conv.padding)));
            fields.push(("OutputPadding", place(&conv.output_padding)));
            fields.push(("Dilation", place(&conv.dilation)));
            fields.push(match &conv.groups {
                Groups::Number(groups) => ("Groups", groups.place()),
                Groups::Depthwise(span) => ("Groups", Place::at(*span)),
            });
        }
        Op::Pool(pool) => {
            fields.push(("Kernel", place(&pool.kernel)));
            fields.push(("Stride", place(&pool.stride)));
            fields.push(("Padding", place(&pool.padding)));
        }
        Op::Pad(pad) => fields.push(("Padding", place(&pad.padding))),
        Op::Upsample(upsample) => fields.push(("Factor", place(&upsample.factor))),
        Op::Linear(linear) => fields.push(("Channels", linear.outputs.place())),
        Op::GlobalAvgPool | Op::GlobalMaxPool | Op::BatchNorm(_) => {}
        Op::LayerNorm(_) | Op::Scale | Op::Bias => {}
        Op::Activation(_) | Op::Softmax | Op::Dropout(_) | Op::Flatten | Op::Residual(_) => {}
        Op::Concat(_) => {}
    }
    fields
}

/// What `source` yields.
fn at<'a>(source: Source, input: &'a ShapeRef, outputs: &'a [ShapeRef]) -> &'a ShapeRef {
    match source {
        Source::Input => input,
        Source::Layer(index) => &outputs[index],
    }
}

/// A layer's description as an expression of its type. `of`: what leaves each layer.
fn spec<'a>(layer: &Layer, of: impl Fn(Source) -> &'a ShapeRef) -> Option<(Ident, TokenStream)> {
    let before = of(layer.from);
    let input = before.value();
    match &layer.op {
        Op::Conv(of @ Conv { out_channels, kernel, stride, padding, dilation, groups, bias }) => {
            let (out_channels, kernel, stride) = (value(out_channels), values(kernel), values(stride));
            let dilation = values(dilation);
            let groups = match groups {
                Groups::Number(n) => value(n),
                Groups::Depthwise(_) => before.sides()[0].to_token_stream(),
            };
            let conv = |padding: TokenStream| {
                quote! {
                    ::tenonet::shape::Conv {
                        input: #input,
                        out_channels: #out_channels,
                        kernel: #kernel,
                        stride: #stride,
                        padding: #padding,
                        dilation: #dilation,
                        groups: #groups,
                        bias: #bias,
                    }
                }
            };
            let known = layer.input.and_then(|input| known_conv(of, input));
            let spec = match (padding, known) {
                (Padding::Numbers(n), _) => conv(values(n)),
                (Padding::Same(_), Some(known)) => {
                    let padding = known.padding.map(Size::Known);
                    conv(quote!([#(#padding),*]))
                }
                (Padding::Same(_), None) => {
                    let unpadded = conv(quote!([0; 4]));
                    quote!(#unpadded.with_same_padding())
                }
            };
            Some((format_ident!("Conv"), spec))
        }
        Op::ConvTranspose(conv) => {
            let ConvTranspose { out_channels, kernel, stride, padding, output_padding, dilation, groups, bias } = conv;
            let (out_channels, kernel, stride, padding) =
                (value(out_channels), values(kernel), values(stride), values(padding));
            let (output_padding, dilation) = (values(output_padding), values(dilation));
            let groups = match groups {
                Groups::Number(n) => value(n),
                Groups::Depthwise(_) => before.sides()[0].to_token_stream(),
            };
            let spec = quote! {
                ::tenonet::shape::ConvTranspose {
                    input: #input,
                    out_channels: #out_channels,
                    kernel: #kernel,
                    stride: #stride,
                    padding: #padding,
                    output_padding: #output_padding,
                    dilation: #dilation,
                    groups: #groups,
                    bias: #bias,
                }
            };
            Some((format_ident!("ConvTranspose"), spec))
        }
        Op::Pool(Pool { kernel, stride, padding, rounding, .. }) => {
            let (kernel, stride, padding) = (values(kernel), values(stride), values(padding));
            let rounding = match rounding {
                Rounding::Exact => quote!(Exact),
                Rounding::Floor => quote!(Floor),
                Rounding::Ceil => quote!(Ceil),
            };
            let spec = quote! {
                ::tenonet::shape::Pool {
                    input: #input,
                    kernel: #kernel,
                    stride: #stride,
                    padding: #padding,
                    rounding: ::tenonet::shape::Rounding::#rounding,
                }
            };
            Some((format_ident!("Pool"), spec))
        }
        Op::Pad(Pad { padding, mode }) => {
            let padding = values(padding);
            let mode = match mode {
                PadMode::Zero => quote!(Zero),
                PadMode::Reflect => quote!(Reflect),
                PadMode::Replicate => quote!(Replicate),
            };
            let spec = quote! {
                ::tenonet::shape::Pad { input: #input, padding: #padding, mode: ::tenonet::shape::PadMode::#mode }
            };
            Some((format_ident!("Pad"), spec))
        }
        Op::Upsample(Upsample { factor, mode }) => {
            let factor = values(factor);
            let mode = match mode {
                UpsampleMode::Nearest => quote!(Nearest),
                UpsampleMode::Bilinear => quote!(Bilinear),
            };
            let spec = quote! {
                ::tenonet::shape::Upsample { input: #input, factor: #factor, mode: ::tenonet::shape::UpsampleMode::#mode }
            };
            Some((format_ident!("Upsample"), spec))
        }
        Op::Linear(Linear { outputs, bias }) => {
            let outputs = value(outputs);
            let spec = quote!(::tenonet::shape::Linear { input: #input, outputs: #outputs, bias: #bias });
            Some((format_ident!("Linear"), spec))
        }
        Op::Residual(Residual { input: block, shortcut }) => {
            let block = of(*block).value();
            let shortcut = match shortcut {
                Some(shortcut) => {
                    let shape = of(*shortcut).value();
                    quote!(::core::option::Option::Some(#shape))
                }
                None => quote!(::core::option::Option::None),
            };
            let spec = quote!(::tenonet::shape::Residual { input: #block, layers: #input, shortcut: #shortcut });
            Some((format_ident!("Residual"), spec))
        }
        Op::Concat(Concat { branches }) => {
            let branches = branches.iter().map(|branch| of(branch.end).value());
            let spec = quote!(::tenonet::shape::Concat { branches: &[#(#branches),*] });
            Some((format_ident!("Concat"), spec))
        }
        Op::GlobalAvgPool | Op::GlobalMaxPool | Op::BatchNorm(_) => None,
        Op::LayerNorm(_) | Op::Scale | Op::Bias => None,
        Op::Activation(_) | Op::Softmax | Op::Dropout(_) | Op::Flatten => None,
    }
}

impl ShapeRef {
    /// A value of `Shape`.
    pub fn value(&self) -> TokenStream {
        match self {
            ShapeRef::Known(_) => {
                let [c, h, w] = self.sides();
                quote!(::tenonet::shape::Shape::new(#c, #h, #w))
            }
            ShapeRef::Const(path) => path.clone(),
        }
    }

    /// Channels, rows, columns.
    pub fn sides(&self) -> [Size; 3] {
        match self {
            ShapeRef::Known(shape) => [shape.c, shape.h, shape.w].map(Size::Known),
            ShapeRef::Const(path) => ["c", "h", "w"].map(|side| {
                let side = format_ident!("{side}");
                Size::Const(quote!(#path.#side))
            }),
        }
    }

    /// Elements.
    pub fn len(&self) -> Size {
        match self {
            ShapeRef::Known(shape) => Size::Known(shape.len()),
            ShapeRef::Const(path) => Size::Const(quote!(#path.len())),
        }
    }

    /// Whether it is known to be a vector.
    pub fn is_flat(&self) -> bool {
        matches!(self, ShapeRef::Known(shape) if shape.is_flat())
    }

    /// For documentation: `[6, 28, 28]`.
    pub fn text(&self) -> String {
        match self {
            ShapeRef::Known(shape) if shape.is_flat() => format!("`[{}]`", shape.c),
            ShapeRef::Known(shape) => format!("`[{}, {}, {}]`", shape.c, shape.h, shape.w),
            ShapeRef::Const(_) => "a shape that constants give".into(),
        }
    }
}
