//! Networks with blocks and batch normalisation: constants, gradients, and that inference and training agree.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tenonet::Role;
use tenonet::prelude::*;

network! {
    /// ResNet-8 for CIFAR-10, as in MLPerf Tiny.
    pub struct ResNet8([3, 32, 32] -> [10]) {
        conv1: conv(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        residual {
            conv2: conv(16, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
            conv3: conv(16, kernel = 3, padding = 1, bias = false), bn3: batch_norm,
        }, relu,
        residual {
            conv4: conv(32, kernel = 3, stride = 2, padding = 1, bias = false), bn4: batch_norm, relu,
            conv5: conv(32, kernel = 3, padding = 1, bias = false), bn5: batch_norm,
        } shortcut { skip1: conv(32, kernel = 1, stride = 2) }, relu,
        residual {
            conv6: conv(64, kernel = 3, stride = 2, padding = 1, bias = false), bn6: batch_norm, relu,
            conv7: conv(64, kernel = 3, padding = 1, bias = false), bn7: batch_norm,
        } shortcut { skip2: conv(64, kernel = 1, stride = 2) }, relu,
        avg_pool(8), flatten,
        fc: linear(10),
    }
}

network! {
    /// One block of MobileNet, with its sizes as constants.
    pub struct Separable([SIDE / 2, SIDE, SIDE] -> [4]) {
        depth: conv(SIDE / 2, kernel = 3, stride = 2, padding = 1, groups = depthwise, bias = false),
        depth_bn: batch_norm(epsilon = EPSILON), relu6,
        point: conv(WIDTH, kernel = 1, bias = false), point_bn: batch_norm, tanh,
        block: residual { again: conv(WIDTH, kernel = 3, padding = same), silu },
        max_pool(2), flatten,
        fc: linear(4), softmax,
    }
}

const SIDE: usize = 8;
const WIDTH: usize = 6;
const EPSILON: f64 = 1e-3;

network! {
    /// The same with literals.
    pub struct Literal([4, 8, 8] -> [4]) {
        depth: conv(4, kernel = 3, stride = 2, padding = 1, groups = depthwise, bias = false),
        depth_bn: batch_norm(epsilon = 1e-3), relu6,
        point: conv(6, kernel = 1, bias = false), point_bn: batch_norm, tanh,
        block: residual { again: conv(6, kernel = 3, padding = same), silu },
        max_pool(2), flatten,
        fc: linear(4), softmax,
    }
}

network! {
    /// Everything that a sum can stand behind and before.
    pub struct Knots([3, 6, 6] -> [8, 3, 3]) {
        // The input is read twice, by a convolution and by the sum.
        residual { a: conv(3, kernel = 3, padding = 1), tanh }, sigmoid,
        // The sum is fused with the convolution, the activation in the block reads what the sum reads.
        residual { silu, b: conv(3, kernel = 1), b_bn: batch_norm },
        // A block in a block, with an activation that is no function of its output alone.
        residual {
            c: conv(5, kernel = 3, padding = 1), c_bn: batch_norm, softplus,
            residual { gelu } shortcut { d: conv(5, kernel = 1) }, gelu,
            softmax,
        } shortcut { e: conv(5, kernel = 1, bias = false), e_bn: batch_norm, tanh },
        // The block's end is a sum, the network's another one.
        avg_pool(2),
        f: conv(8, kernel = 1),
        residual { residual { g: conv(8, kernel = 3, padding = 1), tanh } },
    }
}

network! {
    /// Vectors.
    pub struct Vectors([7] -> [5]) {
        bn0: batch_norm, fc1: linear(6), bn1: batch_norm, tanh,
        residual { fc2: linear(6), bn2: batch_norm, sigmoid, fc3: linear(6) } , hard_sigmoid,
        residual { fc4: linear(5) } shortcut { fc5: linear(5, bias = false), bn5: batch_norm }, flatten, tanh,
    }
}

network! {
    /// A block, with a constant.
    struct Block([4, SIDE, SIDE] -> [4, SIDE, SIDE]) {
        residual { conv: conv(SIDE / 2, kernel = 3, padding = 1, bias = false), bn: batch_norm(epsilon = 1e-3) }, elu,
    }
}

network! {
    /// Ends in a vector.
    struct Head([4, 4, 4] -> [3]) { conv: conv(5, kernel = 4), relu, flatten, fc: linear(3) }
}

network! {
    /// Networks within: first, in repetitions, as a branch, last.
    pub struct Nested([4, 8, 8] -> [6]) {
        first: net(Block),
        stage: repeat(2) { block: net(Block), tanh },
        max_pool(2),
        concat { { one: net(Head) }, { net(Head) } },
    }
}

network! {
    /// The same written out.
    pub struct Unnested([4, 8, 8] -> [6]) {
        residual { conv1: conv(4, kernel = 3, padding = 1, bias = false), bn1: batch_norm(epsilon = 1e-3) }, elu,
        residual { conv2: conv(4, kernel = 3, padding = 1, bias = false), bn2: batch_norm(epsilon = 1e-3) }, elu, tanh,
        residual { conv3: conv(4, kernel = 3, padding = 1, bias = false), bn3: batch_norm(epsilon = 1e-3) }, elu, tanh,
        max_pool(2),
        concat {
            { conv4: conv(5, kernel = 4), relu, flatten, fc1: linear(3) },
            { conv5: conv(5, kernel = 4), relu, flatten, fc2: linear(3) },
        },
    }
}

network! {
    /// Repetitions in repetitions, in a block and around blocks.
    pub struct Repeated([3, 8, 8] -> [4]) {
        conv(4, kernel = 1),
        stage: repeat(2) {
            residual { repeat(2) { c: conv(4, kernel = (1, 3), padding = (0, 1)), bn: batch_norm, tanh } }, silu,
            down: conv(4, kernel = 2),
        },
        repeat(3) { d: conv(SIDE / 2, kernel = 2), softplus },
        global_avg_pool,
        repeat(2) { fc: linear(4) },
    }
}

network! {
    /// The same written out.
    pub struct WrittenOut([3, 8, 8] -> [4]) {
        conv(4, kernel = 1),
        residual {
            c1: conv(4, kernel = (1, 3), padding = (0, 1)), bn1: batch_norm, tanh, c2: conv(4, kernel = (1, 3), padding = (0, 1)), bn2: batch_norm, tanh,
        }, silu,
        down1: conv(4, kernel = 2),
        residual {
            c3: conv(4, kernel = (1, 3), padding = (0, 1)), bn3: batch_norm, tanh, c4: conv(4, kernel = (1, 3), padding = (0, 1)), bn4: batch_norm, tanh,
        }, silu,
        down2: conv(4, kernel = 2),
        d1: conv(4, kernel = 2), softplus, d2: conv(4, kernel = 2), softplus, d3: conv(4, kernel = 2), softplus,
        global_avg_pool,
        fc1: linear(4), fc2: linear(4),
    }
}

network! {
    /// Everything that branches can begin and end with.
    pub struct Branches([2, 6, 6] -> [15, 2, 2]) {
        // The input itself, a convolution of it, a pooling.
        concat { {}, { a: conv(3, kernel = 3, padding = 1), tanh }, { max_pool(3, stride = 1, padding = 1) } },
        // What comes behind normalises all branches.
        bn: batch_norm, silu,
        // The first branch is the input, which others read too; a block, and branches in a branch.
        concat {
            {},
            { residual { b: conv(7, kernel = 1), b_bn: batch_norm } },
            { concat { { c: conv(1, kernel = 1), gelu }, { d: conv(2, kernel = (1, 3), padding = (0, 1)) } }, softplus },
            { e: conv(4, kernel = 3, padding = 1), e_bn: batch_norm, sigmoid },
        },
        // A sum of joined maps, one of them of a shortcut.
        residual { concat { { f: conv(2, kernel = 1) }, { softmax, g: conv(1, kernel = 1) } } }
            shortcut { concat { { h: conv(1, kernel = 1) }, { i: conv(2, kernel = 1) } } },
        // The same twice, and the network's output is a joined map.
        concat { { conv(6, kernel = 3, stride = 2) }, { avg_pool(2, stride = 3, floor) }, { j: conv(6, kernel = 2, stride = 4), relu } },
    }
}

network! {
    /// Vectors that are joined, and sizes that only the compiler knows.
    pub struct Vectorial([SIDE / 4, SIDE - 2, SIDE - 2] -> [WIDTH + 7]) {
        dense: repeat(2) { concat { {}, { c: conv(SIDE / 4, kernel = 3, padding = same), tanh } } },
        concat { { avg_pool(2), conv(1, kernel = 1), flatten }, { global_avg_pool, repeat(1) { fc: linear(WIDTH) }, silu } },
        concat { { one: linear(4) }, { two: linear(WIDTH), tanh }, { three: linear(3), batch_norm, softmax } },
    }
}

network! {
    /// Branches by hand below.
    pub struct Inception([2, 5, 4] -> [9, 5, 4]) {
        concat { { one: conv(3, kernel = 1), relu }, {}, { three: conv(4, kernel = 3, padding = 1), tanh } },
    }
}

network! {
    /// Branches by hand below: all that ends in a convolution, and beside it what does not. `SIDE` is known to the compiler alone.
    pub struct Slices([16, 6, SIDE] -> [119, 6, 8]) {
        concat {
            { one: conv(17, kernel = 1), one_bn: batch_norm, relu },
            {},
            { three: conv(32, kernel = 3, padding = 1), dropout(0.5) },
            { depth: conv(16, kernel = 3, padding = 1, groups = depthwise), relu6 },
            { half: conv(6, kernel = 2, stride = 2), up: conv_transpose(5, kernel = 2, stride = 2), tanh },
            { sum: residual { same: conv(16, kernel = 3, padding = 1, bias = false) } },
            { pooled: conv(3, kernel = 1), max_pool(1) },
            { narrow: conv(7, kernel = 1), wide: conv(SIDE + 6, kernel = (1, 3), padding = (0, 1), groups = 7), sigmoid },
        },
    }
}

network! {
    /// Maps so large that training takes a batch of five by one, two and three inputs at a time.
    pub struct Wide([1, 96, 160] -> [2]) {
        bn0: batch_norm,
        a: conv(2, kernel = 3, padding = 1), bn1: batch_norm, tanh,
        residual { b: conv(3, kernel = 1), bn2: batch_norm, tanh } shortcut { c: conv(3, kernel = 3, padding = 1, bias = false), bn3: batch_norm },
        max_pool(4), d: conv(2, kernel = 3), bn4: batch_norm, silu,
        global_avg_pool, fc: linear(2),
    }
}

network! {
    /// The largest step is a pointwise convolution with a normalisation behind it.
    pub struct Mixed([2, 6, 6] -> [3]) {
        conv(8, kernel = 3, padding = 1), relu,
        conv(16, kernel = 1, bias = false), batch_norm, relu,
        global_avg_pool, linear(3),
    }
}

network! {
    /// By hand below.
    pub struct Hand([2, 4, 4] -> [3, 4, 4]) {
        one: conv(3, kernel = 3, padding = 1), relu,
        residual { two: conv(3, kernel = 3, padding = 1), relu, three: conv(3, kernel = 1) }, relu,
    }
}

#[test]
fn constants() {
    assert_eq!((ResNet8::PARAMS, ResNet8::MACS), (77_946, 12_501_632));
    assert_eq!(<ResNet8 as Network>::STATISTICS, 480);
    assert_eq!(ResNet8::WEIGHT_BYTES, 4 * (77_946 + 480));
    // The largest step reads two maps of 16×32×32 and leaves its sum where one of them was. Beside them are the factors of its normalisation.
    const { assert!(ResNet8::SCRATCH_BYTES <= 4 * (2 * 16 * 32 * 32 + 64)) };
    assert_eq!((Separable::PARAMS, Separable::MACS), (Literal::PARAMS, Literal::MACS));
    // What arrives, in pixels, and the joined map, into which both convolutions are written; whole lines of the cache.
    assert_eq!(Inception::SCRATCH_BYTES, usize::next_multiple_of(4 * (2 + 9) * 5 * 4, 64));
    // Two maps, and nothing beside them.
    assert_eq!(Mixed::SCRATCH_BYTES, 4 * (8 + 16) * 6 * 6);
    let joined = Inception::LAYERS[4];
    assert_eq!((joined.name, joined.kind, joined.output.c, joined.params), ("concat_4", "concat", 9, 0));
}

/// Random everywhere, variances positive.
fn random<N: Network<Scalar = f64>>(rng: &mut StdRng) -> Box<N> {
    let mut net = N::zeroed_box();
    net.flat_mut().fill_with(|| rng.random_range(-0.7..0.7));
    for tensor in N::TENSORS.iter().filter(|tensor| matches!(tensor.role, Role::Variance | Role::Scale)) {
        net.flat_mut()[tensor.range()].fill_with(|| rng.random_range(0.5..1.5));
    }
    net
}

fn inputs<X: Plain<f64> + Clone>(rng: &mut StdRng, n: usize) -> Vec<X> {
    (0..n)
        .map(|_| {
            let mut x = X::ZERO;
            x.flat_mut().fill_with(|| rng.random_range(-1.0..1.0));
            x
        })
        .collect()
}

/// A network, a batch that is one micro-batch, and the gradient of its loss.
struct Case<N: Network> {
    rng: StdRng,
    net: Box<N>,
    x: Vec<N::Input>,
    targets: Vec<N::Output>,
    grad: Box<N>,
}

fn case<N: Network<Scalar = f64>>(seed: u64) -> Case<N>
where
    SquaredError: Loss<N::Output, N::Output>,
    N::Output: Sync,
{
    let mut rng = StdRng::seed_from_u64(seed);
    let net = random::<N>(&mut rng);
    let (x, targets) = (inputs::<N::Input>(&mut rng, 5), inputs::<N::Output>(&mut rng, 5));
    assert!(x.len() <= N::MICRO_BATCH);
    let mut grad = N::zeroed_box();
    net.loss_and_grad(&x, &targets, &SquaredError, &mut grad).unwrap();
    Case { rng, net, x, targets, grad }
}

/// Gradients by all parameters against central differences.
fn check_gradient<N: Network<Scalar = f64>>()
where
    SquaredError: Loss<N::Output, N::Output>,
    N::Output: Sync,
{
    const STEP: f64 = 1e-5;
    let Case { mut net, x, targets, mut grad, .. } = case::<N>(3);
    let gradient = grad.params().to_vec();
    let numeric: Vec<f64> = (0..N::PARAMS)
        .map(|i| {
            let here = net.params()[i];
            let mut at = |value: f64| {
                net.params_mut()[i] = value;
                net.loss_and_grad(&x, &targets, &SquaredError, &mut grad).unwrap()
            };
            let difference = (at(here + STEP) - at(here - STEP)) / (2.0 * STEP);
            at(here);
            difference
        })
        .collect();
    let largest = numeric.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
    for tensor in N::TENSORS.iter().filter(|tensor| tensor.range().end <= N::PARAMS) {
        for i in tensor.range() {
            let (found, wanted) = (gradient[i], numeric[i]);
            let error = (found - wanted).abs() / wanted.abs().max(found.abs()).max(1e-3 * largest);
            assert!(error <= 2e-6, "{}: {}[{i}]: {found}, differences {wanted}", N::NAME, tensor.name);
        }
    }
}

/// As [`check_gradient`], along some directions: for networks whose every step is slow.
fn check_along<N: Network<Scalar = f64>>()
where
    SquaredError: Loss<N::Output, N::Output>,
    N::Output: Sync,
{
    const STEP: f64 = 1e-6;
    let Case { mut rng, mut net, x, targets, mut grad } = case::<N>(6);
    let (gradient, here) = (grad.params().to_vec(), net.params().to_vec());
    for _ in 0..4 {
        let direction: Vec<f64> = here.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut at = |step: f64| {
            for (value, (here, direction)) in net.params_mut().iter_mut().zip(here.iter().zip(&direction)) {
                *value = here + step * direction;
            }
            net.loss_and_grad(&x, &targets, &SquaredError, &mut grad).unwrap()
        };
        let wanted = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let found: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let error = (found - wanted).abs() / wanted.abs().max(1e-3);
        assert!(error <= 2e-6, "{}: {found}, differences {wanted}", N::NAME);
    }
}

/// A test for each network, so that they share the cores.
mod gradients {
    use super::*;

    #[test]
    fn knots() {
        check_gradient::<Knots<f64>>();
    }

    #[test]
    fn vectors() {
        check_gradient::<Vectors<f64>>();
    }

    #[test]
    fn literal() {
        check_gradient::<Literal<f64>>();
    }

    #[test]
    fn separable() {
        check_gradient::<Separable<f64>>();
    }

    #[test]
    fn repeated() {
        check_gradient::<Repeated<f64>>();
    }

    #[test]
    fn nested() {
        check_gradient::<Nested<f64>>();
    }

    #[test]
    fn branches() {
        check_gradient::<Branches<f64>>();
    }

    #[test]
    fn vectorial() {
        check_gradient::<Vectorial<f64>>();
    }

    #[test]
    fn wide() {
        check_along::<Wide<f64>>();
    }
}

/// With the statistics of a batch as the running ones, inference yields what training does.
fn check_inference<N: Network<Scalar = f64>>()
where
    SquaredError: Loss<N::Output, N::Output>,
    N::Output: Sync,
{
    let mut rng = StdRng::seed_from_u64(4);
    let mut net = random::<N>(&mut rng);
    // The statistics are those of a micro-batch.
    let n = N::MICRO_BATCH.min(6);
    let (x, targets) = (inputs::<N::Input>(&mut rng, n), inputs::<N::Output>(&mut rng, n));
    let mut grad = N::zeroed_box();
    let loss = net.loss_and_grad(&x, &targets, &SquaredError, &mut grad).unwrap();
    for (index, tensor) in N::TENSORS.iter().enumerate().filter(|(_, tensor)| tensor.role == Role::Variance) {
        let mean = &N::TENSORS[index - 1];
        assert_eq!(mean.role, Role::Mean);
        net.flat_mut()[mean.range()].copy_from_slice(&grad.flat()[mean.range()]);
        // Running variances are without bias, those of the batch are not: n − 1 of n.
        let layer = N::LAYERS.iter().find(|layer| tensor.name == format!("{}.running_var", layer.name)).unwrap();
        let n = (x.len() * layer.output.h * layer.output.w) as f64;
        for i in tensor.range() {
            net.flat_mut()[i] = grad.flat()[i] * (n - 1.0) / n;
        }
    }
    let mut scratch = N::scratch();
    let mut sum = 0.0;
    for (x, target) in x.iter().zip(&targets) {
        let y = net.forward(x, &mut scratch);
        sum += SquaredError.value_and_grad(&y, target, &mut y.clone());
    }
    let mean = sum / x.len() as f64;
    assert!((mean - loss).abs() <= 1e-9 * loss, "{}: {mean}, in training {loss}", N::NAME);
}

#[test]
fn inference_is_training_with_running_statistics() {
    check_inference::<Knots<f64>>();
    check_inference::<Vectors<f64>>();
    check_inference::<Literal<f64>>();
    check_inference::<Separable<f64>>();
    check_inference::<Repeated<f64>>();
    check_inference::<Nested<f64>>();
    check_inference::<Branches<f64>>();
    check_inference::<Vectorial<f64>>();
    check_inference::<ResNet8<f64>>();
    check_inference::<Wide<f64>>();
    check_inference::<InPlace<f64>>();
}

network! {
    /// Sums and pooled rows that take the place of what they are made of: channel by channel in parts of a row that overlap, by Winograd's tiles, and by others.
    struct InPlace([3, 23, 11] -> [4]) {
        conv(16, kernel = 1),
        residual { conv(16, kernel = 1), relu, conv(16, kernel = 3, padding = 1, groups = depthwise) },
        residual { conv(16, kernel = 1), relu, conv(16, kernel = 3, padding = 1) }, relu,
        conv(32, kernel = 3, padding = 1), batch_norm, silu, avg_pool(2, floor),
        conv(12, kernel = 2), relu, max_pool((2, 1)),
        flatten, linear(4),
    }
}

/// With the same elements they yield the same.
fn check_same<M: Network<Scalar = f64>, N: Network<Scalar = f64, Input = M::Input, Output = M::Output>>()
where
    M::Output: PartialEq + std::fmt::Debug,
{
    let mut rng = StdRng::seed_from_u64(5);
    let one = random::<M>(&mut rng);
    let mut other = N::zeroed_box();
    other.flat_mut().copy_from_slice(one.flat());
    for x in inputs::<M::Input>(&mut rng, 3) {
        assert_eq!(one.forward(&x, &mut M::scratch()), other.forward(&x, &mut N::scratch()));
    }
}

#[test]
fn constants_and_literals_are_one_network() {
    check_same::<Literal<f64>, Separable<f64>>();
}

#[test]
fn repetitions_are_layers() {
    check_same::<Repeated<f64>, WrittenOut<f64>>();
    assert_eq!(Repeated::MACS, WrittenOut::MACS);
    let names: Vec<&str> = Repeated::TENSORS.iter().map(|tensor| tensor.name).collect();
    assert_eq!(names[..4], ["conv_0.weight", "conv_0.bias", "stage_1_c_1.weight", "stage_1_c_1.bias"]);
    assert!(names.contains(&"stage_2_bn_2.running_mean") && names.contains(&"fc_2.bias"));
}

#[test]
fn networks_within_are_layers() {
    check_same::<Nested<f64>, Unnested<f64>>();
    assert_eq!((Nested::PARAMS, Nested::STATISTICS), (Unnested::PARAMS, Unnested::STATISTICS));
    assert_eq!((Nested::MACS, Nested::SCRATCH_BYTES), (Unnested::MACS, Unnested::SCRATCH_BYTES));
    let names: Vec<&str> = Nested::TENSORS.iter().map(|tensor| tensor.name).collect();
    assert_eq!(names[..4], ["first.conv.weight", "first.bn.weight", "first.bn.bias", "stage_1_block.conv.weight"]);
    assert!(names.contains(&"net_7.fc.bias") && names.contains(&"stage_2_block.bn.running_var"));
}

#[test]
fn parts_are_networks() {
    let mut rng = StdRng::seed_from_u64(8);
    let (whole, mut block) = (random::<Nested<f64>>(&mut rng), <Block<f64>>::zeroed_box());
    whole.copy_part_to("stage_2_block", &mut *block).unwrap();
    assert_eq!(block.conv.weight, whole.stage_2_block.conv.weight);
    assert_eq!(block.bn.bias, whole.stage_2_block.bn.bias);
    assert_eq!(block.statistics.bn.variance, whole.statistics.stage_2_block.bn.variance);

    let mut other = random::<Nested<f64>>(&mut rng);
    let before = other.flat().to_vec();
    other.copy_part_from("first", &*block).unwrap();
    assert_eq!(other.first.conv.weight, block.conv.weight);
    assert_eq!(other.statistics.first.bn.mean, block.statistics.bn.mean);
    let changed = other.flat().iter().zip(&before).filter(|(now, before)| now != before).count();
    assert_eq!(changed, <Block<f64> as Plain<f64>>::LEN);

    let before = other.flat().to_vec();
    let told = |error: tenonet::PartError<'_>| error.to_string();
    assert_eq!(
        told(other.copy_part_from("second", &*block).unwrap_err()),
        "`second` in Nested is no Block: it has no tensor `conv.weight`"
    );
    assert_eq!(
        told(other.copy_part_from("one", &*<Other<f64>>::zeroed_box()).unwrap_err()),
        "`one` in Nested is no Other: its `conv.weight` is [5, 4, 4, 4], wanted [4, 4, 4, 4]"
    );
    let short = random::<Short<f64>>(&mut rng);
    assert_eq!(
        told(other.copy_part_from("one", &*short).unwrap_err()),
        "`one` in Nested is no Short: `one.fc.weight` is not in that"
    );
    assert_eq!(other.flat(), before);
}

network! {
    /// Unlike [`Head`] in one shape.
    struct Other([4, 4, 4] -> [3]) { conv: conv(4, kernel = 4), flatten, fc: linear(3) }
}

network! {
    /// Unlike [`Head`] in what is there.
    struct Short([4, 4, 4] -> [5]) { conv: conv(5, kernel = 4), flatten }
}

network! {
    /// All that takes a `batch_norm` behind it, and all that cannot.
    #[folded(FoldableInference)]
    #[derive(Clone)]
    pub struct Foldable([SIDE / 2, 4, 4] -> [6]) {
        before: batch_norm,
        conv1: conv(8, kernel = 3, padding = 1, groups = 2, bias = false), bn1: batch_norm(epsilon = 1e-2), relu,
        conv2: conv(8, kernel = (1, 3), padding = same, groups = depthwise), bn2: batch_norm, tanh,
        repeat(2) { residual { conv: conv(8, kernel = 1), bn: batch_norm } },
        repeat(2) { bn3: batch_norm, silu, conv3: conv(8, kernel = 1) },
        read_twice: conv(4, kernel = 1),
        concat { { bn4: batch_norm }, { avg_pool(3, stride = 1, padding = 1) } },
        up: conv_transpose(6, kernel = 2, stride = 2, groups = 2), bn5: batch_norm, max_pool(2),
        pair: net(Normed),
        flatten, fc1: linear(7, bias = false), bn6: batch_norm, relu,
        fc2: linear(6), bn7: batch_norm,
    }
}

network! {
    /// Its first normalisation is of what arrives, and is taken by nobody.
    struct Normed([6, 4, 4] -> [6, 4, 4]) { first: batch_norm, conv: conv(6, kernel = 1), bn: batch_norm }
}

#[test]
fn folded_networks_yield_the_same() {
    let mut rng = StdRng::seed_from_u64(9);
    let net = random::<Foldable<f64>>(&mut rng);
    let folded = net.folded();
    assert_eq!((FoldableInference::STATISTICS, FoldableInference::MACS - Foldable::MACS), (0, (4 + 8 + 4 + 6) * 16));
    let norms: Vec<&str> = FoldableInference::LAYERS.iter().map(|layer| layer.name).collect();
    for name in ["before", "bn3_1", "bn4", "pair.first"] {
        assert!(norms.contains(&name), "{name} of {norms:?}");
    }
    for name in ["bn1", "bn2", "bn_1", "bn3_2", "bn5", "pair.bn", "bn6", "bn7"] {
        assert!(!norms.contains(&name), "{name} of {norms:?}");
    }
    for x in inputs::<<Foldable<f64> as Network>::Input>(&mut rng, 5) {
        let wanted = Network::forward(&*net, &x, &mut <Foldable<f64> as Network>::scratch());
        let got = Network::forward(&*folded, &x, &mut <FoldableInference<f64> as Network>::scratch());
        for (got, wanted) in got.as_slice().iter().zip(wanted.as_slice()) {
            assert!((got - wanted).abs() <= 1e-12 * (1.0 + wanted.abs()), "{got} against {wanted}");
        }
    }
}

#[test]
fn by_hand() {
    let mut rng = StdRng::seed_from_u64(6);
    let net = random::<Hand<f64>>(&mut rng);
    for x in inputs::<Tensor<2, 4, 4, f64>>(&mut rng, 3) {
        let y = Network::forward(&*net, &x, &mut <Hand<f64> as Network>::scratch());
        let a: Tensor<3, 4, 4, f64> = Relu.forward(&net.one.forward(&x));
        let b: Tensor<3, 4, 4, f64> = Relu.forward(&net.two.forward(&a));
        let c: Tensor<3, 4, 4, f64> = net.three.forward(&b);
        for ((y, c), a) in y.as_slice().iter().zip(c.as_slice()).zip(a.as_slice()) {
            assert!((y - (c + a).max(0.0)).abs() < 1e-12);
        }
    }
}

#[test]
fn branches_by_hand() {
    let mut rng = StdRng::seed_from_u64(7);
    let net = random::<Inception<f64>>(&mut rng);
    for x in inputs::<Tensor<2, 5, 4, f64>>(&mut rng, 3) {
        let y = Network::forward(&*net, &x, &mut <Inception<f64> as Network>::scratch());
        let one: Tensor<3, 5, 4, f64> = Relu.forward(&net.one.forward(&x));
        let three: Tensor<4, 5, 4, f64> = Tanh.forward(&net.three.forward(&x));
        // In planes, a joined map is one branch behind the other.
        let joined = [one.as_slice(), x.as_slice(), three.as_slice()].concat();
        assert!(y.as_slice().iter().zip(&joined).all(|(y, wanted)| (y - wanted).abs() < 1e-12));
    }
}

#[test]
fn slices_by_hand() {
    let mut rng = StdRng::seed_from_u64(10);
    let net = random::<Slices<f64>>(&mut rng);
    let x = inputs::<Tensor<16, 6, 8, f64>>(&mut rng, 3);
    let mut batch = vec![<Slices<f64> as Network>::Output::ZERO; x.len()];
    Network::forward_batch(&*net, &x, &mut batch).unwrap();
    for (x, batch) in x.iter().zip(&batch) {
        let y = Network::forward(&*net, x, &mut <Slices<f64> as Network>::scratch());
        assert_eq!(y, *batch);
        let one: Tensor<17, 6, 8, f64> = net.one_bn.forward(&net.statistics.one_bn, 1e-5, &net.one.forward(x));
        let one: Tensor<17, 6, 8, f64> = Relu.forward(&one);
        let three: Tensor<32, 6, 8, f64> = net.three.forward(x);
        let depth: Tensor<16, 6, 8, f64> = Relu6.forward(&net.depth.forward(x));
        let half: Tensor<6, 3, 4, f64> = net.half.forward(x);
        let up: Tensor<5, 6, 8, f64> = Tanh.forward(&net.up.forward(&half));
        let same: Tensor<16, 6, 8, f64> = net.same.forward(x);
        let sum: Vec<f64> = same.as_slice().iter().zip(x.as_slice()).map(|(same, x)| same + x).collect();
        let pooled: Tensor<3, 6, 8, f64> = net.pooled.forward(x);
        let narrow: Tensor<7, 6, 8, f64> = net.narrow.forward(x);
        let wide: Tensor<14, 6, 8, f64> = Sigmoid.forward(&net.wide.forward(&narrow));
        let [one, x, three, depth] = [one.as_slice(), x.as_slice(), three.as_slice(), depth.as_slice()];
        let joined = [one, x, three, depth, up.as_slice(), &sum, pooled.as_slice(), wide.as_slice()].concat();
        assert_eq!(y.as_slice().len(), joined.len());
        for (i, (y, wanted)) in y.as_slice().iter().zip(&joined).enumerate() {
            assert!((y - wanted).abs() < 1e-12, "{i}: {y}, by hand {wanted}");
        }
    }
}
