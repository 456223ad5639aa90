//! Weight files: safetensors in and out, under the names of the declaration.
//!
//! A file holds one tensor for each of `Network::TENSORS`, in PyTorch's shapes and order of elements, of the network's element type; the
//! order in memory is another ([`MemoryOrder`](crate::MemoryOrder)), so reading and writing permute. A file
//! that differs in anything is refused, with a message that names the file, the tensor, what was found and what was wanted. Files are
//! written under a temporary name beside the wanted one and renamed, so there is never half a file.
//!
//! The methods are on [`Network`](crate::Network): `save`, `load`, `load_from`, `to_bytes`, `from_bytes`.

use std::path::Path;

use crate::atomic;
use crate::info::TensorInfo;
use crate::scalar::Scalar;

mod error;
mod read;
mod write;

pub use error::WeightsError;
pub(crate) use read::Source;
pub(crate) use write::Entry;

/// Writes entries to a file, atomically.
pub(crate) fn write_file<T: Scalar>(
    path: &Path, entries: &[Entry<'_, T>], note: Option<(&str, String)>,
) -> Result<(), WeightsError> {
    let header = write::header(entries, note);
    atomic::write(path, |out| write::document(out, header?, entries))
        .map_err(|source| WeightsError::Write { path: path.into(), source })
}

/// The tensors of a network's parameters, to be written.
pub(crate) fn entries<'a, T: Scalar>(tensors: &'a [TensorInfo], params: &'a [T]) -> Vec<Entry<'a, T>> {
    // A table that reaches beyond the parameters would be the macro's fault; such a tensor has nothing to write.
    let data = |t: &TensorInfo| params.get(t.range()).unwrap_or_default();
    let entry =
        |t: &'a TensorInfo| Entry { name: t.name.into(), shape: t.shape.to_vec(), data: data(t), parts: vec![t] };
    tensors.iter().map(entry).collect()
}

/// `Network::save`.
pub(crate) fn save<T: Scalar>(tensors: &[TensorInfo], params: &[T], path: &Path) -> Result<(), WeightsError> {
    write_file(path, &entries(tensors, params), None)
}

/// `Network::to_bytes`.
pub(crate) fn to_bytes<T: Scalar>(tensors: &[TensorInfo], params: &[T]) -> Result<Vec<u8>, WeightsError> {
    let entries = entries(tensors, params);
    let mut bytes = Vec::with_capacity(size_of_val(params) + 1024);
    write::header(&entries, None)
        .and_then(|header| write::document(&mut bytes, header, &entries))
        .map_err(|source| WeightsError::Write { path: "<memory>".into(), source })?;
    Ok(bytes)
}

/// `Network::load_from`. `name`: the network's, for messages.
pub(crate) fn load_from<T: Scalar>(
    name: &'static str, tensors: &'static [TensorInfo], params: &mut [T], path: &Path,
) -> Result<(), WeightsError> {
    let bytes = read_file(path)?;
    load_bytes(name, tensors, params, &Source::new(&path.display().to_string(), &bytes)?)
}

/// Copies a file's tensors into a network's parameters, after all of them have been checked.
pub(crate) fn load_bytes<T: Scalar>(
    name: &'static str, tensors: &'static [TensorInfo], params: &mut [T], source: &Source<'_>,
) -> Result<(), WeightsError> {
    source.check::<T>(name, tensors.iter().map(|t| (t.name, t.shape)))?;
    load_checked(tensors, params, source)
}

/// Copies tensors that have been checked into a network's parameters.
pub(crate) fn load_checked<T: Scalar>(
    tensors: &[TensorInfo], params: &mut [T], source: &Source<'_>,
) -> Result<(), WeightsError> {
    for tensor in tensors {
        if let Some(values) = params.get_mut(tensor.range()) {
            source.copy(tensor.name, std::iter::once(tensor), values)?;
        }
    }
    Ok(())
}

/// A file's bytes.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, WeightsError> {
    std::fs::read(path).map_err(|source| WeightsError::Read { path: path.into(), source })
}

#[cfg(test)]
mod tests;
