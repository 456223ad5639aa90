//! The gradient of every layer and of whole networks against central differences in double precision.
//!
//! What is differentiated is a weighted sum of the outputs with random weights, `c · f(x)`: its derivative by an input or a parameter is what `backward` makes of `dy = c`.

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tenonet::loss::{Loss, TargetFault};
use tenonet::prelude::*;

/// The bar: the relative error of each entry, or relative to a thousandth of the largest one where an entry is smaller than that.
const BAR: f64 = 1e-6;

/// The step of the differences: with values around 1, it errs by some 1e-10 for the curvature and 1e-11 for rounding.
const STEP: f64 = 1e-5;

/// Asserts that `gradient` is that of `f` at `at`.
#[track_caller]
fn check(what: &str, at: &mut [f64], gradient: &[f64], mut f: impl FnMut(&[f64]) -> f64) {
    assert_eq!(at.len(), gradient.len());
    let numeric: Vec<f64> = (0..at.len())
        .map(|i| {
            let here = at[i];
            at[i] = here + STEP;
            let above = f(at);
            at[i] = here - STEP;
            let below = f(at);
            at[i] = here;
            (above - below) / (2.0 * STEP)
        })
        .collect();
    let largest = numeric.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
    assert!(at.is_empty() || largest > 0.0, "{what}: nothing depends on it, the test sees nothing");
    for (i, (found, wanted)) in gradient.iter().zip(&numeric).enumerate() {
        let error = (found - wanted).abs() / wanted.abs().max(found.abs()).max(1e-3 * largest);
        assert!(error <= BAR, "{what}[{i}]: {found}, differences {wanted}, relative error {error:e}");
    }
}

fn random<X: Plain<f64>>(rng: &mut StdRng) -> Box<X> {
    let mut x = X::zeroed_box();
    x.flat_mut().fill_with(|| rng.random_range(-1.0..1.0));
    x
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A layer without parameters. `x` may be anything; it decides which kinks are near.
#[track_caller]
fn check_function<L, X, Y>(what: &str, mut layer: L, mut x: Box<X>)
where
    L: Layer<X, Y> + Clone,
    X: Plain<f64>,
    Y: Plain<f64>,
{
    let mut rng = StdRng::seed_from_u64(1);
    let c = random::<Y>(&mut rng);
    let y = layer.forward(&x);
    let dx = layer.clone().backward(&x, &y, &c, &mut layer);
    check(what, &mut x.boxed_copy().flat_mut().to_vec(), dx.flat(), |at| {
        x.flat_mut().copy_from_slice(at);
        dot(layer.forward(&x).flat(), c.flat())
    });
}

/// A layer with parameters: by them, and by the input.
#[track_caller]
fn check_layer<L, X, Y>(what: &str, seed: u64)
where
    L: Layer<X, Y> + Plain<f64>,
    X: Plain<f64>,
    Y: Plain<f64>,
{
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut layer, mut x, c) = (random::<L>(&mut rng), random::<X>(&mut rng), random::<Y>(&mut rng));
    let y = layer.forward(&x);
    let mut grad = L::zeroed_box();
    let dx = layer.backward(&x, &y, &c, &mut grad);
    check(&format!("{what}: dx"), &mut x.flat().to_vec(), dx.flat(), |at| {
        x.flat_mut().copy_from_slice(at);
        dot(layer.forward(&x).flat(), c.flat())
    });
    // As it was before the differences.
    let mut rng = StdRng::seed_from_u64(seed);
    (layer, x) = (random::<L>(&mut rng), random::<X>(&mut rng));
    check(&format!("{what}: d parameters"), &mut layer.flat().to_vec(), grad.flat(), |at| {
        layer.flat_mut().copy_from_slice(at);
        dot(layer.forward(&x).flat(), c.flat())
    });
    // Gradients are added.
    layer.backward(&x, &y, &c, &mut grad);
    let once = {
        let mut once = L::zeroed_box();
        layer.backward(&x, &y, &c, &mut once);
        once
    };
    for (twice, once) in grad.flat().iter().zip(once.flat()) {
        assert!(
            (twice - 2.0 * once).abs() <= 1e-6 * (1.0 + once.abs()),
            "{what}: gradients are added to what is there"
        );
    }
}

