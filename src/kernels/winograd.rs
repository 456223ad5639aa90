//! Convolution with kernels of 3 × 3 and stride 1 by Winograd's minimal filtering, F(2 × 2, 3 × 3).
//!
//! A tile of 2 × 2 outputs sees 4 × 4 inputs. With
//!
//! ```text
//! Bᵀ = 1  0 −1  0      G = 1   0   0      Aᵀ = 1 1  1  0
//!      0  1  1  0          ½   ½   ½           0 1 −1 −1
//!      0 −1  1  0          ½  −½   ½
//!      0  1  0 −1          0   0   1
//! ```
//!
//! it is `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`: 16 multiplications for four outputs instead of 36, and the sum over the input channels makes each of
//! the 16 places a product of matrices, `M[place] = V[place] · U[place]`. Transforms are additions along vectors of channels.
//! Errors stay near those of the direct sum: all constants are 0, ±½ and ±1.
//!
//! Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016 (arXiv:1509.09308), section 4.1.

use core::marker::PhantomData;
use core::ops::Range;

use crate::Scalar;
use crate::kernels::correlate::{Axis, CorrelationSpec};
use crate::kernels::gemm;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{Broadcast, Epilogue, Height, Rows, Store, Walk, equal_rows};
use crate::shape::Conv;

/// Places of a transformed tile.
const PLACES: usize = 16;

/// The most tiles transformed together: what one tile of the micro-kernel takes as rows, so that each product is one of them. V of 14 tiles and
/// 64 channels is 56 KiB.
const TILES: usize = 14;

/// Tiles transformed together of a map of `rows × columns` outputs: as many as cut all of them into equal parts.
const fn together(rows: usize, columns: usize) -> usize {
    equal_rows(rows.div_ceil(2) * columns.div_ceil(2), TILES)
}

/// The tiles of the correlation `C` over `R` rows as the rows of a product.
struct Together<C, R>(PhantomData<(C, R)>);

impl<C: CorrelationSpec, R: Height> Height for Together<C, R> {
    const ROWS: usize = together(R::ROWS, C::CORRELATION.axes[1].outputs);
}

/// Output channels of M: a panel of the micro-kernel with the widest vectors.
const PANEL: usize = 32;

/// Channels must fill the widest vectors.
const LANES: usize = 16;

/// Whether the convolution is computed this way.
///
/// It needs memory of its own for U, V and M, so it is for hosts. Below 16 channels the transforms cost what they save.
pub const fn fits(conv: &Conv) -> bool {
    let (ic, oc, out) = (conv.input.c, conv.out_channels, conv.output());
    cfg!(feature = "std")
        && conv.kernel[0] == 3
        && conv.kernel[1] == 3
        && conv.stride[0] == 1
        && conv.stride[1] == 1
        && conv.dilation[0] == 1
        && conv.dilation[1] == 1
        && conv.groups == 1
        && ic >= LANES
        && oc >= LANES
        && ic.is_multiple_of(LANES)
        && oc.is_multiple_of(LANES)
        && out.h >= 4
        && out.w >= 4
}

/// Elements of U: the transformed kernels, `[16][inputs][outputs]`.
pub const fn kernels_len(inputs: usize, outputs: usize) -> usize {
    PLACES * inputs * outputs
}

/// Elements of V and M for `rows × columns` outputs at a time.
pub const fn tiles_len(inputs: usize, outputs: usize, rows: usize, columns: usize) -> usize {
    PLACES * together(rows, columns) * (inputs + if outputs < PANEL { outputs } else { PANEL })
}

/// `Bᵀ d` for four vectors.
#[inline(always)]
fn input_column<T: Scalar, S: Simd<T>>(simd: S, d: [S::V; 4]) -> [S::V; 4] {
    [simd.sub(d[0], d[2]), simd.add(d[1], d[2]), simd.sub(d[2], d[1]), simd.sub(d[1], d[3])]
}

/// `Aᵀ m` for four vectors.
#[inline(always)]
fn output_column<T: Scalar, S: Simd<T>>(simd: S, m: [S::V; 4]) -> [S::V; 2] {
    [simd.add(simd.add(m[0], m[1]), m[2]), simd.sub(simd.sub(m[1], m[2]), m[3])]
}

