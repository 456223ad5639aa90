//! [`Maps`]: images and feature maps, side by side.

use std::ops::RangeInclusive;

use image::{Rgb, RgbImage};

use super::axis::extent;
use super::colour::{Colour, INK, NOT_A_NUMBER, diverging};
use super::font;
use super::picture::limit;
use super::scene::{Align, Scene};
use super::{Picture, PlotError};
use crate::shape::Shape;
use crate::{FeatureMap, Scalar};

/// Images and feature maps side by side, with captions.
///
/// - Maps of one channel are grey, 0 black and 1 white; with [`signed`](Self::signed) blue below 0, white at 0, red above.
/// - Maps of three channels are coloured, their channels as red, green and blue.
/// - Other maps are one tile a channel, to one scale. The caption of channel 2 of `conv1` is `conv1[2]`.
///
/// An image with elements below 0 or above 1 is drawn from its least to its largest element, unless [`range`](Self::range) says otherwise. An element that is
/// not a number is black.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let (path, other) = (folder.path().join("maps.svg"), folder.path().join("channels.png"));
/// use tenonet::Tensor;
/// use tenonet::plot::{Maps, Picture};
///
/// let ramp = Tensor::<1, 8, 8>::from_fn(|_, row, column| (row + column) as f32 / 14.0);
/// let wave = Tensor::<1, 8, 8>::from_fn(|_, row, _| (row as f32).sin());
/// Maps::new().title("Inputs").image("ramp", &ramp).image("wave", &wave).save(path)?;
///
/// let features = Tensor::<6, 5, 5>::from_fn(|c, row, column| (c + 1) as f32 * (row as f32 - column as f32));
/// Maps::of(&features).signed().columns(3).save(other)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Maps {
    title: String,
    images: Vec<Entry>,
    columns: Option<usize>,
    cell: Option<usize>,
    range: Option<[f64; 2]>,
    signed: bool,
}

/// One image.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    caption: String,
    shape: Shape,
    elements: Vec<f64>,
}

/// What is drawn as one square: an image, or a channel.
struct Tile {
    caption: String,
    pixels: RgbImage,
}

const NAME: &str = "maps";
/// Around the picture, and between tiles, in pixels.
const MARGIN: f64 = 16.0;
const GAP: f64 = 10.0;
/// Sizes of letters, and what captions may take at most: a long one makes its column no wider than this, or its tile.
const TITLE: f64 = 18.0;
const CAPTION: f64 = 13.0;
const WIDEST: f64 = 110.0;
/// Pixels of a tile's longer side, about, where the cell is not said.
const SIDE: usize = 96;
const FRAME: Colour = Rgb([150; 3]);

impl Maps {
    /// A picture without images.
    pub fn new() -> Self {
        Self::default()
    }

    /// One image or feature map, without a caption: all channels of a map, a tile each.
    pub fn of<M: FeatureMap>(map: &M) -> Self {
        Self::new().image("", map)
    }

    /// What stands above.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// An image, with what stands under it; an empty caption takes no room.
    pub fn image<M: FeatureMap>(mut self, caption: impl Into<String>, map: &M) -> Self {
        let elements = map.flat().iter().map(|element| element.as_f64()).collect();
        self.images.push(Entry { caption: caption.into(), shape: M::SHAPE, elements });
        self
    }

    /// Tiles in a row, at least 1. Unless said, the picture is about square.
    pub fn columns(mut self, tiles: usize) -> Self {
        self.columns = Some(tiles.max(1));
        self
    }

    /// Pixels of the square that stands for one element, at least 1. Unless said, the longest side of a tile has about 96.
    pub fn cell(mut self, pixels: usize) -> Self {
        self.cell = Some(pixels.max(1));
        self
    }

    /// The elements that are black and white, or without any and all of a colour. What lies outside has the colour of the end.
    pub fn range(mut self, range: RangeInclusive<f64>) -> Self {
        self.range = Some([*range.start(), *range.end()]);
        self
    }

