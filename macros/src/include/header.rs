//! The header of a safetensors file: eight bytes with its length, then JSON, then the elements of all tensors, one behind the other.
//!
//! <https://github.com/huggingface/safetensors#format>

use super::json::{self, Json};

/// A tensor of the file.
#[derive(Debug, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub dtype: String,
    pub shape: Vec<usize>,
    /// Bytes of the file.
    pub start: usize,
    pub end: usize,
}

/// The bytes before the header.
const LENGTH: usize = 8;

/// The tensors in the order of their elements, or why these bytes are no such file.
pub fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() else {
        return Err("it ends before the header".to_owned());
    };
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= rest.len());
    let Some((header, elements)) = length.and_then(|length| rest.split_at_checked(length)) else {
        return Err("it ends within the header, or is no safetensors file".to_owned());
    };
    let header = std::str::from_utf8(header).map_err(|_| "its header is not UTF-8".to_owned())?;
    let Json::Object(fields) = json::parse(header).map_err(|fault| format!("its header is no JSON: {fault}"))? else {
        return Err("its header is no JSON object".to_owned());
    };
    let first = LENGTH + header.len();
    let mut tensors = Vec::new();
    for (name, value) in fields.into_iter().filter(|(name, _)| name != "__metadata__") {
        let tensor = tensor(&name, &value, first).ok_or_else(|| {
            format!("the header's entry of `{name}` has not the fields `dtype`, `shape` and `data_offsets` as it must")
        })?;
        tensors.push(tensor);
    }
    check(&mut tensors, first, first + elements.len())?;
    Ok(tensors)
}

/// One entry of the header. `first`: the byte from which offsets count.
fn tensor(name: &str, value: &Json, first: usize) -> Option<Tensor> {
    let (Json::String(dtype), Json::Array(shape), Json::Array(offsets)) =
        (value.field("dtype")?, value.field("shape")?, value.field("data_offsets")?)
    else {
        return None;
    };
    let shape = shape.iter().map(Json::number).collect::<Option<Vec<_>>>()?;
    let [start, end] = offsets.as_slice() else { return None };
    let place = |offset: &Json| first.checked_add(offset.number()?);
    Some(Tensor { name: name.to_owned(), dtype: dtype.clone(), shape, start: place(start)?, end: place(end)? })
}

/// Sorts the tensors by their places, which must fill the file from `first` to `end`, each as long as its shape and type say.
fn check(tensors: &mut [Tensor], first: usize, end: usize) -> Result<(), String> {
    tensors.sort_by_key(|tensor| (tensor.start, tensor.end));
    let mut at = first;
    for tensor in &*tensors {
        let Tensor { name, dtype, shape, start, end } = tensor;
        if *start != at || end < start {
            return Err(format!("the elements of tensor `{name}` do not begin where those before it end"));
        }
        let elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
        let bytes = size(dtype).map(|size| elements.and_then(|elements| elements.checked_mul(size)));
        if bytes.is_some_and(|bytes| bytes != Some(end - start)) {
            return Err(format!("tensor `{name}` has {} bytes, not those of {dtype} {shape:?}", end - start));
        }
        at = *end;
    }
    if at != end {
        return Err(
            "the tensors' bytes are more or fewer than its header says: it was cut off or something was appended"
                .to_owned(),
        );
    }
    let mut names: Vec<_> = tensors.iter().map(|tensor| &tensor.name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("it has two tensors `{}`", pair[0])),
        None => Ok(()),
    }
}

/// Bytes of an element of a network; those of other types are not looked at.
fn size(dtype: &str) -> Option<usize> {
    match dtype {
        "F32" => Some(4),
        "F64" => Some(8),
        _ => None,
    }
}
