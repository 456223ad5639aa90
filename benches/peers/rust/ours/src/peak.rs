//! The multiply-adds that a core can do: independent ones in registers, as many at once as its pipelines hold.

use contest::Contest;

/// Rounds of one call.
const ROUNDS: usize = 20_000;

/// A case for each instruction set that the machine has.
pub fn cases(contest: &mut Contest) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            case(contest, "avx512", 16, x86::avx512);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            case(contest, "avx2", 8, x86::avx2);
        }
    }
    #[cfg(target_arch = "aarch64")]
    case(contest, "neon", 4, neon);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = (contest, case::<fn() -> f32>);
}

/// 12 accumulators: a latency of 4 cycles times 2 pipelines, and some to spare; with two factors they fit 16 registers.
const ACCUMULATORS: usize = 12;

fn case(contest: &mut Contest, name: &str, lanes: usize, run: unsafe fn() -> f32) {
    contest.fact(&format!("peak_{name}/flops"), 2 * lanes * ACCUMULATORS * ROUNDS);
    // SAFETY: the caller asked the machine whether it has the instructions.
    contest.case(&format!("peak/{name}"), move || move || unsafe { run() });
}

macro_rules! kernel {
    ($(#[$attribute:meta])* $name:ident, $splat:path, $fma:path, $sum:expr) => {
        $(#[$attribute])*
        pub unsafe fn $name() -> f32 {
            // Opaque, or the compiler would see through it. The values converge to 2: nothing overflows or becomes denormal.
            let (a, b) = (std::hint::black_box($splat(0.5)), std::hint::black_box($splat(1.0)));
            let mut sums = [b; super::ACCUMULATORS];
            for _ in 0..super::ROUNDS {
                for sum in &mut sums {
                    *sum = $fma(*sum, a, b);
                }
            }
            sums.into_iter().map($sum).sum()
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    kernel!(
        #[target_feature(enable = "avx512f")]
        avx512,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        |v| _mm512_reduce_add_ps(v)
    );
    kernel!(
        #[target_feature(enable = "avx2,fma")]
        avx2,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        |v| _mm256_cvtss_f32(v)
    );
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    fn fma(sum: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: NEON is there on every 64-bit ARM.
        unsafe { vfmaq_f32(b, sum, a) }
    }

    kernel!(neon, vdupq_n_f32, fma, |v| vgetq_lane_f32::<0>(v));
}
#[cfg(target_arch = "aarch64")]
use arm::neon;
