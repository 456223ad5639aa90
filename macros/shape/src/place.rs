/// A value that lives in an arena for a time: from the step that writes it to the last one that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Elements.
    pub len: usize,
    /// The step that writes it.
    pub first: usize,
    /// The last step that reads it.
    pub last: usize,
}

impl Life {
    /// Whether there is a step at which both live.
    pub const fn meets(&self, other: &Life) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Where the values of an arena lie, so that no two that live at the same time overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement<const N: usize> {
    /// The first element of each value.
    pub offsets: [usize; N],
    /// Elements of the arena.
    pub total: usize,
}

impl<const N: usize> Placement<N> {
    /// A placement of these values.
    pub const fn new(lives: [Life; N]) -> Self {
        let mut offsets = [0; N];
        let total = place(&lives, &mut offsets);
        Placement { offsets, total }
    }
}

/// The most elements that live at one step: no arena can be smaller.
pub const fn load(lives: &[Life]) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < lives.len() {
        // The load only grows where a value is written.
        let (mut sum, mut j) = (0_usize, 0);
        while j < lives.len() {
            if lives[j].first <= lives[i].first && lives[i].first <= lives[j].last {
                sum = sum.saturating_add(lives[j].len);
            }
            j += 1;
        }
        if sum > most {
            most = sum;
        }
        i += 1;
    }
    most
}

/// Places values in an arena, as many offsets as values; yields the arena's elements.
///
/// Step by step, each value goes to the arena's beginning or to its end, whichever is free: values of a chain lie at its two ends in turn, and the
/// arena is as small as can be, the largest sum of two neighbours. Where that fails, as it can in a graph, the values are placed
/// one after the other as low as they fit, once the largest first and once in the order of time, and the smaller arena is taken.
///
/// # Panics
/// If there are fewer offsets than values.
pub const fn place(lives: &[Life], offsets: &mut [usize]) -> usize {
    let least = load(lives);
    if at_both_ends(lives, offsets, least) {
        return least;
    }
    let by_time = as_low_as_possible(lives, offsets, false);
    let by_size = as_low_as_possible(lives, offsets, true);
    if by_size <= by_time { by_size } else { as_low_as_possible(lives, offsets, false) }
}

/// The offset of what has no place yet.
const NOWHERE: usize = usize::MAX;

const fn forget(offsets: &mut [usize], n: usize) {
    let mut i = 0;
    while i < n {
        offsets[i] = NOWHERE;
        i += 1;
    }
}

/// The value to be placed next: the largest, or the first to be written.
const fn next(lives: &[Life], offsets: &[usize], by_size: bool) -> usize {
    let (mut best, mut i) = (lives.len(), 0);
    while i < lives.len() {
        if offsets[i] == NOWHERE {
            let better = best == lives.len()
                || by_size && lives[i].len > lives[best].len
                || !by_size && lives[i].first < lives[best].first;
            if better {
                best = i;
            }
        }
        i += 1;
    }
    best
}

/// A value that has its place, lives at the same time as `value` and overlaps with it at `start`; the number of values if there is none.
const fn obstacle(lives: &[Life], offsets: &[usize], value: usize, start: usize) -> usize {
    let (life, mut i) = (&lives[value], 0);
    while i < lives.len() {
        let other = &lives[i];
        if offsets[i] != NOWHERE
            && life.meets(other)
            && offsets[i] < start.saturating_add(life.len)
            && start < offsets[i].saturating_add(other.len)
        {
            return i;
        }
        i += 1;
    }
    lives.len()
}

/// The lowest place at which a value fits.
const fn lowest(lives: &[Life], offsets: &[usize], value: usize) -> usize {
    let mut start = 0;
    loop {
        let obstacle = obstacle(lives, offsets, value, start);
        if obstacle == lives.len() {
            return start;
        }
        start = offsets[obstacle].saturating_add(lives[obstacle].len);
        if start == NOWHERE {
            return start - 1;
        }
    }
}

