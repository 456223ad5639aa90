//! The order of samples in an epoch.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Shuffles `0..order.len()` into `order`, by seed and epoch alone.
///
/// No generator's state outlives an epoch, so a checkpoint need not hold one. ChaCha's stream and the shuffle below (Fisher and Yates, as
/// Knuth's algorithm P) are the same on all machines and in all versions of the libraries.
pub(crate) fn shuffle(order: &mut [usize], seed: u64, epoch: u64) {
    for (i, place) in order.iter_mut().enumerate() {
        *place = i;
    }
    let mut key = *b"................tenonet: shuffle";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    for last in (1..order.len()).rev() {
        order.swap(last, below(last as u64 + 1, &mut rng) as usize);
    }
}

/// A number below `bound`, all equally likely: the high half of a 64 × 64-bit product, with the few draws rejected that
/// would favour some (Lemire 2019, "Fast Random Integer Generation in an Interval").
pub(crate) fn below(bound: u64, rng: &mut impl Rng) -> u64 {
    // 2⁶⁴ mod bound
    let favoured = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= favoured {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(len: usize, seed: u64, epoch: u64) -> Vec<usize> {
        let mut order = vec![0; len];
        shuffle(&mut order, seed, epoch);
        order
    }

    #[test]
    fn every_sample_once() {
        for len in [0, 1, 2, 17, 1000] {
            let mut order = shuffled(len, 5, 0);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..len));
        }
    }

    #[test]
    fn seed_and_epoch_decide() {
        assert_eq!(shuffled(100, 7, 3), shuffled(100, 7, 3));
        assert_ne!(shuffled(100, 7, 3), shuffled(100, 7, 4));
        assert_ne!(shuffled(100, 7, 3), shuffled(100, 8, 3));
    }

    /// Stored once: another order would break resuming, and the promise that a seed means the same everywhere.
    #[test]
    fn the_order_is_fixed() {
        assert_eq!(shuffled(12, 7, 1), FIXED);
    }

    const FIXED: [usize; 12] = [11, 8, 9, 10, 6, 1, 2, 0, 4, 7, 5, 3];

    #[test]
    fn all_places_are_equally_likely() {
        let mut counts = [[0_u32; 4]; 4];
        for epoch in 0..4000 {
            for (place, sample) in shuffled(4, 1, epoch).into_iter().enumerate() {
                counts[place][sample] += 1;
            }
        }
        // 1000 expected; five standard deviations of a binomial are 137.
        assert!(counts.iter().flatten().all(|count| count.abs_diff(1000) < 137), "{counts:?}");
    }
}
