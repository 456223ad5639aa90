//! The struct: one field for each layer with parameters.

use std::ops::Range;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::Context;
use super::passes::norms;
use super::shapes::Known;
use crate::ir::{Layer, Op};
use crate::size::Size;

/// ```text
/// #[repr(C)]
/// pub struct LeNet<T = f32> {
///     pub conv1: ::tenonet::layers::Conv2d<1, 6, 5, 5, T, ::tenonet::layers::Window<1, 1, 2, 2, 2, 2>>,
///     …
/// }
/// pub type LeNetScratch<T = f32> = ::tenonet::Scratch<LeNet<T>>;
/// ```
pub fn item(context: &Context<'_>) -> TokenStream {
    let network = context.network;
    let (attrs, vis, ident) = (&network.attrs, &network.vis, &network.ident);
    let of_layer = |i: usize| Some((field_type(context, i, &network.layers[i])?, doc(context, i, &network.layers[i])));
    let Struct { mut fields, within } = Structs::new(context, "Net", &of_layer).of(0..network.layers.len(), 0);
    let statistics = statistics(context);
    if statistics.is_some() {
        let name = statistics_name(context);
        fields.push(quote! {
            /// The running averages of batch_norm, which inference uses: no parameters.
            #vis statistics: #name<T>,
        });
    }
    // Without parameters the element type would be unused.
    let marker = fields.is_empty().then(|| quote!(__element: [T; 0],));
    let doc = (!attrs.iter().any(|attr| attr.path().is_ident("doc"))).then(|| {
        let doc = format!("The network `{ident}`, declared by `network!`.");
        quote!(#[doc = #doc])
    });
    let (scratch, workspace) = (format_ident!("{ident}Scratch"), format_ident!("{ident}Workspace"));
    let scratch_doc = format!("Memory for the inference of one input of [`{ident}`].");
    let workspace_doc = format!("Memory for training [`{ident}`] on `B` inputs at a time.");
    quote! {
        #doc
        #(#attrs)*
        #[allow(clippy::struct_field_names, reason = "fields have the layers' names, which weight files have too")]
        #[repr(C)]
        #vis struct #ident<T = f32> {
            #(#fields)*
            #marker
        }

        #(#within)*

        #statistics

        #[doc = #scratch_doc]
        #[allow(dead_code, reason = "offered whether or not the program uses it")]
        #vis type #scratch<T = f32> = ::tenonet::Scratch<#ident<T>>;

        #[doc = #workspace_doc]
        #[allow(dead_code, reason = "offered whether or not the program uses it")]
        #vis type #workspace<T = f32, const B: usize = 1> = ::tenonet::Workspace<#ident<T>, { B }>;
    }
}

fn statistics_name(context: &Context<'_>) -> Ident {
    format_ident!("{}Statistics", context.network.ident)
}