const fn as_low_as_possible(lives: &[Life], offsets: &mut [usize], by_size: bool) -> usize {
    forget(offsets, lives.len());
    let (mut total, mut placed) = (0, 0);
    while placed < lives.len() {
        let value = next(lives, offsets, by_size);
        offsets[value] = lowest(lives, offsets, value);
        let end = offsets[value].saturating_add(lives[value].len);
        if end > total {
            total = end;
        }
        placed += 1;
    }
    total
}

/// Places the values in an arena of `total` elements, in the order of time: at its beginning, at its end, or as low as they fit. Yields whether all fit.
const fn at_both_ends(lives: &[Life], offsets: &mut [usize], total: usize) -> bool {
    forget(offsets, lives.len());
    let mut placed = 0;
    while placed < lives.len() {
        let value = next(lives, offsets, false);
        let low = lowest(lives, offsets, value);
        // A single value is never above the sum of those that live.
        let high = total.saturating_sub(lives[value].len);
        offsets[value] = if low > 0 && obstacle(lives, offsets, value, high) == lives.len() { high } else { low };
        if offsets[value] > high {
            return false;
        }
        placed += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn check(lives: &[Life]) -> usize {
        let mut offsets = std::vec![0; lives.len()];
        let total = place(lives, &mut offsets);
        for (i, a) in lives.iter().enumerate() {
            assert!(offsets[i] + a.len <= total, "{lives:?}");
            for (j, b) in lives.iter().enumerate().skip(i + 1) {
                let apart = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                assert!(apart || !a.meets(b) || a.len == 0 || b.len == 0, "{lives:?}: {offsets:?}");
            }
        }
        assert!(total >= load(lives) && total <= lives.iter().map(|life| life.len).sum());
        total
    }

    /// Numbers that look random.
    fn random(state: &mut u64, below: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize % below
    }

    #[test]
    fn a_chain_takes_its_largest_step() {
        let mut state = 1;
        for _ in 0..2000 {
            let n = random(&mut state, 12);
            let lives: Vec<Life> =
                (0..n).map(|i| Life { len: random(&mut state, 20), first: i, last: i + 1 }).collect();
            let pairs = lives.windows(2).map(|pair| pair[0].len + pair[1].len);
            let least = pairs.chain(lives.first().map(|life| life.len)).max().unwrap_or(0);
            assert_eq!(check(&lives), least, "{lives:?}");
        }
    }

    #[test]
    fn nothing_overlaps() {
        let (mut state, mut least, mut taken) = (2, 0, 0);
        for _ in 0..2000 {
            let n = random(&mut state, 16);
            let lives: Vec<Life> = (0..n)
                .map(|i| Life { len: random(&mut state, 20), first: i, last: i + 1 + random(&mut state, 4) })
                .collect();
            least += load(&lives);
            taken += check(&lives);
        }
        // Close to what no arena can be below.
        assert!(taken * 100 <= least * 115, "{taken} of {least}");
    }

    #[test]
    fn blocks_of_a_residual_network() {
        // Input of the block, its first layer, its second one, and so on: three of one size live at once.
        let lives: Vec<Life> =
            [(0, 2), (1, 2), (2, 4), (3, 4), (4, 6), (5, 6)].map(|(first, last)| Life { len: 16, first, last }).into();
        assert_eq!(check(&lives), 48);
    }

    #[test]
    fn when_compiling() {
        const PLACES: Placement<3> = Placement::new([
            Life { len: 5, first: 0, last: 1 },
            Life { len: 7, first: 1, last: 2 },
            Life { len: 3, first: 2, last: 3 },
        ]);
        assert_eq!(PLACES, Placement { offsets: [0, 5, 0], total: 12 });
        assert_eq!(Placement::new([]).total, 0);
    }

    #[test]
    fn total_on_nonsense() {
        let life = |len, first, last| Life { len, first, last };
        let lives = [life(usize::MAX, 0, 9), life(usize::MAX, 0, 9), life(1, 3, 0), life(0, 0, 0)];
        let mut offsets = [0; 4];
        assert_eq!(place(&lives, &mut offsets), usize::MAX);
    }
}
