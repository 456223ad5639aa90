//! AVX2 and AVX-512: a token for each, and its operations as a table of intrinsics.

use core::arch::x86_64::*;

use super::{Kernel, Simd};

/// Implements [`Simd`] for one token and element type from a table of intrinsics.
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
            const FUSES: bool = true;
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
