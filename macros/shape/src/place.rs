/// A value that lives in an arena for a time: from the step that writes it to the last one that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Elements.
    pub len: usize,
    /// The step that writes it.
    pub first: usize,
    /// The last step that reads it.
    pub last: usize,
    /// The value in whose place it lies, from its first element on: one that is as long or longer, and is read last where this one is written.
    pub over: Option<usize>,
}

impl Life {
    /// Of a value in a place of its own.
    pub const fn new(len: usize, first: usize, last: usize) -> Self {
        Life { len, first, last, over: None }
    }

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
        let (mut offsets, mut order) = ([0; N], [0; N]);
        let total = place(&lives, &mut offsets, &mut order);
        Placement { offsets, total }
    }
}

/// The first of `len` elements that are free where these ranges of an arena, `[first, end]`, are not: as low as they fit, and behind all of them at the latest.
pub const fn room(taken: &[[usize; 2]], len: usize) -> usize {
    let (mut start, mut i) = (0, 0);
    while i < taken.len() {
        let [first, end] = taken[i];
        if first < end && start < end && first < start.saturating_add(len) {
            // Ranges that were passed may be in the way again.
            start = end;
            i = 0;
        } else {
            i += 1;
        }
    }
    start
}

/// The most elements that live at one step: no arena can be smaller.
pub const fn load(lives: &[Life]) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < lives.len() {
        // The load only grows where a value is written.
        let (mut sum, mut j) = (0_usize, 0);
        while j < lives.len() {
            let shares = match lives[j].over {
                Some(below) => lives[i].first <= lives[below].last,
                None => false,
            };
            if lives[j].first <= lives[i].first && lives[i].first <= lives[j].last && !shares {
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

/// Places values in an arena, as many offsets as values; yields the arena's elements. `order` is room for as many numbers.
///
/// Step by step, each value goes to the arena's beginning or to its end, whichever is free: values of a chain lie at its two ends in turn, and the
/// arena is as small as can be, the largest sum of two neighbours. Where that fails, as it can in a graph, single values are moved away from the ends, and the same is
/// tried from the last step to the first; where all that fails, the values are placed one after the other as low as they fit, in the order of time, backwards, and the largest first, and
/// the smallest of the three arenas is taken.
///
/// Values that lie over each other are placed together, as the lowest of them is.
///
/// The time is that of the square of the number of values: the compiler has to do it too, and it does not count to a billion.
///
/// # Panics
/// If there are fewer offsets than values, or less room.
pub const fn place(lives: &[Life], offsets: &mut [usize], order: &mut [usize]) -> usize {
    let least = load(lives);
    if at_both_ends(lives, offsets, order, least, By::Time)
        || at_both_ends(lives, offsets, order, least, By::TimeBackwards)
    {
        return least;
    }
    let by_time = as_low_as_possible(lives, offsets, order, By::Time);
    let backwards = as_low_as_possible(lives, offsets, order, By::TimeBackwards);
    let by_size = as_low_as_possible(lives, offsets, order, By::Size);
    if by_size <= by_time && by_size <= backwards {
        by_size
    } else if by_time <= backwards {
        as_low_as_possible(lives, offsets, order, By::Time)
    } else {
        as_low_as_possible(lives, offsets, order, By::TimeBackwards)
    }
}

/// What is placed first.
#[derive(Clone, Copy)]
enum By {
    /// The first to be written.
    Time,
    /// The last to be read.
    TimeBackwards,
    /// The largest.
    Size,
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

/// The value to be placed next.
const fn next(lives: &[Life], offsets: &[usize], by: By) -> usize {
    let (mut best, mut i) = (lives.len(), 0);
    while i < lives.len() {
        if offsets[i] == NOWHERE && lives[i].over.is_none() {
            let better = best == lives.len()
                || match by {
                    By::Time => lives[i].first < lives[best].first,
                    By::TimeBackwards => lives[i].last > lives[best].last,
                    By::Size => lives[i].len > lives[best].len,
                };
            if better {
                best = i;
            }
        }
        i += 1;
    }
    best
}

/// Whether a value is `base`, which has a place of its own, or lies there over it.
const fn lies_at(lives: &[Life], value: usize, base: usize) -> bool {
    let mut below = value;
    while let Some(over) = lives[below].over {
        below = over;
    }
    below == base
}

/// The lowest place from `start` on at which a value fits, and so do those that lie over it. `order`: the values that have their place, the lowest first.
const fn lowest(lives: &[Life], offsets: &[usize], order: &[usize], value: usize, start: usize) -> usize {
    let mut place = lowest_of(lives, offsets, order, value, start);
    let mut above = 0;
    while above < lives.len() {
        if above != value && lies_at(lives, above, value) {
            let higher = lowest_of(lives, offsets, order, above, place);
            if higher != place {
                // Those that did fit have to fit there.
                place = lowest_of(lives, offsets, order, value, higher);
                above = 0;
                continue;
            }
        }
        above += 1;
    }
    place
}

/// The lowest place from `start` on at which a value by itself fits.
const fn lowest_of(lives: &[Life], offsets: &[usize], order: &[usize], value: usize, mut start: usize) -> usize {
    let (life, mut i) = (&lives[value], 0);
    while i < order.len() {
        let (first, other) = (offsets[order[i]], &lives[order[i]]);
        let end = first.saturating_add(other.len);
        if first >= start.saturating_add(life.len) {
            // Neither this one nor those above it are in the way.
            break;
        }
        if start < end && life.meets(other) {
            start = end;
        }
        i += 1;
    }
    if start == NOWHERE { start - 1 } else { start }
}

/// Puts a value that has got its place, and those over it, among the `placed` ones of `order`; yields how many have their place then.
const fn insert(lives: &[Life], offsets: &mut [usize], order: &mut [usize], placed: usize, value: usize) -> usize {
    let (mut now, mut above) = (placed, 0);
    while above < lives.len() {
        if lies_at(lives, above, value) {
            offsets[above] = offsets[value];
            let mut i = now;
            while i > 0 && offsets[order[i - 1]] > offsets[above] {
                order[i] = order[i - 1];
                i -= 1;
            }
            order[i] = above;
            now += 1;
        }
        above += 1;
    }
    now
}

const fn as_low_as_possible(lives: &[Life], offsets: &mut [usize], order: &mut [usize], by: By) -> usize {
    forget(offsets, lives.len());
    let (mut total, mut placed) = (0, 0);
    while placed < lives.len() {
        let value = next(lives, offsets, by);
        offsets[value] = lowest(lives, offsets, order.split_at(placed).0, value, 0);
        placed = insert(lives, offsets, order, placed, value);
        let end = offsets[value].saturating_add(lives[value].len);
        if end > total {
            total = end;
        }
    }
    total
}

/// Arrangements that are tried before the arena may grow: enough for what networks have, and few enough for the compiler.
const TRIES: usize = 64;

/// Places the values in an arena of `total` elements: at its beginning, at its end, or as low as they fit. Yields whether all fit.
///
/// A value that stands at an end where another one will have to (because a third one, beside that, takes all the rest) leaves no room. So where one does not fit, the
/// nearest one before it is looked for that lets it, or one behind it, fit when it stands between others instead.
const fn at_both_ends(lives: &[Life], offsets: &mut [usize], order: &mut [usize], total: usize, by: By) -> bool {
    // A bit for each of the first values, in the order in which they are placed.
    let mut between = 0_u128;
    let (mut fit, mut tries) = (arrange(lives, offsets, order, total, by, between), 1);
    while fit < lives.len() {
        let mut moved = if fit < 128 { fit } else { 128 };
        let before = fit;
        while fit == before {
            if moved == 0 || tries == TRIES {
                return false;
            }
            moved -= 1;
            if between >> moved & 1 == 0 {
                let now = arrange(lives, offsets, order, total, by, between | 1 << moved);
                tries += 1;
                if now > before {
                    fit = now;
                    between |= 1 << moved;
                }
            }
        }
    }
    true
}

/// Places values until one does not fit; yields how many do. Those whose bit is set in `between` stand between others, if there is such a place.
const fn arrange(
    lives: &[Life], offsets: &mut [usize], order: &mut [usize], total: usize, by: By, between: u128,
) -> usize {
    forget(offsets, lives.len());
    let mut placed = 0;
    while placed < lives.len() {
        let value = next(lives, offsets, by);
        let (before, _) = order.split_at(placed);
        let low = lowest(lives, offsets, before, value, 0);
        // A single value is never above the sum of those that live.
        let high = total.saturating_sub(lives[value].len);
        let inner = if placed < 128 && between >> placed & 1 == 1 {
            inside(lives, offsets, before, value, high)
        } else {
            NOWHERE
        };
        offsets[value] = if inner != NOWHERE {
            inner
        } else if low > 0 && lowest(lives, offsets, before, value, high) == high {
            high
        } else {
            low
        };
        if offsets[value] > high {
            offsets[value] = NOWHERE;
            return placed;
        }
        placed = insert(lives, offsets, order, placed, value);
    }
    placed
}

/// A place beside another value, above the arena's beginning and below `high`, where the value would reach its end; `NOWHERE` if there is none.
const fn inside(lives: &[Life], offsets: &[usize], order: &[usize], value: usize, high: usize) -> usize {
    let (life, mut i) = (&lives[value], 0);
    while i < order.len() {
        let (first, other) = (offsets[order[i]], &lives[order[i]]);
        if life.meets(other) {
            let (above, below) = (first + other.len, first.saturating_sub(life.len));
            if above > 0 && above < high && lowest(lives, offsets, order, value, above) == above {
                return above;
            }
            if below > 0 && below < high && lowest(lives, offsets, order, value, below) == below {
                return below;
            }
        }
        i += 1;
    }
    NOWHERE
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn check(lives: &[Life]) -> usize {
        let (mut offsets, mut order) = (std::vec![0; lives.len()], std::vec![0; lives.len()]);
        let total = place(lives, &mut offsets, &mut order);
        for (i, a) in lives.iter().enumerate() {
            assert!(offsets[i] + a.len <= total, "{lives:?}");
            for (j, b) in lives.iter().enumerate().skip(i + 1) {
                let apart = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                if b.over == Some(i) {
                    assert_eq!(offsets[i], offsets[j], "{lives:?}: {offsets:?}");
                    continue;
                }
                assert!(apart || !a.meets(b) || a.len == 0 || b.len == 0, "{lives:?}: {offsets:?}");
            }
        }
        assert!(total >= load(lives), "{lives:?}: {offsets:?}");
        assert!(total <= lives.iter().map(|life| life.len).sum());
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
            let lives: Vec<Life> = (0..n).map(|i| Life::new(random(&mut state, 20), i, i + 1)).collect();
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
            let lives: Vec<Life> =
                (0..n).map(|i| Life::new(random(&mut state, 20), i, i + 1 + random(&mut state, 4))).collect();
            least += load(&lives);
            taken += check(&lives);
        }
        // Close to what no arena can be below.
        assert!(taken * 100 <= least * 115, "{taken} of {least}");
    }

    /// A chain in which a value may lie over the one before it.
    #[test]
    fn nothing_overlaps_but_what_lies_over_it() {
        let (mut state, mut least, mut taken, mut apart) = (4, 0, 0, 0);
        for _ in 0..2000 {
            let n = 1 + random(&mut state, 12);
            let mut lives: Vec<Life> = Vec::new();
            for i in 0..n {
                let mut life = Life::new(1 + random(&mut state, 20), i, i + 1 + random(&mut state, 3) / 2);
                if let Some(below) = lives.last().filter(|below| below.last == i && below.len >= life.len)
                    && random(&mut state, 2) == 0
                {
                    life.over = Some(lives.iter().rposition(|other| other == below).unwrap_or_default());
                }
                lives.push(life);
            }
            least += load(&lives);
            taken += check(&lives);
            let without: Vec<Life> = lives.iter().map(|life| Life { over: None, ..*life }).collect();
            apart += check(&without);
        }
        assert!(taken * 100 <= least * 115, "{taken} of {least}");
        assert!(taken < apart, "{taken}, and {apart} apart");
    }

    #[test]
    fn what_lies_over_another_needs_no_room() {
        // A map, the pooled one in its place, and what follows: less than the first two apart.
        let lives = [Life::new(100, 0, 1), Life { over: Some(0), ..Life::new(40, 1, 2) }, Life::new(40, 2, 3)];
        assert_eq!(check(&lives), 100);
        // Over the second one lies a third one.
        let lives = [
            Life::new(100, 0, 1),
            Life { over: Some(0), ..Life::new(40, 1, 2) },
            Life { over: Some(1), ..Life::new(30, 2, 4) },
            Life::new(50, 3, 4),
        ];
        assert_eq!(check(&lives), 100);
    }

    #[test]
    fn the_lowest_place_is_found() {
        let mut state = 3;
        for _ in 0..2000 {
            let n = 1 + random(&mut state, 8);
            let lives: Vec<Life> = (0..n)
                .map(|_| {
                    let first = random(&mut state, 6);
                    Life::new(random(&mut state, 6), first, first + random(&mut state, 4))
                })
                .collect();
            let offsets: Vec<usize> = (0..n).map(|_| random(&mut state, 20)).collect();
            let value = n - 1;
            let mut order: Vec<usize> = (0..value).collect();
            order.sort_by_key(|other| offsets[*other]);
            let overlaps = |start: usize, other: usize| {
                lives[value].meets(&lives[other])
                    && offsets[other] < start + lives[value].len
                    && start < offsets[other] + lives[other].len
            };
            let from = random(&mut state, 10);
            let slow = (from..).find(|start| (0..value).all(|other| !overlaps(*start, other)));
            assert_eq!(Some(lowest(&lives, &offsets, &order, value, from)), slow, "{lives:?}: {offsets:?}");
        }
    }

    #[test]
    fn room_is_the_lowest() {
        assert_eq!(room(&[], 5), 0);
        assert_eq!(room(&[[8, 12], [0, 3]], 5), 3);
        assert_eq!(room(&[[8, 12], [0, 3]], 6), 12);
        assert_eq!(room(&[[8, 12], [2, 2], [5, 8]], 5), 0);
        assert_eq!(room(&[[0, usize::MAX]], 1), usize::MAX);
        let mut state = 5;
        for _ in 0..2000 {
            let taken: Vec<[usize; 2]> = (0..random(&mut state, 6))
                .map(|_| {
                    let first = random(&mut state, 20);
                    [first, first + random(&mut state, 6)]
                })
                .collect();
            let len = 1 + random(&mut state, 6);
            let free =
                |start: &usize| taken.iter().all(|[first, end]| end <= start || start + len <= *first || first == end);
            assert_eq!(Some(room(&taken, len)), (0..).find(free), "{taken:?}: {len}");
        }
    }

    #[test]
    fn blocks_of_a_residual_network() {
        // Input of the block, its first layer, its second one, and so on: three of one size live at once.
        let lives: Vec<Life> =
            [(0, 2), (1, 2), (2, 4), (3, 4), (4, 6), (5, 6)].map(|(first, last)| Life::new(16, first, last)).into();
        assert_eq!(check(&lives), 48);
    }

    #[test]
    fn when_compiling() {
        const PLACES: Placement<3> = Placement::new([Life::new(5, 0, 1), Life::new(7, 1, 2), Life::new(3, 2, 3)]);
        assert_eq!(PLACES, Placement { offsets: [0, 5, 0], total: 12 });
        assert_eq!(Placement::new([]).total, 0);
    }

    /// What all lives at once, as a tape does, lies one behind the other: the compiler has the patience for it.
    #[test]
    fn a_long_tape_when_compiling() {
        const N: usize = 200;
        const TAPE: Placement<N> = {
            let (mut lives, mut i) = ([Life::new(3, 0, 2 * N); N], 0);
            while i < N {
                lives[i].first = i;
                i += 1;
            }
            Placement::new(lives)
        };
        assert_eq!(TAPE.total, 3 * N);
    }

    #[test]
    fn total_on_nonsense() {
        let life = Life::new;
        let lives = [life(usize::MAX, 0, 9), life(usize::MAX, 0, 9), life(1, 3, 0), life(0, 0, 0)];
        let mut offsets = [0; 4];
        assert_eq!(place(&lives, &mut offsets, &mut [0; 4]), usize::MAX);
    }
}
