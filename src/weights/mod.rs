//! Weight files: safetensors in and out, under the names of the declaration.
//!
//! A file holds one tensor for each of [`Network::TENSORS`], in PyTorch's shapes, of the network's element type. A file
//! that differs in anything is refused, with a message that names the file, the tensor, what was found and what was wanted. Files are
//! written under a temporary name beside the wanted one and renamed, so there is never half a file.
//!
//! The methods are on [`Network`]: `save`, `load`, `load_from`, `to_bytes`, `from_bytes`.

use std::path::Path;

use crate::atomic;
use crate::network::{Network, TensorInfo};

mod error;
mod read;
mod write;

pub use error::WeightsError;
pub(crate) use read::Source;
pub(crate) use write::Entry;

/// Writes entries to a file, atomically.
pub(crate) fn write_file<T: crate::Scalar>(
    path: &Path, entries: &[Entry<'_, T>], note: Option<(&str, String)>,
) -> Result<(), WeightsError> {
    let header = write::header(entries, note);
    atomic::write(path, |out| write::document(out, header?, entries))
        .map_err(|source| WeightsError::Write { path: path.into(), source })
}

/// The network's tensors, to be written.
pub(crate) fn entries<N: Network>(net: &N) -> Vec<Entry<'_, N::Scalar>> {
    // A table that reaches beyond the parameters would be the macro's fault; such a tensor has nothing to write.
    let data = |t: &TensorInfo| net.params().get(t.offset..t.offset + t.len()).unwrap_or_default();
    N::TENSORS.iter().map(|t| Entry { name: t.name.into(), shape: t.shape.to_vec(), data: data(t) }).collect()
}

/// [`Network::save`].
pub(crate) fn save<N: Network>(net: &N, path: &Path) -> Result<(), WeightsError> {
    write_file(path, &entries(net), None)
}

/// [`Network::to_bytes`].
pub(crate) fn to_bytes<N: Network>(net: &N) -> Result<Vec<u8>, WeightsError> {
    let entries = entries(net);
    let mut bytes = Vec::with_capacity(N::WEIGHT_BYTES + 1024);
    write::header(&entries, None)
        .and_then(|header| write::document(&mut bytes, header, &entries))
        .map_err(|source| WeightsError::Write { path: "<memory>".into(), source })?;
    Ok(bytes)
}

/// [`Network::load_from`].
pub(crate) fn load_from<N: Network>(net: &mut N, path: &Path) -> Result<(), WeightsError> {
    let bytes = read_file(path)?;
    load_bytes(net, &Source::new(&path.display().to_string(), &bytes)?)
}

/// Copies a file's tensors into the network, after all of them have been checked.
pub(crate) fn load_bytes<N: Network>(net: &mut N, source: &Source<'_>) -> Result<(), WeightsError> {
    source.check::<N::Scalar>(N::NAME, N::TENSORS.iter().map(|t| (t.name, t.shape)))?;
    load_checked(net, source)
}

/// Copies tensors that have been checked into the network.
pub(crate) fn load_checked<N: Network>(net: &mut N, source: &Source<'_>) -> Result<(), WeightsError> {
    for tensor in N::TENSORS {
        if let Some(values) = net.params_mut().get_mut(tensor.offset..tensor.offset + tensor.len()) {
            source.copy(tensor.name, values)?;
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
