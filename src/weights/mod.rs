//! Weight files: safetensors in and out, under the names of the declaration.
//!
//! A file holds one tensor for each of `Network::TENSORS`, in PyTorch's shapes and order of elements, of the network's element type; the
//! order in memory is another ([`MemoryOrder`](crate::MemoryOrder)), so reading and writing permute. A file
//! that differs in anything is refused, with a message that names the file, the tensor, what was found and what was wanted. Files are
//! written under a temporary name beside the wanted one and renamed, so there is never half a file.
//!
//! Files of another library have other names: [`Names`] translate them.
//!
//! The methods are on [`Network`](crate::Network): `save`, `load`, `load_from`, `to_bytes`, `from_bytes`, and with names `save_named`, `load_named`,
//! `load_from_named`, `to_bytes_named`, `from_bytes_named`.

use std::path::Path;

use crate::atomic;
use crate::info::TensorInfo;
use crate::names::Names;
use crate::scalar::Scalar;

mod error;
mod read;
mod write;

pub use error::{TensorName, WeightsError};
pub(crate) use read::Source;
pub(crate) use write::{Contents, Entry};

/// What stands for a file's name in messages where there is no file.
const MEMORY: &str = "<memory>";

/// Writes a file, atomically.
pub(crate) fn write_file<T: Scalar>(path: &Path, contents: &Contents<'_, T>) -> Result<(), WeightsError> {
    let header = write::header(contents);
    atomic::write(path, |out| write::document(out, header?, contents))
        .map_err(|source| WeightsError::Write { path: path.into(), source })
}

/// A network's tables, as files need them.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The network's name, for messages.
    pub(crate) network: &'static str,
    pub(crate) tensors: &'static [TensorInfo],
    /// What files call the tensors.
    pub(crate) names: &'a Names,
}

impl Named<'_> {
    /// The tensors with their elements, to be written.
    pub(crate) fn contents<'p, T: Scalar>(self, params: &'p [T]) -> Contents<'p, T> {
        let entry = |t: &'static TensorInfo| Entry {
            name: self.names.theirs(t.name).to_string(),
            shape: t.shape.to_vec(),
            // A table that reaches beyond the parameters would be the macro's fault; such a tensor has nothing to write.
            data: params.get(t.range()).unwrap_or_default(),
            parts: vec![t],
        };
        let counters = self.names.counters(self.tensors).collect();
        Contents { counters, entries: self.tensors.iter().map(entry).collect(), note: None }
    }

    /// `Network::save_named`.
    pub(crate) fn save<T: Scalar>(self, params: &[T], path: &Path) -> Result<(), WeightsError> {
        self.check_names(&path.display())?;
        write_file(path, &self.contents(params))
    }

    /// `Network::to_bytes_named`.
    pub(crate) fn to_bytes<T: Scalar>(self, params: &[T]) -> Result<Vec<u8>, WeightsError> {
        self.check_names(&MEMORY)?;
        let contents = self.contents(params);
        let mut bytes = Vec::with_capacity(size_of_val(params) + 1024);
        write::header(&contents)
            .and_then(|header| write::document(&mut bytes, header, &contents))
            .map_err(|source| WeightsError::Write { path: MEMORY.into(), source })?;
        Ok(bytes)
    }

    /// `Network::load_from_named`.
    pub(crate) fn load_from<T: Scalar>(self, params: &mut [T], path: &Path) -> Result<(), WeightsError> {
        self.load(params, &path.display().to_string(), &read_file(path)?)
    }

    /// `Network::from_bytes_named`.
    pub(crate) fn load_bytes<T: Scalar>(self, params: &mut [T], bytes: &[u8]) -> Result<(), WeightsError> {
        self.load(params, MEMORY, bytes)
    }

    /// Copies a file's tensors into a network's parameters, after all of them have been checked.
    fn load<T: Scalar>(self, params: &mut [T], origin: &str, bytes: &[u8]) -> Result<(), WeightsError> {
        self.check_names(&origin)?;
        let source = Source::new(origin, bytes)?;
        source.check::<T>(self.network, self.names, self.tensors.iter().map(|t| (t.name, t.shape)))?;
        self.load_checked(params, &source)
    }

    /// Copies tensors that have been checked into a network's parameters.
    pub(crate) fn load_checked<T: Scalar>(self, params: &mut [T], source: &Source<'_>) -> Result<(), WeightsError> {
        for tensor in self.tensors {
            if let Some(values) = params.get_mut(tensor.range()) {
                source.copy(&self.names.theirs(tensor.name).to_string(), std::iter::once(tensor), values)?;
            }
        }
        Ok(())
    }

    fn check_names(self, origin: &dyn std::fmt::Display) -> Result<(), WeightsError> {
        let wrong = |fault| WeightsError::Names { origin: origin.to_string(), network: self.network, fault };
        self.names.check(self.tensors).map_err(wrong)
    }
}

/// A file's bytes.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, WeightsError> {
    std::fs::read(path).map_err(|source| WeightsError::Read { path: path.into(), source })
}

#[cfg(test)]
mod tests;
