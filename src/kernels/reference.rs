//! The naive kernels: the definition of each operation, written as its equation. They are the oracle of every fast kernel and are kept for ever.
//!
//! Layouts: maps `[C, H, W]`, kernels `[OC, IC / groups, KH, KW]`, all flat slices in that order; of poolings, maps `[H, W, C]`.

use crate::Scalar;
use crate::shape::{Conv, Pool, Rounding};

/// Calls `f(output, weight, input)` with the flat indices of each multiply-add of a convolution.
pub fn each_product(conv: &Conv, mut f: impl FnMut(usize, usize, usize)) {
    let y = conv.output();
    let (ic, oc) = (conv.group_inputs(), conv.group_outputs());
    let [kh, kw] = conv.kernel;
    for o in 0..conv.out_channels {
        for r in 0..y.h {
            for s in 0..y.w {
                for i in 0..ic {
                    for u in 0..kh {
                        for v in 0..kw {
                            let h = (r * conv.stride[0] + u * conv.dilation[0]).wrapping_sub(conv.padding[0]);
                            let w = (s * conv.stride[1] + v * conv.dilation[1]).wrapping_sub(conv.padding[2]);
                            if h < conv.input.h && w < conv.input.w {
                                let c = o / oc * ic + i;
                                f(
                                    (o * y.h + r) * y.w + s,
                                    ((o * ic + i) * kh + u) * kw + v,
                                    (c * conv.input.h + h) * conv.input.w + w,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `y ← conv(x, weight) + bias`; an empty `bias` is none.
pub fn conv_forward<T: Scalar>(conv: &Conv, x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    let plane = conv.output().h * conv.output().w;
    for (o, y) in y.chunks_exact_mut(plane).enumerate() {
        y.fill(bias.get(o).copied().unwrap_or(T::zero()));
    }
    each_product(conv, |out, tap, input| y[out] += weight[tap] * x[input]);
}

/// `dw += ∂(dy · y)/∂weight`, `db += ∂(dy · y)/∂bias`.
pub fn conv_backward_params<T: Scalar>(conv: &Conv, x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
    let plane = conv.output().h * conv.output().w;
    for (db, dy) in db.iter_mut().zip(dy.chunks_exact(plane)) {
        *db += dy.iter().copied().sum();
    }
    each_product(conv, |out, tap, input| dw[tap] += dy[out] * x[input]);
}

/// `dx ← ∂(dy · y)/∂x`.
pub fn conv_backward_input<T: Scalar>(conv: &Conv, weight: &[T], dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    each_product(conv, |out, tap, input| dx[input] += dy[out] * weight[tap]);
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

/// `y ← W · x + b`, `weight: [outputs, inputs]`; an empty `bias` is none.
pub fn linear_forward<T: Scalar>(x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    for (o, (y, row)) in y.iter_mut().zip(weight.chunks_exact(x.len())).enumerate() {
        *y = bias.get(o).copied().unwrap_or(T::zero());
        for (w, x) in row.iter().zip(x) {
            *y += *w * *x;
        }
    }
}

/// `dw += dy · xᵀ`, `db += dy`, `dx ← Wᵀ · dy`.
pub fn linear_backward<T: Scalar>(x: &[T], weight: &[T], dy: &[T], dw: &mut [T], db: &mut [T], dx: &mut [T]) {
    dx.fill(T::zero());
    for (db, dy) in db.iter_mut().zip(dy) {
        *db += *dy;
    }
    for (o, dy) in dy.iter().enumerate() {
        for i in 0..x.len() {
            dw[o * x.len() + i] += *dy * x[i];
            dx[i] += *dy * weight[o * x.len() + i];
        }
    }
}
