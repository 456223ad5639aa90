use crate::fault::difference;
use crate::{Fault, Faults, Shape, Text};

/// Branches on one input whose feature maps are joined along the channels, as PyTorch's `torch.cat(dim=1)` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat<'a> {
    /// What each branch yields, in the order of the joined channels.
    pub branches: &'a [Shape],
}

impl Concat<'_> {
    /// All channels, in the size of the branches.
    pub const fn output(&self) -> Shape {
        let (mut c, mut i) = (0_usize, 0);
        while i < self.branches.len() {
            c = c.saturating_add(self.branches[i].c);
            i += 1;
        }
        let Shape { h, w, .. } = self.usual();
        Shape { c: if c == 0 { 1 } else { c }, h, w }
    }

    /// A branch of the size that most of them have; the first one, if several sizes are equally frequent.
    const fn usual(&self) -> Shape {
        let (mut usual, mut most, mut i) = (Shape::flat(1), 0, 0);
        while i < self.branches.len() {
            let (mut equal, mut j) = (0, 0);
            while j < self.branches.len() {
                equal += same_size(self.branches[i], self.branches[j]) as usize;
                j += 1;
            }
            if equal > most {
                (usual, most) = (self.branches[i], equal);
            }
            i += 1;
        }
        usual
    }

    /// The first branch whose height or width is not that of the others.
    pub const fn wrong(&self) -> Option<usize> {
        let (usual, mut i) = (self.usual(), 0);
        while i < self.branches.len() {
            if !same_size(self.branches[i], usual) {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// What is wrong with the joined map.
    pub const fn faults(&self) -> Faults {
        let output = self.output();
        if output.len() > Shape::MOST_ELEMENTS {
            return Faults::new().with(Fault::TooLarge { output, params: 0 });
        }
        Faults::new()
    }

    /// What all branches yield, where one is wrong.
    pub const fn headline(&self, layer: &str) -> Text {
        let mut text = Text::new().str(layer).str(": its branches differ in size: they yield ");
        let mut i = 0;
        while i < self.branches.len() {
            if i > 0 {
                text = text.str(if i + 1 == self.branches.len() { " and " } else { ", " });
            }
            text = text.text(&self.branches[i].text());
            i += 1;
        }
        text
    }

    /// The sizes that differ; empty where no branch is wrong.
    pub const fn note(&self) -> Text {
        let (Some(wrong), usual) = (self.wrong(), self.usual()) else { return Text::new() };
        let wrong = self.branches[wrong];
        let text = difference(Text::new(), "height", wrong.h, usual.h);
        difference(text, "width", wrong.w, usual.w).str(": maps are joined along their channels, pixel by pixel")
    }

    /// The repair; empty where no branch is wrong.
    pub const fn help(&self) -> Text {
        let (Some(wrong), usual) = (self.wrong(), self.usual()) else { return Text::new() };
        let (text, wrong) = (Text::new(), self.branches[wrong]);
        let is_shorter = wrong.h <= usual.h && wrong.w <= usual.w;
        if wrong.is_flat() != usual.is_flat() {
            text.str("to join vectors, end every branch with `flatten`")
        } else if is_shorter && wrong.h > usual.h / 2 && wrong.w > usual.w / 2 {
            text.str("keep the size in this branch: `padding = same`")
        } else {
            text.str("give all branches one height and width")
        }
    }

    /// Panics if `branch` is the first one of another size: a compile error where this is evaluated in a `const`, at the place of the call.
    ///
    /// # Panics
    /// If it is.
    #[track_caller]
    pub const fn deny(&self, layer: &str, branch: usize) {
        if let Some(wrong) = self.wrong()
            && wrong == branch
        {
            let text = self.headline(layer).str("\n= note: ").text(&self.note());
            panic!("{}", text.str("\n= help: ").text(&self.help()).as_str());
        }
    }
}

const fn same_size(a: Shape, b: Shape) -> bool {
    a.h == b.h && a.w == b.w
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(branches: &[Shape]) -> Concat<'_> {
        Concat { branches }
    }

    #[test]
    fn channels_add_up() {
        let branches = [Shape::new(3, 8, 6), Shape::new(5, 8, 6), Shape::new(1, 8, 6)];
        assert_eq!(of(&branches).output(), Shape::new(9, 8, 6));
        assert_eq!((of(&branches).wrong(), of(&branches).faults().is_empty()), (None, true));
    }

    #[test]
    fn the_one_that_differs_is_wrong() {
        let branches = [Shape::new(4, 6, 6), Shape::new(8, 8, 8), Shape::new(2, 8, 8)];
        let concat = of(&branches);
        assert_eq!((concat.wrong(), concat.output()), (Some(0), Shape::new(14, 8, 8)));
        assert_eq!(
            concat.headline("cat").as_str(),
            "cat: its branches differ in size: they yield 4×6×6, 8×8×8 and 2×8×8"
        );
        assert_eq!(
            concat.note().as_str(),
            "height 6 and 8; width 6 and 8: maps are joined along their channels, pixel by pixel"
        );
        assert_eq!(concat.help().as_str(), "keep the size in this branch: `padding = same`");
        // Of two it is the second.
        assert_eq!(of(&branches[..2]).wrong(), Some(1));
        assert_eq!(of(&branches[..2]).help().as_str(), "give all branches one height and width");
        let flat = [Shape::flat(4), Shape::new(4, 1, 2)];
        assert_eq!(of(&flat).help().as_str(), "to join vectors, end every branch with `flatten`");
    }

    #[test]
    fn total_on_nonsense() {
        for branches in [&[][..], &[Shape::new(0, 0, 0)], &[Shape::new(usize::MAX, 1, 1); 3]] {
            let concat = of(branches);
            let _ = (concat.output(), concat.headline("cat"), concat.note(), concat.help());
        }
        assert!(!of(&[Shape::flat(usize::MAX); 2]).faults().is_empty());
    }
}
