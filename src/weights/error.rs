//! [`WeightsError`]: why a weight file was not read or written.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::names::NamesFault;

/// Why a weight file was not read or written. Whatever was to be changed is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be read.
    #[error("{}: cannot read it: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be written; a former one of that name is still there.
    #[error("{}: cannot write it: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no safetensors file, or a damaged one.
    #[error("{origin}: not a whole safetensors file ({size} bytes): {reason}")]
    Format {
        /// The file, or where the bytes came from.
        origin: String,
        /// Its bytes.
        size: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The names for files are not those of the network's tensors.
    #[error("{origin}: the names for {network}: {fault}")]
    Names {
        /// The file.
        origin: String,
        /// The network.
        network: &'static str,
        /// What is wrong with them.
        fault: NamesFault,
    },
    /// A tensor is not in the file.
    #[error("{origin}: no tensor {tensor}; {wanted_by} wants it, as {}; the file has {found}", shape_text(wanted))]
    Missing {
        /// The file.
        origin: String,
        /// The tensor.
        tensor: TensorName,
        /// The network that wants it.
        wanted_by: &'static str,
        /// Its shape in the network.
        wanted: Vec<usize>,
        /// The names that are in the file.
        found: Box<str>,
    },
    /// A tensor of the file is not in the network.
    #[error("{origin}: it has a tensor `{tensor}` {}, but {wanted_by} has no such tensor{hint}", shape_text(found))]
    Extra {
        /// The file.
        origin: String,
        /// The tensor's name in the file.
        tensor: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The network.
        wanted_by: &'static str,
        /// What the file may be.
        hint: &'static str,
    },
    /// A tensor has another shape.
    #[error("{origin}: tensor {tensor} is {}, but {wanted_by} wants {}", shape_text(found), shape_text(wanted))]
    Shape {
        /// The file.
        origin: String,
        /// The tensor.
        tensor: TensorName,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The network.
        wanted_by: &'static str,
        /// Its shape in the network.
        wanted: Vec<usize>,
    },
    /// A tensor has another element type. Numbers are never converted silently.
    #[error("{origin}: the elements of tensor {tensor} are {found}, but {wanted_by} wants {wanted}")]
    Type {
        /// The file.
        origin: String,
        /// The tensor.
        tensor: TensorName,
        /// Its element type in the file.
        found: String,
        /// The network.
        wanted_by: &'static str,
        /// The network's element type.
        wanted: &'static str,
    },
}

/// What a tensor is called: `` `features.0.weight` (declared as `conv1.weight`) ``, or one name where both are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorName {
    /// In the file.
    pub file: Box<str>,
    /// In the network.
    pub declared: Box<str>,
}

impl fmt::Display for TensorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TensorName { file, declared } = self;
        if file == declared { write!(f, "`{file}`") } else { write!(f, "`{file}` (declared as `{declared}`)") }
    }
}

/// `[6, 1, 5, 5]`
fn shape_text(shape: &[usize]) -> String {
    format!("{shape:?}")
}
