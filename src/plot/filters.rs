//! [`Filters`]: the kernels of a convolution as a picture.

use image::{Rgb, RgbImage};

use super::colour::{NOT_A_NUMBER, WHITE, diverging};
use super::picture::limit;
use super::scene::Scene;
use super::{Picture, PlotError};
use crate::Scalar;

/// A picture of a convolution's kernels, one tile each, all to one scale.
///
/// - Kernels of three channels are drawn in colour, their channels as red, green and blue: grey is 0.
/// - Other kernels are drawn channel by channel, blue below 0, white at 0, red above: a row of tiles is a filter, or, where
///   there is one channel, tiles fill the picture row by row.
///
/// The scale is symmetric around 0 and reaches to the largest magnitude of all weights, so that colours of different tiles may be
/// compared. A weight that is not a number is black.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("filters.png");
/// use tenonet::plot::{Filters, Picture};
///
/// use tenonet::prelude::*;
///
/// let conv = Conv2d::<1, 6, 2, 2>::init(&mut rand::rng()); // 6 filters of 1 channel, 2 × 2
/// Filters::of(&conv.weight).columns(3).save(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filters {
    weights: Vec<f32>,
    /// Filters, channels, rows, columns.
    sizes: [usize; 4],
    cell: usize,
    columns: Option<usize>,
}

/// Pixels between tiles and around them.
const BORDER: usize = 4;
/// Pixels of a tile's frame, so that a white tile shows on the white ground.
const FRAME: usize = 1;

const FRAME_COLOUR: Rgb<u8> = Rgb([150; 3]);

const NAME: &str = "filters";

impl Filters {
    /// The kernels of a convolution as its layer holds them: `[row][column][channel][filter]`.
    pub fn of<T: Scalar, const OC: usize, const IC: usize, const KH: usize, const KW: usize>(
        weights: &[[[[T; OC]; IC]; KW]; KH],
    ) -> Self {
        let mut kernels = Vec::with_capacity(OC * IC * KH * KW);
        for (filter, channel) in (0..OC).flat_map(|filter| (0..IC).map(move |channel| (filter, channel))) {
            kernels.extend(weights.as_flattened().iter().map(|place| place[channel][filter]));
        }
        Self::unchecked(&kernels, [OC, IC, KH, KW])
    }

    /// Kernels in a flat slice, as weight files hold them; `sizes` are filters, channels, rows and columns, the last the fastest.
    ///
    /// # Errors
    /// If the slice has another length than the sizes say.
    pub fn from_slice<T: Scalar>(weights: &[T], sizes: [usize; 4]) -> Result<Self, PlotError> {
        let wanted = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if wanted != Some(weights.len()) {
            return Err(PlotError::Weights { found: weights.len(), wanted, sizes });
        }
        Ok(Self::unchecked(weights, sizes))
    }

    fn unchecked<T: Scalar>(weights: &[T], sizes: [usize; 4]) -> Self {
        let weights = weights.iter().map(|&weight| weight.as_f64() as f32).collect();
        // 16 pixels a weight make a 5×5 kernel as large as an icon.
        Filters { weights, sizes, cell: 16, columns: None }
    }

    /// Pixels of the square that stands for one weight: 16 unless said, at least 1.
    pub fn cell(mut self, pixels: usize) -> Self {
        self.cell = pixels.max(1);
        self
    }

    /// Tiles in a row, at least 1. Unless said, a row is one filter's channels, or the picture is about square.
    pub fn columns(mut self, tiles: usize) -> Self {
        self.columns = Some(tiles.max(1));
        self
    }

    /// Whether a filter's three channels make one coloured tile.
    fn coloured(&self) -> bool {
        self.sizes[1] == 3
    }

    fn draw(&self) -> Result<RgbImage, PlotError> {
        let [filters, channels, rows, columns] = self.sizes;
        if self.weights.is_empty() {
            let found = format!("{filters}×{channels}×{rows}×{columns} weights (filters, channels, rows, columns)");
            return Err(PlotError::Empty { picture: NAME, found });
        }
        let tiles = if self.coloured() { filters } else { filters * channels };
        let across = self.columns.unwrap_or(match channels {
            1 | 3 => tiles.isqrt() + usize::from(tiles.isqrt().pow(2) < tiles),
            _ => channels,
        });
        let across = across.min(tiles);
        let side = |weights: usize, tiles: usize| {
            let tile = weights.saturating_mul(self.cell).saturating_add(2 * FRAME + BORDER);
            tiles.saturating_mul(tile).saturating_add(BORDER)
        };
        let (width, height) = (side(columns, across), side(rows, tiles.div_ceil(across)));
        limit(NAME, width, height, "smaller cells, or fewer filters")?;
        let largest = self.weights.iter().filter(|w| w.is_finite()).fold(0.0f32, |most, w| most.max(w.abs()));
        let mut picture = RgbImage::from_pixel(width as u32, height as u32, WHITE);
        for tile in 0..tiles {
            let left = BORDER + (tile % across) * (columns * self.cell + 2 * FRAME + BORDER);
            let top = BORDER + (tile / across) * (rows * self.cell + 2 * FRAME + BORDER);
            let size = [columns * self.cell + 2 * FRAME, rows * self.cell + 2 * FRAME];
            fill(&mut picture, [left, top], size, FRAME_COLOUR);
            for row in 0..rows {
                for column in 0..columns {
                    let at = [left + FRAME + column * self.cell, top + FRAME + row * self.cell];
                    fill(&mut picture, at, [self.cell; 2], self.colour(tile, row, column, largest));
                }
            }
        }
        Ok(picture)
    }

