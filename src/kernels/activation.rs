//! Element-wise activations: the value beside its derivative.
//!
//! The derivative is computed from what training keeps. A monotone function's derivative can be written with its output,
//! so its input is not kept ([`Activation::MONOTONE`]), and a convolution, its activation and the pooling behind it are one step in training too.

use crate::Scalar;
use crate::kernels::simd::{Simd, lane_by_lane, pair_by_pair};

/// An element-wise function `y = f(z)`.
pub trait Activation<T: Scalar>: Copy + Send + Sync {
    /// Whether `f` never falls. Then [`derivative`](Self::derivative) takes the output `y` (it takes the input `z`
    /// otherwise), and a maximum may be taken before `f` is applied.
    const MONOTONE: bool;

    /// `f(z)`.
    fn apply(self, z: T) -> T;

    /// `f′`, from `y` or from `z`.
    fn derivative(self, kept: T) -> T;

    /// `dy · f′`, the gradient on its way through.
    #[inline(always)]
    fn backward(self, kept: T, dy: T) -> T {
        dy * self.derivative(kept)
    }

    /// `f` of each lane.
    #[inline(always)]
    fn vector<S: Simd<T>>(self, simd: S, z: S::V) -> S::V {
        lane_by_lane(simd, z, |z| self.apply(z))
    }

    /// [`backward`](Self::backward) of each lane.
    #[inline(always)]
    fn vector_backward<S: Simd<T>>(self, simd: S, kept: S::V, dy: S::V) -> S::V {
        pair_by_pair(simd, kept, dy, |kept, dy| self.backward(kept, dy))
    }
}

