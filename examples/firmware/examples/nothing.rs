//! A network that does nothing, measured: what its image takes is not the others' either.
#![no_std]
#![no_main]

use tenonet::prelude::*;

network! {
    /// One number.
    pub struct Nothing([1, 1, 1] -> [1]) {
        flatten,
    }
}

tenonet_firmware::measured!(Nothing);
