//! The vectors, lane by lane.

use super::memory::Guarded;
use super::on_each;
use crate::Scalar;
use crate::kernels::simd::{Run, Simd, evens_and_odds, interleave};

/// A vector's lanes.
fn lanes<T: Scalar, S: Simd<T>>(simd: S, v: S::V) -> Vec<T> {
    let mut lanes = Guarded::<T>::zeroed(S::LANES);
    // SAFETY: LANES elements.
    simd.vectorize(Run(|| unsafe { simd.store(lanes.as_mut_ptr(), v) }));
    lanes.to_vec()
}

fn vector<T: Scalar, S: Simd<T>>(simd: S, f: impl Fn(usize) -> f64) -> (S::V, Vec<T>) {
    let mut lanes = Guarded::<T>::zeroed(S::LANES);
    for (i, lane) in lanes.iter_mut().enumerate() {
        *lane = T::of(f(i));
    }
    // SAFETY: LANES elements.
    (simd.vectorize(Run(|| unsafe { simd.load(lanes.as_ptr()) })), lanes.to_vec())
}

fn arithmetic<T: Scalar, S: Simd<T>>(simd: S) {
    let (a, la) = vector::<T, S>(simd, |i| 1.5 + i as f64);
    let (b, lb) = vector::<T, S>(simd, |i| -0.25 * i as f64 + 3.0);
    let (c, lc) = vector::<T, S>(simd, |i| (i * i) as f64);
    assert_eq!(lanes(simd, a), la);
    assert_eq!(lanes(simd, simd.splat(T::of(2.5))), vec![T::of(2.5); S::LANES]);
    let each = |f: fn(T, T, T) -> T| (0..S::LANES).map(|i| f(la[i], lb[i], lc[i])).collect::<Vec<T>>();
    assert_eq!(lanes(simd, simd.add(a, b)), each(|a, b, _| a + b));
    assert_eq!(lanes(simd, simd.sub(a, b)), each(|a, b, _| a - b));
    assert_eq!(lanes(simd, simd.mul(a, b)), each(|a, b, _| a * b));
    assert_eq!(lanes(simd, simd.max(a, b)), each(|a, b, _| if a > b { a } else { b }));
    assert_eq!(lanes(simd, simd.min(a, b)), each(|a, b, _| if a < b { a } else { b }));
    let nan = simd.splat(T::nan());
    // From 0 downwards.
    let not_positive = simd.sub(b, simd.splat(lb[0]));
    assert_eq!(lanes(simd, simd.where_positive(not_positive, a)), vec![T::zero(); S::LANES]);
    assert_eq!(lanes(simd, simd.where_positive(b, a)), each(|a, b, _| if b > T::zero() { a } else { T::zero() }));
    assert_eq!(lanes(simd, simd.where_positive(nan, a)), vec![T::zero(); S::LANES]);
    // The second operand is taken where one of them is not a number: what an activation needs to let it through.
    assert_eq!(lanes(simd, simd.max(nan, b)), lb);
    assert_eq!(lanes(simd, simd.min(nan, b)), lb);
    assert!(lanes(simd, simd.max(b, nan)).iter().chain(&lanes(simd, simd.min(b, nan))).all(|v| v.is_nan()));
    assert_eq!(lanes(simd, simd.mul_add(a, b, c)), each(|a, b, c| a * b + c));
    assert_eq!(simd.sum(c), lc.iter().copied().sum::<T>());
    // Each lane is counted once: with powers of two no other choice of lanes has the same sum.
    let (powers, lanes) = vector::<T, S>(simd, |i| f64::from(1_u32 << i));
    assert_eq!(simd.sum(powers), lanes.iter().copied().sum::<T>());
}

fn edges<T: Scalar, S: Simd<T>>(simd: S) {
    for n in 0..=S::LANES {
        let mut memory = Guarded::<T>::zeroed(n);
        for (i, element) in memory.iter_mut().enumerate() {
            *element = T::of(1.0 + i as f64);
        }
        // SAFETY: n elements can be read.
        let first = simd.vectorize(Run(|| unsafe { simd.load_first(memory.as_ptr(), n) }));
        let wanted: Vec<T> = (0..S::LANES).map(|i| if i < n { memory[i] } else { T::zero() }).collect();
        assert_eq!(lanes(simd, first), wanted, "load_first({n})");

        let (v, all) = vector::<T, S>(simd, |i| -1.0 - i as f64);
        // SAFETY: n elements can be written.
        simd.vectorize(Run(|| unsafe { simd.store_first(memory.as_mut_ptr(), v, n) }));
        assert_eq!(*memory, all[..n], "store_first({n})");

        // Inside larger memory: the neighbours stay.
        let mut memory = vec![T::of(7.0); S::LANES + 2];
        // SAFETY: n ≤ LANES elements behind the first can be written.
        simd.vectorize(Run(|| unsafe { simd.store_first(memory.as_mut_ptr().add(1), v, n) }));
        assert_eq!(memory[1..=n], all[..n]);
        assert!(
            memory[0] == T::of(7.0) && memory[n + 1..].iter().all(|v| *v == T::of(7.0)),
            "store_first({n}) wrote beyond"
        );
    }
}

/// Two vectors' lanes as one row, apart and in turn.
fn shuffles<T: Scalar, S: Simd<T>>(simd: S) {
    let ((a, la), (b, lb)) = (vector::<T, S>(simd, |i| 1.0 + i as f64), vector::<T, S>(simd, |i| -1.0 - i as f64));
    let row = [la.clone(), lb.clone()].concat();
    let [evens, odds] = simd.vectorize(Run(|| evens_and_odds(simd, a, b)));
    assert_eq!(lanes(simd, evens), row.iter().copied().step_by(2).collect::<Vec<T>>());
    assert_eq!(lanes(simd, odds), row.iter().copied().skip(1).step_by(2).collect::<Vec<T>>());
    let [first, second] = simd.vectorize(Run(|| interleave(simd, a, b)));
    let turns: Vec<T> = la.into_iter().zip(lb).flat_map(|(a, b)| [a, b]).collect();
    assert_eq!([lanes(simd, first), lanes(simd, second)].concat(), turns);
}

/// Half a vector is a vector, no longer than a whole one.
fn with_half<T: Scalar, S: Simd<T>>(simd: S) {
    assert!(<S::Half as Simd<T>>::LANES <= S::LANES);
    arithmetic::<T, S::Half>(simd.half());
    edges::<T, S::Half>(simd.half());
}

#[test]
fn lane_by_lane() {
    on_each!(|T, simd| arithmetic::<T, _>(simd));
}

#[test]
fn rows_of_two_vectors() {
    on_each!(|T, simd| shuffles::<T, _>(simd));
}

#[test]
fn edges_touch_nothing_else() {
    on_each!(|T, simd| edges::<T, _>(simd));
}

#[test]
fn half_vectors() {
    on_each!(|T, simd| with_half::<T, _>(simd));
}
