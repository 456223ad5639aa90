//! 2-D convolution.

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::{Geometry, Layer, Window, with_work};
use crate::kernels::activation::Identity;
use crate::kernels::conv::{self, ConvSpec};
use crate::kernels::conv_backward;
use crate::kernels::stage::NoPool;
use crate::plain::{self, Plain};
use crate::scalar::Scalar;
use crate::shape::{Conv, Shape};
use crate::tensor::Tensor;

/// A 2-D convolution (cross-correlation) from `IN` to `OUT` channels with a kernel of `KH × KW`.
///
/// `y[o][r][s] = bias[o] + Σ_{i, u, v} weight[o][i][u][v] · x[i][r·stride + u·dilation − top][s·stride + v·dilation − left]`.
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
    /// `[OUT][IN / groups][KH][KW]`.
    pub weight: [[[[T; KW]; KH]; GROUP_IN]; OUT],
    /// `[OUT]`, or empty.
    pub bias: [T; BIASES],
    geometry: PhantomData<fn() -> G>,
}

// SAFETY: repr(C) of two nested arrays of T and a zero-sized, unaligned marker: all T, no padding.
#[allow(unsafe_code, reason = "marks the layer as plain data")]
unsafe impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T: Scalar,
    G: 'static,
    const GROUP_IN: usize,
    const BIASES: usize,
> Plain<T> for Conv2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
{
}

// SAFETY: arrays of T, for which zeroed memory is valid.
#[allow(unsafe_code, reason = "marks the layer as plain data")]
unsafe impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    T: Scalar,
    G: 'static,
    const GROUP_IN: usize,
    const BIASES: usize,
> Zeroable for Conv2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>
{
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

/// The convolution of a [`Conv2d`] on `H × W`.
struct On<L, const H: usize, const W: usize>(PhantomData<fn() -> L>);

impl<L, const H: usize, const W: usize> Clone for On<L, H, W> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L, const H: usize, const W: usize> Copy for On<L, H, W> {}

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
> ConvSpec for On<Conv2d<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>, H, W>
{
    const CONV: Conv = Conv2d::<IN, OUT, KH, KW, T, G, GROUP_IN, BIASES>::shape(H, W);
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
            conv::forward_work(&Self::shape(H, W), None),
            T,
            |work| T::dispatch(conv::Forward {
                spec: On::<Self, H, W>(PhantomData),
                x: core::slice::from_ref(x),
                weight: &self.weight,
                bias: &self.bias,
                act: Identity,
                stage: NoPool,
                y: core::slice::from_mut(&mut y),
                work,
            }),
            {
                let (conv, weight) = (const { &Self::shape(H, W) }, self.weight.flat());
                crate::kernels::reference::conv_forward(conv, x.as_slice(), weight, &self.bias, y.as_mut_slice());
            }
        );
        y
    }

    fn backward(
        &self, x: &Tensor<IN, H, W, T>, y: &Tensor<OUT, OH, OW, T>, dy: &Tensor<OUT, OH, OW, T>, grad: &mut Self,
    ) -> Tensor<IN, H, W, T> {
        const { check(&Self::shape(H, W), OH, OW) };
        let (mut dx, mut dy) = (Tensor::zeros(), *dy);
        with_work!(
            conv_backward::backward_work(&Self::shape(H, W), None),
            T,
            |work| T::dispatch(conv_backward::Backward::<true, _, _, _, _, _, _, _, _> {
                spec: On::<Self, H, W>(PhantomData),
                x: core::slice::from_ref(x),
                weight: &self.weight,
                act: Identity,
                stage: NoPool,
                y: core::slice::from_ref(y),
                dy: core::slice::from_mut(&mut dy),
                dw: &mut grad.weight,
                db: &mut grad.bias,
                dx: core::slice::from_mut(&mut dx),
                work,
            }),
            {
                let (conv, weight) = (const { &Self::shape(H, W) }, self.weight.flat());
                let (dw, db) = (grad.weight.flat_mut(), &mut grad.bias);
                crate::kernels::reference::conv_backward_params(conv, x.as_slice(), dy.as_slice(), dw, db);
                crate::kernels::reference::conv_backward_input(conv, weight, dy.as_slice(), dx.as_mut_slice());
            }
        );
        dx
    }
}