/// Values a twentieth apart, none nearer than a fortieth to a multiple of a twentieth: no kink is near, no two are equal.
fn spread<X: Plain<f64>>() -> Box<X> {
    let mut x = X::zeroed_box();
    let half = (X::LEN / 2) as f64;
    for (i, x) in x.flat_mut().iter_mut().enumerate() {
        *x = (i as f64 - half + 0.5) * 0.05;
    }
    x.flat_mut().shuffle(&mut StdRng::seed_from_u64(5));
    x
}

#[test]
fn activations() {
    // 256 values reach from −6.4 to 6.4: beyond every kink.
    type Map = Tensor<4, 8, 8, f64>;
    check_function::<_, Map, Map>("identity", Identity, spread());
    check_function::<_, Map, Map>("relu", Relu, spread());
    check_function::<_, Map, Map>("relu6", Relu6, spread());
    check_function::<_, Map, Map>("leaky_relu", LeakyRelu::new(0.3), spread());
    check_function::<_, Map, Map>("elu", Elu::new(0.7), spread());
    check_function::<_, Map, Map>("sigmoid", Sigmoid, spread());
    check_function::<_, Map, Map>("tanh", Tanh, spread());
    check_function::<_, Map, Map>("gelu", Gelu, spread());
    check_function::<_, Map, Map>("silu", Silu, spread());
    check_function::<_, Map, Map>("hard_sigmoid", HardSigmoid, spread());
    check_function::<_, Map, Map>("hard_swish", HardSwish, spread());
    check_function::<_, Map, Map>("softplus", Softplus, spread());
    check_function::<_, Map, Map>("softmax over maps", Softmax, spread());
    check_function::<_, Tensor<10, 1, 1, f64>, Tensor<10, 1, 1, f64>>("softmax", Softmax, spread());
    check_function::<_, Map, Tensor<256, 1, 1, f64>>("flatten", Flatten, spread());
}

#[test]
fn pools() {
    type Map = Tensor<2, 7, 9, f64>;
    check_function::<_, Map, Tensor<2, 3, 3, f64>>("max_pool", MaxPool2d::<2, 3, 2, 3, 0, 0, true>, spread());
    check_function::<_, Map, Tensor<2, 4, 5, f64>>("padded max_pool", MaxPool2d::<3, 3, 2, 2, 1, 1>, spread());
    check_function::<_, Map, Tensor<2, 5, 8, f64>>("overlapping max_pool", MaxPool2d::<3, 2, 1, 1>, spread());
    check_function::<_, Map, Tensor<2, 3, 3, f64>>("avg_pool", AvgPool2d::<2, 3, 2, 3, 0, 0, true>, spread());
    check_function::<_, Map, Tensor<2, 4, 5, f64>>("padded avg_pool", AvgPool2d::<3, 3, 2, 2, 1, 1>, spread());
    check_function::<_, Map, Tensor<2, 5, 8, f64>>("overlapping avg_pool", AvgPool2d::<3, 2, 1, 1>, spread());
    check_function::<_, Map, Tensor<2, 1, 1, f64>>("global_avg_pool", GlobalAvgPool, spread());
    check_function::<_, Map, Tensor<2, 1, 1, f64>>("global_max_pool", GlobalMaxPool, spread());
}

