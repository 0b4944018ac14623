"""Label encoding and row normalisation on NumPy arrays.

Source: the public behaviour of keras/utils/np_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """One-hot encodes class numbers.

    Args:
        y: integers from 0, any shape; a trailing axis of length 1 is dropped.
        num_classes: number of classes, by default the largest number + 1.
        dtype: dtype of the result.

    Returns:
        array of shape (*y's shape, num_classes).

    Raises:
        IndexError: a class number is negative or not below `num_classes`.
        ValueError: words, or numbers that are none.

    Example:
        >>> to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    try:
        labels = np.array(y, dtype="int64")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"to_categorical needs an array of class numbers: {error}. Labels of other kinds are numbered by "
            "`names, y = np.unique(labels, return_inverse=True)`"
        ) from error
    shape = labels.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    labels = labels.ravel()
    if not num_classes:
        num_classes = int(labels.max()) + 1 if labels.size else 0
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise IndexError(f"to_categorical: class {wrong} is out of range for {num_classes} classes")
    out = np.zeros((labels.size, num_classes), dtype=dtype)
    out[np.arange(labels.size), labels] = 1
    return out.reshape(shape + (num_classes,))


def normalize(x: Any, axis: int = -1, order: Any = 2) -> np.ndarray:
    """Divides by the norm along an axis; rows whose norm is zero stay as they are.

    Args:
        x: array.
        axis: axis of the norm.
        order: order of the norm as in `numpy.linalg.norm`.

    Returns:
        array of x's shape.
    """
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)
