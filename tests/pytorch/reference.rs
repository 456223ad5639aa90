//! The stored tensors, and what it means to agree with them.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};
use tenonet::{Plain, Scalar};

/// The path of a file beside this one.
pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch").join(file)
}

/// A file of stored tensors.
pub(crate) struct Reference {
    file: String,
    bytes: Vec<u8>,
}

impl Reference {
    pub(crate) fn open(file: &str) -> Self {
        Reference { file: file.into(), bytes: fs::read(path(file)).unwrap() }
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).unwrap()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.tensors().names().into_iter().map(String::from).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors().tensor(name).is_ok()
    }

    /// The elements, whatever their type in the file.
    pub(crate) fn get(&self, name: &str) -> Vec<f64> {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap_or_else(|error| panic!("{}: {name}: {error}", self.file));
        let bytes = view.data();
        match view.dtype() {
            Dtype::U8 => bytes.iter().map(|&byte| f64::from(byte)).collect(),
            Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect(),
            Dtype::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
            other => panic!("{}: {name}: unexpected type {other:?}", self.file),
        }
    }

    /// The elements as a tensor or another plain value.
    pub(crate) fn read<T: Scalar, P: Plain<T>>(&self, name: &str) -> Box<P> {
        let mut value = P::zeroed_box();
        fill(value.flat_mut(), &self.get(name), name);
        value
    }
}

/// The case's parameters, or their gradients, in the order of memory: weight before bias, each where the case has it.
pub(crate) fn stored_params(reference: &Reference, case: &str, parts: [&str; 2]) -> Vec<f64> {
    let names = parts.iter().map(|part| format!("{case}.{part}")).filter(|name| reference.has(name));
    names.flat_map(|name| reference.get(&name)).collect()
}

/// `to ← from`, of equal length.
pub(crate) fn fill<T: Scalar>(to: &mut [T], from: &[f64], name: &str) {
    assert_eq!(to.len(), from.len(), "{name}: ours has another length than PyTorch's");
    for (to, &from) in to.iter_mut().zip(from) {
        *to = T::of(from);
    }
}

/// The largest difference that counts as agreement, relative to the largest magnitude.
pub(crate) fn tolerance<T: Scalar>() -> f64 {
    if T::DTYPE == "F64" { 1e-10 } else { 1e-5 }
}

/// That `ours` is `wanted` up to [`tolerance`].
#[track_caller]
pub(crate) fn agree<T: Scalar>(ours: &[T], wanted: &[f64], name: &str) {
    assert_eq!(ours.len(), wanted.len(), "{name}: ours has another length than PyTorch's");
    let largest = wanted.iter().fold(0.0f64, |largest, w| largest.max(w.abs()));
    for (i, (&ours, &wanted)) in ours.iter().zip(wanted).enumerate() {
        let ours = ours.as_f64();
        let error = (ours - wanted).abs() / largest.max(f64::MIN_POSITIVE);
        // Not `error > tolerance`: NaN must fail.
        assert!(
            error <= tolerance::<T>(),
            "{name} in {}: element {i} is {ours}, PyTorch's {wanted}: relative difference {error:e}",
            T::DTYPE
        );
    }
}
