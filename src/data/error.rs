//! Why data could not be read.

use std::io;
use std::path::PathBuf;

use super::cifar::RECORD;
use super::idx::ElementType;

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// One IDX file is wrong.
    #[error("{}: {fault}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: IdxFault,
    },
    /// One file of CIFAR-10 is wrong.
    #[error("{}: {fault}", file.display())]
    Cifar {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: CifarFault,
    },
    /// Two files that belong together do not hold the same number of things.
    #[error(
        "{}: {found} labels, but {} holds {wanted} images: each image needs its label",
        labels.display(),
        images.display()
    )]
    FileCounts {
        /// The file of images.
        images: PathBuf,
        /// The file of labels.
        labels: PathBuf,
        /// Labels.
        found: usize,
        /// Images.
        wanted: usize,
    },
    /// A list of labels is not as long as its list of inputs.
    #[error("{found} labels for {wanted} inputs: each input needs its label")]
    Counts {
        /// Labels.
        found: usize,
        /// Inputs.
        wanted: usize,
    },
    /// A folder does not hold a file that the set consists of.
    #[error(
        "{}: no file {}, plain or with .gz behind it; {}",
        folder.display(),
        wanted.join(" or "),
        contents(found)
    )]
    Missing {
        /// The folder that was searched.
        folder: PathBuf,
        /// The names that were looked for.
        wanted: Vec<String>,
        /// The names that are there, sorted.
        found: Vec<String>,
    },
    /// A folder cannot be listed.
    #[error("{}: cannot list this folder, to find {}: {reason}", folder.display(), wanted.join(" or "))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The names that were looked for.
        wanted: Vec<String>,
        /// The system's.
        reason: io::Error,
    },
}

/// Names that an error lists before it only counts.
const LISTED: usize = 12;

fn contents(found: &[String]) -> String {
    match found.len() {
        0 => "the folder is empty".into(),
        n if n <= LISTED => format!("the folder holds {}", found.join(", ")),
        n => format!("the folder holds {} and {} more", found[..LISTED].join(", "), n - LISTED),
    }
}

/// What is wrong with an IDX file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxFault {
    /// The system's reason, or a damaged gzip stream.
    #[error("{field}: {reason}")]
    Io {
        /// What was being read.
        field: &'static str,
        /// The reason.
        reason: io::Error,
    },
    /// The file does not begin like an IDX file.
    #[error("magic number: found bytes {found:02x?}, wanted [00, 00]: this is no IDX file, nor a gzip'ed one")]
    Magic {
        /// The first two bytes.
        found: [u8; 2],
    },
    /// The third byte names no type.
    #[error(
        "type code: found 0x{found:02x}, wanted one of 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32), 0x0e (f64)"
    )]
    TypeCode {
        /// The third byte.
        found: u8,
    },
    /// The elements have another type than was asked for.
    #[error("element type: found {found}, wanted {wanted}")]
    ElementType {
        /// The file's.
        found: ElementType,
        /// In words: what was asked for.
        wanted: &'static str,
    },
    /// The number of dimensions is not the one that was asked for.
    #[error("dimensions: found {} ({}), wanted {wanted}", found.len(), sizes(found))]
    Dimensions {
        /// The file's dimensions.
        found: Vec<usize>,
        /// In words: what was asked for.
        wanted: &'static str,
    },
    /// The images have another size than the tensor's type.
    #[error("image size: found {}, wanted {} by the tensor's type", sizes(found), sizes(wanted))]
    ImageSize {
        /// The file's.
        found: Vec<usize>,
        /// The tensor's channels, rows and columns.
        wanted: Vec<usize>,
    },
    /// The dimensions multiply to more bytes than a machine can address.
    #[error("dimensions: {} elements of {bytes} bytes are more than memory can hold", sizes(found))]
    TooLarge {
        /// The file's dimensions.
        found: Vec<usize>,
        /// Bytes of one element.
        bytes: usize,
    },
    /// The file ends before its last element.
    #[error("{field}: found {found} bytes, wanted {wanted}: the file is cut off")]
    Truncated {
        /// What was being read.
        field: &'static str,
        /// Bytes that are there.
        found: usize,
        /// Bytes that the header announces.
        wanted: usize,
    },
    /// The file goes on behind its last element.
    #[error("elements: found more bytes than the {wanted} that the dimensions {} need", sizes(dimensions))]
    Trailing {
        /// The file's dimensions.
        dimensions: Vec<usize>,
        /// Bytes that the header announces.
        wanted: usize,
    },
    /// A label is not one of the classes.
    #[error("label {index}: found {found}, wanted {wanted}")]
    Label {
        /// Its place, counted from 0.
        index: usize,
        /// Its value.
        found: i64,
        /// In words: what was asked for.
        wanted: String,
    },
}

/// What is wrong with a file of CIFAR-10 in its binary form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CifarFault {
    /// The system's reason, or a damaged gzip stream.
    #[error("{field}: {reason}")]
    Io {
        /// What was being read.
        field: &'static str,
        /// The reason.
        reason: io::Error,
    },
    /// The file does not consist of whole records, or is empty.
    #[error("length: found {found} bytes, wanted a multiple of {} (a label and 3×32×32 pixels): {}", RECORD, tail(*found))]
    Length {
        /// Bytes of the file, unzipped.
        found: usize,
    },
    /// A label is not one of the ten classes.
    #[error("record {record}: label: found {found}, wanted 0 to 9")]
    Label {
        /// The record, counted from 0.
        record: usize,
        /// Its first byte.
        found: u8,
    },
}

/// What is left of so many bytes when the whole records are taken away.
fn tail(bytes: usize) -> String {
    match bytes {
        0 => "the file is empty".into(),
        _ => format!("record {} has {} bytes", bytes / RECORD, bytes % RECORD),
    }
}

/// `60000×28×28`.
fn sizes(dimensions: &[usize]) -> String {
    if dimensions.is_empty() {
        return "none".into();
    }
    dimensions.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}
