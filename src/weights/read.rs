//! The safetensors format, read: everything is checked before anything is copied.

use std::collections::HashSet;

use safetensors::{SafeTensorError, SafeTensors};

use super::{TensorName, WeightsError};
use crate::Scalar;
use crate::info::TensorInfo;
use crate::names::Names;

/// A parsed file and its name for messages.
pub(crate) struct Source<'a> {
    origin: String,
    bytes: &'a [u8],
    tensors: SafeTensors<'a>,
}

impl<'a> Source<'a> {
    /// Parses a file's bytes; nothing of the tensors is copied.
    pub(crate) fn new(origin: &str, bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| format_error(origin, bytes, &error))?;
        Ok(Source { origin: origin.to_owned(), bytes, tensors })
    }

    /// The note of that name.
    pub(crate) fn note(&self, name: &str) -> Result<Option<String>, WeightsError> {
        let (_, metadata) =
            SafeTensors::read_metadata(self.bytes).map_err(|error| format_error(&self.origin, self.bytes, &error))?;
        Ok(metadata.metadata().as_ref().and_then(|notes| notes.get(name).cloned()))
    }

    /// Whether the file has exactly these tensors, under these names, of the element type `T`.
    pub(crate) fn check<'w, T: Scalar>(
        &self, wanted_by: &'static str, names: &Names, wanted: impl Iterator<Item = (&'w str, &'w [usize])>,
    ) -> Result<(), WeightsError> {
        let origin = || self.origin.clone();
        let mut known = HashSet::new();
        for (declared, shape) in wanted {
            let name = names.theirs(declared).to_string();
            let tensor = || TensorName { file: name.as_str().into(), declared: declared.into() };
            let Ok(found) = self.tensors.tensor(&name) else {
                return Err(WeightsError::Missing {
                    origin: origin(),
                    tensor: tensor(),
                    wanted_by,
                    wanted: shape.to_vec(),
                    found: self.names().into(),
                });
            };
            let dtype = found.dtype().to_string();
            if dtype != T::DTYPE {
                return Err(WeightsError::Type {
                    origin: origin(),
                    tensor: tensor(),
                    found: dtype,
                    wanted_by,
                    wanted: T::DTYPE,
                });
            }
            if found.shape() != shape {
                return Err(WeightsError::Shape {
                    origin: origin(),
                    tensor: tensor(),
                    found: found.shape().to_vec(),
                    wanted_by,
                    wanted: shape.to_vec(),
                });
            }
            known.insert(name);
        }
        for name in self.sorted_names() {
            // PyTorch's batch normalisation counts its steps, which nothing here depends on.
            let counted = name.strip_suffix("num_batches_tracked").map(|layer| format!("{layer}running_var"));
            if known.contains(name) || counted.is_some_and(|variance| known.contains(&variance)) {
                continue;
            }
            let found = self.tensors.tensor(name).map(|view| view.shape().to_vec()).unwrap_or_default();
            let hint = if name.contains('/') { " (it may be a checkpoint: a trainer resumes from it)" } else { "" };
            return Err(WeightsError::Extra { origin: origin(), tensor: name.to_owned(), found, wanted_by, hint });
        }
        Ok(())
    }

    /// Copies a tensor's elements into `values`, which are as many. `parts`: what they are, from the first on, and so their order in memory;
    /// what is left over is copied as it lies.
    pub(crate) fn copy<'p, T: Scalar>(
        &self, name: &str, parts: impl Iterator<Item = &'p TensorInfo>, values: &mut [T],
    ) -> Result<(), WeightsError> {
        let damaged =
            |reason: String| WeightsError::Format { origin: self.origin.clone(), size: self.bytes.len(), reason };
        let tensor = self.tensors.tensor(name).map_err(|error| damaged(error.to_string()))?;
        let (mut to, mut from) = (values, tensor.data());
        if from.len() != size_of_val(to) {
            return Err(damaged(format!("tensor `{name}` has {} bytes, not {}", from.len(), size_of_val(to))));
        }
        for part in parts {
            if part.len() > to.len() {
                break;
            }
            let (values, behind) = to.split_at_mut(part.len());
            let (bytes, bytes_behind) = from.split_at(size_of_val(values));
            copy_part(part, bytes, values);
            (to, from) = (behind, bytes_behind);
        }
        copy_elements(from, to);
        Ok(())
    }

    fn sorted_names(&self) -> Vec<&str> {
        let mut names = self.tensors.names();
        names.sort_unstable();
        names
    }

    /// The names in the file, the first few of them.
    fn names(&self) -> String {
        // More would hide the message.
        const SHOWN: usize = 8;
        let names = self.sorted_names();
        match names.len() {
            0 => "no tensors".to_owned(),
            n if n <= SHOWN => format!("`{}`", names.join("`, `")),
            n => format!("`{}` and {} more", names[..SHOWN].join("`, `"), n - SHOWN),
        }
    }
}

/// Copies a tensor's elements from the order of files.
fn copy_part<T: Scalar>(part: &TensorInfo, from: &[u8], to: &mut [T]) {
    // The bytes of a file are not aligned; elements as arrays of bytes need not be.
    match size_of::<T>() {
        4 => part.copy_from_file_order(from.as_chunks::<4>().0, bytemuck::cast_slice_mut(to)),
        _ => part.copy_from_file_order(from.as_chunks::<8>().0, bytemuck::cast_slice_mut(to)),
    }
    to_native(to);
}

/// Copies elements as they lie.
fn copy_elements<T: Scalar>(from: &[u8], to: &mut [T]) {
    bytemuck::cast_slice_mut(to).copy_from_slice(from);
    to_native(to);
}

/// From the file's little-endian bytes to the machine's.
fn to_native<T: Scalar>(values: &mut [T]) {
    if cfg!(target_endian = "big") {
        bytemuck::cast_slice_mut(values).chunks_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    }
}

fn format_error(origin: &str, bytes: &[u8], error: &SafeTensorError) -> WeightsError {
    let reason = match error {
        SafeTensorError::HeaderTooSmall => "it ends before the header".to_owned(),
        SafeTensorError::InvalidHeaderLength => "it ends within the header, or is no safetensors file".to_owned(),
        SafeTensorError::HeaderTooLarge => "the header's length is absurd: it is no safetensors file".to_owned(),
        SafeTensorError::MetadataIncompleteBuffer => {
            "the tensors' bytes are more or fewer than its header says: it was cut off or something was appended"
                .to_owned()
        }
        other => other.to_string(),
    };
    WeightsError::Format { origin: origin.to_owned(), size: bytes.len(), reason }
}
