//! IDX files, the form in which MNIST and its relatives (Fashion-MNIST, EMNIST, KMNIST) come, plain or gzip'ed.
//!
//! ```text
//! 00 00      magic
//! 08         type code of the elements
//! 03         number of dimensions
//! 4 bytes    each dimension, big-endian
//! …          the elements, big-endian, the last dimension fastest
//! ```
//!
//! Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "The IDX file format".

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::error::{DataError, IdxFault};
use crate::Scalar;
use crate::plain::{self, Plain};
use crate::tensor::FeatureMap;

/// The type of an IDX file's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// Code 0x08.
    U8,
    /// Code 0x09.
    I8,
    /// Code 0x0b.
    I16,
    /// Code 0x0c.
    I32,
    /// Code 0x0d.
    F32,
    /// Code 0x0e.
    F64,
}

impl ElementType {
    fn from_code(code: u8) -> Result<Self, IdxFault> {
        Ok(match code {
            0x08 => ElementType::U8,
            0x09 => ElementType::I8,
            0x0b => ElementType::I16,
            0x0c => ElementType::I32,
            0x0d => ElementType::F32,
            0x0e => ElementType::F64,
            found => return Err(IdxFault::TypeCode { found }),
        })
    }

    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            ElementType::U8 | ElementType::I8 => 1,
            ElementType::I16 => 2,
            ElementType::I32 | ElementType::F32 => 4,
            ElementType::F64 => 8,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::U8 => "u8",
            ElementType::I8 => "i8",
            ElementType::I16 => "i16",
            ElementType::I32 => "i32",
            ElementType::F32 => "f32",
            ElementType::F64 => "f64",
        })
    }
}

/// An IDX file in memory: its header, and its elements as they stood in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    file: PathBuf,
    element: ElementType,
    dimensions: Vec<usize>,
    bytes: Vec<u8>,
}

impl Idx {
    /// Reads a file; whether it is gzip'ed is told by its content.
    ///
    /// # Errors
    /// If it cannot be read or is no IDX file, if it is cut off, or if it goes on behind its last element.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let open = || -> Result<Idx, IdxFault> {
            let file = File::open(path).map_err(|reason| IdxFault::Io { field: "cannot open", reason })?;
            parse(file, path)
        };
        open().map_err(|fault| DataError::File { file: path.into(), fault })
    }

    /// Reads from memory or a stream; `name` stands for the file in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    ///
    /// ```
    /// use tenonet::data::Idx;
    ///
    /// let labels = Idx::read(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 3][..], "two labels")?;
    /// assert_eq!(labels.labels::<u8>()?, [7, 3]);
    /// # Ok::<(), tenonet::data::DataError>(())
    /// ```
    pub fn read(reader: impl Read, name: impl AsRef<Path>) -> Result<Self, DataError> {
        let name = name.as_ref();
        parse(reader, name).map_err(|fault| DataError::File { file: name.into(), fault })
    }

    /// The file that this was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The type of the elements in the file.
    pub fn element_type(&self) -> ElementType {
        self.element
    }

    /// The dimensions, the slowest first: `[60000, 28, 28]`.
    pub fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// The elements as tensors, each multiplied by `scale`: `1.0 / 255.0` takes pixels to 0..1.
    ///
    /// The file must have the dimensions `[n, rows, columns]` for tensors of one channel, `[n, channels, rows, columns]`
    /// for any. A large tensor never passes through the stack.
    ///
    /// # Errors
    /// If the file's dimensions are others.
    pub fn tensors<I: FeatureMap>(&self, scale: f64) -> Result<Vec<I>, DataError> {
        self.check_size::<I>().map_err(|fault| self.error(fault))?;
        let mut tensors = plain::zeroed_slice::<I>(self.dimensions[0]).into_vec();
        let bytes = self.element.bytes();
        // A tensor without elements has no bytes to read; `chunks_exact` of 0 would panic.
        let image_bytes = (bytes * <I as Plain<I::Scalar>>::LEN).max(1);
        for (tensor, image) in tensors.iter_mut().zip(self.bytes.chunks_exact(image_bytes)) {
            for (to, from) in tensor.flat_mut().iter_mut().zip(image.chunks_exact(bytes)) {
                *to = I::Scalar::of(self.element(from) * scale);
            }
        }
        Ok(tensors)
    }

    /// The elements as class labels. The file must have one dimension and whole numbers.
    ///
    /// # Errors
    /// If it has not, or if a label is no value of the type `L`.
    pub fn labels<L: TryFrom<i64>>(&self) -> Result<Vec<L>, DataError> {
        self.labels_below(i64::MAX)
    }

    /// As [`labels`](Self::labels), where the labels must be below `classes`.
    pub(crate) fn labels_below<L: TryFrom<i64>>(&self, classes: i64) -> Result<Vec<L>, DataError> {
        let read = || {
            if self.dimensions.len() != 1 {
                return Err(IdxFault::Dimensions { found: self.dimensions.clone(), wanted: "1: labels" });
            }
            if matches!(self.element, ElementType::F32 | ElementType::F64) {
                return Err(IdxFault::ElementType { found: self.element, wanted: "whole numbers: labels" });
            }
            let label = |(index, bytes): (usize, &[u8])| {
                // Whole numbers of at most 32 bits: exact in f64.
                let found = self.element(bytes) as i64;
                let label = L::try_from(found).ok().filter(|_| found < classes);
                label.ok_or_else(|| IdxFault::Label {
                    index,
                    found,
                    wanted: if classes == i64::MAX {
                        format!("a value of {}", std::any::type_name::<L>())
                    } else {
                        format!("0 to {}", classes - 1)
                    },
                })
            };
            self.bytes.chunks_exact(self.element.bytes()).enumerate().map(label).collect()
        };
        read().map_err(|fault| self.error(fault))
    }

    fn check_size<I: FeatureMap>(&self) -> Result<(), IdxFault> {
        let shape = I::SHAPE;
        match self.dimensions[..] {
            [_, h, w] if (1, h, w) == (shape.c, shape.h, shape.w) => Ok(()),
            [_, c, h, w] if (c, h, w) == (shape.c, shape.h, shape.w) => Ok(()),
            [_, ref size @ ..] if matches!(size.len(), 2 | 3) => {
                Err(IdxFault::ImageSize { found: size.to_vec(), wanted: vec![shape.c, shape.h, shape.w] })
            }
            _ => {
                let wanted =
                    if shape.c == 1 { "3: images, rows, columns" } else { "4: images, channels, rows, columns" };
                Err(IdxFault::Dimensions { found: self.dimensions.clone(), wanted })
            }
        }
    }

    /// One element of the file's type; every one of them is exact in `f64`.
    fn element(&self, bytes: &[u8]) -> f64 {
        match (self.element, bytes) {
            (ElementType::U8, &[a]) => a.into(),
            (ElementType::I8, &[a]) => (a as i8).into(),
            (ElementType::I16, &[a, b]) => i16::from_be_bytes([a, b]).into(),
            (ElementType::I32, &[a, b, c, d]) => i32::from_be_bytes([a, b, c, d]).into(),
            (ElementType::F32, &[a, b, c, d]) => f32::from_be_bytes([a, b, c, d]).into(),
            (ElementType::F64, &[a, b, c, d, e, f, g, h]) => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
            // `chunks_exact` by the type's size leaves no other case.
            _ => f64::NAN,
        }
    }

    fn error(&self, fault: IdxFault) -> DataError {
        DataError::File { file: self.file.clone(), fault }
    }
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

