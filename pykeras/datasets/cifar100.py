"""CIFAR-100: 60,000 colour pictures of 32x32 pixels in 100 classes of 20 groups.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the public behaviour
of keras/datasets/cifar100.py (2.1.6).
"""

from __future__ import annotations

import numpy as np

from ..utils.namespaces import held_by
from .cifar import _load_files

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"

Part = tuple[np.ndarray, np.ndarray]


def load_data(label_mode: str = "fine") -> tuple[Part, Part]:
    """Loads the pictures from Keras's folder `datasets/cifar-100-python`.

    Args:
        label_mode: 'fine' for the 100 classes, 'coarse' for the 20 groups.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures uint8 (50000, 32, 32, 3) and (10000, 32, 32, 3),
        channels first if configured so; labels uint8 (n, 1).

    Raises:
        OSError: the files are not there and cannot be fetched.
        ValueError: another `label_mode`, or a file is broken.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` must be one of `fine`, `coarse`. Received: {label_mode!r}")
    train, test = _load_files("cifar-100-python", _ORIGIN, ["train", "test"], f"{label_mode}_labels")
    return train, test


# What scripts also import from here.
__getattr__ = held_by(__name__)
