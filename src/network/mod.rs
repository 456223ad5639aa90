//! [`Network`]: what `network!` implements. The macro writes the constants and three passes (inference, forward with
//! tape, backward); everything else is provided here, once.

#[cfg(feature = "std")]
pub(crate) mod batch;
mod part;
mod summary;
#[allow(unsafe_code, reason = "marks workspaces as zeroable")]
mod workspace;

pub use part::{PartError, PartFault};
pub use summary::Summary;
#[cfg(feature = "std")]
pub use workspace::BatchWorkspace;
pub use workspace::{Scratch, Workspace, WorkspaceParts};

use crate::Scalar;
use crate::info::{LayerInfo, TensorInfo};
use crate::kernels::dropout::Masks;
use crate::kernels::simd::{Kernel, Simd};
use crate::loss::{BatchError, Loss};
#[cfg(feature = "weights")]
use crate::names::Names;
use crate::plain::{self, Plain};
use crate::tensor::FeatureMap;
#[cfg(feature = "weights")]
use crate::weights::{Named, WeightsError};

/// A network with all its sizes known to the compiler. `network!` implements it.
///
/// The type's own memory is its tensors, in the order of [`TENSORS`](Self::TENSORS), and nothing else: the parameters, and behind them
/// the running averages of `batch_norm`, if there are any. A gradient or a momentum is another value of the same type.
pub trait Network: Plain<Self::Scalar> {
    /// The element type of parameters and activations.
    type Scalar: Scalar;
    /// What goes in.
    type Input: FeatureMap<Scalar = Self::Scalar>;
    /// What comes out.
    type Output: FeatureMap<Scalar = Self::Scalar>;

    /// Activations of one input at inference and the kernels' workspace, placed by live range.
    #[doc(hidden)]
    type Activations: Plain<Self::Scalar>;
    /// Activations of one input that backward reads.
    #[doc(hidden)]
    type Tape: Plain<Self::Scalar>;
    /// Places of the maxima that max-pooling took, for one input.
    #[doc(hidden)]
    type Indices: Plain<u8>;
    /// Gradients with respect to the activations of one input, placed by live range.
    #[doc(hidden)]
    type Deltas: Plain<Self::Scalar>;
    /// Workspace of the kernels in training.
    #[doc(hidden)]
    type TrainWork: Plain<Self::Scalar>;

    /// The declared name.
    const NAME: &'static str;
    /// Running averages of `batch_norm`: elements behind the parameters that no optimizer changes.
    const STATISTICS: usize = 0;
    /// Parameters.
    const PARAMS: usize = <Self as Plain<Self::Scalar>>::LEN - Self::STATISTICS;
    /// Multiply-adds of one forward pass of one input.
    const MACS: usize = {
        let (mut macs, mut i) = (0, 0);
        while i < Self::LAYERS.len() {
            macs += Self::LAYERS[i].macs;
            i += 1;
        }
        macs
    };
    /// Bytes of the parameters and running averages.
    const WEIGHT_BYTES: usize = size_of::<Self>();
    /// Bytes of the scratch for inference of one input: activations and the kernels' workspace, placed by live range. With `std` they are the same as without; a processor without
    /// vectors needs no more than others, so that a budget that holds on the host holds on the device.
    const SCRATCH_BYTES: usize = size_of::<Scratch<Self>>();
    /// Bytes that inference borrows, beside the scratch, of a space that each thread keeps for all networks, with `std`: for Winograd's tiles, by which convolutions of 3 × 3 and 5 × 5
    /// go on a host whose numbers of channels are multiples of 16. Without `std` there is no such space, and these are 0. Training borrows of it, too, for the tiles of all rows of a map
    /// and, up to 256 × 256 channels, for the sums of the weights' gradient over tiles.
    ///
    /// A thread's space grows where a network wants more than all before it on the thread did: the first call allocates then, and no other.
    const THREAD_BYTES: usize;
    /// Bytes that training keeps of one input between forward and backward.
    const TAPE_BYTES: usize = size_of::<Self::Tape>() + size_of::<Self::Indices>() + size_of::<Self::Output>();
    /// Inputs that training takes through the layers together, so that a weight matrix is read once for all of them.
    ///
    /// 16 fill the tiles of the matrix kernels; 64 where the weights are large (above 2¹⁸ elements, a core's second-level
    /// cache), because each micro-batch reads and writes them; fewer where the activations and gradients of so many
    /// would take more than 2²² elements. With batch normalisation, whose statistics are those of the micro-batch (ghost batch
    /// normalisation: Hoffer, Hubara, Soudry 2017, arXiv:1705.08741), it is 16, and fewer only above 2²⁷ elements.
    const MICRO_BATCH: usize = {
        let elements = <Self::Tape as Plain<Self::Scalar>>::LEN + <Self::Deltas as Plain<Self::Scalar>>::LEN;
        let (mut batch, most) = match (Self::STATISTICS > 0, Self::PARAMS > 1 << 18) {
            (true, _) => (16, 1 << 27),
            (false, true) => (64, 1 << 22),
            (false, false) => (16, 1 << 22),
        };
        while batch > 1 && batch * elements > most {
            batch /= 2;
        }
        batch
    };
    /// Inputs that `forward_batch` takes through the layers together: where no weights are large, as many as have room for their activations in 2¹⁸
    /// elements, a core's second-level cache, since the next layer reads them; at most [`MICRO_BATCH`](Self::MICRO_BATCH).
    #[doc(hidden)]
    const INFER_BATCH: usize = {
        let elements = <Self::Activations as Plain<Self::Scalar>>::LEN;
        let mut batch = Self::MICRO_BATCH;
        while Self::PARAMS <= 1 << 18 && batch > 1 && batch * elements > 1 << 18 {
            batch /= 2;
        }
        batch
    };
    /// The layers, as declared.
    const LAYERS: &'static [LayerInfo];
    /// The tensors of parameters, and behind them those of running averages, in the order of memory.
    const TENSORS: &'static [TensorInfo];

