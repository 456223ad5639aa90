//! Convolutional networks declared in a macro: every shape checked by the compiler, trained on a workstation, run
//! without an allocator.
//!
//! ```
//! use rand::SeedableRng;
//! use tenonet::prelude::*;
//!
//! network! {
//!     /// A small network for grey digits of 8 × 8 pixels.
//!     pub struct Digits([1, 8, 8] -> [10]) {
//!         conv1: conv(8, kernel = 3, padding = same), relu, max_pool(2),
//!         flatten,
//!         fc: linear(10),
//!     }
//! }
//!
//! // Sizes are constants.
//! const _: () = assert!(Digits::PARAMS == 8 * 9 + 8 + 128 * 10 + 10);
//!
//! let net = Digits::init(&mut rand::rngs::StdRng::seed_from_u64(1));
//! let mut scratch = Digits::scratch();
//! let logits: Tensor<10> = net.forward(&Tensor::zeros(), &mut scratch);
//! assert!(logits.argmax() < 10);
//! ```
//!
//! # The map
//! - [`network!`](crate::network!) declares; [`Network`] is what it implements: constants, `forward`, `forward_batch`, `loss_and_grad`, `save`, `load`.
//! - [`Tensor`] carries channels, rows and columns in its type; [`Plain`] is what tensors, layers and networks have in
//!   common: they are nothing but elements, so each is one flat slice. [`TensorInfo`] tells what lies where in a network's, and how files differ; [`Names`]
//!   say what tensors are called in files of another library.
//! - [`layers`] are the same layers by hand. [`loss`], [`optim`], [`schedule`], `augment`, `init`: the parts of learning; `train`
//!   puts them together; `data` reads sets; `weights` reads and writes files, and [`include_weights!`](crate::include_weights!) makes one a part of the program; `plot` draws curves, functions of two variables, feature maps, confusion matrices and networks; `zoo` holds known networks.
//! - [`Scratch`] and [`Workspace`] are the memory of inference and training, which callers own; with `std`,
//!   `forward_batch` and `loss_and_grad` take theirs from the heap, once a thread.
//! - [`signal`] correlates signals with given kernels, outside of networks. [`shape`] is the arithmetic of shapes, which the macro and the compiler share.
//! - `guide` is a course: from empirical risk to convolutional networks, nine pages beside nine examples.
//!
//! Imports go one way: shape → plain → (scalar, kernels) → tensor → info → names → init → layers → (loss, optim, schedule, augment, fold, signal) → weights →
//! network → embed → train → (data, plot, zoo). A test holds that.
//!
//! # How things lie in memory
//! - What goes into a network and what comes out are [`Tensor`]s, in planes: `[C][H][W]`, as everywhere. Inside, maps lie in pixels, `[H][W][C]`: the channels of a place are
//!   neighbours, so whatever treats them alike (products, pooling, normalisation, sums) is a vector operation without a remainder at the end of each row.
//! - Weights lie as the products read them, outputs last: `[KH][KW][IN / groups][OUT]` and `[IN][OUT]`. Nothing is packed, copied or turned when a network runs.
//! - Files have PyTorch's shapes and order, `[OUT, IN / groups, KH, KW]` and `[OUT, IN]`: reading and writing permute ([`MemoryOrder`]).
//!
//! # What always holds
//! - Shapes are checked when compiling, in the macro where numbers are literals and by `const` assertions otherwise.
//! - Nothing public panics on a user's data; files are replaced whole or not at all.
//! - The same seed gives the same bits on one thread and on many (on the same instruction set).
//! - A network's forward and backward and the optimizers neither allocate nor, on optimised builds, contain a panic path. With `std` there are three
//!   exceptions: the product of very large fully-connected layers packs its operands on the heap, each thread makes a space for Winograd's tiles once
//!   ([`Network::THREAD_BYTES`]), and steps that threads share ([`Optimizer::par_step`](optim::Optimizer::par_step)) go through rayon.
//! - `unsafe` lies in the kernels and in the flat views of plain data alone, and each block states the fact it rests on.
//!
//! The environment variable `TENONET_SIMD` (`portable`, `avx2`, `avx512`) forces a lesser instruction set than the machine has, for comparisons.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

