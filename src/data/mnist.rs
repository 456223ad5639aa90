//! MNIST and sets of its form, from the user's folder.

use std::path::Path;

use super::folder::find;
use super::{DataError, Dataset, Idx};
use crate::Tensor;

/// The two parts of [`mnist`].
#[derive(Clone, Debug, PartialEq)]
pub struct Mnist {
    /// To learn from: 60,000 images in MNIST itself.
    pub train: Dataset<Tensor<1, 28, 28>>,
    /// To test with: 10,000 images in MNIST itself.
    pub test: Dataset<Tensor<1, 28, 28>>,
}

impl Mnist {
    /// Both parts with the training part's mean taken to 0 and its deviation to 1.
    pub fn normalised(mut self) -> Self {
        let (mean, std) = self.train.mean_std();
        self.train.normalise(mean, std);
        self.test.normalise(mean, std);
        self
    }
}

/// Reads MNIST, or a set of its form (Fashion-MNIST, KMNIST), from a folder: pixels of 0 to 1, labels 0 to 9.
///
/// The folder holds the four files under their usual names, `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, and
/// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` likewise, each plain or with `.gz` behind it.
///
/// # Errors
/// If a file is missing (the error lists what is there) or is not what it should be.
///
/// ```no_run
/// let mnist = tenonet::data::mnist("mnist")?.normalised();
/// println!("{} images to learn from", mnist.train.len());
/// # Ok::<(), tenonet::data::DataError>(())
/// ```
pub fn mnist(folder: impl AsRef<Path>) -> Result<Mnist, DataError> {
    let folder = folder.as_ref();
    Ok(Mnist { train: part(folder, "train")?, test: part(folder, "t10k")? })
}

fn part(folder: &Path, part: &str) -> Result<Dataset<Tensor<1, 28, 28>>, DataError> {
    let file =
        |stem: &str, kind: &str| find(folder, &[format!("{part}-{stem}-{kind}"), format!("{part}-{stem}.{kind}")]);
    let images_file = file("images", "idx3-ubyte")?;
    let labels_file = file("labels", "idx1-ubyte")?;
    let images = Idx::open(&images_file)?.tensors(1.0 / 255.0)?;
    let labels = Idx::open(&labels_file)?.labels_below(10)?;
    if labels.len() != images.len() {
        return Err(DataError::FileCounts {
            images: images_file,
            labels: labels_file,
            found: labels.len(),
            wanted: images.len(),
        });
    }
    Dataset::new(images, labels)
}
