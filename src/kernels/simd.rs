//! One small trait over the vector instructions that the kernels need, its three implementations, and the choice between them.
//!
//! The choice is made once a network call ([`dispatch_f32`]): a [`Kernel`] is run with a [`Simd`] token as a type
//! parameter, everything below it is compiled for that token, and no further test is made. A token is a proof that the
//! machine has the instructions: it is only made after the processor was asked (with `std`) or when the whole program is compiled for them (without).
//!
//! `core::arch` behind this trait, and no SIMD crate: the core depends on num-traits and bytemuck alone, and masked
//! loads at the edge of a tile are part of the trait here.

mod dispatch;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::Scalar;
pub use dispatch::{dispatch_f32, dispatch_f64, name};
pub use portable::{ONE_BY_ONE, Portable};
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512, Avx512Half};

/// Work that is compiled once for each instruction set.
pub trait Kernel<T: Scalar> {
    /// What it yields.
    type Output;

    /// Does it. Must be `#[inline(always)]`, so that it becomes part of the function that has the instructions enabled.
    fn run<S: Simd<T>>(self, simd: S) -> Self::Output;
}

/// A closure as a kernel: plain loops, for the compiler to vectorise with the instructions of the token.
pub struct Run<F>(pub F);

impl<T: Scalar, R, F: FnOnce() -> R> Kernel<T> for Run<F> {
    type Output = R;

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) -> R {
        (self.0)()
    }
}

/// Vectors of [`LANES`](Simd::LANES) elements, and proof that the machine has them.
///
/// # Safety
/// `LANES` is from 1 to 64: the kernels step pointers by multiples of it, which must not wrap.
pub unsafe trait Simd<T: Scalar>: Copy + Send + Sync + 'static {
    /// A vector.
    type V: Copy;
    /// Elements of a vector.
    const LANES: usize;
    /// Registers: what limits the tiles.
    const REGISTERS: usize;
    /// Whether the processor computes one number after the other: then few sums are as fast as many, and fewer tiles are less code.
    const ONE_BY_ONE: bool = false;
    /// Whether the first lanes of a vector are loaded as fast as all of them, by a mask.
    const MASKS: bool;
    /// Whether [`mul_add`](Self::mul_add) is one instruction, whose last factor may lie in memory: then it needs no registers but those of its sums and of one factor.
    const FUSES: bool = false;
    /// The name, as [`name`] gives it.
    const NAME: &'static str;

    /// Runs a kernel with these instructions enabled, as a function of its own.
    fn vectorize<K: Kernel<T>>(self, kernel: K) -> K::Output;

    /// As [`vectorize`](Self::vectorize), and never a part of the caller: one function for all that run such a kernel.
    fn outline<K: Kernel<T>>(self, kernel: K) -> K::Output;

    /// All lanes `value`.
    fn splat(self, value: T) -> Self::V;
    /// Half a vector's token, for rows of few channels: the same instructions on registers half as wide, or `Self` where there are none.
    type Half: Simd<T>;

    /// The token of half vectors.
    fn half(self) -> Self::Half;

    /// The same pointer, of which the compiler does not know that it is.
    #[inline(always)]
    fn opaque(self, pointer: *const T) -> *const T {
        pointer
    }

    /// Asks for the line of the cache that holds this element, which need not be one.
    #[inline(always)]
    fn prefetch(self, _: *const T) {}

    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a − b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger of each pair; `b` where one of them is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller of each pair; `b` where one of them is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `v` where `of` is above 0, and 0 elsewhere, at NaN too.
    fn where_positive(self, of: Self::V, v: Self::V) -> Self::V;
    /// `a · b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b + c`, rounded once where the machine fuses it.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The lanes' sum, in a fixed order.
    fn sum(self, a: Self::V) -> T;

    /// Loads a vector.
    ///
    /// # Safety
    /// `LANES` elements can be read from `from`; no alignment is needed beyond the element's.
    unsafe fn load(self, from: *const T) -> Self::V;

    /// Loads the first `n ≤ LANES` elements, the other lanes are zero.
    ///
    /// # Safety
    /// `n` elements can be read from `from`, and `n ≤ LANES`.
    unsafe fn load_first(self, from: *const T, n: usize) -> Self::V;

    /// Stores a vector.
    ///
    /// # Safety
    /// `LANES` elements can be written to `to`.
    unsafe fn store(self, to: *mut T, v: Self::V);

    /// Stores the first `n ≤ LANES` elements.
    ///
    /// # Safety
    /// `n` elements can be written to `to`, and `n ≤ LANES`.
    unsafe fn store_first(self, to: *mut T, v: Self::V, n: usize);
}

