//! The digits that ship with the crate.

use super::Dataset;
use crate::Tensor;

/// Images in the set.
const COUNT: usize = 1797;
/// Bytes of one image.
const PIXELS: usize = 8 * 8;
/// Bytes before the elements: the magic number, and one or three dimensions.
const LABELS_HEADER: usize = 4 + 4;
const IMAGES_HEADER: usize = 4 + 3 * 4;
/// The largest value of a pixel.
const WHITE: f32 = 16.0;

// A file of another length does not compile. Its content is checked by a test, through the reader of IDX files.
static IMAGES: &[u8; IMAGES_HEADER + COUNT * PIXELS] = include_bytes!("digits/images.idx3-ubyte");
static LABELS: &[u8; LABELS_HEADER + COUNT] = include_bytes!("digits/labels.idx1-ubyte");

/// 1,797 handwritten digits, 8 × 8 pixels of 0 to 1, with their labels 0 to 9.
///
/// From *Optical Recognition of Handwritten Digits*, E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository,
/// <https://doi.org/10.24432/C50P49>, licensed under
/// [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/); pixels of 0 to 16 are scaled to 0..1.
///
/// ```
/// let digits = tenonet::data::digits();
/// assert_eq!(digits.len(), 1797);
/// for row in &digits.inputs()[0][0] {
///     println!("{}", row.map(|pixel| if pixel > 0.5 { '#' } else { '.' }).iter().collect::<String>());
/// }
/// ```
pub fn digits() -> Dataset<Tensor<1, 8, 8>> {
    let images = IMAGES[IMAGES_HEADER..].as_chunks::<8>().0.as_chunks::<8>().0;
    let image = |rows: &[[u8; 8]; 8]| Tensor([rows.map(|row| row.map(|pixel| f32::from(pixel) / WHITE))]);
    images.iter().map(image).zip(LABELS[LABELS_HEADER..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Idx;

    #[test]
    fn are_what_the_files_hold() {
        let images = Idx::read(&IMAGES[..], "images").unwrap().tensors::<Tensor<1, 8, 8>>(1.0 / 16.0).unwrap();
        let labels = Idx::read(&LABELS[..], "labels").unwrap().labels::<u8>().unwrap();
        let digits = digits();
        assert_eq!((digits.inputs(), digits.labels()), (&images[..], &labels[..]));
        // The numbers that scikit-learn prints for `load_digits()`: mean of the pixels, the first labels.
        let (mean, std) = digits.mean_std();
        assert!(
            (mean * 16.0 - 4.884_164_579_855_314).abs() < 1e-9 && (std * 16.0 - 6.016_787_548_672_236).abs() < 1e-9
        );
        assert_eq!(digits.labels()[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert_eq!(digits.inputs()[0][0][0], [0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.0625, 0.0, 0.0]);
    }
}
