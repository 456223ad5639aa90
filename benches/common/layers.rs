//! Convolutions by themselves, as they lie inside a network: the kernels alone, without conversions of layout at their ends.

use std::alloc::Layout;

use tenonet::kernels::activation::Relu;
use tenonet::kernels::conv::{self, ConvSpec};
use tenonet::kernels::conv_backward;
use tenonet::kernels::input_gradient::{Added, Unwanted, Written};
use tenonet::kernels::stage::{NoPool, Wants};
use tenonet::kernels::store::{Bias, NoSkip};
use tenonet::shape::{Conv, Shape};
use tenonet::{Plain, Scalar};

/// A convolution and the types of its operands.
pub(crate) trait Operands: ConvSpec + Default + 'static {
    /// Its name in reports.
    const NAME: &'static str;
    /// Inputs that training takes through it together.
    const IMAGES: usize;
    /// An input.
    type X: Plain<f32>;
    /// An output.
    type Y: Plain<f32>;
    /// Weights.
    type W: Plain<f32>;
    /// Biases.
    type B: Plain<f32>;
    /// Whether another reader of its input has left a gradient there, to which its own is added: a residual block's shortcut.
    const ADDS: bool;
    /// Floating-point operations of one pass of one input.
    const FLOPS: usize = 2 * Self::CONV.macs();
}

macro_rules! convolutions {
    ($(
        $(#[$doc:meta])* $type:ident, $name:literal, $images:literal images, [$c:literal, $h:literal, $w:literal] => $out:literal,
        kernel $k:literal, stride $s:literal, padding $p:literal, planes $planes:literal, adds $adds:literal;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Default)]
            pub(crate) struct $type;

            impl ConvSpec for $type {
                const CONV: Conv = Conv {
                    stride: [$s; 2],
                    padding: [$p; 4],
                    ..Conv::new(Shape::new($c, $h, $w), $out, [$k; 2])
                };
                const PLANES: bool = $planes;
            }

            impl Operands for $type {
                const NAME: &'static str = $name;
                const IMAGES: usize = $images;
                const ADDS: bool = $adds;
                type X = [f32; <$type as ConvSpec>::CONV.input.len()];
                type Y = [f32; <$type as ConvSpec>::CONV.output().len()];
                type W = [f32; <$type as ConvSpec>::CONV.out_channels * <$type as ConvSpec>::CONV.taps()];
                type B = [f32; <$type as ConvSpec>::CONV.biases()];
            }
        )*
    };
}

// Images: of a micro-batch in training.
convolutions! {
    /// The one of `Conv64`, but inside a network.
    Conv64Conv1, "conv64.conv1", 2 images, [64, 56, 56] => 64, kernel 3, stride 1, padding 1, planes false, adds false;
    /// The second of `LeNet5`.
    LeNet5Conv2, "lenet5.conv2", 16 images, [6, 14, 14] => 16, kernel 5, stride 1, padding 0, planes false, adds false;
    /// The second of `tenonet::zoo::AlexNet`, of 5 × 5 with many channels.
    AlexNetConv2, "alexnet.conv2", 2 images, [64, 27, 27] => 192, kernel 5, stride 1, padding 2, planes false, adds false;
    /// The second of `MnistCnn`.
    MnistCnnConv2, "mnist_cnn.conv2", 8 images, [32, 26, 26] => 64, kernel 3, stride 1, padding 0, planes false, adds false;
    /// The first of `ResNet8`.
    ResNet8Conv1, "resnet8.conv1", 8 images, [3, 32, 32] => 16, kernel 3, stride 1, padding 1, planes true, adds false;
    /// The second and third of `ResNet8`.
    ResNet8Conv2, "resnet8.conv2", 8 images, [16, 32, 32] => 16, kernel 3, stride 1, padding 1, planes false, adds false;
    /// The fourth of `ResNet8`.
    ResNet8Conv4, "resnet8.conv4", 8 images, [16, 32, 32] => 32, kernel 3, stride 2, padding 1, planes false, adds false;
    /// The fifth of `ResNet8`.
    ResNet8Conv5, "resnet8.conv5", 8 images, [32, 16, 16] => 32, kernel 3, stride 1, padding 1, planes false, adds false;
    /// The sixth of `ResNet8`.
    ResNet8Conv6, "resnet8.conv6", 8 images, [32, 16, 16] => 64, kernel 3, stride 2, padding 1, planes false, adds false;
    /// The seventh of `ResNet8`.
    ResNet8Conv7, "resnet8.conv7", 8 images, [64, 8, 8] => 64, kernel 3, stride 1, padding 1, planes false, adds false;
    /// The first shortcut of `ResNet8`.
    ResNet8Skip2, "resnet8.skip2", 8 images, [16, 32, 32] => 32, kernel 1, stride 2, padding 0, planes false, adds true;
    /// The second shortcut of `ResNet8`.
    ResNet8Skip3, "resnet8.skip3", 8 images, [32, 16, 16] => 64, kernel 1, stride 2, padding 0, planes false, adds true;
}

