//! Stretches of training: steps that run one after the other on some inputs of a micro-batch, and then on the next ones, so that what one step writes is still near when the next reads it.
//!
//! A batch normalisation in training needs all inputs before it yields the first: one stretch ends with its sums, the next begins with what it makes of them. Where there is none,
//! steps take all inputs: their gradients share less memory if they have to live at the same time.

use super::{Kernel, Step};

/// A step, or half of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece {
    /// A whole step, by its number; of a batch normalisation what follows its sums.
    Step(usize),
    /// What a batch normalisation sums over all inputs.
    Sums(usize),
    /// In backward: what a batch normalisation has yielded is made again from what it read.
    Recompute(usize),
}

impl Piece {
    pub fn step(self) -> usize {
        match self {
            Piece::Step(step) | Piece::Sums(step) | Piece::Recompute(step) => step,
        }
    }
}

/// Pieces that take some inputs at a time; a single one takes all.
pub type Stretch = Vec<Piece>;

/// The stretches of steps in this order.
pub fn stretches(steps: &[Step], order: impl Iterator<Item = usize>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    // Whether the last stretch may go on, and whether a convolution is in it.
    let (mut open, mut convolves) = (false, false);
    for index in order {
        let (norm, convolution, at_once) = match steps[index].kernel {
            Kernel::BatchNorm { .. } => (true, false, false),
            Kernel::Conv { .. } | Kernel::ConvTranspose { .. } => (false, true, false),
            // Rows of one product for all inputs; masks that count inputs.
            Kernel::Linear { .. } | Kernel::Dropout { .. } => (false, false, true),
            _ => (false, false, false),
        };
        if norm {
            push(&mut stretches, open, Piece::Sums(index));
        }
        // One convolution each: the maps of two would have to live at the same time.
        let begins = norm || at_once || convolution && convolves;
        let goes_on = open && !begins;
        push(&mut stretches, goes_on, Piece::Step(index));
        convolves = convolution || goes_on && convolves;
        open = !at_once;
    }
    stretches.into_iter().flat_map(|stretch| cut(steps, stretch)).collect()
}

fn push(stretches: &mut Vec<Stretch>, goes_on: bool, piece: Piece) {
    match stretches.last_mut() {
        Some(last) if goes_on => last.push(piece),
        _ => stretches.push(vec![piece]),
    }
}

/// A stretch as it is, or its pieces if no normalisation is among them.
fn cut(steps: &[Step], stretch: Stretch) -> Vec<Stretch> {
    let norm = |piece: &Piece| matches!(steps[piece.step()].kernel, Kernel::BatchNorm { .. });
    if stretch.iter().any(norm) { vec![stretch] } else { stretch.into_iter().map(|piece| vec![piece]).collect() }
}

/// The number of the stretch that each step runs in, of a normalisation the one that it begins; 0 of those that do not run.
pub fn numbers(stretches: &[Stretch], steps: usize) -> Vec<usize> {
    let mut numbers = vec![0; steps];
    for (number, stretch) in stretches.iter().enumerate() {
        for piece in stretch {
            if let Piece::Step(step) = piece {
                numbers[*step] = number;
            }
        }
    }
    numbers
}