#[test]
fn pads_and_upsamples() {
    type Map = Tensor<2, 3, 4, f64>;
    check_function::<_, Map, Tensor<2, 6, 7, f64>>("zero", ZeroPad2d::<1, 2, 3, 0>, spread());
    check_function::<_, Map, Tensor<2, 6, 9, f64>>("reflect", ReflectPad2d::<1, 2, 3, 2>, spread());
    check_function::<_, Map, Tensor<2, 8, 8, f64>>("replicate", ReplicatePad2d::<1, 4, 3, 1>, spread());
    check_function::<_, Map, Tensor<2, 6, 12, f64>>("nearest", UpsampleNearest2d::<2, 3>, spread());
    check_function::<_, Map, Tensor<2, 9, 8, f64>>("bilinear", UpsampleBilinear2d::<3, 2>, spread());
}

#[test]
fn scales() {
    check_layer::<Scale<3, f64>, Tensor<3, 4, 5, f64>, Tensor<3, 4, 5, f64>>("scale", 1);
    check_layer::<Bias<3, f64>, Tensor<3, 4, 5, f64>, Tensor<3, 4, 5, f64>>("bias", 2);
}

#[test]
fn linear() {
    check_layer::<Linear<13, 7, f64>, Tensor<13, 1, 1, f64>, Tensor<7, 1, 1, f64>>("linear", 1);
    check_layer::<Linear<5, 9, f64, 0>, Tensor<5, 1, 1, f64>, Tensor<9, 1, 1, f64>>("linear without bias", 2);
    check_layer::<Linear<1, 1, f64>, Tensor<1, 1, 1, f64>, Tensor<1, 1, 1, f64>>("linear 1 → 1", 3);
}

#[test]
fn convolutions() {
    type In = Tensor<4, 9, 8, f64>;
    type Plain3 = Conv2d<4, 5, 3, 3, f64>;
    check_layer::<Plain3, In, Tensor<5, 7, 6, f64>>("3×3", 1);
    type Lopsided = Conv2d<4, 3, 2, 5, f64, Window<1, 1, 0, 3, 4, 1>>;
    check_layer::<Lopsided, In, Tensor<3, 11, 9, f64>>("2×5, padded by 0, 3, 4, 1", 2);
    type Strided = Conv2d<4, 3, 3, 2, f64, Window<2, 3, 1, 0, 1, 1>>;
    check_layer::<Strided, In, Tensor<3, 4, 3, f64>>("stride 2×3", 3);
    type Dilated = Conv2d<4, 3, 3, 2, f64, Window<1, 1, 2, 2, 0, 3, 2, 3>>;
    check_layer::<Dilated, In, Tensor<3, 9, 8, f64>>("dilation 2×3", 4);
    type Grouped = Conv2d<4, 6, 3, 3, f64, Window<1, 2, 1, 1, 1, 1, 1, 1, 2>, 2>;
    check_layer::<Grouped, In, Tensor<6, 9, 4, f64>>("two groups", 5);
    type Depthwise = Conv2d<4, 8, 3, 3, f64, Window<1, 1, 1, 1, 1, 1, 1, 1, 4>, 1, 0>;
    check_layer::<Depthwise, In, Tensor<8, 9, 8, f64>>("depthwise, without bias", 6);
    type Beyond = Conv2d<4, 3, 2, 2, f64, Window<1, 1, 3, 2, 2, 4>>;
    check_layer::<Beyond, In, Tensor<3, 13, 13, f64>>("more padding than the kernel reaches", 7);
    type Pointwise = Conv2d<4, 9, 1, 1, f64>;
    check_layer::<Pointwise, In, Tensor<9, 9, 8, f64>>("1×1", 8);
    type Whole = Conv2d<4, 9, 9, 8, f64>;
    check_layer::<Whole, In, Tensor<9, 1, 1, f64>>("as large as the map", 9);
}