    /// Inference: `y[i] ← net(x[i])`; as many as the shortest of `x`, `y` and `activations` has.
    #[doc(hidden)]
    fn infer<S: Simd<Self::Scalar>>(
        &self, simd: S, x: &[Self::Input], y: &mut [Self::Output], activations: &mut [Self::Activations],
    );

    /// Forward that keeps on the tape what backward reads. `masks` are those of the first input.
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments, reason = "written by the macro alone, one argument for each buffer")]
    fn forward_tape<S: Simd<Self::Scalar>>(
        &self, simd: S, x: &[Self::Input], y: &mut [Self::Output], tape: &mut [Self::Tape],
        indices: &mut [Self::Indices], work: &mut Self::TrainWork, masks: Masks,
    );

    /// Backward: `grad += Σ_i ∂(dy[i] · y[i]) / ∂params`. It overwrites `dy`. `masks` are those that forward had.
    ///
    /// `grad`'s running averages are added to by those of these inputs, `share` (one input's part of the batch) for each of them.
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments, reason = "written by the macro alone, one argument for each buffer")]
    fn backward<S: Simd<Self::Scalar>>(
        &self, simd: S, x: &[Self::Input], y: &[Self::Output], dy: &mut [Self::Output], tape: &mut [Self::Tape],
        indices: &mut [Self::Indices], grad: &mut Self, deltas: &mut [Self::Deltas], work: &mut Self::TrainWork,
        share: Self::Scalar, masks: Masks,
    );

    /// The parameters as one flat slice, tensor by tensor as [`TENSORS`](Self::TENSORS) says.
    ///
    /// Within a tensor elements lie as the kernels read them, so that nothing is packed or turned at run time: of weights, the outputs are the fastest
    /// ([`MemoryOrder`](crate::MemoryOrder)). For optimizers and sums any order is as good; files have PyTorch's, and
    /// [`TensorInfo`] copies from one to the other.
    fn params(&self) -> &[Self::Scalar] {
        self.flat().split_at(Self::PARAMS).0
    }

    /// The parameters as one flat slice, as [`params`](Self::params).
    fn params_mut(&mut self) -> &mut [Self::Scalar] {
        self.flat_mut().split_at_mut(Self::PARAMS).0
    }

    /// Follows the running averages of `batch_norm`: a tenth of the way to those in the gradient of a batch, as PyTorch does. To be called
    /// after each step of an optimizer; networks without them are left as they are.
    ///
    /// `grad` is what [`accumulate_grad`](Self::accumulate_grad) left for a whole batch of `n` samples with `scale` = 1 / n, or
    /// `loss_and_grad`.
    fn update_statistics(&mut self, grad: &Self) {
        let part = Self::Scalar::of(0.1);
        for (running, new) in self.flat_mut().iter_mut().zip(grad.flat()).skip(Self::PARAMS) {
            *running += part * (*new - *running);
        }
    }

    /// The output for one input. It does not panic, and allocates nothing but the thread's space, once ([`THREAD_BYTES`](Self::THREAD_BYTES)).
    fn forward(&self, x: &Self::Input, scratch: &mut Scratch<Self>) -> Self::Output {
        let mut y = plain::zeroed::<Self::Output>();
        Self::Scalar::dispatch(Infer {
            net: self,
            x: core::slice::from_ref(x),
            y: core::slice::from_mut(&mut y),
            activations: &mut scratch.activations,
        });
        y
    }

    /// `grad += scale · Σ_i ∂loss(net(x[i]), targets[i]) / ∂params`; yields the sum of the losses.
    ///
    /// The gradient of a mean over `n` samples has `scale = 1 / n`, however many calls they are spread over. Then the running averages in `grad`
    /// become those of the samples, for [`update_statistics`](Self::update_statistics); each micro-batch is normalised by its own
    /// (ghost batch normalisation, Hoffer et al. 2017), so they do not depend on the number of threads.
    ///
    /// `dropout` draws the workspace's masks ([`WorkspaceParts::masks`]), which are the same ones at each call unless others are given.
    ///
    /// # Errors
    /// If the slices' lengths differ or a target cannot be one; then `grad` is as it was.
    fn accumulate_grad<L: Sync, E: Loss<Self::Output, L>>(
        &self, x: &[Self::Input], targets: &[L], loss: &E, scale: Self::Scalar, grad: &mut Self,
        workspace: WorkspaceParts<'_, Self>,
    ) -> Result<Self::Scalar, BatchError> {
        check_batch::<Self, L, E>(x, targets, loss)?;
        Ok(Self::Scalar::dispatch(Backprop { net: self, x, targets, loss, scale, grad, workspace }))
    }

    /// The network's table: layers, shapes, parameters, multiply-adds, and the sums.
    fn summary() -> Summary<Self> {
        Summary::new()
    }

    /// Copies the elements of a network within (`backbone: net(Backbone)`) to a network of its own: parameters, and running averages of `batch_norm`.
    ///
    /// ```
    /// use tenonet::prelude::*;
    ///
    /// network! {
    ///     struct Backbone([1, 8, 8] -> [4, 4, 4]) { conv1: conv(4, kernel = 3, padding = 1), relu, max_pool(2) }
    /// }
    /// network! {
    ///     struct Classifier([1, 8, 8] -> [10]) { backbone: net(Backbone), flatten, fc: linear(10) }
    /// }
    ///
    /// let mut trained = Classifier::init(&mut rand::rng());
    /// let mut backbone = Backbone::zeroed_box();
    /// trained.copy_part_to("backbone", &mut *backbone)?;
    /// assert_eq!(backbone.conv1.weight, trained.backbone.conv1.weight);
    ///
    /// let mut other = Classifier::init(&mut rand::rng());
    /// other.copy_part_from("backbone", &*backbone)?;
    /// assert_eq!(other.backbone.conv1.weight, trained.backbone.conv1.weight);
    /// # Ok::<(), tenonet::PartError>(())
    /// ```
    ///
    /// # Errors
    /// If the layers of that name are no `P`: if their tensors differ in name or shape. Then nothing is copied.
    fn copy_part_to<'a, P: Network<Scalar = Self::Scalar>>(
        &self, name: &'a str, part: &mut P,
    ) -> Result<(), PartError<'a>> {
        part::copy_to(self, name, part)
    }

    /// Copies the elements of a network to the layers that are one within this network: the reverse of [`copy_part_to`](Self::copy_part_to).
    ///
    /// # Errors
    /// As [`copy_part_to`](Self::copy_part_to).
    fn copy_part_from<'a, P: Network<Scalar = Self::Scalar>>(
        &mut self, name: &'a str, part: &P,
    ) -> Result<(), PartError<'a>> {
        part::copy_from(self, name, part)
    }

    /// A network with random weights (He's normal distribution), zero biases, and normalisations that change nothing yet, on the heap; it never
    /// passes through the stack.
    #[cfg(feature = "std")]
    fn init<R: rand::Rng + ?Sized>(rng: &mut R) -> Box<Self> {
        Self::init_with(crate::init::Init::default(), rng)
    }

    /// As [`init`](Self::init), with another distribution.
    #[cfg(feature = "std")]
    fn init_with<R: rand::Rng + ?Sized>(init: crate::init::Init, rng: &mut R) -> Box<Self> {
        let mut net = Self::zeroed_box();
        init.fill(Self::TENSORS, net.flat_mut(), rng);
        net
    }

    /// Writes the network to a safetensors file, under the names of [`TENSORS`](Self::TENSORS), in PyTorch's shapes and order of elements.
    ///
    /// The file is written under a temporary name and renamed: it is whole or not there.
    ///
    /// # Errors
    /// If the file cannot be written; then a former file of that name is as it was.
    #[cfg(feature = "weights")]
    fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), WeightsError> {
        self.save_named(path, &Names::DECLARED)
    }

    /// As [`save`](Self::save), under other names: for instance those of PyTorch's `state_dict`.
    ///
    /// # Errors
    /// As `save`, and if an entry of the names names no tensor, or two tensors would have one name.
    #[cfg(feature = "weights")]
    fn save_named(&self, path: impl AsRef<std::path::Path>, names: &Names) -> Result<(), WeightsError> {
        named::<Self>(names).save(self.flat(), path.as_ref())
    }

    /// A network with the parameters of a safetensors file, on the heap; it never passes through the stack.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, or if a tensor is missing, too many, or of another shape or element type.
    #[cfg(feature = "weights")]
    fn load(path: impl AsRef<std::path::Path>) -> Result<Box<Self>, WeightsError> {
        Self::load_named(path, &Names::DECLARED)
    }

    /// As [`load`](Self::load), from a file with other names: for instance a `state_dict` that PyTorch saved.
    ///
    /// # Errors
    /// As `load`, and if an entry of the names names no tensor, or two tensors would have one name.
    #[cfg(feature = "weights")]
    fn load_named(path: impl AsRef<std::path::Path>, names: &Names) -> Result<Box<Self>, WeightsError> {
        let mut net = Self::zeroed_box();
        net.load_from_named(path, names)?;
        Ok(net)
    }

    /// Replaces the parameters by those of a safetensors file.
    ///
    /// # Errors
    /// As [`load`](Self::load); then the network is as it was.
    #[cfg(feature = "weights")]
    fn load_from(&mut self, path: impl AsRef<std::path::Path>) -> Result<(), WeightsError> {
        self.load_from_named(path, &Names::DECLARED)
    }

    /// As [`load_from`](Self::load_from), from a file with other names.
    ///
    /// # Errors
    /// As [`load_named`](Self::load_named); then the network is as it was.
    #[cfg(feature = "weights")]
    fn load_from_named(&mut self, path: impl AsRef<std::path::Path>, names: &Names) -> Result<(), WeightsError> {
        named::<Self>(names).load_from(self.flat_mut(), path.as_ref())
    }

    /// The bytes of the file that [`save`](Self::save) writes.
    ///
    /// # Errors
    /// If the network's names cannot be written as a header; names that `network!` lets through can.
    #[cfg(feature = "weights")]
    fn to_bytes(&self) -> Result<Vec<u8>, WeightsError> {
        self.to_bytes_named(&Names::DECLARED)
    }

    /// The bytes of the file that [`save_named`](Self::save_named) writes.
    ///
    /// # Errors
    /// If an entry of the names names no tensor, or two tensors would have one name.
    #[cfg(feature = "weights")]
    fn to_bytes_named(&self, names: &Names) -> Result<Vec<u8>, WeightsError> {
        named::<Self>(names).to_bytes(self.flat())
    }

    /// A network with the parameters of a safetensors file that is in memory.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    #[cfg(feature = "weights")]
    fn from_bytes(bytes: &[u8]) -> Result<Box<Self>, WeightsError> {
        Self::from_bytes_named(bytes, &Names::DECLARED)
    }

    /// As [`from_bytes`](Self::from_bytes), of a file with other names.
    ///
    /// # Errors
    /// As [`load_named`](Self::load_named).
    #[cfg(feature = "weights")]
    fn from_bytes_named(bytes: &[u8], names: &Names) -> Result<Box<Self>, WeightsError> {
        let mut net = Self::zeroed_box();
        named::<Self>(names).load_bytes(net.flat_mut(), bytes)?;
        Ok(net)
    }

    /// A scratch for [`forward`](Self::forward), on the heap.
    #[cfg(feature = "std")]
    fn scratch() -> Box<Scratch<Self>> {
        Scratch::boxed()
    }

    /// `outputs[i] ← net(inputs[i])`, on all cores (feature `rayon`). Nothing is allocated for an input: each thread keeps its scratch.
    ///
    /// # Errors
    /// If the slices' lengths differ; then `outputs` is as it was.
    #[cfg(feature = "std")]
    fn forward_batch(&self, inputs: &[Self::Input], outputs: &mut [Self::Output]) -> Result<(), BatchError> {
        batch::forward(self, inputs, outputs)
    }

    /// The mean loss of a batch and its gradient, on the calling thread: `grad ← ∂ mean loss / ∂params`.
    ///
    /// The workspace is kept by the thread from call to call. `dropout` draws the same masks at each call: a loop that trains such a network takes
    /// [`loss_and_grad_with`](Self::loss_and_grad_with).
    ///
    /// # Errors
    /// If the batch's lengths differ or a target cannot be one; then `grad` is as it was.
    #[cfg(feature = "std")]
    fn loss_and_grad<L: Sync, E: Loss<Self::Output, L>>(
        &self, inputs: &[Self::Input], targets: &[L], loss: &E, grad: &mut Self,
    ) -> Result<Self::Scalar, BatchError> {
        batch::loss_and_grad(self, inputs, targets, loss, grad, Masks::default())
    }

    /// As [`loss_and_grad`](Self::loss_and_grad), with the masks that `dropout` draws: others for each step.
    ///
    /// # Errors
    /// As `loss_and_grad`.
    #[cfg(feature = "std")]
    fn loss_and_grad_with<L: Sync, E: Loss<Self::Output, L>>(
        &self, inputs: &[Self::Input], targets: &[L], loss: &E, grad: &mut Self, masks: Masks,
    ) -> Result<Self::Scalar, BatchError> {
        batch::loss_and_grad(self, inputs, targets, loss, grad, masks)
    }
}

