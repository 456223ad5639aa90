"""Writes the digits that ship with the crate as a pair of IDX files beside this script.

    pip install scikit-learn
    python convert.py

scikit-learn carries the set (README.md) and serves it without a download. Pixels are counts of 0 to 16, kept as they are.
"""

import pathlib
import struct

from sklearn.datasets import load_digits

U8 = 0x08  # the type code of unsigned bytes


def write_idx(name, array):
    """Writes an array of unsigned bytes: two zeros, type code, number of dimensions, each dimension in big-endian 32 bits, elements."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, U8, array.ndim, *array.shape)
    pathlib.Path(__file__).with_name(name).write_bytes(header + array.astype("uint8").tobytes())


digits = load_digits()
images, labels = digits.images, digits.target
assert images.shape == (1797, 8, 8) and labels.shape == (1797,)
assert (images == images.astype("uint8")).all() and images.min() == 0 and images.max() == 16
assert sorted(set(labels)) == list(range(10))
write_idx("images.idx3-ubyte", images)
write_idx("labels.idx1-ubyte", labels)