// `network!` writes absolute paths `::tenonet::…`; so can our own tests.
extern crate self as tenonet;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "std")]
#[allow(unsafe_code, reason = "plain values on a boundary of cache lines")]
mod aligned;
#[cfg(any(feature = "weights", feature = "plot"))]
mod atomic;
#[cfg(feature = "std")]
pub mod augment;
#[cfg(feature = "data")]
pub mod data;
mod embed;
#[doc(hidden)]
pub mod fold;
#[cfg(all(any(doc, doctest), feature = "std"))]
pub mod guide;
mod info;
#[cfg(feature = "std")]
pub mod init;
#[doc(hidden)]
pub mod kernels;
pub mod layers;
pub mod loss;
mod names;
mod network;
pub mod optim;
#[cfg(feature = "std")]
mod order;
#[allow(unsafe_code, reason = "flat views of plain data; each block states the fact it rests on")]
mod plain;
#[cfg(feature = "plot")]
pub mod plot;
mod portable;
mod scalar;
pub mod schedule;
pub mod signal;
#[allow(unsafe_code, reason = "marks tensors as plain data")]
mod tensor;
#[cfg(feature = "std")]
pub mod train;
#[cfg(feature = "weights")]
pub mod weights;
#[cfg(feature = "zoo")]
pub mod zoo;

/// What most programs need: `use tenonet::prelude::*`.
pub mod prelude {
    #[cfg(feature = "std")]
    pub use crate::augment::{RandomCrop, RandomHorizontalFlip};
    pub use crate::layers::*;
    pub use crate::loss::{
        AbsoluteError, Exponential, Hinge, Huber, Logistic, Loss, MultiHinge, Sign, Smoothed, SoftmaxCrossEntropy,
        SquaredError, SquaredHinge, Weighted, ZeroOne,
    };
    pub use crate::optim::{Adam, AdamW, Optimizer, Sgd};
    pub use crate::schedule::{Constant, Cosine, InverseTime, Schedule, StepDecay};
    #[cfg(feature = "std")]
    pub use crate::train::{All, Confusion, Samples, Trainer, evaluate};
    pub use crate::{Masks, Names, Network, Plain, Scalar, Scratch, Tensor, Workspace, include_weights, network};
}

