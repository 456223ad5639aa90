//! The naive kernels: the definition of each operation, written as its equation. They are the oracle of every fast kernel and are kept for ever.
//!
//! Layouts: maps in pixels, `[H][W][C]`, or in planes, `[C][H][W]`, as [`Order`] says, for poolings in pixels; kernels `[KH][KW][IC / groups][OC]`; matrices `[I][O]`. All are flat slices in that
//! order.

use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::shape::{Axis, Conv, ConvTranspose, Pad, Pool, Rounding, Shape, Upsample};

/// How a map lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `[H][W][C]`: as inside a network.
    Pixels,
    /// `[C][H][W]`: as a [`Tensor`](crate::Tensor), and as in files.
    Planes,
}

impl Order {
    /// Where channel `c` at row `h` and column `w` lies.
    pub const fn index(self, map: Shape, c: usize, h: usize, w: usize) -> usize {
        match self {
            Order::Pixels => (h * map.w + w) * map.c + c,
            Order::Planes => (c * map.h + h) * map.w + w,
        }
    }
}

/// `y ← x`, from one order to the other.
pub fn reorder<T: Scalar>(map: Shape, [from, to]: [Order; 2], x: &[T], y: &mut [T]) {
    for c in 0..map.c {
        for h in 0..map.h {
            for w in 0..map.w {
                y[to.index(map, c, h, w)] = x[from.index(map, c, h, w)];
            }
        }
    }
}

