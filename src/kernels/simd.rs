//! One small trait over the vector instructions that the kernels need, its three implementations, and the choice between them.
//!
//! The choice is made once a network call ([`dispatch_f32`]): a [`Kernel`] is run with a [`Simd`] token as a type
//! parameter, everything below it is compiled for that token, and no further test is made. A token is a proof that the
//! machine has the instructions: it is only made after the processor was asked (with `std`) or when the whole program is compiled for them (without).
//!
//! `core::arch` behind this trait, and no SIMD crate: the core depends on num-traits and bytemuck alone, and masked
//! loads at the edge of a tile are part of the trait here.

use crate::Scalar;

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

/// No vector instructions of our own: lanes as an array, which the compiler may put into whatever registers it has.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// Whether the target computes one number at a time. Lanes would then be registers that are missing elsewhere, and their edges, the parts of a
/// vector, code for nothing: LeNet-5's inference is 136 KB for Cortex-M4F with four lanes.
pub const ONE_BY_ONE: bool = !cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_feature = "neon",
    target_feature = "simd128"
));

/// 4 are a register of SSE2, NEON or wasm's simd128, in f32.
const PORTABLE_LANES: usize = if ONE_BY_ONE { 1 } else { 4 };

/// Registers for floating-point numbers: 32 on Cortex-M4F and M7F. Without any, numbers are in memory, and a large tile is but a long one.
const PORTABLE_REGISTERS: usize = match (ONE_BY_ONE, cfg!(target_abi = "eabihf")) {
    (false, _) => 16,
    (true, true) => 32,
    (true, false) => 16,
};

// SAFETY: 1 or 4 lanes.
unsafe impl<T: Scalar> Simd<T> for Portable {
    type V = [T; PORTABLE_LANES];
    type Half = Self;
    const LANES: usize = PORTABLE_LANES;
    const REGISTERS: usize = PORTABLE_REGISTERS;
    const ONE_BY_ONE: bool = ONE_BY_ONE;
    const MASKS: bool = false;
    const NAME: &'static str = "portable";

    #[inline(always)]
    fn vectorize<K: Kernel<T>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(never)]
    fn outline<K: Kernel<T>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, value: T) -> Self::V {
        [value; PORTABLE_LANES]
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn half(self) -> Self {
        self
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn where_positive(self, of: Self::V, v: Self::V) -> Self::V {
        core::array::from_fn(|i| if of[i] > T::zero() { v[i] } else { T::zero() })
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] * b[i])
    }

    // Not `mul_add`: without the instruction that is a library call that emulates the single rounding.
    #[inline(always)]
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn sum(self, a: Self::V) -> T {
        match a.as_slice() {
            [a, b, c, d] => (*a + *c) + (*b + *d),
            lanes => lanes.iter().copied().sum(),
        }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const T) -> Self::V {
        // SAFETY: the caller lets LANES elements be read; an array of T has the alignment of T.
        unsafe { *from.cast() }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const T, n: usize) -> Self::V {
        let mut v = [T::zero(); PORTABLE_LANES];
        for (i, lane) in v.iter_mut().enumerate().take(n) {
            // SAFETY: i < n, and the caller lets n elements be read.
            *lane = unsafe { *from.add(i) };
        }
        v
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T, v: Self::V) {
        // SAFETY: the caller lets LANES elements be written; an array of T has the alignment of T.
        unsafe { *to.cast() = v }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, v: Self::V, n: usize) {
        for (i, lane) in v.iter().enumerate().take(n) {
            // SAFETY: i < n, and the caller lets n elements be written.
            unsafe { *to.add(i) = *lane }
        }
    }
}

