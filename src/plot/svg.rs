//! A scene as SVG.

use std::fmt::Write;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontTransform};

use super::PlotError;
use super::pixels::{fault, png};
use super::scene::{Align, Image, Mark, Scene, Text};

/// Units of a pixel: plotters writes whole numbers, and the view box makes a tenth of a pixel of each.
const UNITS: f64 = 10.0;

/// The text of an SVG file.
pub(super) fn draw(scene: &Scene) -> Result<String, PlotError> {
    let (width, height) = (scene.width, scene.height);
    let mut svg = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n",
        width as f64 * UNITS,
        height as f64 * UNITS
    );
    if !scene.title.is_empty() {
        let title = scene.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(svg, "<title>{title}</title>");
    }
    let mut images =
        scene.marks.iter().filter_map(|mark| if let Mark::Image(image) = mark { Some(image) } else { None });
    for marks in scene.marks.split(|mark| matches!(mark, Mark::Image(_))) {
        svg += &elements(marks, [width, height])?;
        if let Some(image) = images.next() {
            embed(image, &mut svg)?;
        }
    }
    svg += "</svg>\n";
    Ok(svg)
}

/// The elements of these marks as plotters writes them, without the root element that it puts around them.
fn elements(marks: &[Mark], size: [usize; 2]) -> Result<String, PlotError> {
    let mut document = String::new();
    let [width, height] = size.map(|side| (side as f64 * UNITS) as u32);
    let area = SVGBackend::with_string(&mut document, (width, height)).into_drawing_area();
    let place = |[x, y]: [f64; 2]| ((x * UNITS).round() as i32, (y * UNITS).round() as i32);
    let length = |pixels: f64| (pixels * UNITS).round().max(1.0) as u32;
    for mark in marks {
        match mark {
            Mark::Rect { at, size, colour } => {
                let end = [at[0] + size[0], at[1] + size[1]];
                area.draw(&Rectangle::new([place(*at), place(end)], paint(colour.0).filled())).map_err(fault)?;
            }
            Mark::Polygon { corners, colour } => {
                let corners: Vec<_> = corners.iter().map(|&corner| place(corner)).collect();
                area.draw(&Polygon::new(corners, paint(colour.0).filled())).map_err(fault)?;
            }
            Mark::Disc { at, radius, colour } => {
                area.draw(&Circle::new(place(*at), length(*radius), paint(colour.0).filled())).map_err(fault)?;
            }
            Mark::Line { points, width, colour } => {
                let points: Vec<_> = points.iter().map(|&point| place(point)).collect();
                area.draw(&PathElement::new(points, paint(colour.0).stroke_width(length(*width)))).map_err(fault)?;
            }
            Mark::Text(text) => write_text(text, &area, place)?,
            Mark::Image(_) => {}
        }
    }
    area.present().map_err(fault)?;
    drop(area);
    // What plotters says of each element beyond what SVG takes for granted is a fifth of the file.
    let document = document.replace(" opacity=\"1\"", "").replace(" \"/>", "\"/>").replace("\n</text>", "</text>");
    let inner = document.split_once(">\n").map_or("", |(_, inner)| inner);
    Ok(inner
        .strip_suffix("</svg>\n")
        .unwrap_or(inner)
        .replace(" stroke=\"none\"/>", "/>")
        .replace(">\n", ">")
        .replace("><", ">\n<")
        + "\n")
}

fn paint([r, g, b]: [u8; 3]) -> RGBColor {
    RGBColor(r, g, b)
}

fn write_text<'a>(
    text: &Text, area: &DrawingArea<SVGBackend<'a>, plotters::coord::Shift>, place: impl Fn([f64; 2]) -> (i32, i32),
) -> Result<(), PlotError> {
    let h_pos = match text.align {
        Align::Start => HPos::Left,
        Align::Middle => HPos::Center,
        Align::End => HPos::Right,
    };
    // plotters writes a font size that is 1.24 times smaller than what it is told, and puts the baseline of text that hangs from its place
    // 0.76 of that size below.
    let hang = 0.76 * text.size;
    let at = if text.turned { [text.at[0] - hang, text.at[1]] } else { [text.at[0], text.at[1] - hang] };
    let transform = if text.turned { FontTransform::Rotate270 } else { FontTransform::None };
    let font = FontDesc::new(FontFamily::SansSerif, text.size * UNITS * 1.24, plotters::style::FontStyle::Normal)
        .transform(transform);
    let colour = paint(text.colour.0);
    let style = TextStyle::from(font).color(&colour).pos(Pos::new(h_pos, VPos::Top));
    area.draw_text(&text.text, &style, place(at)).map_err(fault)
}

/// Writes an image element that holds a PNG.
fn embed(image: &Image, svg: &mut String) -> Result<(), PlotError> {
    let [x, y] = image.at.map(|length| (length * UNITS).round());
    let [width, height] = image.size.map(|length| (length * UNITS).round());
    let rendering = if image.smooth { "" } else { " style=\"image-rendering:pixelated\"" };
    let data = base64(&png(&image.pixels)?);
    let _ = writeln!(
        svg,
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\"{rendering} xlink:href=\"data:image/png;base64,{data}\"/>"
    );
    Ok(())
}

/// Bytes as base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let six = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= group.len() { DIGITS[six as usize] as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::colour::INK;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let coded = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(texts.map(|text| base64(text.as_bytes())), coded);
    }

    #[test]
    fn the_elements_are_there() {
        let mut scene = Scene::new(20, 10, "a < b");
        scene.line(vec![[1.0, 2.0], [3.04, 4.0]], 1.5, INK);
        scene.image([0.0, 0.0], [8.0, 4.0], image::RgbImage::new(2, 1), false);
        scene.text("x & y", [10.0, 5.0], 10.0, Align::Middle, INK);
        let svg = draw(&scene).unwrap();
        let lines: Vec<&str> = svg.lines().collect();
        assert!(lines[0].starts_with("<svg width=\"20\" height=\"10\" viewBox=\"0 0 200 100\""), "{svg}");
        assert_eq!(lines[1], "<title>a &lt; b</title>");
        assert_eq!(lines[2], "<rect x=\"0\" y=\"0\" width=\"200\" height=\"100\" fill=\"#FFFFFF\"/>");
        assert_eq!(lines[3], "<polyline fill=\"none\" stroke=\"#262626\" stroke-width=\"15\" points=\"10,20 30,40\"/>");
        assert!(lines[4].contains("xlink:href=\"data:image/png;base64,iVBORw0KGgo"), "{svg}");
        assert!(lines[5].starts_with(
            "<text x=\"100\" y=\"10\" dy=\"0.76em\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"100\""
        ));
        assert!(lines[5].ends_with(">x &amp; y</text>"), "{svg}");
        assert_eq!(lines[6..], ["</svg>"]);
    }
}
