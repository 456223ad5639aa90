//! The safetensors format, written: eight bytes with the header's length, the header in JSON, the tensors' bytes, little-endian.

use std::collections::HashMap;
use std::io::{self, Write};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::Scalar;

/// A tensor to be written.
pub(crate) struct Entry<'a, T> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: &'a [T],
}

/// The header, padded to a multiple of 8 bytes with blanks as the format asks.
///
/// The tensors lie in the order of the entries. The note is one pair at most: the format's map of notes has no order, and
/// equal networks are to make equal files.
pub(crate) fn header<T: Scalar>(entries: &[Entry<'_, T>], note: Option<(&str, String)>) -> io::Result<Vec<u8>> {
    let mut end = 0;
    let tensors = entries.iter().map(|entry| {
        let start = end;
        end += size_of_val(entry.data);
        let info = TensorInfo { dtype: dtype::<T>(), shape: entry.shape.clone(), data_offsets: (start, end) };
        (entry.name.clone(), info)
    });
    let notes = note.map(|(name, text)| HashMap::from([(name.to_owned(), text)]));
    let metadata = Metadata::new(notes, tensors.collect()).map_err(io::Error::other)?;
    let mut json = serde_json::to_vec(&metadata)?;
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok(json)
}

/// Header and tensors.
pub(crate) fn document<T: Scalar>(
    out: &mut (impl Write + ?Sized), header: Vec<u8>, entries: &[Entry<'_, T>],
) -> io::Result<()> {
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    for entry in entries {
        let bytes: &[u8] = bytemuck::cast_slice(entry.data);
        if cfg!(target_endian = "little") {
            out.write_all(bytes)?;
        } else {
            for element in bytes.chunks(size_of::<T>()) {
                element.iter().rev().try_for_each(|&byte| out.write_all(&[byte]))?;
            }
        }
    }
    Ok(())
}

fn dtype<T: Scalar>() -> Dtype {
    if size_of::<T>() == size_of::<f64>() { Dtype::F64 } else { Dtype::F32 }
}
