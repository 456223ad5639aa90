//! dW by Winograd's tiles, those with 36 places: the transpose of the forward pass.
//!
//! ```text
//! dW = Gᵀ [ Σ_tiles (Bᵀ d B) ⊙ (A dz Aᵀ) ] G
//! ```
//!
//! The forward pass of a tile is linear in its kernel, `Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`, and this is what its transpose makes of the outputs' gradients: 36 multiplications for 4 × 4
//! outputs of 3 × 3 taps instead of 144, or for 2 × 2 of 5 × 5 instead of 100. The sum over the tiles makes each of the 36 places a product of matrices,
//! `dU[place] += V[place]ᵀ · D[place]`, whose depth is tiles. Those of all images of a micro-batch go into one dU before that is transformed.

use core::marker::PhantomData;

use super::filter::{Filter, Four, MOST, Transposed, TwoOfFive, along_both};
use super::{APART, transform_inputs};
use crate::Scalar;
use crate::kernels::correlate::{Axis, CorrelationSpec, tap};
use crate::kernels::epilogue::{AddTo, Store};
use crate::kernels::gemm;
use crate::kernels::simd::Simd;
use crate::kernels::tile::{Broadcast, Height, Rows, Walk};
use crate::shape::Conv;

/// Inputs of a tile along an axis.
const SIDE: usize = Four::INPUTS;

/// Places of a tile, as many as it has inputs.
const PLACES: usize = SIDE * SIDE;

const _: () = assert!(TwoOfFive::INPUTS == SIDE);

/// Elements of V and D for each of the places: together 576 KiB of f32, as much as many second-level caches hold. A product of more tiles loads and stores dU less often (half of
/// it took 1.04 to 1.15 times as long, a quarter up to 1.16, with 512 KiB of that cache). Kernels of 16 to 128 channels take 0.36 to 0.5 of the time of direct sums (AVX2).
const WAITING: usize = 4096;

/// The fewest tiles that wait for a product: in a shorter sum the loads and stores of dU would cost as much as the multiplications.
const FEWEST: usize = 16;

/// The fewest tiles of an image: of fewer, the sums of a few images cost more to transform than they save (64 channels on 4 × 4: 2.5 times as long for one image, 0.6 of
/// the time for eight).
const OF_AN_IMAGE: usize = 4;

/// Whether dW is computed this way. dU has 36 elements of each pair of channels, as U has: 256 channels on 28 × 28 take half of the time, 9 MB of the thread's space.
pub const fn fits(conv: &Conv) -> bool {
    super::fits(conv) && conv.input.c * conv.out_channels <= super::PAIRS && super::largest_tiles(conv) >= OF_AN_IMAGE
}

/// Tiles that wait for a product, of so many channels that arrive and leave.
const fn together(inputs: usize, outputs: usize) -> usize {
    let tiles = WAITING / (inputs + outputs);
    if tiles < FEWEST { FEWEST } else { tiles }
}

/// Elements from one place to the next of dU, V and D.
const fn places(inputs: usize, outputs: usize) -> [usize; 3] {
    let tiles = together(inputs, outputs);
    [inputs * outputs + APART, tiles * inputs + APART, tiles * outputs + APART]
}

/// Elements of dU, V and D.
pub const fn elements(conv: &Conv) -> usize {
    let [u, v, d] = places(conv.input.c, conv.out_channels);
    PLACES * (u + v + d)
}

/// `$call` with the filter of the correlation `$spec` as the type `$filter`.
macro_rules! with_transposed {
    ($spec:ident, |$filter:ident| $call:expr) => {
        if const { $spec::CORRELATION.axes[0].taps == TwoOfFive::TAPS } {
            type $filter = TwoOfFive;
            $call
        } else {
            type $filter = Four;
            $call
        }
    };
}

/// The input channels as rows of the products.
struct Inputs<C>(PhantomData<C>);

impl<C: CorrelationSpec> Height for Inputs<C> {
    const ROWS: usize = C::CORRELATION.inputs;
}

/// dU, and tiles that wait to be multiplied.
pub struct Sums<'a, T, C> {
    u: &'a mut [T],
    v: &'a mut [T],
    d: &'a mut [T],
    waiting: usize,
    /// Whether dU has been written.
    begun: bool,
    spec: PhantomData<C>,
}

impl<'a, T: Scalar, C: CorrelationSpec> Sums<'a, T, C> {
    /// Of no tile yet, in memory of [`elements`] elements.
    #[inline(always)]
    pub fn new(memory: &'a mut [T]) -> Self {
        let [u, v, d] = const { places(C::CORRELATION.inputs, C::CORRELATION.outputs) };
        assert!(memory.len() >= PLACES * (u + v + d));
        let (u, memory) = memory.split_at_mut(PLACES * u);
        let (v, memory) = memory.split_at_mut(PLACES * v);
        let d = &mut memory[..PLACES * d];
        Sums { u, v, d, waiting: 0, begun: false, spec: PhantomData }
    }

    /// Adds the tiles of an image.
    ///
    /// # Safety
    /// `x` and `dz` can be read at all places that the correlation names as its x and y.
    #[inline(always)]
    pub unsafe fn add<S: Simd<T>>(&mut self, simd: S, x: *const T, dz: *const T) {
        // SAFETY: the caller's.
        unsafe { with_transposed!(C, |F| self.add_tiles::<S, F>(simd, x, dz)) };
    }

