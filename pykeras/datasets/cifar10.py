"""CIFAR-10: 60,000 colour pictures of 32x32 pixels in ten classes.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the public behaviour
of keras/datasets/cifar10.py (2.1.6).
"""

from __future__ import annotations

import numpy as np

from ..utils.namespaces import held_by
from .cifar import _load_files

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"

Part = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Part, Part]:
    """Loads the pictures from Keras's folder `datasets/cifar-10-batches-py`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures uint8 (50000, 32, 32, 3) and (10000, 32, 32, 3),
        channels first if configured so; labels uint8 (n, 1), 0 to 9.

    Raises:
        OSError: the files are not there and cannot be fetched.
        ValueError: a file is broken.
    """
    names = [f"data_batch_{i}" for i in range(1, 6)]
    *train, test = _load_files("cifar-10-batches-py", _ORIGIN, [*names, "test_batch"], "labels")
    pictures, labels = zip(*train)
    return (np.concatenate(pictures), np.concatenate(labels)), test


# What scripts also import from here.
__getattr__ = held_by(__name__)
