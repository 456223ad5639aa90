//! A network's table, for people.

use core::fmt;
use core::marker::PhantomData;

use crate::network::Network;

/// [`Network::summary`]: prints the table of the network's layers.
pub struct Summary<N>(PhantomData<N>);

impl<N> Summary<N> {
    pub(crate) fn new() -> Self {
        Summary(PhantomData)
    }
}

impl<N: Network> fmt::Display for Summary<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", N::NAME)
    }
}
