//! A scene in pixels, and those as PNG.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgb, RgbImage};
use plotters::prelude::*;

use super::PlotError;
use super::colour::Colour;
use super::font;
use super::scene::{Align, Image, Mark, Scene, Text};

/// Subpixels on a side of a pixel: plotters draws between whole numbers, so 4 place an edge within a quarter of a pixel, and 16 levels smooth it.
const SUBPIXELS: usize = 4;
/// Bytes that the subpixels may take. Larger pictures have fewer of them.
const MOST_BYTES: usize = 1 << 28;

/// What plotters says of its own faults.
pub(super) fn fault(reason: impl ToString) -> PlotError {
    PlotError::Draw { reason: reason.to_string() }
}

/// The bytes of a PNG file.
pub(super) fn png(pixels: &RgbImage) -> Result<Vec<u8>, PlotError> {
    let mut bytes = Vec::new();
    // Few colours repeat as they are better than in differences: a field of 128 colours takes 8 kB instead of 12.
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::NoFilter);
    pixels.write_with_encoder(encoder).map_err(fault)?;
    Ok(bytes)
}

/// Draws the shapes in subpixels, takes the mean of each pixel's, and draws the text over it.
pub(super) fn draw(scene: &Scene) -> Result<RgbImage, PlotError> {
    let (width, height) = (scene.width, scene.height);
    let mut subpixels = SUBPIXELS;
    while subpixels > 1 && width * height * 3 * subpixels * subpixels > MOST_BYTES {
        subpixels /= 2;
    }
    let mut pixels = shapes(scene, subpixels)?;
    if subpixels > 1 {
        pixels = mean(&pixels, subpixels);
    }
    for mark in &scene.marks {
        if let Mark::Text(text) = mark {
            write(text, &mut pixels);
        }
    }
    Ok(pixels)
}

/// The subpixels of all that is not text.
fn shapes(scene: &Scene, subpixels: usize) -> Result<RgbImage, PlotError> {
    let size = [scene.width * subpixels, scene.height * subpixels].map(|side| side as u32);
    let scale = subpixels as f64;
    // Rectangles end before a subpixel; the others have one at their ends and in their middle, so they move by half of one, and lines are narrower by one.
    let place = |[x, y]: [f64; 2]| ((x * scale).round() as i32, (y * scale).round() as i32);
    let middle = |[x, y]: [f64; 2]| place([x - 0.5 / scale, y - 0.5 / scale]);
    let mut buffer = vec![255; size[0] as usize * size[1] as usize * 3];
    let mut images =
        scene.marks.iter().filter_map(|mark| if let Mark::Image(image) = mark { Some(image) } else { None });
    // Between images plotters has the buffer.
    for marks in scene.marks.split(|mark| matches!(mark, Mark::Image(_))) {
        let area = BitMapBackend::with_buffer(&mut buffer, (size[0], size[1])).into_drawing_area();
        for mark in marks {
            match mark {
                Mark::Rect { at, size, colour } => {
                    let end = [at[0] + size[0], at[1] + size[1]];
                    area.draw(&Rectangle::new([place(*at), place(end)], paint(*colour).filled())).map_err(fault)?;
                }
                Mark::Polygon { corners, colour } => {
                    let corners: Vec<_> = corners.iter().map(|&corner| middle(corner)).collect();
                    area.draw(&Polygon::new(corners, paint(*colour).filled())).map_err(fault)?;
                }
                Mark::Disc { at, radius, colour } => {
                    let radius = (radius * scale).round() as i32;
                    area.draw(&Circle::new(middle(*at), radius, paint(*colour).filled())).map_err(fault)?;
                }
                // Each segment by itself, with round ends: plotters fills a whole line's outline, which has holes where it crosses itself.
                Mark::Line { points, width, colour } => {
                    for ends in points.windows(2) {
                        let corners: Vec<_> = outline(ends[0], ends[1], width - 1.0 / scale).map(middle).into();
                        area.draw(&Polygon::new(corners, paint(*colour).filled())).map_err(fault)?;
                    }
                    // The first and the last end stay blunt, as SVG's do.
                    for &joint in points.iter().skip(1).take(points.len().saturating_sub(2)) {
                        let radius = (width * scale / 2.0).floor() as i32;
                        area.draw(&Circle::new(middle(joint), radius, paint(*colour).filled())).map_err(fault)?;
                    }
                }
                Mark::Text(_) | Mark::Image(_) => {}
            }
        }
        area.present().map_err(fault)?;
        drop(area);
        if let Some(image) = images.next() {
            stretch(image, &mut buffer, size, scale);
        }
    }
    RgbImage::from_raw(size[0], size[1], buffer).ok_or_else(|| fault("the buffer has another size than the picture"))
}