/// `G g` for three vectors.
#[inline(always)]
fn kernel_column<T: Scalar, S: Simd<T>>(simd: S, g: [S::V; 3]) -> [S::V; 4] {
    let half = simd.splat(T::of(0.5));
    let (ends, middle) = (simd.mul(simd.add(g[0], g[2]), half), simd.mul(g[1], half));
    [g[0], simd.add(ends, middle), simd.sub(ends, middle), g[2]]
}

/// `U[place] ← G g Gᵀ` for all pairs of channels.
///
/// # Safety
/// `w` can be read at all taps and channels of the correlation; `u` has [`kernels_len`] elements.
#[inline(always)]
pub unsafe fn transform_kernels<T: Scalar, S: Simd<T>, C: CorrelationSpec>(simd: S, _: C, w: *const T, u: *mut T) {
    let it = const { &C::CORRELATION };
    let [row, column] = const { &C::CORRELATION.axes };
    let len = it.inputs * it.outputs;
    for c in 0..it.inputs {
        let mut o = 0;
        while o < it.outputs {
            let mut t = [[simd.splat(T::zero()); 3]; 4];
            for v in 0..3 {
                let mut g = [simd.splat(T::zero()); 3];
                for u in 0..3 {
                    let tap = (row.w_first + column.w_first) as isize + u as isize * row.w + v as isize * column.w;
                    // SAFETY: the caller's; channels o..o + LANES are inside, for their number is a multiple of LANES.
                    g[u] = unsafe { simd.load(w.offset(tap).add(c * it.w_channel + o)) };
                }
                let g = kernel_column(simd, g);
                for i in 0..4 {
                    t[i][v] = g[i];
                }
            }
            for i in 0..4 {
                let g = kernel_column(simd, t[i]);
                for j in 0..4 {
                    // SAFETY: the caller's.
                    unsafe { simd.store(u.add((4 * i + j) * len + c * it.outputs + o), g[j]) };
                }
            }
            o += S::LANES;
        }
    }
}

/// `y ← epilogue(correlation of x and the kernels)` for output rows `rows`, which are `R::ROWS`, from `y` on.
///
/// # Safety
/// As for [`correlate`](crate::kernels::correlate::correlate); `u` are the kernels of [`transform_kernels`], `work` has [`tiles_len`] elements for
/// these rows and the columns of the correlation.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, epilogue and workspace of one correlation")]
pub unsafe fn correlate<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>, R: Height>(
    simd: S, _: C, x: *const T, u: *const T, y: *mut T, rows: Range<usize>, epilogue: E, work: *mut T,
) {
    let it = const { &C::CORRELATION };
    let [row, column] = const { &C::CORRELATION.axes };
    let most = const { <Together<C, R> as Height>::ROWS };
    debug_assert!(rows.len() == R::ROWS);
    let (v, m) = (work, work.wrapping_add(PLACES * most * it.inputs));
    let across = column.outputs.div_ceil(2);
    let all = rows.len().div_ceil(2) * across;
    let mut first = 0;
    while first < all {
        let tiles = if all - first < most { all - first } else { most };
        for tile in 0..tiles {
            let (i, j) = (2 * ((first + tile) / across) + rows.start, 2 * ((first + tile) % across));
            // SAFETY: the caller's.
            unsafe {
                transform_inputs(simd, row, column, i, j, it.inputs, x, v.add(tile * it.inputs), tiles * it.inputs)
            };
        }
        let mut o = 0;
        while o < it.outputs {
            let width = if it.outputs - o < PANEL { it.outputs - o } else { PANEL };
            for place in 0..PLACES {
                let walk = Walk { count: [1, 1, it.inputs], a: [0, 0, 1], b: [0, 0, it.outputs as isize] };
                // SAFETY: V has `tiles` rows of the inputs for each place, M of `width`; columns o..o + width of U are inside.
                unsafe {
                    let rows = Rows {
                        a: v.add(place * tiles * it.inputs).cast_const(),
                        a_step: it.inputs as isize,
                        c: m.add(place * tiles * width),
                        at: 0,
                        at_step: width,
                        n: tiles,
                    };
                    let u = u.add(place * it.inputs * it.outputs + o);
                    gemm::columns::<T, S, _, Broadcast, Together<C, R>>(simd, rows, u, width, 0, walk, Store);
                }
            }
            for tile in 0..tiles {
                let (i, j) = (2 * ((first + tile) / across), 2 * ((first + tile) % across));
                let height = if rows.len() - i < 2 { rows.len() - i } else { 2 };
                let wide = if column.outputs - j < 2 { column.outputs - j } else { 2 };
                let at = row.y_first + column.y_first + i * row.y + j * column.y + o;
                // SAFETY: the caller's.
                unsafe {
                    let m = m.add(tile * width).cast_const();
                    transform_outputs(
                        simd,
                        m,
                        tiles * width,
                        width,
                        [height, wide],
                        [row.y, column.y],
                        o,
                        at,
                        y,
                        epilogue,
                    );
                }
            }
            o += width;
        }
        first += tiles;
    }
}

