//! The safetensors format, written: eight bytes with the header's length, the header in JSON, the tensors' bytes, little-endian.

use std::collections::HashMap;
use std::io::{self, Write};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo as FileInfo};

use crate::Scalar;
use crate::info::TensorInfo;

/// A tensor to be written.
pub(crate) struct Entry<'a, T> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// The elements as they lie in memory.
    pub(crate) data: &'a [T],
    /// What the elements are, from the first on, and so their order in the file; what is left over is written as it lies.
    pub(crate) parts: Vec<&'a TensorInfo>,
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
        let info = FileInfo { dtype: dtype::<T>(), shape: entry.shape.clone(), data_offsets: (start, end) };
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
        let mut rest = entry.data;
        for part in &entry.parts {
            let Some((data, behind)) = rest.split_at_checked(part.len()) else { break };
            write_part(out, part, data)?;
            rest = behind;
        }
        write_elements(out, rest)?;
    }
    Ok(())
}

/// A tensor's elements, in the order of files.
fn write_part<T: Scalar>(out: &mut (impl Write + ?Sized), part: &TensorInfo, data: &[T]) -> io::Result<()> {
    let Some([outputs, inputs, kernel]) = part.sides() else { return write_elements(out, data) };
    // Not the whole tensor at a time: a matrix of 100 million elements would be in memory twice. 64 outputs are 256 bytes side by side.
    const OUTPUTS: usize = 64;
    let row = inputs * kernel;
    let mut rows = vec![T::zero(); row * OUTPUTS.min(outputs)];
    for first in (0..outputs).step_by(OUTPUTS) {
        let some = first..outputs.min(first + OUTPUTS);
        let rows = &mut rows[..row * some.len()];
        part.copy_outputs_to_file_order(some, data, rows);
        write_elements(out, rows)?;
    }
    Ok(())
}

/// Elements as they lie.
fn write_elements<T: Scalar>(out: &mut (impl Write + ?Sized), elements: &[T]) -> io::Result<()> {
    let bytes: &[u8] = bytemuck::cast_slice(elements);
    if cfg!(target_endian = "little") {
        return out.write_all(bytes);
    }
    bytes.chunks(size_of::<T>()).flat_map(|element| element.iter().rev()).try_for_each(|&byte| out.write_all(&[byte]))
}

fn dtype<T: Scalar>() -> Dtype {
    if size_of::<T>() == size_of::<f64>() { Dtype::F64 } else { Dtype::F32 }
}