/// ```text
/// #[repr(C)]
/// pub struct ResNetStatistics<T = f32> {
///     pub bn1: ::tenonet::layers::Statistics<16, T>,
///     …
/// }
/// ```
fn statistics(context: &Context<'_>) -> Option<TokenStream> {
    let network = context.network;
    let (vis, name) = (&network.vis, statistics_name(context));
    let norms: Vec<usize> = norms(context).collect();
    let of_layer = |i: usize| {
        let channels = norms.contains(&i).then(|| context.shapes.before(i).sides()[0].argument())?;
        Some((quote!(::tenonet::layers::Statistics<#channels, T>), format!("Of `{}`.", network.layers[i].name)))
    };
    let Struct { fields, within } = Structs::new(context, "Statistics", &of_layer).of(0..network.layers.len(), 0);
    let doc = format!("The running averages of [`{}`]: what `batch_norm` uses at inference.", network.ident);
    // What the network derives, this has to have too.
    let derives = network.attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    (!fields.is_empty()).then(|| {
        quote! {
            #[doc = #doc]
            #(#derives)*
            #[allow(clippy::struct_field_names, reason = "fields have the layers' names, which weight files have too")]
            #[repr(C)]
            #vis struct #name<T = f32> {
                #(#fields)*
            }

            #(#within)*
        }
    })
}

/// The fields of a struct: layers, and structs for the networks within.
struct Struct {
    fields: Vec<TokenStream>,
    /// The items of these structs.
    within: Vec<TokenStream>,
}

/// Makes structs whose fields are layers.
struct Structs<'a> {
    context: &'a Context<'a>,
    /// Ends the structs' names.
    suffix: &'a str,
    /// The type and the documentation of a layer's field, if it has one.
    of_layer: &'a dyn Fn(usize) -> Option<(TokenStream, String)>,
}

impl<'a> Structs<'a> {
    fn new(
        context: &'a Context<'a>, suffix: &'a str, of_layer: &'a dyn Fn(usize) -> Option<(TokenStream, String)>,
    ) -> Self {
        Structs { context, suffix, of_layer }
    }

    /// The layers of a range, which lie in `depth` networks at least.
    fn of(&self, layers: Range<usize>, depth: usize) -> Struct {
        let network = self.context.network;
        let (vis, mut made) = (&network.vis, Struct { fields: Vec::new(), within: Vec::new() });
        let mut layer = layers.start;
        while layer < layers.end {
            let name = &network.layers[layer].name;
            if name.nets.len() > depth {
                let net =
                    network.nets.iter().position(|net| net.layers.contains(&layer) && net.name.nets.len() == depth);
                let Some(net) = net else { break };
                layer = network.nets[net].layers.end;
                made.put_net(self, net);
                continue;
            }
            if let Some((ty, doc)) = (self.of_layer)(layer) {
                let own = &name.own;
                made.fields.push(quote! {
                    #[doc = #doc]
                    #vis #own: #ty,
                });
            }
            layer += 1;
        }
        made
    }
}

impl Struct {
    /// ```text
    /// pub backbone: ClassifierBackboneNet<T>,
    ///
    /// /// Of `backbone`, the network `Backbone`.
    /// #[repr(C)]
    /// pub struct ClassifierBackboneNet<T = f32> { … }
    /// ```
    fn put_net(&mut self, structs: &Structs<'_>, index: usize) {
        let network = structs.context.network;
        let (net, vis) = (&network.nets[index], &network.vis);
        let Struct { fields, within } = structs.of(net.layers.clone(), net.name.nets.len() + 1);
        if fields.is_empty() {
            return;
        }
        let word = camel(&net.name.word());
        let is_twin = network.nets.iter().filter(|other| camel(&other.name.word()) == word).nth(1).is_some();
        let twin = if is_twin { format!("At{index}") } else { String::new() };
        let name = format_ident!("{}{word}{twin}{}", network.ident, structs.suffix);
        let (own, doc) = (&net.name.own, format!("Of `{}`, the network `{}`.", net.name, net.of));
        // What the network derives, this has to have too.
        let derives = network.attrs.iter().filter(|attr| attr.path().is_ident("derive"));
        self.fields.push(quote! {
            #[doc = #doc]
            #vis #own: #name<T>,
        });
        self.within.push(quote! {
            #[doc = #doc]
            #(#derives)*
            #[allow(clippy::struct_field_names, reason = "fields have the layers' names, which weight files have too")]
            #[repr(C)]
            #vis struct #name<T = f32> {
                #(#fields)*
            }
        });
        self.within.extend(within);
    }
}

/// `stage_1` as a part of a type's name: `Stage1`.
pub fn camel(word: &str) -> String {
    let words = word.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    });
    words.collect()
}

fn doc(context: &Context<'_>, index: usize, layer: &Layer) -> String {
    let (before, after) = (context.shapes.before(index).text(), context.shapes.outputs[index].text());
    format!("`{}`: {before} to {after}.", layer.kind)
}

