"""Fashion-MNIST: 70,000 articles of clothing of ten kinds, grey pictures of 28x28 pixels.

Source: H. Xiao et al., "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
https://arxiv.org/abs/1708.07747; the public behaviour of keras/datasets/fashion_mnist.py (2.1.6).
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib

import numpy as np

from ..utils.data_utils import get_file
from ._files import unusable

_ORIGIN = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)

Part = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Part, Part]:
    """Loads the pictures from the four files in Keras's folder `datasets/fashion-mnist`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures uint8 (60000, 28, 28) and (10000, 28, 28), 0 to
        255; labels uint8 0 to 9.

    Raises:
        OSError: a file is not there and cannot be fetched.
        ValueError: a file is broken.
    """
    folder = os.path.join("datasets", "fashion-mnist")
    paths = [get_file(name, _ORIGIN + name, cache_subdir=folder) for name in _FILES]
    x_train, y_train, x_test, y_test = (_read_idx(path) for path in paths)
    for x, y, path in ((x_train, y_train, paths[1]), (x_test, y_test, paths[3])):
        if x.ndim != 3 or y.shape != x.shape[:1]:
            raise unusable(path, f"pictures of shape {x.shape} do not go with labels of shape {y.shape}")
    return (x_train, y_train), (x_test, y_test)


def _read_idx(path: str) -> np.ndarray:
    """Reads bytes in the IDX format: two zeros, type, rank, then the sizes as big-endian int32."""
    try:
        with gzip.open(path, "rb") as file:
            data = bytearray(file.read())
        if len(data) < 4 or data[:3] != b"\0\0\x08":
            raise ValueError("it is not an IDX file of bytes")
        shape = struct.unpack_from(f">{data[3]}i", data, 4)
    except (EOFError, ValueError, struct.error, zlib.error, gzip.BadGzipFile) as error:
        raise unusable(path, error) from error
    start = 4 + 4 * len(shape)
    if len(data) - start != math.prod(shape):
        raise unusable(path, f"its head promises the shape {shape}, but {len(data) - start} bytes follow")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
