//! The stored tensors, and what it means to agree with them.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};
use tenonet::{MemoryOrder, Plain, Role, Scalar, TensorInfo};

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

    /// The table of a layer's parameters, as a network has one: those that the case has. `orders`: how weight and bias lie in memory.
    pub(crate) fn layer_tensors(&self, case: &str, orders: [MemoryOrder; 2]) -> Vec<TensorInfo> {
        let (role, mut offset) = (Role::Bias, 0);
        let mut tensors = Vec::new();
        for (name, memory) in ["weight", "bias"].into_iter().zip(orders) {
            if let Ok(stored) = self.tensors().tensor(&format!("{case}.{name}")) {
                let info = TensorInfo { name, shape: stored.shape().to_vec().leak(), memory, offset, role };
                offset += info.len();
                tensors.push(info);
            }
        }
        tensors
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

/// `params ←` the stored tensors that `stored` finds by their names.
pub(crate) fn fill_params<T: Scalar>(tensors: &[TensorInfo], params: &mut [T], stored: impl Fn(&str) -> Vec<f64>) {
    for tensor in tensors {
        let mut file = vec![T::zero(); tensor.len()];
        fill(&mut file, &stored(tensor.name), tensor.name);
        tensor.copy_from_file_order(&file, &mut params[tensor.range()]);
    }
}

/// That parameters, or their gradients, are the stored tensors that `stored` finds by their names.
#[track_caller]
pub(crate) fn agree_params<T: Scalar>(
    tensors: &[TensorInfo], params: &[T], stored: impl Fn(&str) -> Vec<f64>, what: &str,
) {
    assert_eq!(params.len(), tensors.iter().map(TensorInfo::len).sum::<usize>(), "{what}");
    for tensor in tensors {
        let mut file = vec![T::zero(); tensor.len()];
        tensor.copy_to_file_order(&params[tensor.range()], &mut file);
        agree(&file, &stored(tensor.name), &format!("{what}, {}", tensor.name));
    }
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