/// The type of a layer's parameters, if it has any. What equals the type's default is not printed.
fn field_type(context: &Context<'_>, index: usize, layer: &Layer) -> Option<TokenStream> {
    if !layer.has_params() {
        return None;
    }
    if matches!(layer.op, Op::BatchNorm(_)) {
        let channels = context.shapes.before(index).sides()[0].argument();
        return Some(quote!(::tenonet::layers::BatchNorm<#channels, T>));
    }
    if let Op::Scale | Op::Bias | Op::LayerNorm(_) = layer.op {
        let [c, h, w] = context.shapes.before(index).sides().map(|side| side.argument());
        return Some(match layer.op {
            Op::Scale => quote!(::tenonet::layers::Scale<#c, T>),
            Op::Bias => quote!(::tenonet::layers::Bias<#c, T>),
            _ => quote!(::tenonet::layers::LayerNorm<#c, #h, #w, T>),
        });
    }
    if matches!(layer.op, Op::ConvTranspose(_)) {
        return transposed_type(context, index, layer);
    }
    let numbers = |list: &[usize]| {
        let list = list.iter().map(|n| Size::Known(*n));
        quote!(#(#list),*)
    };
    match context.shapes.known[index] {
        Some(Known::Conv(conv)) => {
            let first = numbers(&[conv.input.c, conv.out_channels, conv.kernel[0], conv.kernel[1]]);
            let mut window = [&conv.stride[..], &conv.padding, &conv.dilation, &[conv.groups]].concat();
            // The defaults of `Window`: the last ones that equal them are left out.
            let defaults = [1, 1, 0, 0, 0, 0, 1, 1, 1];
            while window.last().is_some_and(|last| *last == defaults[window.len() - 1]) {
                window.pop();
            }
            let rest = (!conv.bias || conv.groups > 1).then(|| {
                let rest = numbers(&[conv.group_inputs(), conv.biases()]);
                quote!(, #rest)
            });
            let window = numbers(&window);
            Some(if window.is_empty() && rest.is_none() {
                quote!(::tenonet::layers::Conv2d<#first, T>)
            } else {
                quote!(::tenonet::layers::Conv2d<#first, T, ::tenonet::layers::Window<#window> #rest>)
            })
        }
        Some(Known::Linear(linear)) => {
            let first = numbers(&[linear.inputs(), linear.outputs]);
            Some(if linear.bias {
                quote!(::tenonet::layers::Linear<#first, T>)
            } else {
                quote!(::tenonet::layers::Linear<#first, T, 0>)
            })
        }
        _ => {
            let spec = context.shapes.spec(index, layer)?;
            Some(match layer.op {
                Op::Conv(_) => quote! {
                    ::tenonet::layers::Conv2d<
                        { #spec.input.c }, { #spec.out_channels }, { #spec.kernel[0] }, { #spec.kernel[1] }, T,
                        ::tenonet::layers::Window<
                            { #spec.stride[0] }, { #spec.stride[1] },
                            { #spec.padding[0] }, { #spec.padding[1] }, { #spec.padding[2] }, { #spec.padding[3] },
                            { #spec.dilation[0] }, { #spec.dilation[1] }, { #spec.groups }
                        >,
                        { #spec.group_inputs() }, { #spec.biases() }
                    >
                },
                _ => quote!(::tenonet::layers::Linear<{ #spec.inputs() }, { #spec.outputs }, T, { #spec.biases() }>),
            })
        }
    }
}

/// `::tenonet::layers::ConvTranspose2d<8, 4, 4, 4, T, ::tenonet::layers::Window<2, 2, 1, 1, 1, 1, 1, 1, 1>, 8, 4>`.
fn transposed_type(context: &Context<'_>, index: usize, layer: &Layer) -> Option<TokenStream> {
    let numbers: Vec<TokenStream> = match context.shapes.known[index] {
        Some(Known::ConvTranspose(conv)) => {
            let first = [conv.input.c, conv.out_channels, conv.kernel[0], conv.kernel[1]];
            let rest = [conv.groups, conv.group_inputs(), conv.biases()];
            let numbers = [&first[..], &conv.stride, &conv.padding, &conv.dilation, &rest].concat();
            numbers.into_iter().map(|number| Size::Known(number).argument()).collect()
        }
        _ => {
            let spec = context.shapes.spec(index, layer)?;
            let pairs = ["kernel", "stride", "padding", "dilation"].map(|name| {
                let name = format_ident!("{name}");
                (0..if name == "padding" { 4 } else { 2 })
                    .map(|i| {
                        let i = Size::Known(i);
                        quote!({ #spec.#name[#i] })
                    })
                    .collect::<Vec<_>>()
            });
            let first = [quote!({ #spec.input.c }), quote!({ #spec.out_channels })];
            let rest = [quote!({ #spec.groups }), quote!({ #spec.group_inputs() }), quote!({ #spec.biases() })];
            first.into_iter().chain(pairs.into_iter().flatten()).chain(rest).collect()
        }
    };
    let (layer, rest) = numbers.split_at_checked(4)?;
    let (window, ends) = rest.split_at_checked(9)?;
    Some(quote! {
        ::tenonet::layers::ConvTranspose2d<#(#layer),*, T, ::tenonet::layers::Window<#(#window),*>, #(#ends),*>
    })
}