/// `V[place][tile] ← Bᵀ d B` for the tile of outputs (i, j); rows of V's places lie `place` elements apart.
///
/// # Safety
/// `x` can be read where the tile's inputs lie inside, `v` written at `16 · place` elements.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a tile's place and its operands")]
unsafe fn transform_inputs<T: Scalar, S: Simd<T>>(
    simd: S, row: &Axis, column: &Axis, i: usize, j: usize, inputs: usize, x: *const T, v: *mut T, place: usize,
) {
    let (top, left) = (i as isize - row.before, j as isize - column.before);
    let whole = top >= 0 && left >= 0 && top + 4 <= row.inputs as isize && left + 4 <= column.inputs as isize;
    let x = x.wrapping_offset(row.at(i, 0) + column.at(j, 0));
    let mut c = 0;
    while c < inputs {
        let mut d = [[simd.splat(T::zero()); 4]; 4];
        for r in 0..4 {
            for s in 0..4 {
                let (y, z) = (top + r as isize, left + s as isize);
                if whole || (y >= 0 && y < row.inputs as isize && z >= 0 && z < column.inputs as isize) {
                    // SAFETY: row y and column z lie inside.
                    d[r][s] = unsafe { simd.load(x.wrapping_add(r * row.x + s * column.x + c)) };
                }
            }
        }
        for s in 0..4 {
            let t = input_column(simd, [d[0][s], d[1][s], d[2][s], d[3][s]]);
            for r in 0..4 {
                d[r][s] = t[r];
            }
        }
        for r in 0..4 {
            let t = input_column(simd, d[r]);
            for s in 0..4 {
                // SAFETY: the caller's.
                unsafe { simd.store(v.add((4 * r + s) * place + c), t[s]) };
            }
        }
        c += S::LANES;
    }
}

/// `y ← epilogue(Aᵀ M A)` for one tile, of which `size` lies in the map.
///
/// # Safety
/// `m` can be read at 16 rows of `width` elements, `place` apart, `y` written at the tile's outputs from `at` on.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a tile's place and its operands")]
unsafe fn transform_outputs<T: Scalar, S: Simd<T>, E: Epilogue<T>>(
    simd: S, m: *const T, place: usize, width: usize, size: [usize; 2], steps: [usize; 2], channel: usize, at: usize,
    y: *mut T, epilogue: E,
) {
    let mut o = 0;
    while o < width {
        let mut t = [[simd.splat(T::zero()); 4]; 2];
        for s in 0..4 {
            let mut z = [simd.splat(T::zero()); 4];
            for r in 0..4 {
                // SAFETY: the caller's.
                z[r] = unsafe { simd.load(m.add((4 * r + s) * place + o)) };
            }
            [t[0][s], t[1][s]] = output_column(simd, z);
        }
        for r in 0..2 {
            let z = output_column(simd, t[r]);
            for s in 0..2 {
                if r < size[0] && s < size[1] {
                    let at = at + r * steps[0] + s * steps[1] + o;
                    // SAFETY: the caller's.
                    unsafe { simd.store(y.add(at), epilogue.finish(simd, z[s], channel + o, at, S::LANES)) };
                }
            }
        }
        o += S::LANES;
    }
}
