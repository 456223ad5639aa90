//! Dropout: what its masks depend on, and how many elements they keep.

use super::on_each;
use crate::kernels::dropout::{Masks, apply_in_place, forward};

const LEN: usize = 10_000;

/// The mask of each image: 1 where an element is kept.
fn masks(masks: Masks, layer: u64, p: f64, images: usize) -> Vec<Vec<f64>> {
    let mut y = vec![[1.0 - p; LEN]; images];
    apply_in_place(crate::kernels::simd::Portable, masks, layer, p, &mut y);
    assert!(y.as_flattened().iter().all(|y| *y == 0.0 || (y - 1.0).abs() < 1e-12));
    y.iter().map(|y| y.to_vec()).collect()
}

#[test]
fn keeps_as_many_as_it_says() {
    for p in [0.0, 0.1, 0.5, 0.9] {
        for (image, mask) in masks(Masks::new(3), 1, p, 4).iter().enumerate() {
            let kept = mask.iter().filter(|y| **y > 0.0).count() as f64;
            let (mean, deviation) = (LEN as f64 * (1.0 - p), (LEN as f64 * p * (1.0 - p)).sqrt());
            assert!((kept - mean).abs() <= 4.0 * deviation, "image {image}: {kept} of {LEN} with p = {p}");
        }
    }
    // One in 2³² at most.
    assert!(masks(Masks::new(3), 1, 1.0 - 1e-16, 1)[0].iter().all(|y| *y == 0.0));
}

/// Two masks agree in half of their places if they have nothing to do with each other: within four deviations of a binomial.
fn unrelated(one: &[f64], other: &[f64]) -> bool {
    let agree = one.iter().zip(other).filter(|(a, b)| (**a > 0.0) == (**b > 0.0)).count() as f64;
    let n = one.len() as f64;
    (agree - n / 2.0).abs() <= 4.0 * (n / 4.0).sqrt()
}

#[test]
fn everything_makes_another_mask() {
    let mask = |of: Masks, layer| masks(of, layer, 0.5, 1).remove(0);
    let first = mask(Masks::new(3), 1);
    assert_eq!(first, mask(Masks::new(3), 1));
    for other in [
        mask(Masks::new(4), 1),
        mask(Masks::new(3).step(1), 1),
        mask(Masks::new(3).skip(1), 1),
        mask(Masks::new(3), 2),
        mask(Masks::new(1), 3),
    ] {
        assert!(unrelated(&first, &other));
    }
    // Nor do neighbours, nor blocks with keys of their own, nor bits at any distance.
    for distance in [1, 2, 3, 16, 64, 1024, 4096] {
        assert!(unrelated(&first[distance..], &first[..LEN - distance]), "{distance}");
    }
}

#[test]
fn parts_of_a_batch_are_the_batch() {
    let whole = masks(Masks::new(9).step(5), 2, 0.3, 5);
    assert_eq!(whole[2..], masks(Masks::new(9).step(5).skip(2), 2, 0.3, 3));
}

#[test]
fn all_instruction_sets_draw_the_same() {
    let wanted = masks(Masks::new(6), 4, 0.25, 2);
    on_each!(|T, simd| {
        let x = vec![[1.5 as T; LEN]; 2];
        let (mut y, mut in_place) = (vec![[T::NAN; LEN]; 2], x.clone());
        forward(simd, Masks::new(6), 4, 0.25, &x, &mut y);
        apply_in_place(simd, Masks::new(6), 4, 0.25, &mut in_place);
        assert_eq!(y, in_place);
        for (y, wanted) in y.as_flattened().iter().zip(wanted.iter().flatten()) {
            assert_eq!(*y, if *wanted > 0.0 { 2.0 } else { 0.0 });
        }
    });
}

/// What is dropped is 0, whatever it was.
#[test]
fn drops_what_is_not_finite() {
    let mut y = vec![[f32::INFINITY; LEN]];
    apply_in_place(crate::kernels::simd::Portable, Masks::new(1), 0, 0.5, &mut y);
    assert!(y[0].contains(&0.0) && y[0].contains(&f32::INFINITY) && !y[0].iter().any(|y| y.is_nan()));
}

/// Stored once: other masks would break resuming.
#[test]
fn the_masks_are_fixed() {
    let mask = masks(Masks::new(7).step(2).skip(3), 5, 0.5, 1);
    let bits: u64 = (0..64).filter(|i| mask[0][*i] > 0.0).map(|i| 1 << i).sum();
    assert_eq!(bits, FIXED);
}

const FIXED: u64 = 0x8ddf_f3bf_8f0b_8a06;