    /// # Safety
    /// As for [`add`](Self::add), whose filter this is.
    #[inline(always)]
    unsafe fn add_tiles<S: Simd<T>, F: Transposed>(&mut self, simd: S, x: *const T, dz: *const T) {
        let it = const { &C::CORRELATION };
        let [row, column] = const { &C::CORRELATION.axes };
        let [_, v_place, d_place] = const { places(C::CORRELATION.inputs, C::CORRELATION.outputs) };
        for i in (0..row.outputs).step_by(F::OUTPUTS) {
            for j in (0..column.outputs).step_by(F::OUTPUTS) {
                // SAFETY: the caller's; fewer tiles wait than V and D have room for.
                unsafe {
                    let v = self.v.as_mut_ptr().add(self.waiting * it.inputs);
                    let d = self.d.as_mut_ptr().add(self.waiting * it.outputs);
                    transform_inputs::<T, S, F>(simd, row, column, i, j, it.inputs, x, v, v_place);
                    transform_gradients::<T, S, F>(simd, row, column, [i, j], it.outputs, dz, d, d_place);
                }
                self.waiting += 1;
                if self.waiting == const { together(C::CORRELATION.inputs, C::CORRELATION.outputs) } {
                    self.multiply(simd);
                }
            }
        }
    }

    /// `dU[place] += V[place]ᵀ · D[place]`, of the tiles that wait.
    #[inline(always)]
    fn multiply<S: Simd<T>>(&mut self, simd: S) {
        let (inputs, outputs) = const { (C::CORRELATION.inputs, C::CORRELATION.outputs) };
        let [u_place, v_place, d_place] = const { places(C::CORRELATION.inputs, C::CORRELATION.outputs) };
        let walk = Walk { count: [1, 1, self.waiting], a: [0, 0, inputs as isize], b: [0, 0, outputs as isize] };
        for place in 0..PLACES {
            // SAFETY: the slices were cut to their lengths: of each place V and D have a row for each tile that waits, and dU one for each input.
            unsafe {
                let c = self.u.as_mut_ptr().add(place * u_place);
                let a = self.v.as_ptr().add(place * v_place);
                let b = self.d.as_ptr().add(place * d_place);
                let rows = Rows { a, a_step: 1, c, at: 0, at_step: outputs, n: inputs };
                if self.begun {
                    let epilogue = AddTo(c.cast_const());
                    gemm::columns::<T, S, _, Broadcast, Inputs<C>>(simd, rows.into(), b, outputs, 0, walk, epilogue);
                } else {
                    gemm::columns::<T, S, _, Broadcast, Inputs<C>>(simd, rows.into(), b, outputs, 0, walk, Store);
                }
            }
        }
        (self.waiting, self.begun) = (0, true);
    }

    /// `dW += Gᵀ dU G`.
    ///
    /// # Safety
    /// `dw` can be written at all places that the correlation names as its w.
    #[inline(always)]
    pub unsafe fn finish<S: Simd<T>>(mut self, simd: S, dw: *mut T) {
        if self.waiting > 0 {
            self.multiply(simd);
        }
        if self.begun {
            // SAFETY: the caller's.
            unsafe { with_transposed!(C, |F| self.finish_taps::<S, F>(simd, dw)) };
        }
    }

    /// # Safety
    /// As for [`finish`](Self::finish), whose filter this is.
    #[inline(always)]
    unsafe fn finish_taps<S: Simd<T>, F: Transposed>(&self, simd: S, dw: *mut T) {
        let it = const { &C::CORRELATION };
        let [u_place, ..] = const { places(C::CORRELATION.inputs, C::CORRELATION.outputs) };
        for c in 0..it.inputs {
            for o in (0..it.outputs).step_by(S::LANES) {
                // SAFETY: of dU an element of each place for each pair of channels, whose number is a multiple of the lanes; dW is the caller's.
                unsafe {
                    along_both!(
                        simd, F::kernel_gradients: [SIDE; MOST] => F::TAPS,
                        |r, s| simd.load(self.u.as_ptr().add((SIDE * r + s) * u_place + c * it.outputs + o)),
                        |u, v, sum| {
                            let to = dw.add(c * it.w_channel + o).offset(tap(&it.axes, u, v));
                            simd.store(to, simd.add(simd.load(to), sum));
                        }
                    );
                }
            }
        }
    }
}

/// `D[place][tile] ← A dz Aᵀ` for the tile of outputs (i, j), of which those beyond the map are zeros; rows of D's places lie `place` elements apart.
///
/// # Safety
/// `dz` can be read where the tile's outputs lie inside, `d` written at all places.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a tile's place and its operands")]
unsafe fn transform_gradients<T: Scalar, S: Simd<T>, F: Transposed>(
    simd: S, row: &Axis, column: &Axis, [i, j]: [usize; 2], outputs: usize, dz: *const T, d: *mut T, place: usize,
) {
    let (rows, columns) = (row.outputs - i, column.outputs - j);
    let dz = dz.wrapping_add(row.y_first + column.y_first + i * row.y + j * column.y);
    for o in (0..outputs).step_by(S::LANES) {
        // SAFETY: gradients are loaded where their row and column lie inside; the places are the caller's.
        unsafe {
            along_both!(
                simd, F::gradients: [F::OUTPUTS; MOST] => SIDE,
                |r, s| if r < rows && s < columns {
                    simd.load(dz.wrapping_add(r * row.y + s * column.y + o))
                } else {
                    simd.splat(T::zero())
                },
                |r, s, value| simd.store(d.add((SIDE * r + s) * place + o), value)
            );
        }
    }
}
