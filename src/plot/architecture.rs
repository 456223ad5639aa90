//! [`Architecture`]: a network's layers as blocks.

use image::Rgb;

use super::colour::{Colour, INK, WHITE, mix, series};
use super::font;
use super::marker;
use super::picture::limit;
use super::scene::{Align, Scene};
use super::{Picture, PlotError};
use crate::shape::Shape;
use crate::{FeatureMap, LayerInfo, Network};

/// A network as a row of blocks, from the input to the output, wrapped into several rows where it is long.
///
/// A block is what leaves a layer: its height and depth tell the map's rows and columns, its width the channels, both on a logarithmic scale; a vector is a
/// thin bar, the higher the more features it has. Above stands the layer's name, if it has one of its own, below its kind and the shape. Layers that change no shape, such as
/// activations and normalisation, are named under the block before them.
///
/// Blocks of `residual` and `concat` stand behind the layers of their arms, as in the network's table: a cross in a circle tells that they are added there, two bars that their channels are joined.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("lenet.svg");
/// use tenonet::plot::{Architecture, Picture};
/// use tenonet::prelude::*;
///
/// network! {
///     /// LeNet-5 for 28 × 28 grey digits.
///     struct LeNet([1, 28, 28] -> [10]) {
///         conv1: conv(6, kernel = 5, padding = 2), relu, max_pool(2),
///         conv2: conv(16, kernel = 5), relu, max_pool(2),
///         flatten,
///         fc1: linear(120), relu,
///         fc2: linear(84), relu,
///         fc3: linear(10),
///     }
/// }
///
/// Architecture::of::<LeNet>().save(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    title: String,
    subtitle: String,
    blocks: Vec<Block>,
}

/// One block of the picture.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    /// Empty if the layer is called by its kind and position.
    name: String,
    kind: String,
    shape: Shape,
    /// Kinds of the layers behind it that change no shape.
    then: Vec<&'static str>,
}

const NAME: &str = "architecture";
const MARGIN: f64 = 24.0;
/// Sizes of letters in pixels.
const TITLE: f64 = 19.0;
const SUBTITLE: f64 = 13.0;
const TEXT: f64 = 13.0;
const SMALL: f64 = 11.5;
/// From one line of text to the next.
const LINE: f64 = 17.0;
/// The width of a row at most, in pixels: that of a page.
const ROW: f64 = 1180.0;
/// Between a block's column and the next: room for an arrow.
const GAP: f64 = 26.0;
/// The most that a column's texts take; longer ones are in smaller letters.
const WIDEST: f64 = 120.0;
/// Pixels of the height of the smallest map and of the largest, and of a vector of one feature and of 4096 and more.
const HEIGHT: [f64; 2] = [18.0, 130.0];
/// Pixels of one channel's width, and of each doubling.
const WIDTH: [f64; 2] = [7.0, 8.0];
/// The part of the height by which a block goes back.
const DEPTH: f64 = 0.22;

impl Architecture {
    /// The picture of a network, from its constants.
    pub fn of<N: Network>() -> Self {
        let mut blocks =
            vec![Block { name: String::new(), kind: "input".into(), shape: N::Input::SHAPE, then: Vec::new() }];
        for layer in N::LAYERS {
            match blocks.last_mut() {
                Some(block) if changes_no_shape(layer.kind) && block.shape == layer.output => {
                    block.then.push(layer.kind)
                }
                _ => blocks.push(Block::of(layer)),
            }
        }
        let subtitle = format!("{} parameters · {} multiply-adds", grouped(N::PARAMS), grouped(N::MACS));
        Architecture { title: N::NAME.into(), subtitle, blocks }
    }

    /// What stands above: the network's name unless said.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Blocks in as few rows as have room for them, which are about as long as each other.
    fn rows(&self) -> Vec<&[Block]> {
        let fewest = self.wrapped(ROW).len();
        // A row of half the width has room for less; a few halvings find the narrowest that will do, to a few pixels.
        let (mut narrow, mut wide) = (0.0, ROW);
        for _ in 0..8 {
            let middle = (narrow + wide) / 2.0;
            if self.wrapped(middle).len() > fewest { narrow = middle } else { wide = middle }
        }
        self.wrapped(wide)
    }

