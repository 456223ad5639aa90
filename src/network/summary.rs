//! A network's table, for people.

use core::fmt;
use core::marker::PhantomData;

use crate::network::{LayerInfo, Network};
use crate::shape::Text;

/// [`Network::summary`]: prints the table of the network's layers.
///
/// ```text
/// LeNet: 1×28×28 → 10
///
/// layer  kind      output   parameters  multiply-adds
/// conv1  conv      6×28×28         156        117,600
/// …
/// ```
pub struct Summary<N>(PhantomData<N>);

impl<N> Summary<N> {
    pub(crate) fn new() -> Self {
        Summary(PhantomData)
    }
}

/// Name, kind, output, parameters, multiply-adds.
const COLUMNS: usize = 5;
/// The first columns hold words and lean left, the rest numbers and lean right.
const WORDS: usize = 3;

impl<N: Network> fmt::Display for Summary<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::tensor::FeatureMap;
        let (input, output) = (N::Input::SHAPE.text(), N::Output::SHAPE.text());
        writeln!(f, "{}: {input} → {output}\n", N::NAME)?;
        table(f, N::LAYERS)?;
        let totals = [
            ("parameters", N::PARAMS, ""),
            ("multiply-adds", N::MACS, " for one input"),
            ("weights", N::WEIGHT_BYTES, " bytes"),
            ("scratch", N::SCRATCH_BYTES, " bytes, for inference"),
            ("thread", N::THREAD_BYTES, " bytes beside it that a thread keeps"),
            ("tape", N::TAPE_BYTES, " bytes for one input, in training"),
        ];
        // Most networks borrow nothing of the thread.
        let totals = || totals.into_iter().filter(|(name, bytes, _)| *bytes > 0 || *name != "thread");
        let (mut words, mut numbers) = (0, 0);
        for (name, number, _) in totals() {
            words = words.max(width(name));
            numbers = numbers.max(width(grouped(number).as_str()));
        }
        for (name, number, unit) in totals() {
            writeln!(f)?;
            write!(f, "{name:words$}  {:>numbers$}{unit}", grouped(number).as_str())?;
        }
        Ok(())
    }
}

fn table(f: &mut fmt::Formatter<'_>, layers: &[LayerInfo]) -> fmt::Result {
    let header = ["layer", "kind", "output", "parameters", "multiply-adds"];
    let mut widths = header.map(width);
    for layer in layers {
        cells(layer, |column, cell| {
            widths[column] = widths[column].max(width(cell));
            Ok(())
        })?;
    }
    for (column, cell) in header.into_iter().enumerate() {
        write_cell(f, &widths, column, cell)?;
    }
    for layer in layers {
        cells(layer, |column, cell| write_cell(f, &widths, column, cell))?;
    }
    writeln!(f)
}

/// Hands the cells of a layer's row to `each`, one after the other: texts of the stack, as there is no allocator.
fn cells(layer: &LayerInfo, mut each: impl FnMut(usize, &str) -> fmt::Result) -> fmt::Result {
    each(0, layer.name)?;
    each(1, layer.kind)?;
    each(2, layer.output.text().as_str())?;
    each(3, grouped(layer.params).as_str())?;
    each(4, grouped(layer.macs).as_str())
}

fn write_cell(f: &mut fmt::Formatter<'_>, widths: &[usize; COLUMNS], column: usize, cell: &str) -> fmt::Result {
    let width = widths[column];
    if column > 0 {
        f.write_str("  ")?;
    }
    if column < WORDS {
        write!(f, "{cell:width$}")?
    } else {
        write!(f, "{cell:>width$}")?
    }
    if column + 1 == COLUMNS { writeln!(f) } else { Ok(()) }
}

fn grouped(number: usize) -> Text {
    Text::new().grouped(number)
}

/// Characters, as the formatter counts them: `×` is one.
fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::shape::Shape;

    struct Table(&'static [LayerInfo]);

    impl fmt::Display for Table {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            table(f, self.0)
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_content() {
        const LAYERS: &[LayerInfo] = &[
            LayerInfo { name: "conv1", kind: "conv", output: Shape::new(6, 28, 28), params: 156, macs: 117_600 },
            LayerInfo { name: "a_longer_name", kind: "global_avg_pool", output: Shape::flat(6), params: 0, macs: 0 },
            LayerInfo { name: "fc", kind: "linear", output: Shape::flat(10), params: 1_234_567_890_123, macs: 60 },
        ];
        assert_eq!(
            Table(LAYERS).to_string(),
            "\
layer          kind             output          parameters  multiply-adds
conv1          conv             6×28×28                156        117,600
a_longer_name  global_avg_pool  6                        0              0
fc             linear           10       1,234,567,890,123             60

"
        );
    }
}
