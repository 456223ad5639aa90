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

/// What a file holds.
pub(crate) struct Contents<'a, T> {
    /// Names of PyTorch's `num_batches_tracked`, each an `i64` of no dimensions that is 0.
    pub(crate) counters: Vec<String>,
    pub(crate) entries: Vec<Entry<'a, T>>,
    /// One note at most, as name and text: the format's map of notes has no order, and equal networks are to make equal files.
    pub(crate) note: Option<(&'static str, String)>,
}

/// The header, padded to a multiple of 8 bytes with blanks as the format asks.
///
/// The counters come first, for elements of 8 bytes lie at multiples of 8 then; the tensors lie in the order of the entries.
pub(crate) fn header<T: Scalar>(contents: &Contents<'_, T>) -> io::Result<Vec<u8>> {
    let mut end = 0;
    let mut info = |dtype, shape: &[usize], bytes: usize| {
        let start = end;
        end += bytes;
        FileInfo { dtype, shape: shape.to_vec(), data_offsets: (start, end) }
    };
    let mut tensors = Vec::with_capacity(contents.counters.len() + contents.entries.len());
    for name in &contents.counters {
        tensors.push((name.clone(), info(Dtype::I64, &[], size_of::<i64>())));
    }
    for entry in &contents.entries {
        tensors.push((entry.name.clone(), info(dtype::<T>(), &entry.shape, size_of_val(entry.data))));
    }
    let notes = contents.note.as_ref().map(|(name, text)| HashMap::from([((*name).to_owned(), text.clone())]));
    let metadata = Metadata::new(notes, tensors).map_err(io::Error::other)?;
    let mut json = serde_json::to_vec(&metadata)?;
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok(json)
}

/// Header and tensors.
pub(crate) fn document<T: Scalar>(
    out: &mut (impl Write + ?Sized), header: Vec<u8>, contents: &Contents<'_, T>,
) -> io::Result<()> {
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    for _ in &contents.counters {
        out.write_all(&0_i64.to_le_bytes())?;
    }
    for entry in &contents.entries {
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
