//! Initialisation of weights.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::info::{Role, TensorInfo};
use crate::scalar::Scalar;

/// A distribution for the weights. `fan_in` is the number of inputs that one output sums, `fan_out` that of outputs that
/// one input reaches.
///
/// Biases start at zero unless a variant says otherwise; scales and variances at one, shifts and means at zero, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Init {
    /// Normal with variance `2 / fan_in`: keeps the variance through ReLUs (He et al. 2015, "Delving deep into rectifiers").
    #[default]
    HeNormal,
    /// Uniform on `±√(6 / fan_in)`: the same variance.
    HeUniform,
    /// Normal with variance `2 / (fan_in + fan_out)`, for tanh and linear layers (Glorot & Bengio 2010, "Understanding the
    /// difficulty of training deep feedforward neural networks").
    XavierNormal,
    /// Uniform on `±√(6 / (fan_in + fan_out))`: the same variance.
    XavierUniform,
    /// Uniform on `±1 / √fan_in`, for weights and for the biases of the same layer: what PyTorch's layers begin with. (But for transposed
    /// convolutions, for which PyTorch takes the outputs that an input reaches.)
    PyTorch,
}

impl Init {
    /// Fills a network's parameters, tensor by tensor in the order of `tensors`, which lie at their offsets in `params`.
    ///
    /// Elements are drawn in the order of memory: within a tensor they are alike, so the order does not matter. Draws are in double precision, so networks of `f32` and of `f64` begin alike. A tensor that reaches beyond `params` is left out.
    pub fn fill<T: Scalar, R: Rng + ?Sized>(self, tensors: &[TensorInfo], params: &mut [T], rng: &mut R) {
        // A bias follows the weight of its layer, or the scale of a normalisation, which sums no inputs.
        let mut layer_fan_in = None;
        for tensor in tensors {
            let Some(values) = params.get_mut(tensor.range()) else {
                continue;
            };
            match tensor.role {
                Role::Weight { fan_in, .. } => layer_fan_in = Some(fan_in),
                Role::Scale => layer_fan_in = None,
                Role::Bias | Role::Shift | Role::Mean | Role::Variance => {}
            }
            self.spread(tensor.role, layer_fan_in).fill(values, rng);
        }
    }

    /// Fills one tensor, as layers written by hand do for their weights.
    ///
    /// A bias alone does not tell its layer's `fan_in`: it is taken as 1, which matters to [`Init::PyTorch`] only.
    pub fn fill_tensor<T: Scalar, R: Rng + ?Sized>(self, role: Role, tensor: &mut [T], rng: &mut R) {
        self.spread(role, Some(1)).fill(tensor, rng);
    }

    /// The distribution of a tensor in a layer of this `fan_in`; `None` for a normalisation.
    fn spread(self, role: Role, layer_fan_in: Option<usize>) -> Spread {
        match role {
            Role::Weight { fan_in, fan_out } => self.weights(fan_in as f64, fan_out as f64),
            Role::Bias => layer_fan_in.map_or(Spread::All(0.0), |fan_in| self.biases(fan_in as f64)),
            Role::Shift | Role::Mean => Spread::All(0.0),
            Role::Scale | Role::Variance => Spread::All(1.0),
        }
    }

    fn weights(self, fan_in: f64, fan_out: f64) -> Spread {
        match self {
            Init::HeNormal => Spread::Normal { deviation: (2.0 / fan_in).sqrt() },
            Init::HeUniform => Spread::Uniform { bound: (6.0 / fan_in).sqrt() },
            Init::XavierNormal => Spread::Normal { deviation: (2.0 / (fan_in + fan_out)).sqrt() },
            Init::XavierUniform => Spread::Uniform { bound: (6.0 / (fan_in + fan_out)).sqrt() },
            Init::PyTorch => Spread::Uniform { bound: fan_in.sqrt().recip() },
        }
    }

    fn biases(self, fan_in: f64) -> Spread {
        match self {
            Init::PyTorch => Spread::Uniform { bound: fan_in.sqrt().recip() },
            _ => Spread::All(0.0),
        }
    }
}

/// A distribution around zero, or one value for all.
enum Spread {
    All(f64),
    Normal { deviation: f64 },
    Uniform { bound: f64 },
}