/// Implements [`Simd`] for one token and element type from a table of intrinsics.
#[cfg(target_arch = "x86_64")]
macro_rules! x86_simd {
    (
        $token:ident / $half:ident: $t:ty, $v:ty, lanes $lanes:literal, registers $registers:literal, masks $masks:literal, name $name:literal, features $features:literal,
        splat $splat:path, add $add:path, sub $sub:path, max $max:path, min $min:path, mul $mul:path, fma $fma:path, load $load:path, store $store:path,
        where_positive |$wo:ident, $wv:ident| $where_positive:expr, sum |$sv:ident| $sum:expr, load_first |$lp:ident, $ln:ident| $load_first:expr, store_first |$sp:ident, $svv:ident, $sn:ident| $store_first:expr
    ) => {
        // SAFETY: a register has 4 to 16 lanes.
        unsafe impl Simd<$t> for $token {
            type V = $v;
            type Half = $half;
            const LANES: usize = $lanes;
            const REGISTERS: usize = $registers;
            const MASKS: bool = $masks;
            const NAME: &'static str = $name;

            #[inline(always)]
            fn vectorize<K: Kernel<$t>>(self, kernel: K) -> K::Output {
                #[target_feature(enable = $features)]
                #[inline]
                fn enabled<K: Kernel<$t>>(simd: $token, kernel: K) -> K::Output {
                    kernel.run(simd)
                }
                // SAFETY: a token is only made on a machine that has the features.
                unsafe { enabled(self, kernel) }
            }

            #[inline(always)]
            fn outline<K: Kernel<$t>>(self, kernel: K) -> K::Output {
                #[target_feature(enable = $features)]
                #[inline(never)]
                fn enabled<K: Kernel<$t>>(simd: $token, kernel: K) -> K::Output {
                    kernel.run(simd)
                }
                // SAFETY: a token is only made on a machine that has the features.
                unsafe { enabled(self, kernel) }
            }

            #[inline(always)]
            fn splat(self, value: $t) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $splat(value) }
            }

            #[inline(always)]
            fn add(self, a: $v, b: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            #[allow(clippy::pointers_in_nomem_asm_block, reason = "there is no instruction that could read it")]
            fn opaque(self, pointer: *const $t) -> *const $t {
                let mut pointer = pointer;
                // SAFETY: no instruction at all: the pointer stays what it is, in its register.
                unsafe { core::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags)) };
                pointer
            }

            #[inline(always)]
            fn prefetch(self, element: *const $t) {
                // SAFETY: no address is wrong for a hint.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(element.cast()) }
            }

            #[inline(always)]
            fn half(self) -> $half {
                $half(())
            }

            #[inline(always)]
            fn sub(self, a: $v, b: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $sub(a, b) }
            }

            #[inline(always)]
            fn max(self, a: $v, b: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $max(a, b) }
            }

            #[inline(always)]
            fn min(self, a: $v, b: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $min(a, b) }
            }

            #[inline(always)]
            fn where_positive(self, $wo: $v, $wv: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $where_positive }
            }

            #[inline(always)]
            fn mul(self, a: $v, b: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $mul(a, b) }
            }

            #[inline(always)]
            fn mul_add(self, a: $v, b: $v, c: $v) -> $v {
                // SAFETY: the token proves the instruction set.
                unsafe { $fma(a, b, c) }
            }

            #[inline(always)]
            fn sum(self, $sv: $v) -> $t {
                // SAFETY: the token proves the instruction set.
                unsafe { $sum }
            }

            #[inline(always)]
            unsafe fn load(self, from: *const $t) -> $v {
                // SAFETY: the token proves the instruction set, the caller the memory.
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn load_first(self, $lp: *const $t, $ln: usize) -> $v {
                // SAFETY: the token proves the instruction set, the caller the memory; masked lanes are not read.
                unsafe { $load_first }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $t, v: $v) {
                // SAFETY: the token proves the instruction set, the caller the memory.
                unsafe { $store(to, v) }
            }

            #[inline(always)]
            unsafe fn store_first(self, $sp: *mut $t, $svv: $v, $sn: usize) {
                // SAFETY: the token proves the instruction set, the caller the memory; masked lanes are not written.
                unsafe { $store_first }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Simd};
    use core::arch::x86_64::*;

    /// AVX2 with FMA: 16 registers of 256 bits.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx2(());

    /// AVX-512 F and VL: 32 registers of 512 bits, masks for the edges.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx512(());

    /// The 256-bit registers of [`Avx512`]: 32 of them, with masks.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx512Half(());

    impl Avx2 {
        /// # Safety
        /// The machine has AVX2 and FMA.
        pub unsafe fn new() -> Self {
            Avx2(())
        }
    }

    impl Avx512 {
        /// # Safety
        /// The machine has AVX-512 F and VL, AVX2 and FMA.
        pub unsafe fn new() -> Self {
            Avx512(())
        }
    }

    /// Sliding windows of this table are the masks of `maskload`: the one that starts at `LANES − n` has n lanes on.
    const MASKS_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    const MASKS_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

    #[inline(always)]
    unsafe fn mask_32(n: usize) -> __m256i {
        debug_assert!(n <= 8);
        // SAFETY: n ≤ 8 (the caller's bound), so 8 entries lie behind 8 − n.
        unsafe { _mm256_loadu_si256(MASKS_32.as_ptr().add(8 - n).cast()) }
    }

    #[inline(always)]
    unsafe fn mask_64(n: usize) -> __m256i {
        debug_assert!(n <= 4);
        // SAFETY: n ≤ 4 (the caller's bound), so 4 entries lie behind 4 − n.
        unsafe { _mm256_loadu_si256(MASKS_64.as_ptr().add(4 - n).cast()) }
    }

    /// The first `n ≤ 8` lanes, in pieces of 4, 2 and 1: a masked store is dozens of micro-operations on some processors (LeNet-5 with
    /// AVX2: 15.9 µs with it, 13.9 without). A lane of f64 is two of them.
    #[inline(always)]
    unsafe fn store_pieces(mut to: *mut f32, v: __m256, n: usize) {
        // SAFETY: the caller's token proves AVX; the pieces are n elements, which the caller lets be written.
        unsafe {
            if n >= 8 {
                return _mm256_storeu_ps(to, v);
            }
            let mut piece = _mm256_castps256_ps128(v);
            if n & 4 != 0 {
                _mm_storeu_ps(to, piece);
                (to, piece) = (to.add(4), _mm256_extractf128_ps::<1>(v));
            }
            if n & 2 != 0 {
                _mm_storel_pd(to.cast(), _mm_castps_pd(piece));
                (to, piece) = (to.add(2), _mm_movehl_ps(piece, piece));
            }
            if n & 1 != 0 {
                _mm_store_ss(to, piece);
            }
        }
    }

    #[inline(always)]
    unsafe fn sum_8(v: __m256) -> f32 {
        // SAFETY: the caller's token proves AVX.
        unsafe {
            let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps::<1>(v, v)))
        }
    }

    #[inline(always)]
    unsafe fn sum_4(v: __m256d) -> f64 {
        // SAFETY: the caller's token proves AVX.
        unsafe {
            let v = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
            _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v)))
        }
    }

    x86_simd! {
        Avx2 / Avx2: f32, __m256, lanes 8, registers 16, masks false, name "avx2", features "avx2,fma",
        splat _mm256_set1_ps, add _mm256_add_ps, sub _mm256_sub_ps, max _mm256_max_ps, min _mm256_min_ps, mul _mm256_mul_ps, fma _mm256_fmadd_ps, load _mm256_loadu_ps, store _mm256_storeu_ps,
        where_positive |of, v| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(of, _mm256_setzero_ps()), v),
        sum |v| sum_8(v),
        load_first |p, n| _mm256_maskload_ps(p, mask_32(n)),
        store_first |p, v, n| store_pieces(p, v, n)
    }

    x86_simd! {
        Avx2 / Avx2: f64, __m256d, lanes 4, registers 16, masks false, name "avx2", features "avx2,fma",
        splat _mm256_set1_pd, add _mm256_add_pd, sub _mm256_sub_pd, max _mm256_max_pd, min _mm256_min_pd, mul _mm256_mul_pd, fma _mm256_fmadd_pd, load _mm256_loadu_pd, store _mm256_storeu_pd,
        where_positive |of, v| _mm256_and_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(of, _mm256_setzero_pd()), v),
        sum |v| sum_4(v),
        load_first |p, n| _mm256_maskload_pd(p, mask_64(n)),
        store_first |p, v, n| store_pieces(p.cast(), _mm256_castpd_ps(v), 2 * n)
    }

    x86_simd! {
        Avx512 / Avx512Half: f32, __m512, lanes 16, registers 32, masks true, name "avx512", features "avx512f,avx512vl,avx2,fma",
        splat _mm512_set1_ps, add _mm512_add_ps, sub _mm512_sub_ps, max _mm512_max_ps, min _mm512_min_ps, mul _mm512_mul_ps, fma _mm512_fmadd_ps, load _mm512_loadu_ps, store _mm512_storeu_ps,
        where_positive |of, v| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(of, _mm512_setzero_ps()), v),
        sum |v| sum_8(_mm256_add_ps(_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v))))),
        load_first |p, n| _mm512_maskz_loadu_ps(((1u32 << n) - 1) as __mmask16, p),
        store_first |p, v, n| _mm512_mask_storeu_ps(p, ((1u32 << n) - 1) as __mmask16, v)
    }

    x86_simd! {
        Avx512Half / Avx512Half: f32, __m256, lanes 8, registers 32, masks true, name "avx512", features "avx512f,avx512vl,avx2,fma",
        splat _mm256_set1_ps, add _mm256_add_ps, sub _mm256_sub_ps, max _mm256_max_ps, min _mm256_min_ps, mul _mm256_mul_ps, fma _mm256_fmadd_ps, load _mm256_loadu_ps, store _mm256_storeu_ps,
        where_positive |of, v| _mm256_maskz_mov_ps(_mm256_cmp_ps_mask::<_CMP_GT_OQ>(of, _mm256_setzero_ps()), v),
        sum |v| sum_8(v),
        load_first |p, n| _mm256_maskz_loadu_ps(((1u32 << n) - 1) as __mmask8, p),
        store_first |p, v, n| _mm256_mask_storeu_ps(p, ((1u32 << n) - 1) as __mmask8, v)
    }

    x86_simd! {
        Avx512Half / Avx512Half: f64, __m256d, lanes 4, registers 32, masks true, name "avx512", features "avx512f,avx512vl,avx2,fma",
        splat _mm256_set1_pd, add _mm256_add_pd, sub _mm256_sub_pd, max _mm256_max_pd, min _mm256_min_pd, mul _mm256_mul_pd, fma _mm256_fmadd_pd, load _mm256_loadu_pd, store _mm256_storeu_pd,
        where_positive |of, v| _mm256_maskz_mov_pd(_mm256_cmp_pd_mask::<_CMP_GT_OQ>(of, _mm256_setzero_pd()), v),
        sum |v| sum_4(v),
        load_first |p, n| _mm256_maskz_loadu_pd(((1u32 << n) - 1) as __mmask8, p),
        store_first |p, v, n| _mm256_mask_storeu_pd(p, ((1u32 << n) - 1) as __mmask8, v)
    }

    x86_simd! {
        Avx512 / Avx512Half: f64, __m512d, lanes 8, registers 32, masks true, name "avx512", features "avx512f,avx512vl,avx2,fma",
        splat _mm512_set1_pd, add _mm512_add_pd, sub _mm512_sub_pd, max _mm512_max_pd, min _mm512_min_pd, mul _mm512_mul_pd, fma _mm512_fmadd_pd, load _mm512_loadu_pd, store _mm512_storeu_pd,
        where_positive |of, v| _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(of, _mm512_setzero_pd()), v),
        sum |v| sum_4(_mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v))),
        load_first |p, n| _mm512_maskz_loadu_pd(((1u32 << n) - 1) as __mmask8, p),
        store_first |p, v, n| _mm512_mask_storeu_pd(p, ((1u32 << n) - 1) as __mmask8, v)
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512, Avx512Half};

