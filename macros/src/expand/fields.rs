//! The struct: one field for each layer with parameters.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;
use syn::ext::IdentExt;

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
    let fields = network.layers.iter().enumerate().filter_map(|(i, layer)| {
        let (name, ty, doc) = (&layer.name, field_type(context, i, layer)?, doc(context, i, layer));
        Some(quote! {
            #[doc = #doc]
            #vis #name: #ty,
        })
    });
    let mut fields: Vec<_> = fields.collect();
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
    let fields = norms(context).map(|i| {
        let (layer, channels) = (&network.layers[i], context.shapes.before(i).sides()[0].argument());
        let (field, doc) = (&layer.name, format!("Of `{}`.", layer.name.unraw()));
        quote! {
            #[doc = #doc]
            #vis #field: ::tenonet::layers::Statistics<#channels, T>,
        }
    });
    let fields: Vec<_> = fields.collect();
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
        }
    })
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
