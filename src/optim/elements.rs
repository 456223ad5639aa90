//! Rules go over their elements here: with the machine's vector instructions, and on several threads where the caller wants them.

use crate::Scalar;
use crate::kernels::simd::Run;

/// Whose threads a step may take.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum On {
    /// The calling one alone.
    Caller,
    /// Those of rayon's current pool.
    #[cfg(feature = "rayon")]
    Everyone,
}

/// Elements that one thread takes at a time, of parameters, gradients and each state: they fill a second-level cache, and take longer than waking a thread.
#[cfg(feature = "rayon")]
const PART: usize = 1 << 16;

/// `rule(parameters, gradients, states)`, once or part by part: elements do not see each other, so their bits do not depend on the parts.
///
/// All slices have the same length; what is longer than the parameters is left alone.
#[inline(always)]
pub(super) fn each<T: Scalar, const N: usize>(
    on: On, params: &mut [T], grads: &[T], states: [&mut [T]; N], rule: impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync,
) {
    match on {
        On::Caller => T::dispatch(Run(|| rule(params, grads, states))),
        #[cfg(feature = "rayon")]
        On::Everyone => halves(params, grads, states, &rule),
    }
}

/// Halves, until one is no longer than a part.
#[cfg(feature = "rayon")]
fn halves<T: Scalar, const N: usize>(
    params: &mut [T], grads: &[T], states: [&mut [T]; N], rule: &(impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync),
) {
    if params.len() <= PART {
        return T::dispatch(Run(|| rule(params, grads, states)));
    }
    let half = (params.len() / 2).next_multiple_of(PART);
    let (params, params_behind) = params.split_at_mut(half);
    let (grads, grads_behind) = grads.split_at(half);
    let mut behind = [const { None }; N];
    let mut number = 0;
    let states = states.map(|state| {
        let (state, rest) = state.split_at_mut(half);
        behind[number] = Some(rest);
        number += 1;
        state
    });
    let behind = behind.map(Option::unwrap_or_default);
    rayon::join(|| halves(params, grads, states, rule), || halves(params_behind, grads_behind, behind, rule));
}
