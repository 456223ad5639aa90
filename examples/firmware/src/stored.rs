//! The images that are part of the program. `../prepare.rs` writes the file, in this order.

/// Pixels of an image, 0 to 16.
pub(crate) const PIXELS: usize = 64;
/// Held-out images, which the network has never seen.
pub(crate) const HELD_OUT: usize = 200;
/// Images to learn from.
pub(crate) const LEARNED: usize = 192;
/// Held-out images whose logits the host has computed.
pub(crate) const JUDGED: usize = 20;

/// Images and their labels.
#[repr(C)]
pub(crate) struct Set<const N: usize> {
    /// Pixels.
    pub(crate) pixels: [[u8; PIXELS]; N],
    /// What they are.
    pub(crate) labels: [u8; N],
}

/// All that is stored.
#[repr(C)]
pub(crate) struct Stored {
    /// Held-out images.
    pub(crate) held_out: Set<HELD_OUT>,
    /// Images to learn from.
    pub(crate) learned: Set<LEARNED>,
    /// The host's logits for the first held-out images, as little-endian bytes of f32.
    pub(crate) logits: [[[u8; 4]; 10]; JUDGED],
}
