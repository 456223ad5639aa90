//! The code of a network. It decides nothing: it prints the plan as a struct, its constants, and three passes that call
//! readable generic kernels.

mod fields;
mod info;
mod passes;
mod shapes;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::fold;
use crate::ir::Network;
use crate::nets::Offer;

pub use passes::real;
#[cfg(test)]
pub use shapes::Known;
pub use shapes::Shapes;

/// The names that expansions use for one network.
pub struct Context<'a> {
    pub network: &'a Network,
    pub shapes: Shapes,
    /// The marker type of each layer.
    markers: Vec<Ident>,
}

impl<'a> Context<'a> {
    fn new(network: &'a Network) -> Self {
        Context { network, shapes: Shapes::new(network), markers: passes::markers(network) }
    }
}

/// The whole expansion.
pub fn expand(network: &Network, offer: &Offer) -> TokenStream {
    let context = Context::new(network);
    let declared = declared(&context, passes::passes(&context), offer);
    let checks = context.shapes.checks(network);
    let folded = folded(&context, passes::passes, |fold| fold::steps(&context, fold));
    quote! {
        #declared
        #checks
        #folded
    }
}

/// The network that inference needs, if it is wanted, with the functions that make it.
fn folded(
    context: &Context<'_>, passes: impl Fn(&Context<'_>) -> passes::Passes,
    steps: impl Fn(&fold::Folded) -> TokenStream,
) -> TokenStream {
    let network = context.network;
    let Some(name) = network.folded.as_ref().filter(|name| **name != network.ident) else { return TokenStream::new() };
    let folded = fold::fold(network, name);
    let inference = Context::new(&folded.network);
    let declared = declared(&inference, passes(&inference), &Offer::none());
    let conversion = fold::conversion(network, name, steps(&folded));
    quote! {
        #declared
        const _: () = {
            use ::tenonet::__private as tn;
            #conversion
        };
    }
}