/// A network's tables, and what files call its tensors.
#[cfg(feature = "weights")]
fn named<'a, N: Network>(names: &'a Names) -> Named<'a> {
    Named { network: N::NAME, tensors: N::TENSORS, names }
}

/// Whether a batch can be learned from: lengths and targets.
pub(crate) fn check_batch<N: Network, L, E: Loss<N::Output, L>>(
    x: &[N::Input], targets: &[L], loss: &E,
) -> Result<(), BatchError> {
    if x.len() != targets.len() {
        return Err(BatchError::Lengths { inputs: x.len(), others: targets.len() });
    }
    for (index, target) in targets.iter().enumerate() {
        loss.check(target).map_err(|fault| BatchError::Target { index, fault })?;
    }
    Ok(())
}

/// [`Network::infer`] as a kernel.
pub(crate) struct Infer<'a, N: Network> {
    pub(crate) net: &'a N,
    pub(crate) x: &'a [N::Input],
    pub(crate) y: &'a mut [N::Output],
    pub(crate) activations: &'a mut [N::Activations],
}

impl<N: Network> Kernel<N::Scalar> for Infer<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<N::Scalar>>(self, simd: S) {
        self.net.infer(simd, self.x, self.y, self.activations);
    }
}

struct Backprop<'a, N: Network, L, E> {
    net: &'a N,
    x: &'a [N::Input],
    targets: &'a [L],
    loss: &'a E,
    scale: N::Scalar,
    grad: &'a mut N,
    workspace: WorkspaceParts<'a, N>,
}

impl<N: Network, L, E: Loss<N::Output, L>> Kernel<N::Scalar> for Backprop<'_, N, L, E> {
    type Output = N::Scalar;

    #[inline(always)]
    fn run<S: Simd<N::Scalar>>(self, simd: S) -> N::Scalar {
        let Self { net, x, targets, loss, scale, grad, workspace: w } = self;
        let mut sum = N::Scalar::default();
        // `chunks` of 0 would panic; a workspace of no inputs learns nothing.
        let micro = w.tape.len().max(1);
        for (part, (x, targets)) in x.chunks(micro).zip(targets.chunks(micro)).enumerate() {
            let masks = w.masks.skip((part * micro) as u64);
            net.forward_tape(simd, x, w.outputs, w.tape, w.indices, w.work, masks);
            for ((y, target), dy) in w.outputs.iter().zip(targets).zip(w.d_outputs.iter_mut()) {
                sum += loss.value_and_grad(y, target, dy);
                for d in dy.flat_mut() {
                    *d *= scale;
                }
            }
            net.backward(simd, x, w.outputs, w.d_outputs, w.tape, w.indices, grad, w.deltas, w.work, scale, masks);
        }
        sum
    }
}