#[test]
fn transposed_convolutions() {
    type In = Tensor<4, 3, 4, f64>;
    check_layer::<ConvTranspose2d<4, 5, 3, 3, f64>, In, Tensor<5, 5, 6, f64>>("3×3", 1);
    type Double = ConvTranspose2d<4, 3, 4, 4, f64, Window<2, 2, 1, 1, 1, 1>>;
    check_layer::<Double, In, Tensor<3, 6, 8, f64>>("twice as large", 2);
    check_layer::<Double, In, Tensor<3, 7, 8, f64>>("and one row more", 3);
    type Lopsided = ConvTranspose2d<4, 3, 2, 3, f64, Window<3, 1, 1, 0, 0, 2, 1, 2>, 4, 0>;
    check_layer::<Lopsided, In, Tensor<3, 7, 6, f64>>("stride 3×1, dilation 1×2, without bias", 4);
    type Grouped = ConvTranspose2d<4, 6, 3, 2, f64, Window<1, 2, 1, 1, 0, 0, 1, 1, 2>, 2>;
    check_layer::<Grouped, In, Tensor<6, 3, 8, f64>>("two groups", 5);
    type Depthwise = ConvTranspose2d<4, 4, 3, 3, f64, Window<2, 2, 1, 1, 1, 1, 1, 1, 4>, 1>;
    check_layer::<Depthwise, In, Tensor<4, 6, 7, f64>>("depthwise", 6);
}

/// `c · y`, with `c` as the target.
struct Weighted;

impl<const C: usize, const H: usize, const W: usize> Loss<Tensor<C, H, W, f64>, Tensor<C, H, W, f64>> for Weighted {
    fn value(&self, y: &Tensor<C, H, W, f64>, c: &Tensor<C, H, W, f64>) -> f64 {
        dot(y.as_slice(), c.as_slice())
    }

    fn value_and_grad(&self, y: &Tensor<C, H, W, f64>, c: &Tensor<C, H, W, f64>, dy: &mut Tensor<C, H, W, f64>) -> f64 {
        *dy = *c;
        self.value(y, c)
    }

    fn check(&self, _: &Tensor<C, H, W, f64>) -> Result<(), TargetFault> {
        Ok(())
    }
}

/// A declared network: the gradient of the mean over more inputs than a micro-batch has, with a micro-batch that is not full.
#[track_caller]
fn check_network<N>(seed: u64)
where
    N: Network<Scalar = f64>,
    Weighted: Loss<N::Output, N::Output>,
{
    let mut rng = StdRng::seed_from_u64(seed);
    let mut net = random::<N>(&mut rng);
    let mut batch = |n: usize| -> (Vec<N::Input>, Vec<N::Output>) {
        (0..n).map(|_| ((*random::<N::Input>(&mut rng)).clone(), (*random::<N::Output>(&mut rng)).clone())).unzip()
    };
    let (inputs, targets) = batch(3);
    let mut grad = N::zeroed_box();
    let loss = net.loss_and_grad(&inputs, &targets, &Weighted, &mut grad).unwrap();
    let mut scratch = Scratch::<N>::boxed();
    // The differences are those of inference, whose steps are fused otherwise.
    let mut mean = |net: &N| -> f64 {
        let losses = inputs.iter().zip(&targets).map(|(x, c)| Weighted.value(&net.forward(x, &mut scratch), c));
        losses.sum::<f64>() / inputs.len() as f64
    };
    assert!(
        (loss - mean(&net)).abs() <= 1e-12 * (1.0 + loss.abs()),
        "{}: loss {loss}, inference {}",
        N::NAME,
        mean(&net)
    );
    check(N::NAME, &mut net.params().to_vec(), grad.params(), |at| {
        net.params_mut().copy_from_slice(at);
        mean(&net)
    });

    // More than one micro-batch: the sum of its parts.
    let (inputs, targets) = batch(N::MICRO_BATCH + 3);
    let mut whole = N::zeroed_box();
    net.loss_and_grad(&inputs, &targets, &Weighted, &mut whole).unwrap();
    let mut sum = vec![0.0; N::PARAMS];
    for (x, c) in inputs.iter().zip(&targets) {
        net.loss_and_grad(core::slice::from_ref(x), core::slice::from_ref(c), &Weighted, &mut grad).unwrap();
        for (sum, one) in sum.iter_mut().zip(grad.params()) {
            *sum += one / inputs.len() as f64;
        }
    }
    for (i, (whole, sum)) in whole.params().iter().zip(&sum).enumerate() {
        assert!((whole - sum).abs() <= 1e-11 * (1.0 + sum.abs()), "{}[{i}]: batch {whole}, one by one {sum}", N::NAME);
    }
}

