//! CIFAR-10 in its binary form, from the user's folder.
//!
//! A file is a row of records of 3,073 bytes, without a header:
//!
//! ```text
//! 1 byte        label, 0 to 9
//! 1024 bytes    red: 32 rows of 32 pixels
//! 1024 bytes    green
//! 1024 bytes    blue
//! ```
//!
//! Source: A. Krizhevsky, "The CIFAR-10 dataset", section "Binary version", <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::folder::find;
use super::{CifarFault, DataError, Dataset};
use crate::plain::{self, Plain};
use crate::tensor::Tensor;

/// A picture: red, green and blue, 32 × 32.
type Picture = Tensor<3, 32, 32>;

/// Bytes of a record: the label, then a byte for each element of the picture.
pub(super) const RECORD: usize = 1 + <Picture as Plain<f32>>::LEN;

/// The two parts of [`cifar10`].
#[derive(Clone, Debug, PartialEq)]
pub struct Cifar10 {
    /// To learn from: 50,000 pictures in CIFAR-10 itself.
    pub train: Dataset<Tensor<3, 32, 32>>,
    /// To test with: 10,000 pictures in CIFAR-10 itself.
    pub test: Dataset<Tensor<3, 32, 32>>,
}

impl Cifar10 {
    /// What the labels 0 to 9 mean.
    pub const CLASSES: [&'static str; 10] =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// Both parts with the mean of each of the training part's channels taken to 0 and its deviation to 1.
    pub fn normalised(mut self) -> Self {
        let channels = self.train.channel_mean_std();
        self.train.normalise_channels(channels);
        self.test.normalise_channels(channels);
        self
    }
}

/// Reads CIFAR-10 in its binary form from a folder: pixels of 0 to 1 in the planes red, green and blue, labels 0 to 9 (see [`Cifar10::CLASSES`]).
///
/// The folder, `cifar-10-batches-bin` where the archive was unpacked, holds `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`,
/// each plain or gzip'ed with `.gz` behind it. Their pictures may be fewer than the archive's 10,000 each. In memory the whole set takes 740 MB.
///
/// # Errors
/// If a file is missing (the error lists what is there) or is not what it should be.
///
/// ```no_run
/// let cifar = tenonet::data::cifar10("cifar-10-batches-bin")?.normalised();
/// println!("{} pictures to learn from", cifar.train.len());
/// # Ok::<(), tenonet::data::DataError>(())
/// ```
pub fn cifar10(folder: impl AsRef<Path>) -> Result<Cifar10, DataError> {
    let folder = folder.as_ref();
    let path = |name: String| find(folder, &[name]);
    // A missing file is told before the others are read.
    let train = (1..=5).map(|batch| path(format!("data_batch_{batch}.bin"))).collect::<Result<Vec<_>, _>>()?;
    let test = path("test_batch.bin".into())?;
    let part = |files: &[_]| dataset(&files.iter().map(open).collect::<Result<Vec<_>, _>>()?);
    Ok(Cifar10 { train: part(&train)?, test: part(&[test])? })
}

/// Reads one file of CIFAR-10 in its binary form, plain or gzip'ed, from memory or a stream; `name` stands for the file in errors.
///
/// # Errors
/// If it cannot be read, is empty, ends within a record, or has a label above 9.
///
/// ```
/// use tenonet::data::{self, Cifar10};
///
/// // A frog that is all red.
/// let mut file = vec![6];
/// file.extend([255; 1024]);
/// file.extend([0; 2048]);
///
/// let frogs = data::cifar10_batch(&file[..], "one frog")?;
/// assert_eq!(Cifar10::CLASSES[usize::from(frogs.labels()[0])], "frog");
/// let [red, green, _] = &frogs.inputs()[0].0;
/// assert_eq!((red[31][31], green[0][0]), (1.0, 0.0));
///
/// let error = data::cifar10_batch(&file[..3000], "half a frog").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "half a frog: length: found 3000 bytes, wanted a multiple of 3073 (a label and 3×32×32 pixels): record 0 has 3000 bytes"
/// );
/// # Ok::<(), tenonet::data::DataError>(())
/// ```
pub fn cifar10_batch(reader: impl Read, name: impl AsRef<Path>) -> Result<Dataset<Tensor<3, 32, 32>>, DataError> {
    let records = records(reader).map_err(|fault| DataError::Cifar { file: name.as_ref().into(), fault })?;
    dataset(&[records])
}

fn open(path: impl AsRef<Path>) -> Result<Vec<[u8; RECORD]>, DataError> {
    let path = path.as_ref();
    let open = || records(File::open(path).map_err(|reason| CifarFault::Io { field: "cannot open", reason })?);
    open().map_err(|fault| DataError::Cifar { file: path.into(), fault })
}

/// The first two bytes of a gzip stream; the first is not a label.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The records of a file, with labels of 0 to 9.
fn records(mut reader: impl Read) -> Result<Vec<[u8; RECORD]>, CifarFault> {
    let io = |reason| CifarFault::Io { field: "records", reason };
    let mut magic = Vec::new();
    reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut magic).map_err(io)?;
    let zipped = magic == GZIP;
    let mut whole = Cursor::new(magic).chain(reader);
    let mut bytes = Vec::new();
    if zipped { MultiGzDecoder::new(whole).read_to_end(&mut bytes) } else { whole.read_to_end(&mut bytes) }
        .map_err(io)?;
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if records.is_empty() || !rest.is_empty() {
        return Err(CifarFault::Length { found: bytes.len() });
    }
    if let Some(record) = records.iter().position(|record| usize::from(record[0]) >= Cifar10::CLASSES.len()) {
        return Err(CifarFault::Label { record, found: records[record][0] });
    }
    Ok(records.to_vec())
}

/// All records of these files in one set. The pictures are written where they stay: none passes through the stack.
fn dataset(files: &[Vec<[u8; RECORD]>]) -> Result<Dataset<Picture>, DataError> {
    let records = || files.iter().flatten();
    let mut pictures = plain::zeroed_slice::<Picture>(records().count()).into_vec();
    for (picture, record) in pictures.iter_mut().zip(records()) {
        for (to, &from) in picture.flat_mut().iter_mut().zip(&record[1..]) {
            *to = f32::from(from) / 255.0;
        }
    }
    Dataset::new(pictures, records().map(|record| record[0]).collect())
}
