//! Declarations written by a macro of the user: every fragment comes in an invisible group.
#![deny(warnings)]

use tenonet::prelude::*;

macro_rules! classifier {
    ($(#[$meta:meta])* $vis:vis $name:ident, $size:literal, $width:expr, $classes:expr, $act:ident, $first:ident: $($layer:tt)*) => {
        network! {
            $(#[$meta])*
            $vis struct $name([1, $size, $size] -> [$classes]) {
                $first: conv($width, kernel = $width - 1, padding = $size - 6), $act,
                $($layer)*
                flatten,
                fc: linear($classes),
            }
        }
    };
}

classifier! {
    /// Three classes.
    pub Three, 8, 2 + 2, 3, relu, conv1: max_pool(2),
}

const CLASSES: usize = 5;

classifier! {
    Five, 8, 4, CLASSES, gelu, start: conv(4, kernel = 3), silu,
}

fn main() {
    assert_eq!(Three::PARAMS, 4 * 9 + 4 + (10 / 2 * 10 / 2 * 4 + 1) * 3);
    let net = Five::init(&mut rand::make_rng::<rand::rngs::StdRng>());
    let y: Tensor<5> = net.forward(&Tensor::zeros(), &mut Five::scratch());
    assert!(y.argmax() < 5 && net.start.bias.len() == 4);
}
