//! 2-D convolution.

use core::marker::PhantomData;

use super::{Geometry, Layer, Window, plain_weights, with_work};
use crate::kernels::activation::Identity;
use crate::kernels::conv::{self, ConvSpec};
use crate::kernels::input_gradient::Written;
use crate::kernels::simd::Portable;
use crate::kernels::stage::{NoPool, Wants};
use crate::kernels::store::{Bias, NoSkip};
use crate::kernels::{conv_backward, map};
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::shape::{Conv, Shape};
use crate::tensor::Tensor;

/// A 2-D convolution (cross-correlation) from `IN` to `OUT` channels with a kernel of `KH × KW`.
///
/// `y[o][r][s] = bias[o] + Σ_{u, v, i} weight[u][v][i][o] · x[i][r·stride + u·dilation − top][s·stride + v·dilation − left]`.
///
/// The outputs are last because the kernels read weights as vectors along them. Files have them first, as PyTorch has:
/// see [`MemoryOrder`](crate::MemoryOrder).
///
/// Stride, padding, dilation and groups are a type, [`Window`]. `GROUP_IN` is `IN / groups`, the input channels that one
/// kernel sees; `BIASES` is `OUT`, or 0 for no bias.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d<
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

plain_weights!(Conv2d);

impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T: Scalar,
    G: Geometry,
    const GROUP_IN: usize,
    const BIASES: usize,
> Conv2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
{
    /// The convolution of an input of `h × w`.
    pub const fn shape(h: usize, w: usize) -> Conv {
        assert!(GROUP_IN * G::GROUPS == IN, "Conv2d: GROUP_IN must be IN / groups");
        assert!(BIASES == OUT || BIASES == 0, "Conv2d: BIASES must be OUT or 0");
        Conv {
            input: Shape::new(IN, h, w),
            out_channels: OUT,
            kernel: [KH, KW],
            stride: G::STRIDE,
            padding: G::PADDING,
            dilation: G::DILATION,
            groups: G::GROUPS,
            bias: BIASES > 0,
        }
    }

    /// All parameters zero: a gradient to add to.
    pub fn zeros() -> Self {
        plain::zeroed()
    }

    /// He's normal initialisation, biases zero. By value: for large layers, see `network!`.
    #[cfg(feature = "std")]
    pub fn init<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        const { assert!(G::GROUPS > 0, "Conv2d: groups must be at least 1") };
        let mut layer = Self::zeros();
        let role = crate::info::Role::Weight { fan_in: GROUP_IN * KH * KW, fan_out: OUT / G::GROUPS * KH * KW };
        crate::init::Init::default().fill_tensor(role, layer.weight.flat_mut(), rng);
        layer
    }
}

/// The convolution of a [`Conv2d`] on a map of `H × W` in planes or in pixels.
struct On<L, const H: usize, const W: usize, const PLANES: bool>(PhantomData<fn() -> L>);

impl<L, const H: usize, const W: usize, const PLANES: bool> Clone for On<L, H, W, PLANES> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L, const H: usize, const W: usize, const PLANES: bool> Copy for On<L, H, W, PLANES> {}

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
    const PLANES: bool,
> ConvSpec for On<Conv2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>, H, W, PLANES>
{
    const CONV: Conv = Conv2d::<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>::shape(H, W);
    const PLANES: bool = PLANES;
}

/// Checks a layer against its input and output when compiling.
const fn check(conv: &Conv, oh: usize, ow: usize) {
    conv.faults().deny_all("Conv2d");
    let out = conv.output();
    if out.h != oh || out.w != ow {
        out.deny_other(Shape::new(conv.out_channels, oh, ow), "Conv2d");
    }
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
> Layer<Tensor<IN, H, W, T>, Tensor<OUT, OH, OW, T>> for Conv2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
{
    fn forward(&self, x: &Tensor<IN, H, W, T>) -> Tensor<OUT, OH, OW, T> {
        const { check(&Self::shape(H, W), OH, OW) };
        let mut y = Tensor::zeros();
        with_work!(
            OUT * OH * OW + conv::forward_work(&Self::shape(H, W), true, None, Wants::Rows, false),
            T,
            |work| {
                let (pixels, work) = work.split_at_mut(OUT * OH * OW);
                let pixels: &mut [Tensor<OUT, OH, OW, T>] = bytemuck::cast_slice_mut(pixels);
                T::dispatch(conv::Forward {
                    spec: On::<Self, H, W, true>(PhantomData),
                    maps: (core::slice::from_ref(x), &mut *pixels),
                    weight: &self.weight,
                    affine: Bias(&self.bias),
                    skip: NoSkip,
                    act: Identity,
                    stage: NoPool,
                    work,
                });
                map::to_planes(Portable, Shape::new(OUT, OH, OW), pixels, core::slice::from_mut(&mut y));
            },
            {
                use crate::kernels::reference::{Order::Planes, conv_forward};
                let (conv, weight) = (const { &Self::shape(H, W) }, self.weight.flat());
                conv_forward(conv, [Planes; 2], x.as_slice(), weight, &self.bias, y.as_mut_slice());
            }
        );
        y
    }

    fn backward(
        &self, x: &Tensor<IN, H, W, T>, y: &Tensor<OUT, OH, OW, T>, dy: &Tensor<OUT, OH, OW, T>, grad: &mut Self,
    ) -> Tensor<IN, H, W, T> {
        const { check(&Self::shape(H, W), OH, OW) };
        let mut dx = Tensor::zeros();
        with_work!(
            2 * IN * H * W + OUT * OH * OW + conv_backward::backward_work(&Self::shape(H, W), false, None),
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
                T::dispatch(conv_backward::Backward {
                    spec: On::<Self, H, W, false>(PhantomData),
                    x: x_pixels,
                    weight: &self.weight,
                    act: Identity,
                    stage: NoPool,
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
                use crate::kernels::reference::{Order::Planes, conv_backward_input, conv_backward_params};
                let (conv, weight) = (const { &Self::shape(H, W) }, self.weight.flat());
                let (dw, db) = (grad.weight.flat_mut(), &mut grad.bias);
                conv_backward_params(conv, [Planes; 2], x.as_slice(), dy.as_slice(), dw, db);
                conv_backward_input(conv, [Planes; 2], weight, dy.as_slice(), dx.as_mut_slice());
            }
        );
        dx
    }
}