network! {
    /// One layer of every kind.
    struct EveryKind([2, 12, 11] -> [5]) {
        conv(6, kernel = (3, 5), padding = (1, 1, 2, 2)), leaky_relu(0.2), max_pool((2, 3), floor),
        conv(4, kernel = 3, stride = (2, 1), padding = same, groups = 2, bias = false), elu(1.3),
        avg_pool(2, stride = 1),
        conv(8, kernel = (2, 1), dilation = (1, 1), groups = depthwise), sigmoid,
        conv(6, kernel = 1), softplus,
        global_avg_pool,
        flatten,
        linear(7), hard_sigmoid,
        linear(5, bias = false), softmax,
    }
}

network! {
    /// The activation needs its input, so that nothing behind it is fused in training.
    struct KeepsItsInput([1, 8, 9] -> [3]) {
        conv(3, kernel = 3, padding = 1), gelu, max_pool((2, 3)),
        conv(4, kernel = 2), silu,
        conv(2, kernel = 2, padding = 1), hard_swish, avg_pool((2, 3)),
        flatten, linear(6), gelu, linear(3),
    }
}

network! {
    /// Fused at inference alone.
    struct ReluAverage([2, 9, 8] -> [4]) {
        conv(5, kernel = 2, padding = (0, 0, 1, 0)), relu, avg_pool(2),
        flatten, linear(4),
    }
}

network! {
    /// Activations by themselves, at the beginning, in a row and at the end, and one on a vector.
    struct Standalone([3, 4, 5] -> [6]) {
        tanh, conv(4, kernel = 2), max_pool((3, 2)), silu, sigmoid, gelu,
        flatten, softplus, linear(6), relu, hard_swish, elu(0.4),
    }
}

network! {
    /// Windows that overlap, stand over the edge, or leave something out.
    struct PaddedPools([2, 11, 12] -> [3]) {
        max_pool(2, stride = 1),
        conv(4, kernel = 3, padding = 1), relu, max_pool(3, stride = 2, padding = 1, floor),
        conv(4, kernel = 2), tanh, avg_pool(3, stride = 2, padding = 1, ceil),
        max_pool(2, ceil), avg_pool(2, stride = 1, padding = 1),
        flatten, linear(3),
    }
}

network! {
    /// Softmax over the channels of a map, and of a vector, before other layers.
    struct SoftmaxInside([2, 5, 5] -> [2, 2, 2]) {
        conv(4, kernel = 2), softmax, conv(3, kernel = 2), softmax, avg_pool(2, stride = 1), conv(2, kernel = 1),
    }
}

network! {
    /// Branches: the input, layers, pools and branches of their own; a map that is joined and read elsewhere too.
    struct Branches([2, 5, 6] -> [7]) {
        concat { {}, { conv(3, kernel = 3, padding = 1), tanh }, { avg_pool(3, stride = 1, padding = 1) } },
        repeat(2) {
            residual {
                concat { { conv(4, kernel = 1), sigmoid }, { concat { { conv(1, kernel = 3, padding = 1) }, { silu, conv(2, kernel = 1) } } } },
            } shortcut { concat { { conv(3, kernel = 1) }, { conv(4, kernel = 1), gelu } } },
        },
        concat { { max_pool((5, 6)), flatten, linear(3) }, { global_avg_pool, softplus }, { flatten, linear(5), softmax } },
        concat { { linear(4) }, { linear(3), tanh } },
    }
}