/// Calls a macro with every convolution's type.
macro_rules! each_convolution {
    ($call:ident) => {
        $call!(Conv64Conv1);
        $call!(LeNet5Conv2);
        $call!(AlexNetConv2);
        $call!(MnistCnnConv2);
        $call!(ResNet8Conv1);
        $call!(ResNet8Conv2);
        $call!(ResNet8Conv4);
        $call!(ResNet8Conv5);
        $call!(ResNet8Conv6);
        $call!(ResNet8Conv7);
        $call!(ResNet8Skip2);
        $call!(ResNet8Skip3);
    };
}
pub(crate) use each_convolution;

/// What a convolution's passes read and write, filled with noise.
pub(crate) struct Passes<C: Operands> {
    x: &'static mut [C::X],
    y: &'static mut [C::Y],
    dx: &'static mut [C::X],
    dy: &'static mut [C::Y],
    weight: Box<C::W>,
    bias: Box<C::B>,
    d_weight: Box<C::W>,
    d_bias: Box<C::B>,
    forward_work: Vec<f32>,
    backward_work: Vec<f32>,
}

impl<C: Operands> Default for Passes<C> {
    fn default() -> Self {
        Passes {
            x: many(C::IMAGES),
            y: many(C::IMAGES),
            dx: many(C::IMAGES),
            dy: many(C::IMAGES),
            weight: one(),
            bias: one(),
            d_weight: one(),
            d_bias: one(),
            forward_work: vec![0.0; conv::forward_work(&C::CONV, C::PLANES, None, Wants::Rows, false)],
            backward_work: vec![0.0; conv_backward::backward_work(&C::CONV, C::PLANES, None)],
        }
    }
}

impl<C: Operands> Passes<C> {
    /// Forward, with ReLU, of the first input: one that lies in the cache.
    pub(crate) fn forward(&mut self) {
        f32::dispatch(conv::Forward {
            spec: C::default(),
            maps: (&self.x[..1], &mut self.y[..1]),
            weight: &*self.weight,
            affine: Bias(&*self.bias),
            skip: NoSkip,
            act: Relu,
            stage: NoPool,
            work: &mut self.forward_work[..],
        });
    }

    /// Backward of all inputs: dW and the biases' gradient, and dX if that is asked for (not where the input lies in planes: that is the network's own).
    pub(crate) fn backward<const DX: bool>(&mut self) {
        macro_rules! to {
            ($dx:expr) => {
                f32::dispatch(conv_backward::Backward {
                    spec: C::default(),
                    x: self.x,
                    weight: &*self.weight,
                    act: Relu,
                    stage: NoPool,
                    y: self.y,
                    dy: self.dy,
                    dw: &mut *self.d_weight,
                    db: &mut *self.d_bias,
                    dx: $dx,
                    work: &mut self.backward_work[..],
                })
            };
        }
        match (DX, C::ADDS) {
            (false, _) => to!(Unwanted),
            (true, false) => to!(Written(&mut *self.dx)),
            (true, true) => to!(Added(&mut *self.dx)),
        }
    }
}

/// Values of noise on a boundary of 64 bytes, as a network's scratch and workspace lie. (The pages of a large allocation begin with 16 bytes of the
/// allocator's: each vector of 64 bytes would lie in two lines of the cache.) They stay until the program ends.
fn many<P: Plain<f32>>(count: usize) -> &'static mut [P] {
    const LINE: usize = 64;
    let layout = Layout::from_size_align(count * size_of::<P>(), LINE).expect("a few megabytes");
    assert!(layout.size() > 0, "no values");
    // SAFETY: the layout has a size; zeros are a P (Plain), as many as there is memory for; nothing else has it.
    let values = unsafe {
        let memory = std::alloc::alloc_zeroed(layout);
        if memory.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        std::slice::from_raw_parts_mut(memory.cast::<P>(), count)
    };
    fill(values);
    values
}

fn one<P: Plain<f32>>() -> Box<P> {
    let mut value = P::zeroed_box();
    fill(std::slice::from_mut(&mut *value));
    value
}

/// Noise.
fn fill<P: Plain<f32>>(values: &mut [P]) {
    let mut state = 1_u32;
    for value in values.iter_mut().flat_map(P::flat_mut) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
    }
}