    /// Blocks in rows of at most this width, each row's as many as have room.
    fn wrapped(&self, most: f64) -> Vec<&[Block]> {
        let (mut rows, mut start, mut used) = (Vec::new(), 0, 0.0);
        for (index, block) in self.blocks.iter().enumerate() {
            let width = block.width() + GAP;
            if used + width > most && index > start {
                rows.push(&self.blocks[start..index]);
                (start, used) = (index, 0.0);
            }
            used += width;
        }
        rows.push(&self.blocks[start..]);
        rows
    }

    /// The largest side of all maps.
    fn largest(&self) -> usize {
        self.blocks.iter().map(|block| block.shape.h.max(block.shape.w)).max().unwrap_or(1)
    }
}

/// Whether a layer of this kind is told by a word under the block before it.
fn changes_no_shape(kind: &str) -> bool {
    const KINDS: [&str; 17] = [
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "gelu",
        "silu",
        "sigmoid",
        "tanh",
        "hard_sigmoid",
        "hard_swish",
        "softplus",
        "softmax",
        "batch_norm",
        "layer_norm",
        "scale",
        "bias",
        "dropout",
    ];
    KINDS.contains(&kind)
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Block {
    fn of(layer: &LayerInfo) -> Self {
        // `max_pool_2` says no more than its kind, which stands below.
        let own = layer.name.rsplit('.').next().unwrap_or_default();
        let number = own.strip_prefix(layer.kind).and_then(|rest| rest.strip_prefix('_'));
        let unnamed = number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()));
        let name = if unnamed { String::new() } else { layer.name.into() };
        Block { name, kind: layer.kind.into(), shape: layer.output, then: Vec::new() }
    }

    /// The lines of text under it.
    fn lines(&self) -> impl Iterator<Item = (String, f64, Colour)> {
        let then = self.then.iter().map(|kind| (format!("+ {kind}"), SMALL, Rgb([110; 3])));
        [(self.kind.clone(), TEXT, INK), (self.shape.text().as_str().to_string(), TEXT, INK)].into_iter().chain(then)
    }

    /// The width of its column.
    fn width(&self) -> f64 {
        let texts =
            self.lines().map(|(text, size, _)| font::width(&text, size)).fold(font::width(&self.name, TEXT), f64::max);
        // The block itself is never wider than this limit: 2²⁰ channels are 167 pixels, and their map is small.
        texts.min(WIDEST).max(self.solid(1)[0] + HEIGHT[1] * DEPTH).ceil()
    }

    /// Width and height of the front, and how far it goes back.
    fn solid(&self, largest: usize) -> [f64; 3] {
        let channels = (self.shape.c.max(1) as f64).log2();
        if self.shape.is_flat() {
            let share = (channels / 12.0).min(1.0);
            return [9.0, HEIGHT[0] + (HEIGHT[1] - HEIGHT[0]) * share, 4.0];
        }
        let share = |side: usize| if largest > 1 { (side.max(1) as f64).ln() / (largest as f64).ln() } else { 1.0 };
        let side = |side: usize| HEIGHT[0] + (HEIGHT[1] - HEIGHT[0]) * share(side);
        // A signal of one row is as thin as a vector, and long to the back.
        let height = if self.shape.h == 1 { 10.0 } else { side(self.shape.h) };
        [WIDTH[0] + WIDTH[1] * channels, height, side(self.shape.w) * DEPTH]
    }

    /// What kind of layer it is, by colour.
    fn colour(&self) -> Colour {
        match self.kind.as_str() {
            "input" => Rgb([150; 3]),
            kind if kind.starts_with("conv_transpose") || kind.starts_with("upsample") => series(4),
            kind if kind.starts_with("conv") => series(0),
            kind if kind.contains("pool") => series(1),
            "linear" => series(2),
            "residual" | "concat" => series(3),
            _ => series(5),
        }
    }
}