/// All that can be named, and passes that do nothing: for a network whose faults are told already.
pub fn stub(network: &Network, offer: &Offer) -> TokenStream {
    let context = Context::new(network);
    let declared = declared(&context, passes::Passes::idle(), offer);
    let folded = folded(&context, |_| passes::Passes::idle(), |_| TokenStream::new());
    quote!(#declared #folded)
}

fn declared(context: &Context<'_>, passes: passes::Passes, offer: &Offer) -> TokenStream {
    let shapes = context.shapes.items();
    let item = fields::item(context);
    let implementation = implementation(context, passes, &offer.tables);
    let offered = &offer.items;
    quote! {
        #item
        #shapes
        #implementation
        #offered
    }
}

/// ```text
/// const _: () = {
///     use ::tenonet::__private as tn;
///     unsafe impl<T: tn::Scalar> tn::Plain<T> for LeNet<T> {}
///     impl<T: tn::Scalar> tn::Network for LeNet<T> { … }
///     impl LeNet<f32> { … }
/// };
/// ```
fn implementation(context: &Context<'_>, passes: passes::Passes, tables: &TokenStream) -> TokenStream {
    let ident = &context.network.ident;
    let name = ident.to_string();
    let input = context.shapes.tensor(&context.shapes.input, quote!(T));
    let output = context.shapes.tensor(&context.shapes.declared, quote!(T));
    let layers = info::layers(context);
    let tensors = info::tensors(context);
    let inherent = inherent(context, tables);
    let statistics = passes::norms(context).next().map(|_| {
        let averages = info::statistics(context);
        quote!(const STATISTICS: usize = #averages;)
    });
    let passes::Passes { items, activations, tape, indices, deltas, .. } = passes;
    let passes::Passes { thread_bytes, train_work, infer, forward_tape, backward, .. } = passes;
    quote! {
        const _: () = {
            use ::tenonet::__private as tn;

            #items

            // SAFETY: repr(C), and every field is plain data of `T`: no padding between or behind them.
            unsafe impl<T: tn::Scalar> tn::Plain<T> for #ident<T> {}
            // SAFETY: every field is plain data of `T`, for which zeroed memory is valid.
            unsafe impl<T: tn::Scalar> tn::Zeroable for #ident<T> {}

            #[allow(unused_variables, unused_mut, reason = "not every network has all kinds of memory, nor every kernel reads both sides")]
            impl<T: tn::Scalar> tn::Network for #ident<T> {
                type Scalar = T;
                type Input = #input;
                type Output = #output;
                type Activations = #activations;
                type Tape = #tape;
                type Indices = #indices;
                type Deltas = #deltas;
                type TrainWork = #train_work;

                const NAME: &'static str = #name;
                const THREAD_BYTES: usize = #thread_bytes;
                const LAYERS: &'static [tn::LayerInfo] = &[#(#layers),*];
                const TENSORS: &'static [tn::TensorInfo] = &[#(#tensors),*];
                #statistics

                fn infer<S: tn::Simd<T>>(
                    &self, simd: S, inputs: &[Self::Input], outputs: &mut [Self::Output],
                    activations: &mut [Self::Activations],
                ) { #infer }

                fn forward_tape<S: tn::Simd<T>>(
                    &self, simd: S, inputs: &[Self::Input], outputs: &mut [Self::Output], tape: &mut [Self::Tape],
                    indices: &mut [Self::Indices], work: &mut Self::TrainWork, masks: tn::Masks,
                ) { #forward_tape }

                fn backward<S: tn::Simd<T>>(
                    &self, simd: S, inputs: &[Self::Input], outputs: &[Self::Output], d_outputs: &mut [Self::Output],
                    tape: &mut [Self::Tape], indices: &mut [Self::Indices], grad: &mut Self,
                    deltas: &mut [Self::Deltas], work: &mut Self::TrainWork, share: T,
                    masks: tn::Masks,
                ) { #backward }
            }

            #inherent
        };
    }
}

/// Constants and constructors on the `f32` network, so that `LeNet::PARAMS` needs no annotation; for other element types
/// the trait has them.
fn inherent(context: &Context<'_>, tables: &TokenStream) -> TokenStream {
    let ident = &context.network.ident;
    let vis = &context.network.vis;
    let consts = [
        ("NAME", quote!(&'static str), "The declared name."),
        ("PARAMS", quote!(usize), "Parameters."),
        ("MACS", quote!(usize), "Multiply-adds of one forward pass of one input."),
        ("STATISTICS", quote!(usize), "Elements behind the parameters: running statistics of batch normalisations."),
        ("WEIGHT_BYTES", quote!(usize), "Bytes of the parameters and statistics."),
        ("SCRATCH_BYTES", quote!(usize), "Bytes of the scratch for inference of one input."),
        (
            "THREAD_BYTES",
            quote!(usize),
            "Bytes that inference borrows, beside the scratch, of a space that each thread keeps.",
        ),
        ("TAPE_BYTES", quote!(usize), "Bytes that training keeps of one input between forward and backward."),
        ("MICRO_BATCH", quote!(usize), "Inputs that training takes through the layers together."),
        ("LAYERS", quote!(&'static [tn::LayerInfo]), "The layers, as declared."),
        ("TENSORS", quote!(&'static [tn::TensorInfo]), "The parameters' tensors, in the order of memory."),
    ]
    .map(|(name, ty, doc)| {
        let name = format_ident!("{name}");
        quote! {
            #[doc = #doc]
            #vis const #name: #ty = <Self as tn::Network>::#name;
        }
    });
    // Boxes on purpose: a network may be larger than the stack, whatever the user's lints say of small ones.
    let offered = quote! {
        #[allow(dead_code, clippy::unnecessary_box_returns, reason = "offered whether or not the program uses them, on the heap")]
    };
    quote! {
        #offered
        impl #ident<f32> {
            #(#consts)*
            #tables

            /// The table of the layers.
            #vis fn summary() -> tn::Summary<Self> {
                <Self as tn::Network>::summary()
            }
        }

        tn::with_std! {
            #offered
            impl #ident<f32> {
                /// A network with random weights (He's normal distribution) and zero biases, on the heap.
                #vis fn init<R: tn::Rng + ?Sized>(rng: &mut R) -> tn::Box<Self> {
                    <Self as tn::Network>::init(rng)
                }

                /// As `init`, with another distribution.
                #vis fn init_with<R: tn::Rng + ?Sized>(init: tn::Init, rng: &mut R) -> tn::Box<Self> {
                    <Self as tn::Network>::init_with(init, rng)
                }

                /// A scratch for `forward`, on the heap.
                #vis fn scratch() -> tn::Box<tn::Scratch<Self>> {
                    <Self as tn::Network>::scratch()
                }
            }
        }

        tn::with_weights! {
            #offered
            impl #ident<f32> {
                /// The network of a weight file.
                ///
                /// # Errors
                /// If the file cannot be read, or its tensors are not those of the network; the message names the first that differs.
                #vis fn load(path: impl tn::AsRef<tn::Path>) -> tn::Result<tn::Box<Self>, tn::WeightsError> {
                    <Self as tn::Network>::load(path)
                }

                /// The network of a weight file with other names.
                ///
                /// # Errors
                /// As `load`, and if the names are not for this network.
                #vis fn load_named(
                    path: impl tn::AsRef<tn::Path>, names: &tn::Names,
                ) -> tn::Result<tn::Box<Self>, tn::WeightsError> {
                    <Self as tn::Network>::load_named(path, names)
                }

                /// The network of a weight file that is in memory.
                ///
                /// # Errors
                /// As `load`.
                #vis fn from_bytes(bytes: &[u8]) -> tn::Result<tn::Box<Self>, tn::WeightsError> {
                    <Self as tn::Network>::from_bytes(bytes)
                }

                /// The network of a weight file with other names that is in memory.
                ///
                /// # Errors
                /// As `load_named`.
                #vis fn from_bytes_named(
                    bytes: &[u8], names: &tn::Names,
                ) -> tn::Result<tn::Box<Self>, tn::WeightsError> {
                    <Self as tn::Network>::from_bytes_named(bytes, names)
                }
            }
        }
    }
}