    /// Draws all maps that are not coloured blue below 0, white at 0 and red above, each to its own largest magnitude, or to that of the range.
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// The images as tiles.
    fn tiles(&self) -> Result<Vec<Tile>, PlotError> {
        if let Some([start, end]) = self.range
            && !(start < end && (end - start).is_finite())
        {
            return Err(PlotError::Range { picture: NAME, axis: "colour", start, end, log: false });
        }
        let mut tiles = Vec::new();
        for Entry { caption, shape, elements } in &self.images {
            if elements.is_empty() {
                continue;
            }
            let [low, high] = self.range.unwrap_or_else(|| own_range(elements));
            let plane = shape.h * shape.w;
            let share = |element: f64| (element - low) / (high - low);
            let grey = |element: f64| if element.is_nan() { NOT_A_NUMBER } else { Rgb([byte(share(element)); 3]) };
            let size = match self.range {
                Some([start, end]) => start.abs().max(end.abs()),
                None => extent(elements.iter().map(|element| element.abs())).map_or(1.0, |[_, most]| most),
            };
            // Zeros only are zero to any scale.
            let signed = |element: f64| diverging(if size > 0.0 { element / size } else { element } as f32);
            let draw = |colour: &dyn Fn(usize) -> Colour| {
                RgbImage::from_fn(shape.w as u32, shape.h as u32, |x, y| colour(y as usize * shape.w + x as usize))
            };
            if shape.c == 3 {
                let pixels = draw(&|at| {
                    let colour = [0, 1, 2].map(|channel| elements[channel * plane + at]);
                    if colour.iter().any(|c| c.is_nan()) { NOT_A_NUMBER } else { Rgb(colour.map(|c| byte(share(c)))) }
                });
                tiles.push(Tile { caption: caption.clone(), pixels });
                continue;
            }
            for (channel, map) in elements.chunks(plane).enumerate() {
                let numbered = shape.c > 1 && !caption.is_empty();
                let caption = if numbered { format!("{caption}[{channel}]") } else { caption.clone() };
                let pixels = draw(&|at| if self.signed { signed(map[at]) } else { grey(map[at]) });
                tiles.push(Tile { caption, pixels });
            }
        }
        if tiles.is_empty() {
            let found = format!(
                "{} images{}",
                self.images.len(),
                if self.images.is_empty() { "" } else { " without elements" }
            );
            return Err(PlotError::Empty { picture: NAME, found });
        }
        Ok(tiles)
    }
}

/// 0 to 1, or what the elements span if that is not enough.
fn own_range(elements: &[f64]) -> [f64; 2] {
    match extent(elements.iter().copied()) {
        Some([least, most]) if least < 0.0 || most > 1.0 => {
            if least < most {
                [least, most]
            } else {
                [least - 1.0, most + 1.0]
            }
        }
        _ => [0.0, 1.0],
    }
}