/// Calls `f(output, weight, input)` with the flat indices of each multiply-add of a convolution.
pub fn each_product(conv: &Conv, [x, y]: [Order; 2], mut f: impl FnMut(usize, usize, usize)) {
    let out = conv.output();
    let (ic, oc) = (conv.group_inputs(), conv.group_outputs());
    let [kh, kw] = conv.kernel;
    for o in 0..out.c {
        for r in 0..out.h {
            for s in 0..out.w {
                for u in 0..kh {
                    for v in 0..kw {
                        let h = (r * conv.stride[0] + u * conv.dilation[0]).wrapping_sub(conv.padding[0]);
                        let w = (s * conv.stride[1] + v * conv.dilation[1]).wrapping_sub(conv.padding[2]);
                        if h < conv.input.h && w < conv.input.w {
                            for i in 0..ic {
                                f(
                                    y.index(out, o, r, s),
                                    ((u * kw + v) * ic + i) * out.c + o,
                                    x.index(conv.input, o / oc * ic + i, h, w),
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Calls `f(output, channel)` with the flat indices of each place of a map.
fn each_place(out: Shape, y: Order, mut f: impl FnMut(usize, usize)) {
    for o in 0..out.c {
        for r in 0..out.h {
            for s in 0..out.w {
                f(y.index(out, o, r, s), o);
            }
        }
    }
}

/// `y ← conv(x, weight) + bias`; an empty `bias` is none. `orders`: of x and of y.
pub fn conv_forward<T: Scalar>(conv: &Conv, orders: [Order; 2], x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    each_place(conv.output(), orders[1], |out, o| y[out] = bias.get(o).copied().unwrap_or(T::zero()));
    each_product(conv, orders, |out, tap, input| y[out] += weight[tap] * x[input]);
}

/// `dw += ∂(dy · y)/∂weight`, `db += ∂(dy · y)/∂bias`; an empty `db` is none.
pub fn conv_backward_params<T: Scalar>(conv: &Conv, orders: [Order; 2], x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
    if !db.is_empty() {
        each_place(conv.output(), orders[1], |out, o| db[o] += dy[out]);
    }
    each_product(conv, orders, |out, tap, input| dw[tap] += dy[out] * x[input]);
}

/// `dx ← ∂(dy · y)/∂x`.
pub fn conv_backward_input<T: Scalar>(conv: &Conv, orders: [Order; 2], weight: &[T], dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    each_product(conv, orders, |out, tap, input| dx[input] += dy[out] * weight[tap]);
}

/// Calls `f(output, weight, input)` with the flat indices of each multiply-add of a transposed convolution.
fn each_spread(conv: &ConvTranspose, [x, y]: [Order; 2], mut f: impl FnMut(usize, usize, usize)) {
    let (input, out) = (conv.input, conv.output());
    let (ic, oc) = (conv.group_inputs(), conv.group_outputs());
    let [kh, kw] = conv.kernel;
    for (r, s) in (0..input.h).flat_map(|r| (0..input.w).map(move |s| (r, s))) {
        for (u, v) in (0..kh).flat_map(|u| (0..kw).map(move |v| (u, v))) {
            let h = (r * conv.stride[0] + u * conv.dilation[0]).wrapping_sub(conv.padding[0]);
            let w = (s * conv.stride[1] + v * conv.dilation[1]).wrapping_sub(conv.padding[2]);
            if h < out.h && w < out.w {
                for (o, i) in (0..out.c).flat_map(|o| (0..ic).map(move |i| (o, i))) {
                    let weight = ((u * kw + v) * ic + i) * out.c + o;
                    f(y.index(out, o, h, w), weight, x.index(input, o / oc * ic + i, r, s));
                }
            }
        }
    }
}

/// `y ← transposed convolution of x with weight + bias`; an empty `bias` is none.
pub fn conv_transpose_forward<T: Scalar>(
    conv: &ConvTranspose, orders: [Order; 2], x: &[T], weight: &[T], bias: &[T], y: &mut [T],
) {
    each_place(conv.output(), orders[1], |out, o| y[out] = bias.get(o).copied().unwrap_or(T::zero()));
    each_spread(conv, orders, |out, tap, input| y[out] += weight[tap] * x[input]);
}

/// `dw += ∂(dy · y)/∂weight`, `db += ∂(dy · y)/∂bias`; an empty `db` is none.
pub fn conv_transpose_backward_params<T: Scalar>(
    conv: &ConvTranspose, orders: [Order; 2], x: &[T], dy: &[T], dw: &mut [T], db: &mut [T],
) {
    if !db.is_empty() {
        each_place(conv.output(), orders[1], |out, o| db[o] += dy[out]);
    }
    each_spread(conv, orders, |out, tap, input| dw[tap] += dy[out] * x[input]);
}

/// `dx ← ∂(dy · y)/∂x`.
pub fn conv_transpose_backward_input<T: Scalar>(
    conv: &ConvTranspose, orders: [Order; 2], weight: &[T], dy: &[T], dx: &mut [T],
) {
    dx.fill(T::zero());
    each_spread(conv, orders, |out, tap, input| dx[input] += dy[out] * weight[tap]);
}

/// What a convolution's store does with its sums, in pixels: `y ← act(scale[c] · y + shift[c] + skip)`; an empty `skip` is none.
pub fn finish<T: Scalar, A: Activation<T>>(scale: &[T], shift: &[T], skip: &[T], act: A, y: &mut [T]) {
    for (i, y) in y.iter_mut().enumerate() {
        let c = i % scale.len();
        *y = act.apply(scale[c] * *y + shift[c] + skip.get(i).copied().unwrap_or(T::zero()));
    }
}

/// Calls `f(output, place in the window, input)` for each input of each window, in pixels order; padding is left out.
pub fn each_window(pool: &Pool, mut f: impl FnMut(usize, usize, usize)) {
    let y = pool.output();
    for r in 0..y.h {
        for s in 0..y.w {
            for c in 0..y.c {
                for u in 0..pool.kernel[0] {
                    for v in 0..pool.kernel[1] {
                        let h = (r * pool.stride[0] + u).wrapping_sub(pool.padding[0]);
                        let w = (s * pool.stride[1] + v).wrapping_sub(pool.padding[2]);
                        if h < pool.input.h && w < pool.input.w {
                            let x = (h * pool.input.w + w) * pool.input.c + c;
                            f((r * y.w + s) * y.c + c, u * pool.kernel[1] + v, x);
                        }
                    }
                }
            }
        }
    }
}

/// `y ← max over each window`; `index` the place of the first maximum in its window. NaN counts as larger than any number.
pub fn max_pool_forward<T: Scalar>(pool: &Pool, x: &[T], y: &mut [T], index: &mut [usize]) {
    y.fill(T::neg_infinity());
    let mut seen = 0;
    each_window(pool, |out, place, input| {
        if seen <= out {
            (y[out], index[out], seen) = (x[input], place, out + 1);
        } else if x[input] > y[out] || (x[input].is_nan() && !y[out].is_nan()) {
            (y[out], index[out]) = (x[input], place);
        }
    });
}

/// `dx ← ∂(dy · y)/∂x`: each output's gradient goes to the place of its maximum.
pub fn max_pool_backward<T: Scalar>(pool: &Pool, dy: &[T], index: &[usize], dx: &mut [T]) {
    dx.fill(T::zero());
    each_window(pool, |out, place, input| {
        if index[out] == place {
            dx[input] += dy[out];
        }
    });
}

/// What an average over window `(r, s)` is divided by: its elements with padding, without what `ceil` let stand out behind the padding (PyTorch's `count_include_pad`).
pub fn window_size(pool: &Pool, r: usize, s: usize) -> usize {
    let side = |axis: usize, at: usize, input: usize| {
        let end = input + pool.padding[2 * axis] + pool.padding[2 * axis + 1];
        let start = at * pool.stride[axis];
        if matches!(pool.rounding, Rounding::Ceil) { pool.kernel[axis].min(end - start) } else { pool.kernel[axis] }
    };
    side(0, r, pool.input.h) * side(1, s, pool.input.w)
}

/// `y ← mean over each window`, padding counted as zeros.
pub fn avg_pool_forward<T: Scalar>(pool: &Pool, x: &[T], y: &mut [T]) {
    let out = pool.output();
    y.fill(T::zero());
    each_window(pool, |out, _, input| y[out] += x[input]);
    for (i, y) in y.iter_mut().enumerate() {
        *y /= T::of(window_size(pool, i / out.c / out.w, i / out.c % out.w) as f64);
    }
}

/// `dx ← ∂(dy · y)/∂x`.
pub fn avg_pool_backward<T: Scalar>(pool: &Pool, dy: &[T], dx: &mut [T]) {
    let out = pool.output();
    dx.fill(T::zero());
    each_window(pool, |o, _, input| {
        dx[input] += dy[o] / T::of(window_size(pool, o / out.c / out.w, o / out.c % out.w) as f64);
    });
}

/// `y ← max over each channel`; `index` the first pixel of the maximum. NaN counts as larger than any number.
pub fn global_max_pool_forward<T: Scalar>(x: &[T], y: &mut [T], index: &mut [usize]) {
    let channels = y.len();
    for c in 0..channels {
        (y[c], index[c]) = (x[c], 0);
        for (pixel, x) in x.iter().skip(c).step_by(channels).enumerate() {
            if *x > y[c] || (x.is_nan() && !y[c].is_nan()) {
                (y[c], index[c]) = (*x, pixel);
            }
        }
    }
}

/// `dx ← ∂(dy · y)/∂x`: each channel's gradient goes to the pixel of its maximum.
pub fn global_max_pool_backward<T: Scalar>(dy: &[T], index: &[usize], dx: &mut [T]) {
    dx.fill(T::zero());
    for (c, (dy, pixel)) in dy.iter().zip(index).enumerate() {
        dx[pixel * index.len() + c] = *dy;
    }
}

/// Calls `f(output, input)` for each element of a padded map, in pixels, that shows one of the input.
fn each_shown(pad: &Pad, mut f: impl FnMut(usize, usize)) {
    let y = pad.output();
    for (r, s) in (0..y.h).flat_map(|r| (0..y.w).map(move |s| (r, s))) {
        if let (Some(h), Some(w)) = (pad.source(Axis::Height, r), pad.source(Axis::Width, s)) {
            for c in 0..y.c {
                f(Order::Pixels.index(y, c, r, s), Order::Pixels.index(pad.input, c, h, w));
            }
        }
    }
}

/// `y ← x`, padded.
pub fn pad_forward<T: Scalar>(pad: &Pad, x: &[T], y: &mut [T]) {
    y.fill(T::zero());
    each_shown(pad, |output, input| y[output] = x[input]);
}

/// `dx ← ∂(dy · y)/∂x`.
pub fn pad_backward<T: Scalar>(pad: &Pad, dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    each_shown(pad, |output, input| dx[input] += dy[output]);
}

/// Calls `f(output, input, share)` for each share that an element of the input has in an output, in pixels.
fn each_share<T: Scalar>(upsample: &Upsample, mut f: impl FnMut(usize, usize, T)) {
    let y = upsample.output();
    let shares = |axis, at| {
        let between = upsample.between(axis, at);
        let share = between.share as f64 / between.of as f64;
        [(between.first, 1.0 - share), (between.second, share)]
    };
    for (r, s) in (0..y.h).flat_map(|r| (0..y.w).map(move |s| (r, s))) {
        for (h, of_row) in shares(Axis::Height, r) {
            for (w, of_column) in shares(Axis::Width, s) {
                for c in 0..y.c {
                    let input = Order::Pixels.index(upsample.input, c, h, w);
                    f(Order::Pixels.index(y, c, r, s), input, T::of(of_row * of_column));
                }
            }
        }
    }
}

/// `y ← x`, larger.
pub fn upsample_forward<T: Scalar>(upsample: &Upsample, x: &[T], y: &mut [T]) {
    y.fill(T::zero());
    each_share(upsample, |output, input, share: T| y[output] += share * x[input]);
}

/// `dx ← ∂(dy · y)/∂x`.
pub fn upsample_backward<T: Scalar>(upsample: &Upsample, dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    each_share(upsample, |output, input, share: T| dx[input] += share * dy[output]);
}

/// `y ← x · W + b`, `weight: [inputs][outputs]`; an empty `bias` is none.
pub fn linear_forward<T: Scalar>(x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    for (o, y) in y.iter_mut().enumerate() {
        *y = bias.get(o).copied().unwrap_or(T::zero());
    }
    for (i, x) in x.iter().enumerate() {
        for o in 0..y.len() {
            y[o] += *x * weight[i * y.len() + o];
        }
    }
}

/// `dw += xᵀ · dy`, `db += dy`, `dx ← dy · Wᵀ`; an empty `db` is none.
pub fn linear_backward<T: Scalar>(x: &[T], weight: &[T], dy: &[T], dw: &mut [T], db: &mut [T], dx: &mut [T]) {
    dx.fill(T::zero());
    for (db, dy) in db.iter_mut().zip(dy) {
        *db += *dy;
    }
    for i in 0..x.len() {
        for o in 0..dy.len() {
            let tap = i * dy.len() + o;
            dw[tap] += dy[o] * x[i];
            dx[i] += dy[o] * weight[tap];
        }
    }
}

/// Mean and variance of each channel over all pixels of `x`; the variance is divided by their number.
pub fn batch_norm_moments<T: Scalar>(x: &[T], mean: &mut [T], variance: &mut [T]) {
    let channels = mean.len();
    let count = T::of((x.len() / channels) as f64);
    for c in 0..channels {
        let values = || x.iter().skip(c).step_by(channels).copied();
        mean[c] = values().sum::<T>() / count;
        variance[c] = values().map(|x| (x - mean[c]) * (x - mean[c])).sum::<T>() / count;
    }
}

/// `y ← γ · (x − mean) / √(variance + ε) + β`.
pub fn batch_norm_forward<T: Scalar>(
    [gamma, beta]: [&[T]; 2], [mean, variance]: [&[T]; 2], epsilon: f64, x: &[T], y: &mut [T],
) {
    for (i, (x, y)) in x.iter().zip(y).enumerate() {
        let c = i % gamma.len();
        *y = gamma[c] * (*x - mean[c]) / (variance[c] + T::of(epsilon)).sqrt() + beta[c];
    }
}

/// `1 / √(σ² + ε)` and the distances from the mean of all elements of `x`, times it.
fn normal<T: Scalar>(epsilon: f64, x: &[T]) -> (T, impl Fn(usize) -> T) {
    let count = T::of(x.len() as f64);
    let mean = x.iter().copied().sum::<T>() / count;
    let variance = x.iter().map(|x| (*x - mean) * (*x - mean)).sum::<T>() / count;
    let r = (variance + T::of(epsilon)).sqrt().recip();
    (r, move |i: usize| (x[i] - mean) * r)
}

/// `y ← γ ⊙ (x − μ) / √(σ² + ε) + β`, with mean and variance of all elements of `x`.
pub fn layer_norm_forward<T: Scalar>([gamma, beta]: [&[T]; 2], epsilon: f64, x: &[T], y: &mut [T]) {
    let (_, normal) = normal(epsilon, x);
    for (i, y) in y.iter_mut().enumerate() {
        *y = gamma[i] * normal(i) + beta[i];
    }
}

/// `dγ += dy ⊙ x̂`, `dβ += dy`, `dx ← ∂(dy · y)/∂x`: the Jacobian `∂x̂ᵢ/∂xⱼ = r · (δᵢⱼ − 1 / n − x̂ᵢ · x̂ⱼ / n)`, row by row.
pub fn layer_norm_backward<T: Scalar>(
    gamma: &[T], epsilon: f64, x: &[T], dy: &[T], [d_gamma, d_beta]: [&mut [T]; 2], dx: &mut [T],
) {
    let (r, normal) = normal(epsilon, x);
    let count = T::of(x.len() as f64);
    dx.fill(T::zero());
    for i in 0..x.len() {
        d_gamma[i] += dy[i] * normal(i);
        d_beta[i] += dy[i];
        for j in 0..x.len() {
            let same = if i == j { T::one() } else { T::zero() };
            dx[j] += dy[i] * gamma[i] * r * (same - (T::one() + normal(i) * normal(j)) / count);
        }
    }
}