const CHANNELS: usize = 3;
const SIDE: usize = CHANNELS * 2 + 1;
const SLOPE: f64 = 0.05;

network! {
    /// No number is known to the macro.
    struct Expressions([CHANNELS, SIDE, SIDE + 1] -> [CHANNELS + 1]) {
        first: conv(CHANNELS * 2, kernel = (CHANNELS, CHANNELS - 1), stride = CHANNELS - 2, padding = (1, CHANNELS - 1)),
        leaky_relu(SLOPE * 2.0), max_pool(CHANNELS - 1, floor),
        second: conv(4, kernel = 1, groups = CHANNELS - 1, bias = false), gelu, avg_pool(CHANNELS, stride = 1),
        flatten, linear(CHANNELS * CHANNELS), tanh, linear(CHANNELS + 1),
    }
}

network! {
    /// Maxima over whole maps, of constants too.
    struct GlobalMaxima([CHANNELS, SIDE, 5] -> [4]) {
        tanh, conv(CHANNELS, kernel = 2), global_max_pool, linear(7), residual { global_max_pool }, relu, linear(4),
    }
}

network! {
    /// Padding of every kind: first, behind a convolution, in a row, in a block, last.
    struct Padded([2, 3, 4] -> [3, 7, 9]) {
        pad((0, 1, 2, 0), reflect), conv(3, kernel = 2), tanh, pad(1), relu,
        residual { pad((1, 0, 0, 1), replicate), conv(3, kernel = 2) }, sigmoid,
        pad((1, 1, 1, 1), reflect), pad((0, 0, 0, 0)),
    }
}

network! {
    /// The same with numbers that the macro does not know.
    struct ConstPadded([1, CHANNELS, 4] -> [2, 6, 7]) {
        pad(CHANNELS - 2), conv(2, kernel = 3), silu, pad((CHANNELS - 2, 2, 1, CHANNELS - 1), replicate),
    }
}

network! {
    /// Upsampling of both kinds: first, behind a convolution, in a row, last.
    struct Upsampled([2, 3, 2] -> [3, 16, 18]) {
        upsample(2, bilinear), conv(3, kernel = (3, 2)), tanh, upsample((2, 1)), conv(3, kernel = 1), gelu,
        upsample((1, 3), bilinear), conv(3, kernel = (1, 1)), upsample(2),
    }
}

network! {
    /// Signals, and numbers that the macro does not know.
    struct Signals([CHANNELS, 1, 5] -> [2, 1, 9]) {
        conv1d(CHANNELS, kernel = 2), upsample1d(CHANNELS), pad1d((1, CHANNELS), reflect), tanh, conv1d(3, kernel = 8),
        upsample1d(2, bilinear), conv1d(2, kernel = 10), pad1d(0),
    }
}

network! {
    /// Factors and summands: of the input, in a row, in place and beside, in a block, of vectors, last.
    struct Scaled([3, 4, 3] -> [4]) {
        scale, bias, conv(3, kernel = 2), tanh, scale, residual { s: scale, b: bias }, bias, gelu, flatten,
        bias, linear(5), scale, sigmoid, linear(4), b2: bias, s2: scale,
    }
}

network! {
    /// Normalised as a whole: the input, maps, a vector, in a block; more elements than sums run side by side, and a rest.
    struct Normalised([2, 6, 5] -> [4]) {
        layer_norm, conv(3, kernel = 2), ln: layer_norm(epsilon = 1e-3), tanh,
        residual { layer_norm, conv(3, kernel = 1) }, flatten, layer_norm, linear(4), layer_norm,
    }
}

network! {
    /// With numbers that the macro does not know.
    struct ConstNormalised([CHANNELS, SIDE, CHANNELS] -> [2, SIDE, CHANNELS]) {
        scale, layer_norm(epsilon = SLOPE / 2.0), sigmoid, conv(CHANNELS - 1, kernel = 1), bias, layer_norm,
    }
}