fn byte(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

impl Picture for Maps {
    fn scene(&self) -> Result<Scene, PlotError> {
        let tiles = self.tiles()?;
        let sides = |side: fn(&Tile) -> u32| tiles.iter().map(side).max().unwrap_or(1) as usize;
        let (columns, rows) = (sides(|tile| tile.pixels.width()), sides(|tile| tile.pixels.height()));
        let cell = self.cell.unwrap_or((SIDE / columns.max(rows)).clamp(1, 16));
        let captions = tiles.iter().map(|tile| font::width(&tile.caption, CAPTION)).fold(0.0, f64::max);
        // In floating point, where no size overflows.
        let drawn = |side: u32| f64::from(side) * cell as f64;
        let step = (columns as f64 * cell as f64).max(captions.min(WIDEST)).ceil() + GAP + 2.0;
        // What a row takes beside its images.
        let beside = GAP + 2.0 + if captions > 0.0 { CAPTION + 8.0 } else { 0.0 };
        let highest = rows as f64 * cell as f64 + beside;
        let squarish = ((tiles.len() as f64 * highest / step).sqrt().round() as usize).max(1);
        let across = self.columns.unwrap_or(squarish).min(tiles.len());
        // A row is as high as its own images need.
        let heights: Vec<f64> = tiles
            .chunks(across)
            .map(|row| row.iter().map(|tile| drawn(tile.pixels.height())).fold(0.0, f64::max))
            .collect();
        let top = MARGIN + if self.title.is_empty() { 0.0 } else { TITLE + 12.0 };
        let room = 2.0 * MARGIN - GAP;
        let width = (across as f64 * step + room).max(font::width(&self.title, TITLE).min(400.0) + 2.0 * MARGIN);
        let height = heights.iter().map(|height| height + beside).sum::<f64>() + top + MARGIN - GAP;
        limit(NAME, width as usize, height as usize, "smaller cells, or fewer images")?;
        let mut scene = Scene::new(width.ceil() as usize, height.ceil() as usize, &self.title);
        scene.heading(&self.title, [width / 2.0, MARGIN + TITLE / 2.0 - 2.0], TITLE, INK);
        // In the middle, if the title is wider than the tiles.
        let left = ((width - across as f64 * step + GAP) / 2.0).floor();
        let tops = heights.iter().scan(top, |next, height| {
            let this = *next;
            *next += height + beside;
            Some((this, *height))
        });
        let places = tops.flat_map(|(top, height)| (0..across).map(move |column| (column, top, height)));
        for ((column, top, height), Tile { caption, pixels }) in places.zip(tiles) {
            let corner = [left + column as f64 * step, top];
            let own = [pixels.width(), pixels.height()].map(drawn);
            // Smaller ones stand in the middle of their place.
            let at = [(step - GAP - 2.0, 0), (height, 1)]
                .map(|(space, axis)| corner[axis] + 1.0 + ((space - own[axis]) / 2.0).floor());
            scene.rect([at[0] - 1.0, at[1] - 1.0], [own[0] + 2.0, own[1] + 2.0], FRAME);
            scene.image(at, own, pixels, false);
            let middle = [corner[0] + (step - GAP) / 2.0, corner[1] + height + 2.0 + 4.0 + CAPTION / 2.0];
            scene.fitted(&caption, middle, CAPTION, step - 4.0, Align::Middle, INK);
        }
        Ok(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::plot::scene::Mark;

    /// The pixels of all tiles, and their captions.
    fn tiles(maps: &Maps) -> Vec<(String, Vec<[u8; 3]>)> {
        let tiles = maps.tiles().unwrap().into_iter();
        tiles.map(|tile| (tile.caption, tile.pixels.pixels().map(|pixel| pixel.0).collect())).collect()
    }

    #[test]
    fn one_channel_is_grey_or_diverges() {
        let map = Tensor([[[0.0f32, 0.5, 1.0]]]);
        assert_eq!(tiles(&Maps::new().image("a", &map)), [("a".into(), vec![[0; 3], [128; 3], [255; 3]])]);
        assert_eq!(tiles(&Maps::of(&map).signed())[0].1, [[247; 3], [213, 136, 145], [178, 24, 43]]);
        assert_eq!(tiles(&Maps::of(&map).range(0.0..=2.0))[0].1, [[0; 3], [64; 3], [128; 3]]);
        let wide = Tensor([[[-3.0f64, 0.0, 1.0, f64::NAN, f64::INFINITY]]]);
        assert_eq!(tiles(&Maps::of(&wide))[0].1, [[0; 3], [191; 3], [255; 3], [0; 3], [255; 3]]);
        assert_eq!(tiles(&Maps::of(&Tensor::<1, 1, 2>::zeros()).signed())[0].1, [[247; 3]; 2]);
        assert_eq!(tiles(&Maps::of(&Tensor([[[7.0f32; 1]; 1]])))[0].1, [[128; 3]]);
    }

    #[test]
    fn three_channels_are_colours_and_others_are_tiles() {
        let rgb = Tensor([[[1.0f32, 0.0]], [[0.5, 0.0]], [[0.0, f32::NAN]]]);
        assert_eq!(tiles(&Maps::of(&rgb).signed()), [(String::new(), vec![[255, 128, 0], [0; 3]])]);
        let two = Tensor([[[1.0f32, 0.0]], [[0.5, 2.0]]]);
        let numbered = [("x[0]".into(), vec![[128; 3], [0; 3]]), ("x[1]".into(), vec![[64; 3], [255; 3]])];
        assert_eq!(tiles(&Maps::new().image("x", &two)), numbered);
        assert!(tiles(&Maps::of(&two)).iter().all(|(caption, _)| caption.is_empty()));
    }

    #[test]
    fn tiles_stand_in_a_grid() {
        let maps = Maps::new().image("", &Tensor::<1, 5, 4>::zeros()).image("", &Tensor::<2, 3, 4>::zeros());
        let scene = maps.cell(3).columns(2).scene().unwrap();
        let images = scene.marks.iter().filter_map(|mark| match mark {
            Mark::Image(image) => Some((image.at, image.size)),
            _ => None,
        });
        // The second is in the middle of the height that the first one needs; the third has a row of its own, as high as it is.
        let wanted = [([17.0, 17.0], [12.0, 15.0]), ([41.0, 20.0], [12.0, 9.0]), ([17.0, 44.0], [12.0, 9.0])];
        assert_eq!(images.collect::<Vec<_>>(), wanted);
        assert_eq!((scene.width, scene.height), (16 + 14 + 10 + 14 + 16, 16 + 17 + 10 + 11 + 16));
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let text = |maps: Maps| maps.to_png().unwrap_err().to_string();
        assert_eq!(text(Maps::new()), "maps: nothing to draw in 0 images");
        assert_eq!(text(Maps::of(&Tensor::<0, 2, 2>::zeros())), "maps: nothing to draw in 1 images without elements");
        let one = || Maps::of(&Tensor::<1, 2, 2>::zeros());
        assert!(text(one().cell(usize::MAX)).ends_with("choose smaller cells, or fewer images"));
        assert!(text(one().range(1.0..=1.0)).starts_with("maps: the colour range is from 1 to 1, wanted"));
    }
}
