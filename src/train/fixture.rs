//! A network written by hand, for tests of what stands above networks: a linear classifier in naive loops.

use crate::Scalar;
use crate::info::{LayerInfo, MemoryOrder, Role, TensorInfo};
use crate::kernels::dropout::Masks;
use crate::kernels::simd::Simd;
use crate::network::Network;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Inputs and classes of the classifier.
pub(crate) const INPUTS: usize = 4;
pub(crate) const CLASSES: usize = 3;
const WEIGHTS: usize = CLASSES * INPUTS;
const PARAMS: usize = WEIGHTS + CLASSES;

/// `y = W x + b`: the parameters are W column by column (`[input][class]`), then b. A tensor is plain already, so no unsafe code is needed.
pub(crate) type Linear<T = f32> = Tensor<PARAMS, 1, 1, T>;

impl<T: Scalar> Network for Tensor<PARAMS, 1, 1, T> {
    type Scalar = T;
    type Input = Tensor<INPUTS, 1, 1, T>;
    type Output = Tensor<CLASSES, 1, 1, T>;
    type Activations = [T; 0];
    type Tape = [T; 0];
    type Indices = [u8; 0];
    type Deltas = [T; 0];
    type TrainWork = [T; 0];

    const NAME: &'static str = "Linear";
    const THREAD_BYTES: usize = 0;
    // Small, so that a lane has several micro-batches.
    const MICRO_BATCH: usize = 4;
    const LAYERS: &'static [LayerInfo] = &[LayerInfo {
        name: "fc",
        kind: "linear",
        output: Shape::flat(CLASSES),
        params: PARAMS,
        macs: CLASSES * INPUTS,
    }];
    const TENSORS: &'static [TensorInfo] = &[
        TensorInfo {
            name: "fc.weight",
            shape: &[CLASSES, INPUTS],
            memory: MemoryOrder::OutputsLast,
            offset: 0,
            role: Role::Weight { fan_in: INPUTS, fan_out: CLASSES },
        },
        TensorInfo { name: "fc.bias", shape: &[CLASSES], memory: MemoryOrder::Same, offset: WEIGHTS, role: Role::Bias },
    ];

    fn infer<S: Simd<T>>(&self, _simd: S, x: &[Self::Input], y: &mut [Self::Output], _activations: &mut [[T; 0]]) {
        let (w, b) = self.as_slice().split_at(WEIGHTS);
        for (x, y) in x.iter().zip(y) {
            for (o, y) in y.as_mut_slice().iter_mut().enumerate() {
                *y = b[o] + x.as_slice().iter().zip(w[o..].iter().step_by(CLASSES)).map(|(&x, &w)| x * w).sum::<T>();
            }
        }
    }

    fn forward_tape<S: Simd<T>>(
        &self, simd: S, x: &[Self::Input], y: &mut [Self::Output], _tape: &mut [[T; 0]], _indices: &mut [[u8; 0]],
        _work: &mut [T; 0], _masks: Masks,
    ) {
        self.infer(simd, x, y, &mut []);
    }

    fn backward<S: Simd<T>>(
        &self, _simd: S, x: &[Self::Input], _y: &[Self::Output], dy: &mut [Self::Output], _tape: &mut [[T; 0]],
        _indices: &mut [[u8; 0]], grad: &mut Self, _deltas: &mut [[T; 0]], _work: &mut [T; 0], _share: T,
        _masks: Masks,
    ) {
        let (dw, db) = grad.as_mut_slice().split_at_mut(WEIGHTS);
        for (x, dy) in x.iter().zip(dy) {
            for (o, &dy) in dy.as_slice().iter().enumerate() {
                db[o] += dy;
                for (dw, &x) in dw[o..].iter_mut().step_by(CLASSES).zip(x.as_slice()) {
                    *dw += dy * x;
                }
            }
        }
    }
}

/// Points around three corners, a third of them each: inputs and classes, the same for the same seed.
pub(crate) fn points(count: usize, seed: u64) -> (Vec<Tensor<INPUTS>>, Vec<u8>) {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand::rngs::ChaCha8Rng::seed_from_u64(seed);
    let point = |class: usize, rng: &mut rand::rngs::ChaCha8Rng| {
        Tensor::from_fn(|i, _, _| (if i == class { 1.5 } else { 0.0 }) + rng.random::<f32>() - 0.5)
    };
    (0..count).map(|i| (point(i % CLASSES, &mut rng), (i % CLASSES) as u8)).unzip()
}