impl Picture for Architecture {
    fn scene(&self) -> Result<Scene, PlotError> {
        let largest = self.largest();
        let rows = self.rows();
        let widths = rows.iter().map(|row| row.iter().map(|block| block.width() + GAP).sum::<f64>() - GAP);
        let titles = font::width(&self.title, TITLE).max(font::width(&self.subtitle, SUBTITLE)).min(ROW);
        // Beside several rows there are arrows from one to the next.
        let aside = if rows.len() > 1 { GAP } else { 0.0 };
        let width = widths.fold(titles, f64::max) + 2.0 * (MARGIN + aside);
        let top = MARGIN + TITLE + SUBTITLE + 26.0;
        let heights: Vec<[f64; 2]> = rows
            .iter()
            .map(|row| {
                let tallest = row.iter().map(|block| block.solid(largest)).map(|[_, h, d]| h + d).fold(0.0, f64::max);
                let lines = row.iter().map(|block| block.lines().count()).max().unwrap_or(0);
                [tallest, LINE * (lines + 1) as f64 + 20.0]
            })
            .collect();
        let height = top + heights.iter().flatten().sum::<f64>() + 22.0 * (rows.len() - 1) as f64 + MARGIN - 12.0;
        limit(NAME, width as usize, height as usize, "a network of fewer layers")?;
        let mut scene = Scene::new(width.ceil() as usize, height.ceil() as usize, &self.title);
        scene.heading(&self.title, [width / 2.0, MARGIN + TITLE / 2.0 - 3.0], TITLE, INK);
        let under = [width / 2.0, MARGIN + TITLE + SUBTITLE / 2.0 + 4.0];
        scene.text(&self.subtitle, under, SUBTITLE, Align::Middle, Rgb([110; 3]));

        let mut y = top;
        for (index, (row, [tallest, texts])) in rows.iter().zip(heights).enumerate() {
            let middle = y + LINE + 4.0 + tallest / 2.0;
            let all: f64 = row.iter().map(|block| block.width() + GAP).sum::<f64>() - GAP;
            // One row is centred; of several each begins at the left, where reading goes on.
            let mut x = if rows.len() == 1 { (width - all) / 2.0 } else { MARGIN + aside };
            if index > 0 {
                arrow(&mut scene, [x - GAP, middle], GAP - 6.0);
            }
            for (place, block) in row.iter().enumerate() {
                let column = block.width();
                draw_block(&mut scene, block, block.solid(largest), [x + column / 2.0, middle]);
                scene.fitted(&block.name, [x + column / 2.0, y + LINE / 2.0], TEXT, WIDEST, Align::Middle, INK);
                let mut line = y + LINE + 4.0 + tallest + 16.0;
                for (text, size, colour) in block.lines() {
                    scene.fitted(&text, [x + column / 2.0, line], size, WIDEST, Align::Middle, colour);
                    line += LINE;
                }
                x += column + GAP;
                if place + 1 < row.len() || index + 1 < rows.len() {
                    arrow(&mut scene, [x - GAP + 3.0, middle], GAP - 6.0);
                }
            }
            y += tallest + texts + 22.0;
        }
        Ok(scene)
    }
}

/// Draws a small arrow to the right.
fn arrow(scene: &mut Scene, [x, y]: [f64; 2], length: f64) {
    let grey = Rgb([130; 3]);
    scene.rect([x, y - 0.75], [length - 6.0, 1.5], grey);
    marker::arrow_head(scene, [x + length, y], [1.0, 0.0], 8.0, grey);
}