impl Spread {
    fn fill<T: Scalar, R: Rng + ?Sized>(self, values: &mut [T], rng: &mut R) {
        for value in values {
            let draw = match self {
                Spread::All(value) => value,
                Spread::Normal { deviation } => deviation * rng.sample::<f64, _>(StandardNormal),
                Spread::Uniform { bound } => bound * (2.0 * rng.random::<f64>() - 1.0),
            };
            *value = T::of(draw);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;
    use crate::info::MemoryOrder;

    const FAN_IN: usize = 50;
    const FAN_OUT: usize = 200;
    const LEN: usize = FAN_IN * FAN_OUT;
    const TENSORS: [TensorInfo; 2] = [
        TensorInfo {
            name: "fc.weight",
            shape: &[FAN_OUT, FAN_IN],
            memory: MemoryOrder::OutputsLast,
            offset: 0,
            role: Role::Weight { fan_in: FAN_IN, fan_out: FAN_OUT },
        },
        TensorInfo { name: "fc.bias", shape: &[FAN_OUT], memory: MemoryOrder::Same, offset: LEN, role: Role::Bias },
    ];

    fn filled(init: Init, seed: u64) -> Vec<f64> {
        let mut params = vec![f64::NAN; LEN + FAN_OUT];
        init.fill(&TENSORS, &mut params, &mut ChaCha8Rng::seed_from_u64(seed));
        params
    }

    /// Mean and variance of the weights, and the largest of them. Bounds are four standard errors of 10,000 draws.
    fn judge(init: Init, variance: f64, bound: Option<f64>) {
        let params = filled(init, 1);
        let (weights, biases) = params.split_at(LEN);
        let mean = weights.iter().sum::<f64>() / LEN as f64;
        let found = weights.iter().map(|w| w * w).sum::<f64>() / LEN as f64;
        assert!(mean.abs() < 4.0 * (variance / LEN as f64).sqrt(), "{init:?}: mean {mean}");
        assert!((found / variance - 1.0).abs() < 4.0 * (2.0 / LEN as f64).sqrt(), "{init:?}: {found} for {variance}");
        let largest = weights.iter().fold(0.0, |max: f64, w| max.max(w.abs()));
        match bound {
            Some(bound) => assert!(largest <= bound && largest > 0.99 * bound, "{init:?}: {largest} of {bound}"),
            None => assert!(largest > 3.0 * variance.sqrt(), "{init:?}: no tail"),
        }
        if init != Init::PyTorch {
            assert!(biases.iter().all(|&b| b == 0.0));
        }
    }

    #[test]
    fn variances_are_the_papers() {
        let (fan_in, sum) = (FAN_IN as f64, (FAN_IN + FAN_OUT) as f64);
        judge(Init::HeNormal, 2.0 / fan_in, None);
        judge(Init::HeUniform, 2.0 / fan_in, Some((6.0 / fan_in).sqrt()));
        judge(Init::XavierNormal, 2.0 / sum, None);
        judge(Init::XavierUniform, 2.0 / sum, Some((6.0 / sum).sqrt()));
        judge(Init::PyTorch, 1.0 / (3.0 * fan_in), Some(fan_in.sqrt().recip()));
    }

    #[test]
    fn pytorch_spreads_biases_by_their_weights() {
        let params = filled(Init::PyTorch, 2);
        let bound = (FAN_IN as f64).sqrt().recip();
        let biases = &params[LEN..];
        let largest = biases.iter().fold(0.0, |max: f64, b| max.max(b.abs()));
        assert!(largest <= bound && largest > 0.9 * bound, "{largest} of {bound}");
    }

    #[test]
    fn normalisations_begin_as_no_change() {
        let tensor = |offset, role| TensorInfo { name: "bn", shape: &[3], memory: MemoryOrder::Same, offset, role };
        let weight = Role::Weight { fan_in: 4, fan_out: 4 };
        let tensors = [weight, Role::Scale, Role::Bias, Role::Mean, Role::Variance, Role::Shift];
        let tensors: Vec<TensorInfo> = tensors.iter().enumerate().map(|(i, role)| tensor(3 * i, *role)).collect();
        for init in [Init::HeNormal, Init::PyTorch] {
            let mut values = [f64::NAN; 18];
            init.fill(&tensors, &mut values, &mut ChaCha8Rng::seed_from_u64(1));
            assert_eq!(values[3..], [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn single_and_double_precision_begin_alike() {
        let mut single = vec![0.0_f32; LEN + FAN_OUT];
        Init::HeNormal.fill(&TENSORS, &mut single, &mut ChaCha8Rng::seed_from_u64(3));
        let double = filled(Init::HeNormal, 3);
        assert!(single.iter().zip(&double).all(|(&s, &d)| s == d as f32));
        assert_ne!(double, filled(Init::HeNormal, 4));
    }

    #[test]
    fn a_slice_too_short_is_no_panic() {
        let mut params = [7.0_f32; 10];
        Init::HeNormal.fill(&TENSORS, &mut params, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(params, [7.0; 10]);
    }
}