macro_rules! activation {
    (
        $(#[$doc:meta])* $name:ident, monotone $monotone:literal, |$z:ident, $t:ident| $apply:expr, |$kept:ident| $derivative:expr
        $(, backward |$y:ident, $dy:ident| $backward:expr)?
        $(, vector |$simd:ident, $v:ident| $vector:expr)?
        $(, vector_backward |$token:ident, $of:ident, $d:ident| $vector_backward:expr)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name;

        impl<$t: Scalar> Activation<$t> for $name {
            const MONOTONE: bool = $monotone;

            #[inline(always)]
            fn apply(self, $z: $t) -> $t {
                $apply
            }

            #[inline(always)]
            fn derivative(self, $kept: $t) -> $t {
                $derivative
            }
            $(
                #[inline(always)]
                fn backward(self, $y: $t, $dy: $t) -> $t {
                    $backward
                }
            )?
            $(
                #[inline(always)]
                fn vector<S: Simd<$t>>(self, $simd: S, $v: S::V) -> S::V {
                    $vector
                }
            )?
            $(
                #[inline(always)]
                fn vector_backward<S: Simd<$t>>(self, $token: S, $of: S::V, $d: S::V) -> S::V {
                    $vector_backward
                }
            )?
        }
    };
}

#[inline(always)]
fn c<T: Scalar>(value: f64) -> T {
    T::of(value)
}

/// `1` where the condition holds, else `0`: a select, not a branch.
#[inline(always)]
fn step<T: Scalar>(condition: bool) -> T {
    if condition { T::one() } else { T::zero() }
}

/// `min(max(t, 0), 1)`; NaN stays NaN, where `Float::max` would hide it.
#[inline(always)]
fn unit<T: Scalar>(t: T) -> T {
    if t < T::zero() {
        T::zero()
    } else if t > T::one() {
        T::one()
    } else {
        t
    }
}

/// 1 / (1 + exp(−z)), by the side on which the exponential does not overflow.
#[inline(always)]
fn logistic<T: Scalar>(z: T) -> T {
    let e = (-z.abs()).exp();
    if z >= T::zero() { T::one() / (T::one() + e) } else { e / (T::one() + e) }
}

activation!(
    /// `y = z`.
    Identity, monotone true, |z, T| z, |_y| T::one(), vector |_simd, z| z, vector_backward |_simd, _y, dy| dy
);
activation!(
    /// `y = max(z, 0)`; NaN stays NaN. The derivative at 0 is 0.
    Relu, monotone true, |z, T| if z < T::zero() { T::zero() } else { z }, |y| step(y > T::zero()),
    // A select, without a multiplication.
    backward |y, dy| if y > T::zero() { dy } else { T::zero() },
    // In this order: where `z` is NaN, the second operand is taken.
    vector |simd, z| simd.max(simd.splat(T::zero()), z),
    // Of the loop over elements the compiler makes stores under a mask, of which AVX2's take a dozen cycles on some processors: 8 % of a step of
    // MobileNetV1.
    vector_backward |simd, y, dy| simd.where_positive(y, dy)
);
activation!(
    /// `y = min(max(z, 0), 6)`. The derivative at 0 and 6 is 0.
    Relu6, monotone true,
    |z, T| if z < T::zero() { T::zero() } else if z > c(6.0) { c(6.0) } else { z },
    |y| step(y > T::zero() && y < c(6.0)),
    backward |y, dy| if y > T::zero() && y < c(6.0) { dy } else { T::zero() },
    vector |simd, z| simd.min(simd.splat(c(6.0)), simd.max(simd.splat(T::zero()), z)),
    vector_backward |simd, y, dy| simd.where_positive(y, simd.where_positive(simd.sub(simd.splat(c(6.0)), y), dy))
);
activation!(
    /// `y = 1 / (1 + exp(−z))`.
    Sigmoid, monotone true, |z, T| logistic(z), |y| y * (T::one() - y)
);
activation!(
    /// `y = tanh z`.
    Tanh, monotone true, |z, T| z.tanh(), |y| T::one() - y * y
);
activation!(
    /// `y = z · Φ(z)` with the normal distribution's Φ, by the error function (Hendrycks and Gimpel 2016, the exact form).
    Gelu, monotone false,
    |z, T| z * normal_cdf(z),
    |z| normal_cdf(z) + z * (c::<T>(-0.5) * z * z).exp() * c(0.398_942_280_401_432_7)
);
activation!(
    /// `y = z / (1 + exp(−z))`, also called swish.
    Silu, monotone false,
    |z, T| z * logistic(z),
    |z| { let s = logistic(z); s * (T::one() + z * (T::one() - s)) }
);
activation!(
    /// `y = min(max(z + 3, 0), 6) / 6`; NaN stays NaN.
    HardSigmoid, monotone true,
    |z, T| unit((z + c(3.0)) / c(6.0)),
    |y| step::<T>(y > T::zero() && y < T::one()) / c(6.0)
);
activation!(
    /// `y = z · min(max(z + 3, 0), 6) / 6` (Howard et al. 2019, MobileNetV3).
    HardSwish, monotone false,
    |z, T| z * unit((z + c(3.0)) / c(6.0)),
    |z| if z <= c(-3.0) { T::zero() } else if z >= c(3.0) { T::one() } else { z / c(3.0) + c(0.5) }
);
activation!(
    /// `y = ln(1 + exp z)`, computed without overflow.
    Softplus, monotone true,
    |z, T| z.max(T::zero()) + (-z.abs()).exp().ln_1p(),
    |y| -(-y).exp_m1()
);

/// Two lines or curves that meet at 0, with a number for the part below.
macro_rules! two_sided {
    ($(#[$doc:meta])* $name:ident, $what:literal, |$z:ident, $a:ident, $t:ident| $below:expr, |$y:ident| $derivative:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name(f64);

        impl $name {
            /// The activation with this number.
            ///
            /// # Panics
            /// If the number is below 0, infinite or NaN: the function would not be monotone. In a `const` that is a compile error.
            #[track_caller]
            pub const fn new(value: f64) -> Self {
                assert!(value >= 0.0 && value < f64::INFINITY, $what);
                $name(value)
            }
        }

        impl<$t: Scalar> Activation<$t> for $name {
            const MONOTONE: bool = true;

            #[inline(always)]
            fn apply(self, $z: $t) -> $t {
                let $a = c::<$t>(self.0);
                if $z > $t::zero() || $z.is_nan() { $z } else { $below }
            }

            #[inline(always)]
            fn derivative(self, $y: $t) -> $t {
                let $a = c::<$t>(self.0);
                if $y > $t::zero() { $t::one() } else { $derivative }
            }
        }
    };
}

two_sided!(
    /// `y = z` for `z > 0`, `slope · z` below.
    LeakyRelu, "leaky_relu: the slope must be at least 0, and finite", |z, a, T| z * a, |y| a
);
two_sided!(
    /// `y = z` for `z > 0`, `α (exp z − 1)` below (Clevert et al. 2015). Below 0, `f′ = y + α`.
    Elu, "elu: α must be at least 0, and finite", |z, a, T| z.exp_m1() * a, |y| y + a
);

/// Φ(z) = erfc(−z/√2) / 2.
#[inline(always)]
fn normal_cdf<T: Scalar>(z: T) -> T {
    // In double precision for both element types: the approximation is made for it.
    T::of(0.5 * libm::erfc(-z.as_f64() * core::f64::consts::FRAC_1_SQRT_2))
}
