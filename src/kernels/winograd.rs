//! Convolution with kernels of 3 × 3 or 5 × 5 and stride 1 by Winograd's minimal filtering: F(4 × 4, 3 × 3), F(2 × 2, 3 × 3) and F(2 × 2, 5 × 5).
//!
//! A tile of m × m outputs of r × r taps sees (m + r − 1) × (m + r − 1) inputs. With the matrices of a filter (`filter.rs`) it is `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`: for 4 × 4
//! outputs of 3 × 3 taps 36 multiplications instead of 144; for 2 × 2 outputs 16 instead of 36, of 5 × 5 taps 36 instead of 100. The sum over the input channels makes each of
//! the (m + r − 1)² places a product of matrices, `M[place] = V[place] · U[place]`. Transforms go along vectors of channels. dW is the transpose of all this (`weights.rs`).
//!
//! Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016 (arXiv:1509.09308), section 4.1.

mod filter;
pub mod weights;

use core::marker::PhantomData;
use core::ops::Range;

use crate::Scalar;
use crate::kernels::correlate::{Axis, Correlation, CorrelationSpec, tap};
use crate::kernels::epilogue::{Epilogue, Store};
use crate::kernels::gemm;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{Broadcast, Height, Lines, Rows, Walk, equal_rows};
use crate::shape::Conv;
use filter::{Filter, Four, MOST, MOST_TAPS, Two, TwoOfFive, along_both};

/// The most tiles transformed together: what one tile of the micro-kernel takes as rows, so that each product is one of them. V of 14 tiles of
/// 4 × 4 and 64 channels is 126 KiB.
const TILES: usize = 14;

/// Output channels of U and M at a time: a panel of the micro-kernel with the widest vectors.
const PANEL: usize = 32;

/// Channels must fill the widest vectors.
const LANES: usize = 16;

/// Elements of a panel of U whose products are one call of the micro-kernel, 32 KiB of f32: it goes over them once for each height of its tiles, and they should be near then. (16 channels
/// take 0.85 to 0.92 of the time of a call for each place; 128 channels in one call for all of them take 1.01 to 1.04 times as long, with AVX2.)
const AT_ONCE: usize = 8192;

/// Elements between places beyond what they have: a transform stores to as many places as there are, and a power of two between these would lead
/// all of them to the same few sets of the first-level cache.
const APART: usize = LANES;

/// Pairs of channels up to which tiles have 36 places; above it those of 3 × 3 taps are of 2 × 2 outputs, and kernels of 5 × 5 are summed directly. U has 36 elements of each pair then,
/// instead of 16, and is made for each call: of 3 × 3 taps, 256 channels on 28 × 28 take 0.7 of the time of tiles of 2 × 2, 512 on 14 × 14 take 1.6 times as long.
const PAIRS: usize = 256 * 256;

/// Elements of U for each element of the maps up to which those of 3 × 3 have them: more would be the largest part of what a thread keeps, for maps of few tiles (64 channels on 8 × 8: as
/// long for one image, 0.7 of the time for 64, and 340 KB more).
const RATIO: usize = 8;

/// The fewest tiles of a map for kernels of 5 × 5, whose transforms have to be worth their while: 16 to 64 channels on 4 × 4, which are four tiles, take 0.96 to 1.27 of the time of
/// direct sums, on 6 × 6 0.64 to 0.92, 64 on 28 × 28 0.49, and 256 on 7 × 7 0.66 (forward of one image, AVX2).
const OF_FIVE: usize = 9;