fn parse(mut reader: impl Read, name: &Path) -> Result<Idx, IdxFault> {
    let magic = field(&mut reader, "magic number", 2)?;
    let magic = [magic[0], magic[1]];
    let whole = Cursor::new(magic).chain(reader);
    if magic == GZIP { elements(MultiGzDecoder::new(whole), name) } else { elements(whole, name) }
}

fn elements(mut reader: impl Read, name: &Path) -> Result<Idx, IdxFault> {
    let header = field(&mut reader, "header", 4)?;
    if header[..2] != [0, 0] {
        return Err(IdxFault::Magic { found: [header[0], header[1]] });
    }
    let element = ElementType::from_code(header[2])?;
    let dimensions = field(&mut reader, "dimensions", 4 * usize::from(header[3]))?;
    let dimensions: Vec<usize> =
        dimensions.chunks_exact(4).map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize).collect();
    // One byte more than is wanted is asked for, to see whether the file goes on.
    let size = dimensions.iter().try_fold(element.bytes(), |size, &d| size.checked_mul(d));
    let Some(size) = size.filter(|&size| size < isize::MAX as usize) else {
        return Err(IdxFault::TooLarge { found: dimensions, bytes: element.bytes() });
    };
    let bytes = at_least(&mut reader, "elements", size, size + 1)?;
    if bytes.len() > size {
        return Err(IdxFault::Trailing { dimensions, wanted: size });
    }
    Ok(Idx { file: name.into(), element, dimensions, bytes })
}

/// Exactly `size` bytes.
fn field(reader: &mut impl Read, field: &'static str, size: usize) -> Result<Vec<u8>, IdxFault> {
    at_least(reader, field, size, size)
}

/// Not fewer than `size` bytes, and up to `most` where the file has them.
///
/// Memory grows with what has arrived, at most twice as much: a header's numbers alone allocate nothing.
fn at_least(reader: &mut impl Read, field: &'static str, size: usize, most: usize) -> Result<Vec<u8>, IdxFault> {
    let mut bytes = Vec::new();
    match reader.take(most as u64).read_to_end(&mut bytes) {
        // A gzip stream that is cut off is an error of this kind, a plain one just ends.
        Err(reason) if reason.kind() != io::ErrorKind::UnexpectedEof || bytes.len() >= size => {
            Err(IdxFault::Io { field, reason })
        }
        _ if bytes.len() < size => Err(IdxFault::Truncated { field, found: bytes.len(), wanted: size }),
        _ => Ok(bytes),
    }
}