/// An instruction set, as it is found out at run time.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Portable,
    Avx2,
    Avx512,
}

/// What the machine has, or less where the environment variable `TENONET_SIMD` (`portable`, `avx2`, `avx512`) says so.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn level() -> Level {
    static LEVEL: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *LEVEL.get_or_init(|| {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        let found = if avx512 {
            Level::Avx512
        } else if avx2 {
            Level::Avx2
        } else {
            Level::Portable
        };
        let wanted = match std::env::var("TENONET_SIMD").as_deref() {
            Ok("portable") => Level::Portable,
            Ok("avx2") => Level::Avx2,
            _ => Level::Avx512,
        };
        if wanted < found { wanted } else { found }
    })
}

/// Without `std` the processor cannot be asked: the instructions are those that the whole program is compiled for.
#[cfg(all(not(feature = "std"), target_arch = "x86_64", target_feature = "avx512f", target_feature = "avx512vl"))]
fn compiled_for() -> Avx512 {
    // SAFETY: the whole program is compiled for AVX-512 F and VL, which imply AVX2 and FMA.
    unsafe { Avx512::new() }
}

/// Without `std` the processor cannot be asked: the instructions are those that the whole program is compiled for.
#[cfg(all(
    not(feature = "std"),
    target_arch = "x86_64",
    target_feature = "avx2",
    target_feature = "fma",
    not(all(target_feature = "avx512f", target_feature = "avx512vl"))
))]
fn compiled_for() -> Avx2 {
    // SAFETY: the whole program is compiled for AVX2 and FMA.
    unsafe { Avx2::new() }
}

