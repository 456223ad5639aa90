//! Branches into the joined map and back, beside channels that are not theirs.

use super::{Data, Source, on_each};
use crate::Scalar;
use crate::kernels::concat;
use crate::kernels::simd::Simd;

/// `C` channels from `F` on, of `N`, in `P` pixels.
fn check<T: Scalar, S: Simd<T>, const C: usize, const F: usize, const N: usize, const P: usize>(simd: S) {
    const IMAGES: usize = 2;
    for seed in [8, 9] {
        let mut source = Source::new(seed, Data::Fractions);
        let (x, before) = (source.items::<T, [[T; C]; P]>(IMAGES), source.items::<T, [[T; N]; P]>(IMAGES));
        let mut y = source.nans::<T, [[T; N]; P]>(IMAGES);
        y.copy_from_slice(&before);
        concat::join::<C, F, N, _, _, _, _>(simd, &x, &mut y);
        let mut dx = source.nans::<T, [[T; C]; P]>(IMAGES);
        concat::split::<C, F, N, _, _, _, _>(simd, &before, &mut dx);
        let mut sum = source.nans::<T, [[T; C]; P]>(IMAGES);
        sum.copy_from_slice(&x);
        concat::split_add::<C, F, N, _, _, _, _>(simd, &before, &mut sum);
        for (i, p) in (0..IMAGES).flat_map(|i| (0..P).map(move |p| (i, p))) {
            for n in 0..N {
                let wanted = if (F..F + C).contains(&n) { x[i][p][n - F] } else { before[i][p][n] };
                assert_eq!(y[i][p][n], wanted, "{C} from {F} of {N}");
            }
            for c in 0..C {
                assert_eq!(dx[i][p][c], before[i][p][F + c], "{C} from {F} of {N}");
                assert_eq!(sum[i][p][c], x[i][p][c] + before[i][p][F + c], "{C} from {F} of {N}");
            }
        }
    }
}

#[test]
fn slices_of_pixels() {
    on_each!(|T, simd| {
        check::<T, _, 1, 0, 1, 1>(simd);
        check::<T, _, 1, 2, 3, 5>(simd);
        check::<T, _, 7, 0, 8, 6>(simd);
        check::<T, _, 8, 8, 16, 9>(simd);
        check::<T, _, 16, 3, 35, 4>(simd);
        check::<T, _, 17, 1, 18, 3>(simd);
        // A flat vector is one pixel.
        check::<T, _, 300, 100, 400, 1>(simd);
    });
}