fn paint(colour: Colour) -> RGBColor {
    RGBColor(colour.0[0], colour.0[1], colour.0[2])
}

/// The corners of a segment of this width.
fn outline(from: [f64; 2], to: [f64; 2], width: f64) -> [[f64; 2]; 4] {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let length = dx.hypot(dy).max(f64::MIN_POSITIVE);
    let [nx, ny] = [-dy / length * width / 2.0, dx / length * width / 2.0];
    [[from[0] + nx, from[1] + ny], [to[0] + nx, to[1] + ny], [to[0] - nx, to[1] - ny], [from[0] - nx, from[1] - ny]]
}

/// Draws an image's pixels into subpixels, as far as they lie in the picture.
fn stretch(image: &Image, buffer: &mut [u8], [width, height]: [u32; 2], scale: f64) {
    let [start, end] = [0, 1].map(|end| {
        [0, 1]
            .map(|axis| (image.at[axis] + image.size[axis] * f64::from(end)) * scale)
            .map(|at| at.round().max(0.0) as u32)
    });
    let (columns, rows) = image.pixels.dimensions();
    if columns == 0 || rows == 0 {
        return;
    }
    // The colours of a smooth image hardly change within a pixel.
    let block = if image.smooth { scale as u32 } else { 1 };
    let (right, bottom) = (end[0].min(width), end[1].min(height));
    for (y, x) in (start[1]..bottom)
        .step_by(block as usize)
        .flat_map(|y| (start[0]..right).step_by(block as usize).map(move |x| (y, x)))
    {
        // Where the block's middle is in the image, in its pixels.
        let middle = f64::from(block) / 2.0;
        let u = ((f64::from(x) + middle) / scale - image.at[0]) / image.size[0] * f64::from(columns);
        let v = ((f64::from(y) + middle) / scale - image.at[1]) / image.size[1] * f64::from(rows);
        let colour = if image.smooth {
            between(&image.pixels, u - 0.5, v - 0.5)
        } else {
            image.pixels.get_pixel((u.max(0.0) as u32).min(columns - 1), (v.max(0.0) as u32).min(rows - 1)).0
        };
        for y in y..(y + block).min(bottom) {
            let at = (y as usize * width as usize + x as usize) * 3;
            for pixel in buffer[at..][..(block.min(right - x) * 3) as usize].chunks_exact_mut(3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }
}

/// The colour between the middles of four pixels, bilinearly.
fn between(pixels: &RgbImage, u: f64, v: f64) -> [u8; 3] {
    let (columns, rows) = pixels.dimensions();
    let (u, v) = (u.clamp(0.0, f64::from(columns - 1)), v.clamp(0.0, f64::from(rows - 1)));
    let (x, y) = (u as u32, v as u32);
    let (right, below) = ((x + 1).min(columns - 1), (y + 1).min(rows - 1));
    let (fx, fy) = (u - f64::from(x), v - f64::from(y));
    let of = |x, y| pixels.get_pixel(x, y).0;
    let (a, b, c, d) = (of(x, y), of(right, y), of(x, below), of(right, below));
    [0, 1, 2].map(|i| {
        let [a, b, c, d] = [a, b, c, d].map(|colour| f64::from(colour[i]));
        ((a * (1.0 - fx) + b * fx) * (1.0 - fy) + (c * (1.0 - fx) + d * fx) * fy).round() as u8
    })
}

/// Pixels, each the mean of its subpixels.
fn mean(subpixels: &RgbImage, side: usize) -> RgbImage {
    let (width, height) = (subpixels.width() as usize / side, subpixels.height() as usize / side);
    let stride = subpixels.width() as usize * 3;
    let mut pixels = vec![0u8; width * height * 3];
    let mut sums = vec![0u32; width * 3];
    let divisor = (side * side) as u32;
    for (rows, row) in subpixels.as_raw().chunks_exact(stride * side).zip(pixels.chunks_exact_mut(width * 3)) {
        sums.fill(0);
        for subpixel_row in rows.chunks_exact(stride) {
            for (sum, group) in sums.chunks_exact_mut(3).zip(subpixel_row.chunks_exact(3 * side)) {
                for colour in group.chunks_exact(3) {
                    for i in 0..3 {
                        sum[i] += u32::from(colour[i]);
                    }
                }
            }
        }
        for (byte, sum) in row.iter_mut().zip(&sums) {
            *byte = ((sum + divisor / 2) / divisor) as u8;
        }
    }
    RgbImage::from_raw(width as u32, height as u32, pixels).unwrap_or_default()
}

/// Draws a line of text over the pixels.
fn write(text: &Text, pixels: &mut RgbImage) {
    let width = font::width(&text.text, text.size);
    let back = match text.align {
        Align::Start => 0.0,
        Align::Middle => width / 2.0,
        Align::End => width,
    };
    let at = if text.turned { [text.at[0], text.at[1] + back] } else { [text.at[0] - back, text.at[1]] };
    let inside = (i64::from(pixels.width()), i64::from(pixels.height()));
    font::draw(&text.text, text.size, at, text.turned, |x, y, coverage| {
        if (0..inside.0).contains(&x) && (0..inside.1).contains(&y) {
            let under = pixels.get_pixel_mut(x as u32, y as u32);
            let blend = |i: usize| {
                f32::from(under.0[i]) + (f32::from(text.colour.0[i]) - f32::from(under.0[i])) * coverage.min(1.0)
            };
            *under = Rgb([0, 1, 2].map(|i| blend(i).round() as u8));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::colour::INK;

    const RED: Colour = Rgb([255, 0, 0]);

    #[test]
    fn a_shape_is_where_it_was_put() {
        let mut scene = Scene::new(20, 10, "");
        scene.rect([2.0, 3.0], [4.0, 5.5], RED);
        let pixels = draw(&scene).unwrap();
        assert_eq!(pixels.dimensions(), (20, 10));
        let at = |x, y| pixels.get_pixel(x, y).0;
        assert_eq!([at(1, 5), at(2, 5), at(5, 5), at(6, 5)], [[255; 3], [255, 0, 0], [255, 0, 0], [255; 3]]);
        assert_eq!([at(3, 2), at(3, 3), at(3, 7), at(3, 9)], [[255; 3], [255, 0, 0], [255, 0, 0], [255; 3]]);
        // Half of the pixel is covered.
        assert_eq!(at(3, 8), [255, 128, 128]);
    }

    #[test]
    fn a_line_is_as_wide_as_it_says_and_without_gaps() {
        let mut scene = Scene::new(40, 40, "");
        scene.line(vec![[5.0, 5.0], [20.0, 35.0], [35.0, 5.0], [5.0, 30.0]], 2.0, INK);
        let pixels = draw(&scene).unwrap();
        for step in 0..=100 {
            let share = f64::from(step) / 100.0;
            let (x, y) = (5.5 + 14.0 * share, 6.0 + 28.0 * share);
            assert!(pixels.get_pixel(x as u32, y as u32).0[0] < 160, "at {x}, {y}");
        }
        let dark: f64 = pixels.pixels().map(|pixel| (255.0 - f64::from(pixel.0[0])) / 217.0).sum();
        // Two sides of 33.5 and one of 39.05, 2 wide, less what they share where they meet.
        assert!((200.0..235.0).contains(&dark), "{dark}");
    }

    #[test]
    fn an_image_is_stretched_sharply_or_smoothly() {
        let pixels = RgbImage::from_raw(2, 1, vec![0, 0, 0, 200, 200, 200]).unwrap();
        let draw = |smooth| {
            let mut scene = Scene::new(8, 4, "");
            scene.image([0.0, 0.0], [8.0, 4.0], pixels.clone(), smooth);
            let pixels = draw(&scene).unwrap();
            [0, 3, 4, 7].map(|x| pixels.get_pixel(x, 2).0[0])
        };
        assert_eq!(draw(false), [0, 0, 200, 200]);
        assert_eq!(draw(true), [0, 75, 125, 200]);
    }
}
