//! A picture as a list of marks, before it is SVG or pixels.
//!
//! Lengths are pixels, x to the right and y downwards. What is later lies above; text lies above all.

use image::RgbImage;

use super::colour::{Colour, WHITE};
use super::font::{self, CAPITALS, fit};

/// The least space between a title and the picture's edge, in pixels.
const EDGE: f64 = 8.0;

/// A picture, laid out.
#[derive(Clone, Debug)]
pub struct Scene {
    pub(super) width: usize,
    pub(super) height: usize,
    /// What a reader who cannot see the picture is told, in SVG.
    pub(super) title: String,
    pub(super) marks: Vec<Mark>,
}

/// One mark.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    Rect { at: [f64; 2], size: [f64; 2], colour: Colour },
    Polygon { corners: Vec<[f64; 2]>, colour: Colour },
    Line { points: Vec<[f64; 2]>, width: f64, colour: Colour },
    Disc { at: [f64; 2], radius: f64, colour: Colour },
    Text(Text),
    Image(Image),
}

/// A line of text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// Where the baseline begins, ends or has its middle, as `align` says.
    pub(super) at: [f64; 2],
    pub(super) text: String,
    /// The font's size.
    pub(super) size: f64,
    pub(super) colour: Colour,
    pub(super) align: Align,
    /// Whether it runs upwards.
    pub(super) turned: bool,
}

/// Which part of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// Pixels, stretched over a rectangle.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) at: [f64; 2],
    pub(super) size: [f64; 2],
    pub(super) pixels: RgbImage,
    /// Whether colours between the pixels' middles are interpolated; otherwise a pixel is a rectangle.
    pub(super) smooth: bool,
}

impl Scene {
    /// A white picture.
    pub(super) fn new(width: usize, height: usize, title: &str) -> Self {
        let mut scene = Scene { width, height, title: title.into(), marks: Vec::new() };
        scene.rect([0.0, 0.0], [width as f64, height as f64], WHITE);
        scene
    }

    pub(super) fn rect(&mut self, at: [f64; 2], size: [f64; 2], colour: Colour) {
        self.marks.push(Mark::Rect { at, size, colour });
    }

    pub(super) fn polygon(&mut self, corners: Vec<[f64; 2]>, colour: Colour) {
        self.marks.push(Mark::Polygon { corners, colour });
    }

    pub(super) fn line(&mut self, points: Vec<[f64; 2]>, width: f64, colour: Colour) {
        self.marks.push(Mark::Line { points, width, colour });
    }

    pub(super) fn disc(&mut self, at: [f64; 2], radius: f64, colour: Colour) {
        self.marks.push(Mark::Disc { at, radius, colour });
    }

    /// The frame of a rectangle, `width` thick, half of it on either side.
    pub(super) fn frame(&mut self, [x, y]: [f64; 2], [w, h]: [f64; 2], width: f64, colour: Colour) {
        let half = width / 2.0;
        self.rect([x - half, y - half], [w + width, width], colour);
        self.rect([x - half, y + h - half], [w + width, width], colour);
        self.rect([x - half, y + half], [width, h - width], colour);
        self.rect([x + w - half, y + half], [width, h - width], colour);
    }

    /// Text whose capitals have their middle at the height of `at`.
    pub(super) fn text(&mut self, text: impl Into<String>, [x, y]: [f64; 2], size: f64, align: Align, colour: Colour) {
        self.write(text.into(), [x, y + size * CAPITALS / 2.0], size, align, colour, false);
    }

    /// As [`text`](Self::text), in smaller letters or cut where it would take more than `room` pixels.
    pub(super) fn fitted(&mut self, text: &str, at: [f64; 2], size: f64, room: f64, align: Align, colour: Colour) {
        let (text, size) = fit(text, size, room);
        self.text(text, at, size, align, colour);
    }

    /// A title whose middle is at `x`, or as near to it as the picture's edges let it.
    pub(super) fn heading(&mut self, text: &str, [x, y]: [f64; 2], size: f64, colour: Colour) {
        let width = self.width as f64;
        let (text, size) = fit(text, size, width - 2.0 * EDGE);
        let half = font::width(&text, size) / 2.0;
        self.text(text, [x.min(width - EDGE - half).max(EDGE + half), y], size, Align::Middle, colour);
    }

    /// Text that runs upwards, the middle of its capitals at the `x` of `at`.
    pub(super) fn turned(
        &mut self, text: impl Into<String>, [x, y]: [f64; 2], size: f64, align: Align, colour: Colour,
    ) {
        self.write(text.into(), [x + size * CAPITALS / 2.0, y], size, align, colour, true);
    }

    fn write(&mut self, text: String, at: [f64; 2], size: f64, align: Align, colour: Colour, turned: bool) {
        // SVG has no place for control characters.
        let text = text.replace(char::is_control, " ");
        if !text.trim().is_empty() {
            self.marks.push(Mark::Text(Text { at, text, size, colour, align, turned }));
        }
    }

    pub(super) fn image(&mut self, at: [f64; 2], size: [f64; 2], pixels: RgbImage, smooth: bool) {
        self.marks.push(Mark::Image(Image { at, size, pixels, smooth }));
    }
}
