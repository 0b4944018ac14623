"""MNIST: 70,000 handwritten digits, grey pictures of 28x28 pixels.

Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998; the public
behaviour of keras/datasets/mnist.py (2.1.6).
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..utils.namespaces import held_by
from ._files import find_file, load_npz, unusable

_ORIGIN = "https://s3.amazonaws.com/img-datasets/mnist.npz"
_HASH = "8a61469f7ea1b51cbae51d4f78837e45"
_NAMES = ("x_train", "y_train", "x_test", "y_test")
# SHA-256 of the four arrays one behind the other: many copies are about that hold them in another
# container.
_PICTURES = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"

Part = tuple[np.ndarray, np.ndarray]


def load_data(path: str = "mnist.npz") -> tuple[Part, Part]:
    """Loads the digits.

    Args:
        path: name below Keras's `datasets` folder, or an absolute path.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures uint8 (60000, 28, 28) and (10000, 28, 28), 0 to
        255; labels uint8 0 to 9.

    Raises:
        OSError: the file is not there and cannot be fetched.
        ValueError: it is broken.
    """
    file = find_file(path, _ORIGIN, _HASH, _same_pictures)
    x_train, y_train, x_test, y_test = load_npz(file, *_NAMES)
    for x, y in ((x_train, y_train), (x_test, y_test)):
        if x.dtype == object or x.ndim < 2 or y.shape[:1] != x.shape[:1]:
            raise unusable(file, f"pictures of shape {x.shape} ({x.dtype}) with labels of shape {y.shape}")
    return (x_train, y_train), (x_test, y_test)


def _same_pictures(path: str) -> bool:
    """Tells whether a file holds the published arrays, however they are packed."""
    try:
        arrays = load_npz(path, *_NAMES)
    except (OSError, ValueError):
        return False
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest() == _PICTURES


# What scripts also import from here.
__getattr__ = held_by(__name__)
