//! [`ConfusionMatrix`]: which classes were taken for which, as a picture.

use super::colour::{Colour, INK, blues, text_on};
use super::font;
use super::picture::limit;
use super::scene::{Align, Scene};
use super::{Picture, PlotError};
use crate::train::Confusion;

/// A confusion matrix: a row for each true class, a column for each predicted one, and in each cell how often.
///
/// A cell is the darker the larger its part of the row is, so a class of few samples is as clear as one of many.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("confusion.svg");
/// use tenonet::plot::{ConfusionMatrix, Picture};
/// use tenonet::prelude::*;
///
/// network! {
///     struct Net([2] -> [3]) { fc: linear(3) }
/// }
///
/// let net = Net::init(&mut rand::rng());
/// let samples = (vec![Tensor::from_fn(|feature, _, _| feature as f32); 4], vec![0usize, 1, 2, 2]);
/// let confusion = Confusion::of(&net, &samples)?;
/// ConfusionMatrix::of(&confusion).classes(&["cat", "dog", "hare"]).save(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusionMatrix {
    confusion: Confusion,
    title: String,
    names: Option<Vec<String>>,
}

const NAME: &str = "confusion matrix";
const MARGIN: f64 = 22.0;
/// Sizes of letters in pixels.
const TITLE: f64 = 19.0;
const LABEL: f64 = 15.0;
const CLASS: f64 = 14.0;
/// Pixels of a cell: so many for all of them, within these limits. Below 26 no count has room.
const ALL: usize = 480;
const CELL: [usize; 2] = [8, 56];
const COUNTED: f64 = 26.0;
/// The most that names of classes take, in pixels.
const NAMES: f64 = 160.0;
const LINE: Colour = image::Rgb([205; 3]);

impl ConfusionMatrix {
    /// The picture of a matrix.
    pub fn of(confusion: &Confusion) -> Self {
        ConfusionMatrix { confusion: confusion.clone(), title: String::new(), names: None }
    }

    /// What stands above.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The names of the classes in order; unless said, they are numbered from 0.
    pub fn classes(mut self, names: impl IntoIterator<Item: AsRef<str>>) -> Self {
        self.names = Some(names.into_iter().map(|name| name.as_ref().to_string()).collect());
        self
    }
}