/// Without instructions of our own.
#[cfg(any(
    not(target_arch = "x86_64"),
    all(
        not(feature = "std"),
        not(all(target_feature = "avx2", target_feature = "fma")),
        not(all(target_feature = "avx512f", target_feature = "avx512vl"))
    )
))]
fn compiled_for() -> Portable {
    Portable
}

macro_rules! dispatch {
    ($name:ident, $t:ty) => {
        /// Runs a kernel with the best instruction set of the machine.
        #[inline]
        pub fn $name<K: Kernel<$t>>(kernel: K) -> K::Output {
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            match level() {
                // SAFETY: `level` found the features on this machine.
                Level::Avx512 => Simd::<$t>::vectorize(unsafe { Avx512::new() }, kernel),
                // SAFETY: `level` found the features on this machine.
                Level::Avx2 => Simd::<$t>::vectorize(unsafe { Avx2::new() }, kernel),
                Level::Portable => Simd::<$t>::vectorize(Portable, kernel),
            }
            #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
            Simd::<$t>::vectorize(compiled_for(), kernel)
        }
    };
}

dispatch!(dispatch_f32, f32);
dispatch!(dispatch_f64, f64);

/// The name of the instruction set that kernels run with: `avx512`, `avx2` or `portable`.
pub fn name() -> &'static str {
    struct Name;
    impl<T: Scalar> Kernel<T> for Name {
        type Output = &'static str;
        #[inline(always)]
        fn run<S: Simd<T>>(self, _: S) -> &'static str {
            S::NAME
        }
    }
    dispatch_f32(Name)
}
