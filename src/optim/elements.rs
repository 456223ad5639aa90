//! Rules, and the trainer's sums, go over their elements here: with the machine's vector instructions, and on several threads where the caller wants them.

use crate::Scalar;
use crate::kernels::simd::Run;

/// Whose threads a step may take.
pub(crate) enum On {
    /// The calling one alone.
    Caller,
    /// Those of rayon's current pool.
    #[cfg(feature = "rayon")]
    Everyone,
}

/// The most elements that one thread takes at a time, of parameters, gradients and each state. In training threads share all that is more: they have just come from the lanes and are still
/// awake. (Two take 0.84 of the time for the training step of LeNet-5, of 61,706 parameters, that they take where they share 2¹⁶ and more alone.)
#[cfg(feature = "rayon")]
pub(crate) const PART: usize = 1 << 15;

/// Elements of a cache line of f32, of which parts are multiples.
#[cfg(feature = "rayon")]
const LINE: usize = 16;

/// `rule(parameters, gradients, states)`, once or part by part: elements do not see each other, so their bits do not depend on the parts.
///
/// There are as many gradients as parameters; of a state that is longer or shorter, what they have in common is worked on.
#[inline(always)]
pub(crate) fn each<T: Scalar, const N: usize>(
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
    let half = (params.len() / 2).next_multiple_of(LINE);
    let (params, params_behind) = params.split_at_mut(half);
    let (grads, grads_behind) = grads.split_at(half);
    let mut behind = [const { None }; N];
    let mut rests = behind.iter_mut();
    let states = states.map(|state| {
        let (state, rest) = state.split_at_mut(half.min(state.len()));
        if let Some(behind) = rests.next() {
            *behind = Some(rest);
        }
        state
    });
    let behind = behind.map(Option::unwrap_or_default);
    rayon::join(|| halves(params, grads, states, rule), || halves(params_behind, grads_behind, behind, rule));
}