impl Picture for ConfusionMatrix {
    fn scene(&self) -> Result<Scene, PlotError> {
        let classes = self.confusion.classes();
        let names = self.names.clone().unwrap_or_else(|| (0..classes).map(|class| class.to_string()).collect());
        if names.len() != classes {
            return Err(PlotError::Classes { found: names.len(), wanted: classes });
        }
        if classes == 0 {
            return Err(PlotError::Empty { picture: NAME, found: "no classes".into() });
        }
        let cell = (ALL / classes).clamp(CELL[0], CELL[1]) as f64;
        let grid = cell * classes as f64;
        // Names are as high as their cell at most.
        let letters = CLASS.min(cell - 1.0).max(7.0);
        let widest = names.iter().map(|name| font::width(name, letters)).fold(0.0, f64::max).min(NAMES).ceil();
        let turned = widest > cell - 6.0;
        let title_room = if self.title.is_empty() { 0.0 } else { TITLE + 14.0 };
        let at = [(MARGIN + LABEL + 10.0 + widest + 8.0).round(), MARGIN + title_room];
        let below = 8.0 + if turned { widest } else { letters } + 10.0 + LABEL;
        let [width, height] = [at[0] + grid + MARGIN, at[1] + grid + below + MARGIN].map(|side| side.ceil() as usize);
        limit(NAME, width, height, "fewer classes")?;
        let mut scene = Scene::new(width, height, if self.title.is_empty() { "Confusion matrix" } else { &self.title });
        let middle = [at[0] + grid / 2.0, at[1] + grid / 2.0];

        for row in 0..classes {
            let counts = self.confusion.row(row);
            let all: u64 = counts.iter().sum();
            for (column, &count) in counts.iter().enumerate() {
                let corner = [at[0] + column as f64 * cell, at[1] + row as f64 * cell];
                let ground = blues(if all > 0 { count as f64 / all as f64 } else { 0.0 });
                if count > 0 {
                    scene.rect(corner, [cell; 2], ground);
                }
                if count > 0 && cell >= COUNTED {
                    let (text, middle) = (count.to_string(), corner.map(|side| side + cell / 2.0));
                    scene.fitted(&text, middle, CLASS, cell - 6.0, Align::Middle, text_on(ground));
                }
            }
        }
        for line in 0..=classes {
            let along = line as f64 * cell;
            let (width, colour) = if line == 0 || line == classes { (1.0, INK) } else { (0.5, LINE) };
            scene.rect([at[0] + along - width / 2.0, at[1]], [width, grid], colour);
            scene.rect([at[0], at[1] + along - width / 2.0], [grid, width], colour);
        }
        for (class, name) in names.iter().enumerate() {
            let along = (class as f64 + 0.5) * cell;
            let (name, size) = font::fit(name, letters, NAMES);
            scene.text(name.as_str(), [at[0] - 8.0, at[1] + along], size, Align::End, INK);
            let under = at[1] + grid + 8.0;
            if turned {
                scene.turned(name, [at[0] + along, under], size, Align::End, INK);
            } else {
                scene.text(name, [at[0] + along, under + letters / 2.0], size, Align::Middle, INK);
            }
        }
        scene.text("predicted", [middle[0], at[1] + grid + below - LABEL / 2.0], LABEL, Align::Middle, INK);
        scene.turned("true class", [MARGIN + LABEL / 2.0 - 4.0, middle[1]], LABEL, Align::Middle, INK);
        scene.heading(&self.title, [middle[0], MARGIN + TITLE / 2.0 - 3.0], TITLE, INK);
        Ok(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::network;
    use crate::plain::Plain;

    network! {
        /// Yields its input.
        struct Same([3] -> [3]) { fc: linear(3) }
    }

    /// The matrix of these pairs of true and predicted classes.
    fn matrix(pairs: &[(usize, usize)]) -> ConfusionMatrix {
        let mut net = Same::zeroed_box();
        (0..3).for_each(|class| net.fc.weight[class][class] = 1.0);
        let inputs: Vec<_> =
            pairs.iter().map(|&(_, class)| Tensor::<3>::from_fn(|c, _, _| f32::from(u8::from(c == class)))).collect();
        let targets: Vec<usize> = pairs.iter().map(|&(class, _)| class).collect();
        ConfusionMatrix::of(&Confusion::of(&*net, &(inputs, targets)).unwrap())
    }

    #[test]
    fn cells_tell_counts_and_are_as_dark_as_their_part_of_the_row() {
        let mut pairs = vec![(0, 0); 12];
        pairs.extend([(1, 1), (1, 2), (1, 2), (1, 2)]);
        let matrix = matrix(&pairs).classes(&["cat", "dog", "hare"]);
        let svg = matrix.to_svg().unwrap();
        for text in [">12</text>", ">1</text>", ">3</text>", ">cat</text>", ">predicted</text>", ">true class</text>"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains(">0</text>"));
        let pixels = image::load_from_memory(&matrix.to_png().unwrap()).unwrap().to_rgb8();
        // Cells of 56 pixels, of which the last ends at the margin.
        let right = pixels.width() as usize - 22;
        let at = |row: usize, column: usize| {
            pixels.get_pixel((right - 168 + 56 * column + 8) as u32, (22 + 56 * row + 8) as u32).0
        };
        assert_eq!([at(0, 0), at(1, 1), at(1, 2)], [[8, 48, 107], [198, 219, 239], [33, 113, 181]]);
        // A class without samples has white cells.
        assert_eq!([at(2, 0), at(2, 2), at(0, 1)], [[255; 3]; 3]);
    }

    #[test]
    fn names_are_as_many_as_classes() {
        let error = matrix(&[(0, 0)]).classes(["cat"]).to_svg().unwrap_err();
        assert_eq!(error.to_string(), "confusion matrix: found 1 names of classes, wanted 3");
        let long = matrix(&[(0, 0)]).classes(vec!["a name ".repeat(100); 3]).title("x".repeat(1000));
        assert!(long.to_png().is_ok());
    }
}
