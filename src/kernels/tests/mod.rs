//! Every fast kernel against the naive ones of [`reference`](super::reference), on each instruction set of the machine and in both precisions.
//!
//! Operands lie in [`Guarded`](memory::Guarded) memory that ends where its last element ends, or begins where its first one begins, so that a kernel which reads
//! or writes one element too many stops the test run. What a kernel must write is filled with NaN before, and so is its
//! workspace: nothing may depend on what was there.
//!
//! Two sorts of data: small whole numbers, whose sums are exact in both precisions, so that fast and naive must agree to
//! the bit whatever the order of the sums; and fractions, compared within the rounding error that the number of
//! products allows.

mod batch_norm;
mod concat;
mod conv;
mod conv_transpose;
mod dropout;
mod linear;
mod map;
pub(super) mod memory;
mod pool;
mod resize;
mod scale;
mod shapes;
mod simd;

use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::Scalar;
use crate::plain::Plain;
use memory::{Border, Guarded};

/// AVX2, where the machine has it.
#[cfg(target_arch = "x86_64")]
fn avx2() -> Option<super::simd::Avx2> {
    let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    // SAFETY: the features were just found.
    found.then(|| unsafe { super::simd::Avx2::new() })
}

/// AVX-512, where the machine has it.
#[cfg(target_arch = "x86_64")]
fn avx512() -> Option<super::simd::Avx512> {
    let found = avx2().is_some() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
    // SAFETY: the features were just found.
    found.then(|| unsafe { super::simd::Avx512::new() })
}

/// Evaluates an expression for both element types and each instruction set of the machine.
macro_rules! on_each {
    (|$t:ident, $simd:ident| $body:expr) => {{
        on_each!(f32, |$t, $simd| $body);
        on_each!(f64, |$t, $simd| $body);
    }};
    ($element:ty, |$t:ident, $simd:ident| $body:expr) => {{
        #[allow(dead_code, reason = "not every test names its element type")]
        type $t = $element;
        {
            let $simd = $crate::kernels::simd::Portable;
            $body;
        }
        #[cfg(target_arch = "x86_64")]
        {
            if let Some($simd) = $crate::kernels::tests::avx2() {
                $body;
            }
            if let Some($simd) = $crate::kernels::tests::avx512() {
                $body;
            }
        }
    }};
}
use on_each;

/// `n` cases of a property, and no file for those that failed: the seed is in the message.
fn cases(n: u32) -> ProptestConfig {
    ProptestConfig { cases: n, failure_persistence: None, ..ProptestConfig::default() }
}

/// What the operands are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Data {
    /// Whole numbers from −4 to 4: sums of products are exact.
    Whole,
    /// Numbers between −1 and 1.
    Fractions,
}

fn any_data() -> impl Strategy<Value = Data> {
    prop_oneof![Just(Data::Whole), Just(Data::Fractions)]
}

/// A source of operands.
struct Source {
    rng: StdRng,
    data: Data,
    border: Border,
}

impl Source {
    /// By turns of the seed, operands begin at the border of a page or end at one.
    fn new(seed: u64, data: Data) -> Self {
        let border = if seed.is_multiple_of(2) { Border::Begin } else { Border::End };
        Source { rng: StdRng::seed_from_u64(seed), data, border }
    }

    fn next<T: Scalar>(&mut self) -> T {
        match self.data {
            Data::Whole => T::of(f64::from(self.rng.random_range(-4..=4_i32))),
            Data::Fractions => T::of(f64::from(self.rng.random_range(-1.0..1.0_f32))),
        }
    }

    /// `n` values of random elements.
    fn items<T: Scalar, X: Plain<T>>(&mut self, n: usize) -> Guarded<X> {
        let mut items = Guarded::<X>::zeroed_at(self.border, n);
        for item in items.iter_mut() {
            for element in item.flat_mut() {
                *element = self.next();
            }
        }
        items
    }

    /// `n` values full of NaN: what must be overwritten, or not be looked at.
    fn nans<T: Scalar, X: Plain<T>>(&self, n: usize) -> Guarded<X> {
        let mut items = Guarded::<X>::zeroed_at(self.border, n);
        items.iter_mut().for_each(|item| item.flat_mut().fill(T::nan()));
        items
    }

    /// One value of random elements.
    fn item<T: Scalar, X: Plain<T>>(&mut self) -> Guarded<X> {
        self.items::<T, X>(1)
    }
}

/// `n` values full of NaN: what must be overwritten, or not be looked at.
fn nans<T: Scalar, X: Plain<T>>(n: usize) -> Guarded<X> {
    let mut items = Guarded::<X>::zeroed(n);
    for item in items.iter_mut() {
        item.flat_mut().fill(T::nan());
    }
    items
}

/// The absolute values.
fn abs<T: Scalar>(values: &[T]) -> Vec<T> {
    values.iter().map(|v| v.abs()).collect()
}

/// Asserts that `found` is `wanted`, with an error of at most `roundings` units in the last place of `scale`, the sum of
/// the absolute values of what was added up.
#[track_caller]
fn assert_close<T: Scalar>(what: &str, data: Data, found: &[T], wanted: &[T], scale: &[T], roundings: usize) {
    assert_eq!(found.len(), wanted.len(), "{what}: lengths");
    for i in 0..found.len() {
        let bound = match data {
            Data::Whole => 0.0,
            Data::Fractions => T::epsilon().as_f64() * roundings as f64 * scale[i].as_f64(),
        };
        let error = (found[i] - wanted[i]).abs().as_f64();
        // Written so that NaN fails.
        assert!(
            error <= bound,
            "{what}[{i}]: {} instead of {}, error {error:e}, allowed {bound:e}",
            found[i],
            wanted[i]
        );
    }
}
