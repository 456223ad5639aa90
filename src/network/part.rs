//! Parts: the tensors of a network within, `backbone: net(Backbone)`, to and from a network of their own.

use core::fmt;

use super::Network;
use crate::info::TensorInfo;

/// Why a part of a network could not be copied: it is no network of that type. Nothing was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartError<'a> {
    /// The network that was to have the part.
    pub whole: &'static str,
    /// The name that was asked for.
    pub name: &'a str,
    /// The network that the part was to be.
    pub part: &'static str,
    /// What stands against it.
    pub fault: PartFault,
}

/// What makes a part differ from a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartFault {
    /// A tensor of the network is not in the part.
    Missing {
        /// The network's tensor.
        tensor: &'static str,
    },
    /// A tensor of the part is not in the network.
    Extra {
        /// The whole's tensor.
        tensor: &'static str,
    },
    /// A tensor has another shape, or another order in memory.
    Shape {
        /// The network's tensor.
        tensor: &'static str,
        /// Its shape in the part.
        found: &'static [usize],
        /// Its shape in the network.
        wanted: &'static [usize],
    },
}

impl fmt::Display for PartError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, name, part, fault } = self;
        match fault {
            PartFault::Missing { tensor } => write!(f, "`{name}` in {whole} is no {part}: it has no tensor `{tensor}`"),
            PartFault::Extra { tensor } => write!(f, "`{name}` in {whole} is no {part}: `{tensor}` is not in that"),
            PartFault::Shape { tensor, found, wanted } => {
                write!(f, "`{name}` in {whole} is no {part}: its `{tensor}` is {found:?}, wanted {wanted:?}")
            }
        }
    }
}

impl core::error::Error for PartError<'_> {}

/// The name of a part's tensor within the part: `conv1.weight` of `backbone.conv1.weight`.
fn within<'t>(tensor: &'t str, part: &str) -> Option<&'t str> {
    tensor.strip_prefix(part)?.strip_prefix('.')
}

/// The tensor of the whole that a tensor of the part is.
fn twin<W: Network>(name: &str, tensor: &TensorInfo) -> Result<&'static TensorInfo, PartFault> {
    let found = W::TENSORS.iter().find(|whole| within(whole.name, name) == Some(tensor.name));
    let found = found.ok_or(PartFault::Missing { tensor: tensor.name })?;
    match found.shape == tensor.shape && found.memory == tensor.memory {
        true => Ok(found),
        false => Err(PartFault::Shape { tensor: tensor.name, found: found.shape, wanted: tensor.shape }),
    }
}

/// Whether the tensors of `W` called `name` are those of `P`.
fn check<W: Network, P: Network>(name: &str) -> Result<(), PartFault> {
    P::TENSORS.iter().try_for_each(|tensor| twin::<W>(name, tensor).map(|_| ()))?;
    let is_extra = |tensor: &&TensorInfo| {
        within(tensor.name, name).is_some_and(|own| P::TENSORS.iter().all(|tensor| tensor.name != own))
    };
    match W::TENSORS.iter().find(is_extra) {
        Some(extra) => Err(PartFault::Extra { tensor: extra.name }),
        None => Ok(()),
    }
}

/// Gives `copy` the elements of each tensor, those of the whole first.
fn each<'a, W: Network, P: Network<Scalar = W::Scalar>>(
    name: &'a str, mut copy: impl FnMut(&'static TensorInfo, &'static TensorInfo),
) -> Result<(), PartError<'a>> {
    check::<W, P>(name).map_err(|fault| PartError { whole: W::NAME, name, part: P::NAME, fault })?;
    for tensor in P::TENSORS {
        if let Ok(whole) = twin::<W>(name, tensor) {
            copy(whole, tensor);
        }
    }
    Ok(())
}

/// [`Network::copy_part_to`].
pub(super) fn copy_to<'a, W: Network, P: Network<Scalar = W::Scalar>>(
    whole: &W, name: &'a str, part: &mut P,
) -> Result<(), PartError<'a>> {
    each::<W, P>(name, |from, to| copy(whole.flat(), from, part.flat_mut(), to))
}

/// [`Network::copy_part_from`].
pub(super) fn copy_from<'a, W: Network, P: Network<Scalar = W::Scalar>>(
    whole: &mut W, name: &'a str, part: &P,
) -> Result<(), PartError<'a>> {
    each::<W, P>(name, |to, from| copy(part.flat(), from, whole.flat_mut(), to))
}

/// The two tensors have one shape and one order in memory.
fn copy<T: Copy>(from: &[T], source: &TensorInfo, to: &mut [T], target: &TensorInfo) {
    // A table that reaches beyond the elements would be the macro's fault; such a tensor has nothing to copy.
    if let (Some(from), Some(to)) = (from.get(source.range()), to.get_mut(target.range())) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}