network! {
    /// Dropout everywhere: of the input, in a row, between layers that are one step at inference, in a block, last.
    struct Dropped([2, 5, 4] -> [3]) {
        dropout(0.1), conv(6, kernel = 2), dropout(SLOPE * 4.0), dropout(0.2), relu, dropout(0.3), max_pool(2, floor),
        residual { dropout(0.5), conv(6, kernel = 1), dropout(0.25) }, sigmoid, flatten, dropout(0.5), linear(7), tanh, dropout(0.5),
        linear(3), dropout(0.0), dropout(0.2),
    }
}

/// Gradients with the masks held fixed, which are those of each sample wherever it stands; and none at inference.
#[test]
fn dropout() {
    type Net = Dropped<f64>;
    let mut rng = StdRng::seed_from_u64(11);
    let mut net = random::<Net>(&mut rng);
    let n = Net::MICRO_BATCH + 2;
    let (x, c): (Vec<_>, Vec<_>) =
        (0..n).map(|_| (*random::<Tensor<2, 5, 4, f64>>(&mut rng), *random::<Tensor<3, 1, 1, f64>>(&mut rng))).unzip();
    let masks = Masks::new(5).step(3);
    let mut grad = Net::zeroed_box();
    let loss = net.loss_and_grad_with(&x, &c, &Weighted, &mut grad, masks).unwrap();
    let (before, gradient) = (net.params().to_vec(), grad.params().to_vec());
    check("dropout", &mut before.clone(), &gradient, |at| {
        net.params_mut().copy_from_slice(at);
        net.loss_and_grad_with(&x, &c, &Weighted, &mut grad, masks).unwrap()
    });
    net.params_mut().copy_from_slice(&before);

    // Sample by sample, by the place in the batch.
    let mut sum = 0.0;
    for (i, (x, c)) in x.iter().zip(&c).enumerate() {
        let (x, c) = (core::slice::from_ref(x), core::slice::from_ref(c));
        sum += net.loss_and_grad_with(x, c, &Weighted, &mut grad, masks.skip(i as u64)).unwrap();
    }
    assert!((loss - sum / n as f64).abs() <= 1e-12 * (1.0 + loss.abs()), "{loss}, one by one {}", sum / n as f64);

    // Other steps and seeds draw others.
    let mut loss = |masks| net.loss_and_grad_with(&x, &c, &Weighted, &mut grad, masks).unwrap();
    assert_eq!(loss(masks), loss(masks));
    assert_ne!(loss(masks), loss(masks.step(4)));
    assert_ne!(loss(masks), loss(Masks::new(6).step(3)));
}

/// One layer, of which the mean over many masks is known.
#[test]
fn dropout_keeps_the_mean() {
    network! {
        struct One([1, 4, 5] -> [1, 4, 5]) { dropout(0.3) }
    }
    let mut rng = StdRng::seed_from_u64(12);
    let (x, c) = (*random::<Tensor<1, 4, 5, f64>>(&mut rng), *random::<Tensor<1, 4, 5, f64>>(&mut rng));
    let net = One::<f64>::zeroed_box();
    assert_eq!(Network::forward(&*net, &x, &mut <One<f64> as Network>::scratch()), x);
    let (mut grad, steps) = (One::<f64>::zeroed_box(), 20_000);
    let sum: f64 = (0..steps)
        .map(|step| net.loss_and_grad_with(&[x], &[c], &Weighted, &mut grad, Masks::new(1).step(step)).unwrap())
        .sum();
    // The variance of an element is x² · p / (1 − p).
    let variance: f64 = x.as_slice().iter().zip(c.as_slice()).map(|(x, c)| (x * c).powi(2) * 0.3 / 0.7).sum();
    let (mean, wanted) = (sum / steps as f64, Weighted.value(&x, &c));
    assert!((mean - wanted).abs() <= 4.0 * (variance / steps as f64).sqrt(), "{mean}, wanted {wanted}");
}

