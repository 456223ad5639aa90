"""Our masks of dropout, as numpy: what `src/kernels/dropout.rs` draws from seed, step, layer and image, described a second time."""

import numpy as np

BLOCK = 1 << 12  # elements that share a key
U64, U32 = (1 << 64) - 1, np.uint32


def absorb(key, value):
    """The output function of SplitMix64."""
    z = ((key ^ value) + 0x9E3779B97F4A7C15) & U64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & U64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & U64
    return z ^ (z >> 31)


def mix(h):
    """The finalizer of MurmurHash3."""
    h = (h ^ (h >> U32(16))) * U32(0x85EBCA6B)
    h = (h ^ (h >> U32(13))) * U32(0xC2B2AE35)
    return h ^ (h >> U32(16))


def mask(p, seed, step, layer, image, shape):
    """1 for what the layer, a row of the table counted from 0, keeps of an image: `[features]` or `[channels, rows, columns]`."""
    key = 0
    for value in (seed, step, layer, image):
        key = absorb(key, value)
    length = int(np.prod(shape))
    draws = []
    for block in range(0, length, BLOCK):
        own = absorb(key, block // BLOCK)
        place = np.arange(min(BLOCK, length - block), dtype=U32) * U32(0x9E3779B9)
        draws.append(mix(mix(place ^ U32(own & 0xFFFFFFFF)) ^ U32(own >> 32)))
    kept = np.concatenate(draws) >= U32(int(p * (1 << 32)))
    # Inside a network maps lie in pixels, the channels last.
    kept = kept if len(shape) == 1 else kept.reshape(*shape[1:], shape[0]).transpose(2, 0, 1)
    return kept.astype(np.float64)
