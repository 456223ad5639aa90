//! Transposed 2-D convolution.

use core::marker::PhantomData;

use super::{Geometry, Layer, Window, plain_weights, with_work};
use crate::kernels::activation::Identity;
use crate::kernels::conv_transpose::{self, ConvTransposeSpec};
use crate::kernels::input_gradient::Written;
use crate::kernels::map;
use crate::kernels::simd::Portable;
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::shape::{ConvTranspose, Shape};
use crate::tensor::Tensor;

/// A transposed 2-D convolution from `IN` to `OUT` channels with a kernel of `KH × KW`: each element of the input is spread over the output.
///
/// `y[o][r·stride + u·dilation − top][s·stride + v·dilation − left] += Σ_i weight[u][v][i][o] · x[i][r][s]`, where `y` begins as the bias.
///
/// The outputs are last because the kernels read weights as vectors along them. Files have PyTorch's order, `[IN, OUT / groups, KH, KW]`: see
/// [`MemoryOrder`](crate::MemoryOrder).
///
/// Stride, padding (what is cut off), dilation and groups are a type, [`Window`]. `GROUP_IN` is `IN / groups`, the input channels that one
/// output sums; `BIASES` is `OUT`, or 0 for no bias. With a stride there are several sizes of output, by the rows and columns that are put on at
/// the bottom and at the right: the output's type says which is meant.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose2d<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T = f32,
    G = Window,
    const GROUP_IN: usize = IN,
    const BIASES: usize = OUT,
> {
    /// `[KH][KW][IN / groups][OUT]`.
    pub weight: [[[[T; OUT]; GROUP_IN]; KW]; KH],
    /// `[OUT]`, or empty.
    pub bias: [T; BIASES],
    geometry: PhantomData<fn() -> G>,
}

plain_weights!(ConvTranspose2d);

impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T: Scalar,
    G: Geometry,
    const GROUP_IN: usize,
    const BIASES: usize,
> ConvTranspose2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
{
    /// The transposed convolution of an input of `h × w` that is to yield `oh × ow`: what that is more than without padding at the output is
    /// put on.
    pub const fn shape(h: usize, w: usize, oh: usize, ow: usize) -> ConvTranspose {
        assert!(GROUP_IN * G::GROUPS == IN, "ConvTranspose2d: GROUP_IN must be IN / groups");
        assert!(BIASES == OUT || BIASES == 0, "ConvTranspose2d: BIASES must be OUT or 0");
        let bare = ConvTranspose {
            input: Shape::new(IN, h, w),
            out_channels: OUT,
            kernel: [KH, KW],
            stride: G::STRIDE,
            padding: G::PADDING,
            output_padding: [0; 2],
            dilation: G::DILATION,
            groups: G::GROUPS,
            bias: BIASES > 0,
        };
        let output = bare.output();
        ConvTranspose { output_padding: [oh.saturating_sub(output.h), ow.saturating_sub(output.w)], ..bare }
    }

    /// All parameters zero: a gradient to add to.
    pub fn zeros() -> Self {
        plain::zeroed()
    }

    /// He's normal initialisation, biases zero. By value: for large layers, see `network!`.
    #[cfg(feature = "std")]
    pub fn init<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        const { assert!(G::GROUPS > 0, "ConvTranspose2d: groups must be at least 1") };
        let mut layer = Self::zeros();
        let shape = const { Self::shape(1, 1, 1, 1) };
        let role = crate::info::Role::Weight { fan_in: shape.fan_in(), fan_out: shape.fan_out() };
        crate::init::Init::default().fill_tensor(role, layer.weight.flat_mut(), rng);
        layer
    }
}

/// The transposed convolution of a [`ConvTranspose2d`] from a map of `H × W` to one of `OH × OW`.
struct On<L, const H: usize, const W: usize, const OH: usize, const OW: usize>(PhantomData<fn() -> L>);

impl<L, const H: usize, const W: usize, const OH: usize, const OW: usize> Clone for On<L, H, W, OH, OW> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L, const H: usize, const W: usize, const OH: usize, const OW: usize> Copy for On<L, H, W, OH, OW> {}

impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T: Scalar,
    G: Geometry,
    const GROUP_IN: usize,
    const BIASES: usize,
    const H: usize,
    const W: usize,
    const OH: usize,
    const OW: usize,
> ConvTransposeSpec for On<ConvTranspose2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>, H, W, OH, OW>
{
    const TRANSPOSED: ConvTranspose = ConvTranspose2d::<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>::shape(H, W, OH, OW);
}

/// Checks a layer against its input and output when compiling.
const fn check(conv: &ConvTranspose, oh: usize, ow: usize) {
    conv.faults().deny_all("ConvTranspose2d");
    conv.output().deny_other(Shape::new(conv.out_channels, oh, ow), "ConvTranspose2d");
}

impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T: Scalar,
    G: Geometry,
    const GROUP_IN: usize,
    const BIASES: usize,
    const H: usize,
    const W: usize,
    const OH: usize,
    const OW: usize,
> Layer<Tensor<IN, H, W, T>, Tensor<OUT, OH, OW, T>> for ConvTranspose2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
{
    fn forward(&self, x: &Tensor<IN, H, W, T>) -> Tensor<OUT, OH, OW, T> {
        const { check(&Self::shape(H, W, OH, OW), OH, OW) };
        let mut y = Tensor::zeros();
        with_work!(
            IN * H * W + OUT * OH * OW,
            T,
            |work| {
                let (x_pixels, work) = work.split_at_mut(IN * H * W);
                let (y_pixels, _) = work.split_at_mut(OUT * OH * OW);
                let x_pixels: &mut [Tensor<IN, H, W, T>] = bytemuck::cast_slice_mut(x_pixels);
                let y_pixels: &mut [Tensor<OUT, OH, OW, T>] = bytemuck::cast_slice_mut(y_pixels);
                map::to_pixels(Portable, Shape::new(IN, H, W), core::slice::from_ref(x), x_pixels);
                T::dispatch(conv_transpose::Forward {
                    spec: On::<Self, H, W, OH, OW>(PhantomData),
                    x: x_pixels,
                    weight: &self.weight,
                    bias: &self.bias,
                    act: Identity,
                    y: y_pixels,
                });
                map::to_planes(Portable, Shape::new(OUT, OH, OW), y_pixels, core::slice::from_mut(&mut y));
            },
            {
                use crate::kernels::reference::{Order::Planes, conv_transpose_forward};
                let (conv, weight) = (const { &Self::shape(H, W, OH, OW) }, self.weight.flat());
                conv_transpose_forward(conv, [Planes; 2], x.as_slice(), weight, &self.bias, y.as_mut_slice());
            }
        );
        y
    }

    fn backward(
        &self, x: &Tensor<IN, H, W, T>, y: &Tensor<OUT, OH, OW, T>, dy: &Tensor<OUT, OH, OW, T>, grad: &mut Self,
    ) -> Tensor<IN, H, W, T> {
        const { check(&Self::shape(H, W, OH, OW), OH, OW) };
        let mut dx = Tensor::zeros();
        with_work!(
            2 * IN * H * W + OUT * OH * OW + conv_transpose::backward_work(&Self::shape(H, W, OH, OW)),
            T,
            |work| {
                let (x_pixels, work) = work.split_at_mut(IN * H * W);
                let (dx_pixels, work) = work.split_at_mut(IN * H * W);
                let (dy_pixels, work) = work.split_at_mut(OUT * OH * OW);
                let x_pixels: &mut [Tensor<IN, H, W, T>] = bytemuck::cast_slice_mut(x_pixels);
                let dx_pixels: &mut [Tensor<IN, H, W, T>] = bytemuck::cast_slice_mut(dx_pixels);
                let dy_pixels: &mut [Tensor<OUT, OH, OW, T>] = bytemuck::cast_slice_mut(dy_pixels);
                let (input, output) = (Shape::new(IN, H, W), Shape::new(OUT, OH, OW));
                map::to_pixels(Portable, input, core::slice::from_ref(x), x_pixels);
                map::to_pixels(Portable, output, core::slice::from_ref(dy), dy_pixels);
                T::dispatch(conv_transpose::Backward {
                    spec: On::<Self, H, W, OH, OW>(PhantomData),
                    x: x_pixels,
                    weight: &self.weight,
                    act: Identity,
                    // In planes: the identity's derivative does not look at it.
                    y: core::slice::from_ref(y),
                    dy: dy_pixels,
                    dw: &mut grad.weight,
                    db: &mut grad.bias,
                    dx: Written(dx_pixels),
                    work,
                });
                map::to_planes(Portable, input, dx_pixels, core::slice::from_mut(&mut dx));
            },
            {
                use crate::kernels::reference::{
                    Order::Planes, conv_transpose_backward_input, conv_transpose_backward_params,
                };
                let (conv, weight) = (const { &Self::shape(H, W, OH, OW) }, self.weight.flat());
                let (dw, db) = (grad.weight.flat_mut(), &mut grad.bias);
                conv_transpose_backward_params(conv, [Planes; 2], x.as_slice(), dy.as_slice(), dw, db);
                conv_transpose_backward_input(conv, [Planes; 2], weight, dy.as_slice(), dx.as_mut_slice());
            }
        );
        dx
    }
}
