//! The images that are part of the program. `../prepare.rs` writes the file, in this order.

/// Pixels of an image, 0 to 16.
pub const PIXELS: usize = 64;
/// Held-out images, which the network has never seen.
pub const HELD_OUT: usize = 200;
/// Images to learn from.
pub const LEARNED: usize = 192;
/// Held-out images whose logits the host has computed.
pub const JUDGED: usize = 20;

/// Images and their labels.
#[repr(C)]
pub struct Set<const N: usize> {
    /// Pixels.
    pub pixels: [[u8; PIXELS]; N],
    /// What they are.
    pub labels: [u8; N],
}

/// All that is stored.
#[repr(C)]
pub struct Stored {
    /// Held-out images.
    pub held_out: Set<HELD_OUT>,
    /// Images to learn from.
    pub learned: Set<LEARNED>,
    /// The host's logits for the first held-out images, as little-endian bytes of f32.
    pub logits: [[[u8; 4]; 10]; JUDGED],
}