    fn colour(&self, tile: usize, row: usize, column: usize, largest: f32) -> Rgb<u8> {
        let [_, _, rows, columns] = self.sizes;
        // −1 to 1; weights that are all zero are zero to any scale.
        let weight = |map: usize| {
            let weight = self.weights[(map * rows + row) * columns + column];
            if largest > 0.0 { weight / largest } else { weight }
        };
        if !self.coloured() {
            return diverging(weight(tile));
        }
        let [r, g, b] = [0, 1, 2].map(|channel| weight(3 * tile + channel));
        if [r, g, b].iter().all(|w| w.is_finite()) {
            Rgb([r, g, b].map(|w| (127.5 + 127.5 * w).round() as u8))
        } else {
            NOT_A_NUMBER
        }
    }
}

impl Picture for Filters {
    fn scene(&self) -> Result<Scene, PlotError> {
        let pixels = self.draw()?;
        let (width, height) = pixels.dimensions();
        let mut scene = Scene::new(width as usize, height as usize, "");
        scene.image([0.0; 2], [width.into(), height.into()], pixels, false);
        Ok(scene)
    }
}

fn fill(picture: &mut RgbImage, [left, top]: [usize; 2], [width, height]: [usize; 2], colour: Rgb<u8>) {
    for y in top..top + height {
        for x in left..left + width {
            picture.put_pixel(x as u32, y as u32, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colour in the middle of a weight's cell.
    fn at(picture: &RgbImage, tile: [usize; 2], weights: [usize; 2], weight: [usize; 2]) -> [u8; 3] {
        let [x, y] =
            [0, 1].map(|i| BORDER + tile[i] * (weights[i] * 16 + 2 * FRAME + BORDER) + FRAME + weight[i] * 16 + 8);
        picture.get_pixel(x as u32, y as u32).0
    }

    #[test]
    fn one_channel_diverges_from_white() {
        // Two filters of 2 rows and 3 columns.
        let weights =
            [[[[-2.0f32, 0.0]], [[0.0, 0.0]], [[2.0, 0.0]]], [[[1.0, 0.0]], [[-1.0, 0.0]], [[f32::NAN, 0.0]]]];
        let picture = Filters::of(&weights).draw().unwrap();
        assert_eq!(picture.dimensions(), (4 + 2 * (48 + 2 + 4), 4 + 32 + 2 + 4));
        assert_eq!(at(&picture, [0, 0], [3, 2], [0, 0]), [33, 102, 172]);
        assert_eq!(at(&picture, [0, 0], [3, 2], [1, 0]), [247; 3]);
        assert_eq!(at(&picture, [0, 0], [3, 2], [2, 0]), [178, 24, 43]);
        assert_eq!(at(&picture, [0, 0], [3, 2], [0, 1]), [213, 136, 145]);
        assert_eq!(at(&picture, [0, 0], [3, 2], [2, 1]), [0; 3]);
        assert_eq!(at(&picture, [1, 0], [3, 2], [1, 1]), [247; 3]);
        assert_eq!(picture.get_pixel(0, 0).0, [255; 3]);
    }

    #[test]
    fn three_channels_are_colours_and_others_are_rows() {
        let picture = Filters::of(&[[[[1.0f64], [0.0], [-1.0]]]]).draw().unwrap();
        assert_eq!(at(&picture, [0, 0], [1, 1], [0, 0]), [255, 128, 0]);
        // 5 filters of 2 channels: 5 rows of 2 tiles.
        let picture = Filters::from_slice(&[1.0f32; 10], [5, 2, 1, 1]).unwrap().draw().unwrap();
        assert_eq!(picture.dimensions(), (4 + 2 * 22, 4 + 5 * 22));
        // Zeros only: white, not black.
        let picture = Filters::of(&[[[[0.0f32]]]]).draw().unwrap();
        assert_eq!(at(&picture, [0, 0], [1, 1], [0, 0]), [247; 3]);
    }

    #[test]
    fn a_layers_order_is_turned_into_a_files() {
        // 2 rows, 1 column, 3 channels, 2 filters.
        let weights = [[[[1.0f32, 7.0], [3.0, 9.0], [5.0, 11.0]]], [[[2.0, 8.0], [4.0, 10.0], [6.0, 12.0]]]];
        let numbers: Vec<f32> = (1..=12).map(|n| n as f32).collect();
        assert_eq!(Filters::of(&weights), Filters::from_slice(&numbers, [2, 3, 2, 1]).unwrap());
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let text = |error: PlotError| error.to_string();
        assert_eq!(
            text(Filters::from_slice(&[0.0f32; 5], [1, 1, 2, 3]).unwrap_err()),
            "filters: found 5 weights, wanted 6 by the sizes 1×1×2×3 (filters, channels, rows, columns)"
        );
        assert!(Filters::from_slice(&[0.0f32; 5], [usize::MAX, 2, 1, 1]).is_err());
        assert_eq!(
            text(Filters::from_slice::<f32>(&[], [0, 1, 5, 5]).unwrap().draw().unwrap_err()),
            "filters: nothing to draw in 0×1×5×5 weights (filters, channels, rows, columns)"
        );
        let huge = Filters::of(&[[[[0.0f32]]]]).cell(usize::MAX).draw().unwrap_err();
        assert!(text(huge).contains("at most 8192 × 8192 are drawn"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("missing").join("filters.png");
        let error = text(Filters::of(&[[[[0.0f32]]]]).save(&file).unwrap_err());
        assert!(error.starts_with(&format!("{}: cannot write the picture: ", file.display())), "{error}");
    }

    #[test]
    fn the_file_is_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("filters.png");
        let filters = Filters::of(&[[[[1.0f32, -0.5]]]]);
        filters.save(&file).unwrap();
        filters.save(&file).unwrap();
        assert_eq!(image::open(&file).unwrap().to_rgb8(), filters.draw().unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left");
    }
}