/// `f` of each lane: what is made of multiplications and comparisons becomes vectors again, `exp` stays a call for each.
#[inline(always)]
pub fn lane_by_lane<T: Scalar, S: Simd<T>>(simd: S, v: S::V, f: impl Fn(T) -> T) -> S::V {
    let mut lanes = [T::zero(); 64];
    // SAFETY: a vector has at most 64 lanes, by the contract of `Simd`.
    unsafe {
        simd.store(lanes.as_mut_ptr(), v);
        let mut of = [T::zero(); 64];
        for (of, lane) in of.iter_mut().zip(lanes).take(S::LANES) {
            *of = f(lane);
        }
        simd.load(of.as_ptr())
    }
}

/// `f` of each pair of lanes.
#[inline(always)]
pub fn pair_by_pair<T: Scalar, S: Simd<T>>(simd: S, a: S::V, b: S::V, f: impl Fn(T, T) -> T) -> S::V {
    let (mut lanes, mut others) = ([T::zero(); 64], [T::zero(); 64]);
    // SAFETY: a vector has at most 64 lanes, by the contract of `Simd`.
    unsafe {
        simd.store(lanes.as_mut_ptr(), a);
        simd.store(others.as_mut_ptr(), b);
        let mut of = [T::zero(); 64];
        for ((of, lane), other) in of.iter_mut().zip(lanes).zip(others).take(S::LANES) {
            *of = f(lane, other);
        }
        simd.load(of.as_ptr())
    }
}

/// The lanes with even numbers of `a` and then `b`, and those with odd ones: shuffles.
#[inline(always)]
pub fn evens_and_odds<T: Scalar, S: Simd<T>>(simd: S, a: S::V, b: S::V) -> [S::V; 2] {
    let (mut lanes, mut halves) = ([T::zero(); 128], [[T::zero(); 64]; 2]);
    // SAFETY: a vector has at most 64 lanes, by the contract of `Simd`.
    unsafe {
        simd.store(lanes.as_mut_ptr(), a);
        simd.store(lanes.as_mut_ptr().add(S::LANES), b);
        for i in 0..S::LANES {
            (halves[0][i], halves[1][i]) = (lanes[2 * i], lanes[2 * i + 1]);
        }
        [simd.load(halves[0].as_ptr()), simd.load(halves[1].as_ptr())]
    }
}

/// The lanes of `a` and `b` in turn: shuffles.
#[inline(always)]
pub fn interleave<T: Scalar, S: Simd<T>>(simd: S, a: S::V, b: S::V) -> [S::V; 2] {
    let (mut halves, mut lanes) = ([[T::zero(); 64]; 2], [T::zero(); 128]);
    // SAFETY: a vector has at most 64 lanes, by the contract of `Simd`.
    unsafe {
        simd.store(halves[0].as_mut_ptr(), a);
        simd.store(halves[1].as_mut_ptr(), b);
        for i in 0..S::LANES {
            (lanes[2 * i], lanes[2 * i + 1]) = (halves[0][i], halves[1][i]);
        }
        [simd.load(lanes.as_ptr()), simd.load(lanes.as_ptr().add(S::LANES))]
    }
}
