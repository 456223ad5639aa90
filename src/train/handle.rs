//! [`AsNetwork`]: a network, or a box of one.

use crate::network::Network;

/// A network or a `Box` of one, so that `&mut net` is enough for both: large networks live in boxes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network",
    label = "want a network that `network!` declared, or a `Box` of one"
)]
pub trait AsNetwork<N> {
    /// The network.
    fn as_network(&self) -> &N;

    /// The network.
    fn as_network_mut(&mut self) -> &mut N;
}

impl<N: Network> AsNetwork<N> for N {
    fn as_network(&self) -> &N {
        self
    }

    fn as_network_mut(&mut self) -> &mut N {
        self
    }
}

impl<N: Network> AsNetwork<N> for Box<N> {
    fn as_network(&self) -> &N {
        self
    }

    fn as_network_mut(&mut self) -> &mut N {
        self
    }
}
