//! The letters of pictures in pixels, from a font that is part of the crate: a picture needs nothing of the system.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

/// DejaVu Sans, cut to the characters of formulas and Europe's languages; `font/README.md` says how.
static BYTES: &[u8] = include_bytes!("font/TenonetSans.ttf");

/// The height of capitals, in the font's size: 1493 of 2048 units.
pub(super) const CAPITALS: f64 = 0.729;

fn font() -> FontRef<'static> {
    FontRef::try_from_slice(BYTES).expect("the crate's font is a font: a test reads it")
}

/// What ab_glyph calls the scale, the height of a line, where the font's size, which SVG means, is `size` pixels.
fn scale(font: &FontRef, size: f64) -> PxScale {
    let em = font.units_per_em().unwrap_or(2048.0);
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

/// The glyphs of a line of text from `x = 0` on, their baseline at `y = 0`, and its width.
fn layout(font: &FontRef, text: &str, size: f64) -> (Vec<Glyph>, f64) {
    let scaled = font.as_scaled(scale(font, size));
    let (mut glyphs, mut x, mut former) = (Vec::new(), 0.0, None);
    for character in text.chars() {
        let id = scaled.glyph_id(character);
        if let Some(former) = former {
            x += scaled.kern(former, id);
        }
        glyphs.push(id.with_scale_and_position(scaled.scale(), point(x, 0.0)));
        x += scaled.h_advance(id);
        former = Some(id);
    }
    (glyphs, x.into())
}

/// The width of a line of text, in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    layout(&font(), text, size).1
}

/// The least size of letters that is read, in pixels.
const LEAST: f64 = 9.0;

/// The text and the size at which it takes at most `room` pixels: in smaller letters, and cut at the end where they would be too small.
pub(super) fn fit(text: &str, size: f64, room: f64) -> (String, f64) {
    let whole = width(text, size);
    if whole <= room {
        return (text.into(), size);
    }
    let fitting = (size * room / whole).max(LEAST.min(size));
    // A hundredth of a pixel for what rounding makes of a size that fits just so.
    if width(text, fitting) <= room + 0.01 {
        return (text.into(), fitting);
    }
    let characters: Vec<char> = text.chars().collect();
    let cut = |length: usize| characters[..length].iter().chain(&['…']).collect::<String>();
    // The longest beginning that has room, by halving.
    let (mut fits, mut long) = (0, characters.len());
    while long - fits > 1 {
        let middle = (fits + long) / 2;
        if width(&cut(middle), fitting) <= room { fits = middle } else { long = middle }
    }
    (cut(fits), fitting)
}

/// Calls `ink(x, y, coverage)` for the pixels of a line of text that begins at `x` with its baseline at `y`; `turned` text runs upwards from there.
pub(super) fn draw(text: &str, size: f64, at: [f64; 2], turned: bool, mut ink: impl FnMut(i64, i64, f32)) {
    let font = font();
    // Letters lie between pixels where they are, but the baseline is on one, so that feet are sharp.
    let (along, across) = if turned { (-at[1], at[0].round()) } else { (at[0], at[1].round()) };
    for mut glyph in layout(&font, text, size).0 {
        glyph.position.x += along.rem_euclid(1.0) as f32;
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, coverage| {
            let x = along.floor() as i64 + corner.x as i64 + i64::from(x);
            let y = corner.y as i64 + i64::from(y);
            if turned {
                ink(across as i64 + y, -x - 1, coverage);
            } else {
                ink(x, across as i64 + y, coverage);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_formulas_need() {
        let font = font();
        for character in "Aa0 äőžñ αΩ ỹ ′−×·→←≤≥≠≈∞Σ∂∇√½²³ ₀₁₉ ⁰¹⁹⁻".chars()
        {
            assert_ne!(font.glyph_id(character).0, 0, "{character}");
        }
        assert!(BYTES.len() <= 60_000);
    }

    #[test]
    fn widths_grow_with_text_and_size() {
        assert_eq!(width("", 16.0), 0.0);
        assert!((width("hinge", 32.0) - 2.0 * width("hinge", 16.0)).abs() < 0.01);
        assert!(width("hinges", 16.0) > width("hinge", 16.0) + 5.0);
    }

    #[test]
    fn text_becomes_smaller_and_then_shorter() {
        assert_eq!(fit("hinge", 16.0, 100.0), ("hinge".into(), 16.0));
        let (text, size) = fit("hinge", 16.0, 30.0);
        assert!(text == "hinge" && (9.0..16.0).contains(&size) && width(&text, size) <= 30.01);
        let (text, size) = fit(&"hinge ".repeat(1000), 16.0, 50.0);
        assert!(text.starts_with("hinge") && text.ends_with('…') && size == 9.0 && width(&text, size) <= 50.0);
    }

    #[test]
    fn turned_text_runs_upwards() {
        let ink = |turned| {
            let mut all = Vec::new();
            draw("l", 20.0, [50.0, 60.0], turned, |x, y, coverage| all.extend((coverage > 0.5).then_some([x, y])));
            all
        };
        // An l is an upright bar, 0.76 em high, that stands on its baseline.
        assert!(ink(false).iter().all(|&[x, y]| (50..56).contains(&x) && (44..60).contains(&y)));
        assert!(ink(true).iter().all(|&[x, y]| (34..50).contains(&x) && (54..60).contains(&y)));
        assert!(ink(true).len() > 20);
    }
}