network! {
    /// Transposed convolutions: of the input, with everything that they take, depthwise, in a block, last.
    struct Transposed([2, 3, 2] -> [3, 11, 13]) {
        conv_transpose(4, kernel = (2, 3), stride = (2, 1), padding = (0, 1, 1, 0), output_padding = (1, 0)), tanh,
        conv_transpose(6, kernel = 3, stride = 2, padding = 1, output_padding = 1, groups = 2, bias = false), gelu,
        conv_transpose(6, kernel = 2, groups = depthwise), sigmoid,
        residual { conv_transpose(6, kernel = 3, padding = 1, dilation = 1) }, conv(5, kernel = (2, 1)),
        conv_transpose(3, kernel = (2, 3), dilation = (1, 3), output_padding = (0, 1), padding = (0, 2, 0, 1)),
    }
}

network! {
    /// With numbers that the macro does not know, and a signal.
    struct ConstTransposed([CHANNELS, 1, SIDE - 2] -> [2, 1, 23]) {
        conv_transpose1d(CHANNELS * 2, kernel = CHANNELS + 1, stride = CHANNELS - 1, padding = 1, groups = CHANNELS), relu,
        conv_transpose1d(2, kernel = CHANNELS, stride = CHANNELS - 1, output_padding = CHANNELS - 2, bias = false),
        pad1d((0, 1)),
    }
}

/// Each activation behind a convolution with pooling and behind a linear layer.
macro_rules! with_each_activation {
    ($($network:ident [$($activation:tt)+],)*) => {
        $(network! {
            struct $network([1, 5, 6] -> [3]) {
                conv(3, kernel = 2), $($activation)+, max_pool((2, 5)),
                conv(2, kernel = 1), $($activation)+, flatten,
                linear(4), $($activation)+, linear(3),
            }
        })*

        fn check_each_activation() {
            $(check_network::<$network<f64>>(7);)*
        }
    };
}

with_each_activation! {
    WithRelu [relu], WithRelu6 [relu6], WithLeakyRelu [leaky_relu(0.1)], WithElu [elu(1.0)], WithSigmoid [sigmoid],
    WithTanh [tanh], WithGelu [gelu], WithSilu [silu], WithHardSigmoid [hard_sigmoid], WithHardSwish [hard_swish],
    WithSoftplus [softplus],
}

#[test]
fn networks() {
    check_network::<EveryKind<f64>>(1);
    check_network::<KeepsItsInput<f64>>(2);
    check_network::<ReluAverage<f64>>(3);
    check_network::<Standalone<f64>>(4);
    check_network::<PaddedPools<f64>>(5);
    check_network::<SoftmaxInside<f64>>(6);
    check_network::<Expressions<f64>>(7);
    check_network::<GlobalMaxima<f64>>(8);
    check_network::<Padded<f64>>(9);
    check_network::<ConstPadded<f64>>(10);
    check_network::<Upsampled<f64>>(11);
    check_network::<Signals<f64>>(12);
    check_network::<Scaled<f64>>(13);
    check_network::<Normalised<f64>>(14);
    check_network::<ConstNormalised<f64>>(15);
    check_network::<Transposed<f64>>(16);
    check_network::<ConstTransposed<f64>>(17);
    check_network::<Branches<f64>>(18);
    check_each_activation();
}

/// The same with fewer instructions, each in a process of its own: the choice is made once in a process.
#[test]
fn on_other_instruction_sets() {
    if std::env::var_os("TENONET_SIMD").is_some() {
        return;
    }
    for simd in ["portable", "avx2"] {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "networks", "convolutions", "linear"])
            .env("TENONET_SIMD", simd)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(
            run.status.success() && text.contains("3 passed"),
            "{simd}: {text}{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
}