/// Whether the convolution is computed this way.
///
/// It needs memory of its own for U, V and M, so it is for hosts. Below 16 channels the transforms cost what they save.
pub const fn fits(conv: &Conv) -> bool {
    let (ic, oc, out) = (conv.input.c, conv.out_channels, conv.output());
    let [kh, kw] = conv.kernel;
    cfg!(feature = "std")
        && kh == kw
        && (kh == Four::TAPS || kh == TwoOfFive::TAPS && ic * oc <= PAIRS && largest_tiles(conv) >= OF_FIVE)
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

/// What the choice of a filter and the workspace hang on.
#[derive(Clone, Copy)]
pub struct Size {
    /// Taps of a kernel along an axis.
    pub taps: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Rows of outputs at a time.
    pub rows: usize,
    /// Rows of outputs in all.
    pub all_rows: usize,
    /// Outputs in a row.
    pub columns: usize,
}

impl Size {
    /// Of the correlation `C`, over `R` rows at a time.
    const fn of<C: CorrelationSpec, R: Height>() -> Self {
        let Correlation { axes: [row, column], inputs, outputs, .. } = C::CORRELATION;
        Size { taps: row.taps, inputs, outputs, rows: R::ROWS, all_rows: row.outputs, columns: column.outputs }
    }

    /// Outputs of a tile along an axis.
    pub const fn tile(self) -> usize {
        if self.taps == TwoOfFive::TAPS {
            return TwoOfFive::OUTPUTS;
        }
        let (pairs, pixels) = (self.inputs * self.outputs, self.all_rows * self.columns);
        let amortised = pairs * Four::INPUTS * Four::INPUTS <= RATIO * pixels * (self.inputs + self.outputs);
        if self.rows >= Four::OUTPUTS && pairs <= PAIRS && amortised { Four::OUTPUTS } else { Two::OUTPUTS }
    }

    const fn places(self) -> usize {
        let inputs = self.tile() + self.taps - 1;
        inputs * inputs
    }

    /// Tiles of all rows.
    const fn tiles(self) -> usize {
        self.rows.div_ceil(self.tile()) * self.columns.div_ceil(self.tile())
    }

    /// Tiles transformed together: as many as cut all of them into equal parts.
    const fn together(self) -> usize {
        equal_rows(self.tiles(), TILES)
    }

    /// Places whose products are one call.
    const fn at_once(self) -> usize {
        let places = AT_ONCE / (self.inputs * self.panel());
        if places == 0 { 1 } else { places }
    }

    /// Output channels of a panel of M.
    const fn panel(self) -> usize {
        if self.outputs < PANEL { self.outputs } else { PANEL }
    }

    /// Elements from one place of V to the next.
    const fn v_place(self) -> usize {
        self.together() * self.inputs + APART
    }

    /// Elements from one place of M to the next.
    const fn m_place(self) -> usize {
        self.together() * self.panel() + APART
    }

    /// Elements from one place of a panel of U, whose rows are `width` channels, to the next.
    const fn u_place(self, width: usize) -> usize {
        self.inputs * width + APART
    }

    /// Elements of U, the transformed kernels: panels of `[places][inputs][channels]`.
    const fn kernels_len(self) -> usize {
        self.places() * (self.inputs * self.outputs + APART * self.outputs.div_ceil(PANEL))
    }

    /// Elements of V and a panel of M.
    const fn tiles_len(self) -> usize {
        self.places() * (self.v_place() + self.m_place())
    }

    /// Elements of U, V and M.
    pub const fn elements(self) -> usize {
        self.kernels_len() + self.tiles_len()
    }
}

/// Windows of `kernel` rows, side by side, to compute at a time: as many as fill tiles, and these a part of the product.
pub const fn windows_for(conv: &Conv, kernel: usize) -> usize {
    let (out, tile) = (conv.output(), largest_tile(conv));
    let across = out.w.div_ceil(tile);
    let down = if across >= TILES { 1 } else { TILES / across };
    let (wanted, all) = (tile * down / kernel, out.h / kernel);
    let windows = if wanted < all { wanted } else { all };
    if windows == 0 { 1 } else { windows }
}

/// Outputs along an axis of the largest tile that kernels of this size have.
pub const fn largest_tile(conv: &Conv) -> usize {
    if conv.kernel[0] == TwoOfFive::TAPS { TwoOfFive::OUTPUTS } else { Four::OUTPUTS }
}

/// [Largest tiles](largest_tile) of a map.
const fn largest_tiles(conv: &Conv) -> usize {
    let (out, tile) = (conv.output(), largest_tile(conv));
    out.h.div_ceil(tile) * out.w.div_ceil(tile)
}

/// `$call` with the filter of a [`Size`] as the type `$filter`.
macro_rules! with_filter {
    ($size:expr, |$filter:ident| $call:expr) => {
        if const { $size.taps == TwoOfFive::TAPS } {
            type $filter = TwoOfFive;
            $call
        } else if const { $size.tile() == Four::OUTPUTS } {
            type $filter = Four;
            $call
        } else {
            type $filter = Two;
            $call
        }
    };
}

/// The tiles of the correlation `C` over `R` rows as the rows of a product.
struct Together<C, R>(PhantomData<(C, R)>);

impl<C: CorrelationSpec, R: Height> Height for Together<C, R> {
    const ROWS: usize = Size::of::<C, R>().together();
}

/// U, and room for V and a panel of M.
pub struct Tiles<T> {
    u: *const T,
    work: *mut T,
}

impl<T> Tiles<T> {
    /// Of a convolution that has none.
    pub const NONE: Self = Tiles { u: core::ptr::null(), work: core::ptr::null_mut() };
}

impl<T> Clone for Tiles<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Tiles<T> {}

/// `U[place] ← G g Gᵀ` for all pairs of channels. U, V and M lie in `memory`, which has [`Size::elements`] elements.
///
/// # Safety
/// `w` can be read at all taps and channels of the correlation.
#[inline(always)]
pub unsafe fn transform_kernels<T: Scalar, S: Simd<T>, C: CorrelationSpec, R: Height>(
    simd: S, spec: C, w: *const T, memory: &mut [T],
) -> Tiles<T> {
    assert!(memory.len() >= const { Size::of::<C, R>().elements() });
    let (u, work) = memory.split_at_mut(const { Size::of::<C, R>().kernels_len() });
    let u = u.as_mut_ptr();
    // SAFETY: the caller's; U was cut to its length.
    unsafe { with_filter!(Size::of::<C, R>(), |F| kernels::<T, S, C, R, F>(simd, spec, w, u)) };
    Tiles { u, work: work.as_mut_ptr() }
}

/// # Safety
/// As for [`transform_kernels`], whose filter this is.
#[inline(always)]
unsafe fn kernels<T: Scalar, S: Simd<T>, C: CorrelationSpec, R: Height, F: Filter>(
    simd: S, _: C, w: *const T, u: *mut T,
) {
    let (it, size) = (const { &C::CORRELATION }, const { Size::of::<C, R>() });
    let (mut panel, mut to) = (0, u);
    while panel < it.outputs {
        let width = if it.outputs - panel < PANEL { it.outputs - panel } else { PANEL };
        let place = size.u_place(width);
        for c in 0..it.inputs {
            let mut o = 0;
            while o < width {
                // SAFETY: the caller's; the channels are inside, for their number is a multiple of LANES.
                unsafe {
                    along_both!(
                        simd, F::kernel: [F::TAPS; MOST_TAPS] => F::INPUTS,
                        |u, v| simd.load(w.offset(tap(&it.axes, u, v)).add(c * it.w_channel + panel + o)),
                        |i, j, value| simd.store(to.add((F::INPUTS * i + j) * place + c * width + o), value)
                    );
                }
                o += S::LANES;
            }
        }
        panel += width;
        to = to.wrapping_add(size.places() * place);
    }
}

/// `y ← epilogue(correlation of x and the kernels)` for output rows `rows`, which are `R::ROWS`, from `y` on.
///
/// # Safety
/// As for [`correlate`](crate::kernels::correlate::correlate); `memory` is that of [`transform_kernels`], which nothing else has used since.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, epilogue and workspace of one correlation")]
pub unsafe fn correlate<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>, R: Height>(
    simd: S, spec: C, x: *const T, memory: Tiles<T>, y: *mut T, rows: Range<usize>, epilogue: E,
) {
    debug_assert!(rows.len() == R::ROWS);
    // SAFETY: the caller's.
    unsafe {
        with_filter!(Size::of::<C, R>(), |F| {
            tiles::<T, S, C, E, R, F>(simd, spec, x, memory, y, rows.start, epilogue)
        });
    }
}

/// # Safety
/// As for [`correlate`], whose filter this is.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "operands, epilogue and workspace of one correlation")]
unsafe fn tiles<T: Scalar, S: Simd<T>, C: CorrelationSpec, E: Epilogue<T>, R: Height, F: Filter>(
    simd: S, _: C, x: *const T, memory: Tiles<T>, y: *mut T, first_row: usize, epilogue: E,
) {
    let (it, size) = (const { &C::CORRELATION }, const { Size::of::<C, R>() });
    let [row, column] = const { &C::CORRELATION.axes };
    let [all, together, places, at_once, v_place, m_place] = const {
        let size = Size::of::<C, R>();
        [size.tiles(), size.together(), size.places(), size.at_once(), size.v_place(), size.m_place()]
    };
    let (v, m) = (memory.work, memory.work.wrapping_add(places * v_place));
    let across = size.columns.div_ceil(F::OUTPUTS);
    let mut next = 0;
    while next < all {
        // The last part ends with the last tile, and may share some with the one before: of these nothing is stored again, for an epilogue may read
        // what was there before.
        let first = if all - next < together { all - together } else { next };
        let stored = next - first;
        next += together;
        for tile in 0..together {
            let (i, j) = (F::OUTPUTS * ((first + tile) / across), F::OUTPUTS * ((first + tile) % across));
            // SAFETY: the caller's.
            unsafe {
                let v = v.add(tile * it.inputs);
                transform_inputs::<T, S, F>(simd, row, column, first_row + i, j, it.inputs, x, v, v_place);
            }
        }
        let (mut o, mut u) = (0, memory.u);
        while o < it.outputs {
            let width = if it.outputs - o < PANEL { it.outputs - o } else { PANEL };
            let u_place = size.u_place(width);
            let walk = Walk { count: [1, 1, it.inputs], a: [0, 0, 1], b: [0, 0, width as isize] };
            for place in (0..places).step_by(at_once) {
                // SAFETY: V has `together` rows of the inputs for each place, M of `width`; U has a row of `width` for each input.
                unsafe {
                    let (a, a_step) = (v.add(place * v_place).cast_const(), it.inputs as isize);
                    let products = Lines {
                        first: Rows { a, a_step, c: m.add(place * m_place), at: 0, at_step: width, n: together },
                        count: at_once.min(places - place),
                        a_step: v_place as isize,
                        b_step: u_place,
                        at_step: m_place,
                    };
                    let u = u.add(place * u_place);
                    gemm::columns::<T, S, _, Broadcast, Together<C, R>>(simd, products, u, width, 0, walk, Store);
                }
            }
            u = u.wrapping_add(places * u_place);
            for tile in stored..together {
                let (i, j) = (F::OUTPUTS * ((first + tile) / across), F::OUTPUTS * ((first + tile) % across));
                let at = row.y_first + column.y_first + i * row.y + j * column.y + o;
                // SAFETY: the caller's.
                unsafe {
                    let m = m.add(tile * width).cast_const();
                    let (left, steps) = ([size.rows - i, size.columns - j], [row.y, column.y]);
                    transform_outputs::<T, S, E, F>(simd, m, m_place, width, left, steps, o, at, y, epilogue);
                }
            }
            o += width;
        }
    }
}

/// `V[place][tile] ← Bᵀ d B` for the tile of outputs (i, j); rows of V's places lie `place` elements apart.
///
/// # Safety
/// `x` can be read where the tile's inputs lie inside, `v` written at all places.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a tile's place and its operands")]
unsafe fn transform_inputs<T: Scalar, S: Simd<T>, F: Filter>(
    simd: S, row: &Axis, column: &Axis, i: usize, j: usize, inputs: usize, x: *const T, v: *mut T, place: usize,
) {
    let (top, left, size) = (i as isize - row.before, j as isize - column.before, F::INPUTS as isize);
    let (rows, columns) = (row.inputs as isize, column.inputs as isize);
    let whole = top >= 0 && left >= 0 && top + size <= rows && left + size <= columns;
    let x = x.wrapping_offset(row.at(i, 0) + column.at(j, 0));
    let mut c = 0;
    while c < inputs {
        // SAFETY: inputs are loaded where their row and column lie inside; the places are the caller's.
        unsafe {
            along_both!(
                simd, F::inputs: [F::INPUTS; MOST] => F::INPUTS,
                |r, s| {
                    let (down, right) = (top + r as isize, left + s as isize);
                    if whole || (down >= 0 && down < rows && right >= 0 && right < columns) {
                        simd.load(x.wrapping_add(r * row.x + s * column.x + c))
                    } else {
                        simd.splat(T::zero())
                    }
                },
                |r, s, value| simd.store(v.add((F::INPUTS * r + s) * place + c), value)
            );
        }
        c += S::LANES;
    }
}

/// `y ← epilogue(Aᵀ M A)` for one tile, of which no more than the rows and columns that are `left` lie in the map.
///
/// # Safety
/// `m` can be read at all places, each of `width` elements, `place` apart, `y` written at the tile's outputs from `at` on.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a tile's place and its operands")]
unsafe fn transform_outputs<T: Scalar, S: Simd<T>, E: Epilogue<T>, F: Filter>(
    simd: S, m: *const T, place: usize, width: usize, left: [usize; 2], steps: [usize; 2], channel: usize, at: usize,
    y: *mut T, epilogue: E,
) {
    let mut o = 0;
    while o < width {
        // SAFETY: the caller's.
        unsafe {
            let channels = epilogue.channels(simd, channel + o, S::LANES);
            along_both!(
                simd, F::outputs: [F::INPUTS; MOST] => F::OUTPUTS,
                |r, s| simd.load(m.add((F::INPUTS * r + s) * place + o)),
                |r, s, sum| if r < left[0] && s < left[1] {
                    let at = at + r * steps[0] + s * steps[1] + o;
                    simd.store(y.add(at), epilogue.finish(simd, channels, sum, at, S::LANES));
                }
            );
        }
        o += S::LANES;
    }
}