/// Draws a block around its middle: front, top and right side.
fn draw_block(scene: &mut Scene, block: &Block, [width, height, depth]: [f64; 3], [x, y]: [f64; 2]) {
    let colour = block.colour();
    let (left, right) = (x - (width + depth) / 2.0, x + (width - depth) / 2.0);
    let (bottom, top) = (y + (height + depth) / 2.0, y - (height - depth) / 2.0);
    let front = vec![[left, top], [right, top], [right, bottom], [left, bottom]];
    let above = vec![[left, top], [left + depth, top - depth], [right + depth, top - depth], [right, top]];
    let side = vec![[right, top], [right + depth, top - depth], [right + depth, bottom - depth], [right, bottom]];
    let edge = mix(colour, Rgb([0; 3]), 0.35);
    // Light comes from above.
    for (face, white) in [(front, 0.45), (above, 0.7), (side, 0.2)] {
        scene.polygon(face.clone(), mix(colour, WHITE, white));
        let outline = face.iter().chain(&face[..2]).copied().collect();
        scene.line(outline, 1.0, edge);
    }
    if matches!(block.kind.as_str(), "residual" | "concat") {
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        scene.disc(middle, 8.0, edge);
        scene.disc(middle, 7.0, WHITE);
        // A sum is a cross; channels that are joined are two bars beside each other.
        if block.kind == "residual" {
            scene.rect([middle[0] - 4.5, middle[1] - 0.75], [9.0, 1.5], edge);
            scene.rect([middle[0] - 0.75, middle[1] - 4.5], [1.5, 9.0], edge);
        } else {
            scene.rect([middle[0] - 2.75, middle[1] - 4.0], [1.5, 8.0], edge);
            scene.rect([middle[0] + 1.25, middle[1] - 4.0], [1.5, 8.0], edge);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network;

    network! {
        struct Within([4, 8, 8] -> [4, 8, 8]) { conv(4, kernel = 3, padding = 1), relu, named: conv(4, kernel = 1) }
    }
    network! {
        struct Net([1, 8, 8] -> [10]) {
            conv1: conv(4, kernel = 3, padding = 1), bn: batch_norm, relu,
            inner: net(Within),
            residual { conv(4, kernel = 1), relu },
            max_pool(2), flatten, fc: linear(10), softmax,
        }
    }
    network! {
        struct Long([1, 8, 8] -> [1, 8, 8]) { repeat(100) { conv: conv(1, kernel = 1), max_pool(1) } }
    }

    #[test]
    fn layers_that_change_no_shape_belong_to_the_one_before() {
        let blocks = Architecture::of::<Net>().blocks;
        let told: Vec<_> =
            blocks.iter().map(|block| (block.name.as_str(), block.kind.as_str(), block.then.join(" "))).collect();
        let wanted = [
            ("", "input", ""),
            ("conv1", "conv", "batch_norm relu"),
            ("", "conv", "relu"),
            ("inner.named", "conv", ""),
            ("", "conv", "relu"),
            ("", "residual", ""),
            ("", "max_pool", ""),
            ("", "flatten", ""),
            ("fc", "linear", "softmax"),
        ];
        assert_eq!(told, wanted.map(|(name, kind, then)| (name, kind, then.to_string())));
    }

    #[test]
    fn shapes_and_totals_are_written() {
        let svg = Architecture::of::<Net>().title("A network").to_svg().unwrap();
        let totals = format!(">{} parameters · {} multiply-adds<", grouped(Net::PARAMS), grouped(Net::MACS));
        for text in ["A network", ">4×8×8<", ">4×4×4<", ">64<", ">+ softmax<", totals.as_str()] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn blocks_have_the_size_of_their_maps() {
        let block =
            |c, h, w| Block { name: String::new(), kind: "conv".into(), shape: Shape::new(c, h, w), then: Vec::new() };
        let [small, large] = [block(8, 4, 4), block(64, 32, 32)].map(|block| block.solid(32));
        assert!(small[0] < large[0] && small[1] < large[1] && small[2] < large[2]);
        assert_eq!(large[1], HEIGHT[1]);
        // A vector is thin, whatever its length; and no block has no size.
        assert_eq!(block(4096, 1, 1).solid(32)[0], block(10, 1, 1).solid(32)[0]);
        assert!(block(0, 0, 0).solid(1).iter().all(|side| *side > 0.0));
    }

    #[test]
    fn a_long_network_has_several_rows() {
        let picture = Architecture::of::<Long>();
        let rows = picture.rows();
        assert_eq!(rows.iter().map(|row| row.len()).sum::<usize>(), 201);
        let scene = picture.scene().unwrap();
        assert!(rows.len() > 5 && scene.width < 1300, "{} rows, {} pixels", rows.len(), scene.width);
        // Equal layers fill equal rows, and the last has the rest.
        assert!(rows[..rows.len() - 1].iter().all(|row| row.len() == rows[0].len()));
    }
}