pub use info::{LayerInfo, MemoryOrder, Role, TensorInfo};
pub use kernels::dropout::Masks;
pub use names::{FileName, Names, NamesFault};
#[cfg(feature = "std")]
pub use network::BatchWorkspace;
pub use network::{Network, PartError, PartFault, Scratch, Summary, Workspace, WorkspaceParts};
pub use plain::Plain;
pub use scalar::Scalar;
/// A network with the weights of a file, made by the compiler: a `static` in read-only memory.
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     /// LeNet-5 for 28 × 28 grey digits.
///     pub struct LeNet([1, 28, 28] -> [10]) {
///         conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
///         conv2: conv(16, kernel = 5), relu, max_pool(2),
///         flatten,
///         fc1: linear(120), relu,
///         fc2: linear(84), relu,
///         fc3: linear(10),
///     }
/// }
///
/// static NET: LeNet = include_weights!(LeNet, "tests/pytorch/lenet_weights.safetensors");
///
/// let mut scratch = LeNetScratch::ZERO;
/// let logits = NET.forward(&Tensor::zeros(), &mut scratch);
/// assert!(logits.argmax() < 10);
/// ```
///
/// It takes the network's type and the path of a file that [`Network::save`] or PyTorch's `safetensors` wrote. The path begins at the crate's root, the folder
/// of its `Cargo.toml`; it is a literal, or `concat!` and `env!` of literals: `concat!(env!("OUT_DIR"), "/lenet.safetensors")` is a build script's.
/// A file that changes is a reason to build anew.
///
/// It is an expression that the compiler evaluates, for a `static` (or a `const`, of which each use may be a copy). The program has the weights in memory's order, and nothing
/// is copied or computed when it starts; it works without `std`.
///
/// Files of other libraries call tensors otherwise: `include_weights!(Net, "net.safetensors", names = TORCH)` takes [`Names`], as [`Network::load_named`] does.
///
/// # What does not compile
/// A file whose tensors are not those of the network: one that is missing or too many, or has another shape or element type. The message
/// names the tensor and both shapes, in the words of [`Network::load`]:
///
/// ```text
/// error[E0080]: evaluation panicked: lenet.safetensors: tensor `fc3.weight` is [10, 84], but LeNet wants [10, 100]
///               = note: 1 more tensor differs
///  --> src/main.rs:14:45
///    |
/// 14 | static NET: LeNet = include_weights!(LeNet, "lenet.safetensors");
///    |                                             ^^^^^^^^^^^^^^^^^^^ evaluation of `NET::NETWORK` failed here
/// ```
///
/// As there, `num_batches_tracked` of PyTorch's batch normalisation is passed over, and numbers are never converted.
pub use tenonet_macros::include_weights;
/// Declares a network: a struct of its layers' parameters that implements [`Network`].
///
/// ```
/// use tenonet::prelude::*;
///
/// const CLASSES: usize = 10;
///
/// network! {
///     /// LeNet-5 for 28 × 28 grey digits.
///     #[budget(weights = 256 * 1024, scratch = 64 * 1024, macs = 500_000)]
///     pub struct LeNet([1, 28, 28] -> [CLASSES]) {
///         conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
///         conv2: conv(16, kernel = 5), relu, max_pool(2),
///         flatten,
///         fc1: linear(120), relu,
///         fc2: linear(84), relu,
///         fc3: linear(CLASSES),
///     }
/// }
///
/// assert_eq!((LeNet::PARAMS, LeNet::MACS), (61_706, 416_520));
/// ```
///
/// Every number is a literal or any `const` expression of type `usize`. All faults of a declaration are told at once, each at the token that is wrong.
///
/// # The header
/// `[channels, height, width]` or `[features]` for input and output; the output is checked against the layers. Attributes
/// and doc comments go to the struct. `#[budget(…)]` limits `weights`, `scratch` and `tape` in bytes of the `f32` network, and
/// `macs` in multiply-adds of one input; what exceeds them does not compile. A scratch is no larger on a device than on the host on which it is tried.
///
/// # Layers
/// `name: kind(arguments)`; the name is the field and the prefix in weight files. Without one, a layer is called by its kind and position, counted from 0.
///
/// | Layer | Arguments |
/// |---|---|
/// | `conv(channels, kernel = k)` | `stride` (1), `padding` (0), `dilation` (1), `groups` (1, or `depthwise`), `bias` (`true`) |
/// | `conv_transpose(channels, kernel = k)` | as `conv`, where padding is cut off; `output_padding` (0) |
/// | `max_pool(window)`, `avg_pool(window)` | `stride` (the window), `padding` (0), `floor` or `ceil` where the windows leave a rest |
/// | `global_avg_pool`, `global_max_pool` | |
/// | `pad(padding)` | `zero` (unless said), `reflect` (the edge is not repeated), `replicate` |
/// | `upsample(factor)` | `nearest` (unless said), `bilinear` (PyTorch's `align_corners = False`) |
/// | `linear(features)` | `bias` (`true`) |
/// | `batch_norm` | `epsilon` (1e-5): a mean and a variance for each channel, or for each feature of a vector |
/// | `layer_norm` | `epsilon` (1e-5): mean and variance of all elements of an input, a factor and a summand for each of them |
/// | `scale`, `bias` | a factor, a summand for each channel |
/// | `dropout(probability)` | in training alone; its [`Masks`] are drawn from the trainer's seed and the step |
/// | `flatten`, `softmax` | |
/// | `conv1d`, `conv_transpose1d`, `max_pool1d`, `avg_pool1d`, `pad1d`, `upsample1d` | as above on signals, `[channels, 1, length]`: one number along the length |
/// | `relu`, `relu6`, `sigmoid`, `tanh`, `gelu`, `silu`, `hard_sigmoid`, `hard_swish`, `softplus` | |
/// | `leaky_relu(slope)`, `elu(scale)` | an `f64`; `elu` alone has scale 1 |
///
/// Kernel, window, stride, dilation and factor are one number or a pair `(rows, columns)`. Padding is one number, `(rows, columns)`,
/// `(top, bottom, left, right)`, `valid` (none), or for `conv` `same` (TensorFlow's rule: the odd zero goes to the bottom and the right).
///
/// # Blocks
/// `residual { layers }` adds its input to what its layers yield; `residual { layers } shortcut { layers }` adds what the second list makes of the input. Both
/// must yield one shape. A block stands in a list wherever a layer does, inside other blocks too; its layers' names are names of the whole network,
/// and in the table it is a row behind them.
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     /// Two blocks as in ResNet: one that keeps the shape, one that halves the size and doubles the channels.
///     pub struct Blocks([3, 32, 32] -> [10]) {
///         conv1: conv(8, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
///         residual {
///             conv2: conv(8, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
///             conv3: conv(8, kernel = 3, padding = 1, bias = false), bn3: batch_norm,
///         }, relu,
///         residual {
///             conv4: conv(16, kernel = 3, stride = 2, padding = 1, bias = false), bn4: batch_norm,
///         } shortcut {
///             skip: conv(16, kernel = 1, stride = 2),
///         }, relu,
///         global_avg_pool,
///         fc: linear(10),
///     }
/// }
///
/// assert_eq!(Blocks::LAYERS[8].kind, "residual");
/// ```
///
/// `repeat(n) { layers }` is the layers n times one after another, each time with parameters of their own; n is a literal, for the macro has to know how
/// many layers there are. A layer `conv` is called `conv_1`, `conv_2`, … in the repetitions, and where the block has a name, as in `stage: repeat(2) { … }`,
/// `stage_1_conv`, `stage_2_conv`; a repetition in another one adds its number behind the outer one's. Layers without a name are called by their kind and
/// position as everywhere.
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     /// Three blocks that keep the shape.
///     pub struct Deep([8, 16, 16] -> [10]) {
///         stage: repeat(3) {
///             residual { conv: conv(8, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu },
///         },
///         global_avg_pool,
///         fc: linear(10),
///     }
/// }
///
/// assert_eq!(Deep::TENSORS[3].name, "stage_2_conv.weight");
/// ```
///
/// `concat { { layers }, { layers }, … }` gives one input to each branch and joins what they yield along the channels, the first branch's before the second's, as
/// PyTorch's `torch.cat(dim=1)` does. All branches must have one height and one width; vectors are joined as well. An empty branch, `{}`, is the input itself.
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     /// An Inception block, then a dense one.
///     pub struct Branches([8, 16, 16] -> [10]) {
///         concat {
///             { conv(4, kernel = 1), relu },
///             { conv(4, kernel = 1), relu, conv(8, kernel = 3, padding = 1), relu },
///             { max_pool(3, stride = 1, padding = 1), conv(4, kernel = 1), relu },
///         },
///         dense: repeat(2) { concat { {}, { conv: conv(4, kernel = 3, padding = 1), relu } } },
///         global_avg_pool,
///         fc: linear(10),
///     }
/// }
///
/// assert_eq!(Branches::LAYERS[9].output.c, 16);
/// assert_eq!(Branches::TENSORS.last().map(|bias| bias.shape), Some(&[10][..]));
/// ```
///
/// `net(Other)` is another declared network in place of a layer: its layers with parameters of their own, compiled as if they stood here, so that memory is
/// placed and steps are fused across. What arrives must be the input that it declares. Its name is before theirs, `backbone.conv1.weight`, and a field: a struct of
/// theirs. [`Network::copy_part_from`] and [`Network::copy_part_to`] take its parameters from a network of its own and give them back. Generic blocks are
/// macros of Rust that declare a network:
///
/// ```
/// use tenonet::prelude::*;
///
/// macro_rules! block {
///     ($name:ident, $width:literal) => {
///         network! {
///             /// Two convolutions with a skip.
///             pub struct $name([$width, 8, 8] -> [$width, 8, 8]) {
///                 residual { repeat(2) { conv: conv($width, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu } },
///             }
///         }
///     };
/// }
/// block!(Narrow, 8);
/// block!(Wide, 16);
///
/// network! {
///     pub struct Classifier([3, 8, 8] -> [10]) {
///         conv(8, kernel = 1), narrow: repeat(2) { block: net(Narrow) },
///         conv(16, kernel = 1), wide: net(Wide),
///         global_avg_pool,
///         fc: linear(10),
///     }
/// }
///
/// assert_eq!(Classifier::TENSORS[2].name, "narrow_1_block.conv_1.weight");
/// let net = Classifier::init(&mut rand::rng());
/// assert_eq!(net.wide.bn_1.weight, [1.0; 16]);
/// ```
///
/// The network is named as its struct is, `net(blocks::Wide)`, from wherever that can be; from other crates if its declaration has the attribute `#[macro_export]`, because beside each struct
/// `network!` declares a macro of its name.
///
/// # For inference
/// `#[folded(Name)]` on a network with `batch_norm` declares a second one, without: `net.folded()` yields it, each normalisation being part of the convolution or linear
/// layer before it, whose weights it scales (one that follows no such layer becomes a convolution of each channel by itself, of one weight). It yields the same up to
/// rounding, and has no running averages.
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     #[folded(NetInference)]
///     pub struct Net([1, 8, 8] -> [10]) {
///         conv1: conv(4, kernel = 3, bias = false), bn1: batch_norm, relu,
///         flatten, fc: linear(10),
///     }
/// }
///
/// let net = Net::init(&mut rand::rng());
/// let folded: Box<NetInference> = net.folded();
/// assert_eq!((NetInference::PARAMS, NetInference::STATISTICS), (Net::PARAMS - 4, 0));
/// let x = Tensor::from_fn(|_, row, column| row as f32 - column as f32);
/// let (y, wanted) = (folded.forward(&x, &mut NetInference::scratch()), net.forward(&x, &mut Net::scratch()));
/// assert!(y.as_slice().iter().zip(wanted.as_slice()).all(|(y, wanted)| (y - wanted).abs() < 1e-5));
/// ```
///
/// # What is there
/// The struct `Name<T = f32>` with a field for each layer with parameters (and `statistics`, the running averages of `batch_norm`), `NameScratch` and `NameWorkspace` for its memory,
/// [`Network`] for all element types, and for `f32` its constants and constructors as items of the type itself.
pub use tenonet_macros::network;
pub use tenonet_shape as shape;
pub use tensor::{FeatureMap, Tensor};

/// The example of the README compiles.
#[cfg(all(doctest, feature = "data", feature = "weights"))]
#[doc = include_str!("../README.md")]
struct Readme;
