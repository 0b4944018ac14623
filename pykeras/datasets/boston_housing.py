"""Boston housing: 506 districts, 13 features each, and the median price of a house there in 1,000 dollars.

Source: D. Harrison and D. L. Rubinfeld, "Hedonic prices and the demand for clean air", 1978; the public
behaviour of keras/datasets/boston_housing.py (2.1.6), except that NumPy's global generator is not seeded.
"""

from __future__ import annotations

import numpy as np

from ..utils.namespaces import held_by
from ._files import find_file, load_npz
from ._sequences import shuffled

_ORIGIN = "https://s3.amazonaws.com/keras-datasets/boston_housing.npz"
_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"

Part = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Part, Part]:
    """Loads the districts, shuffled and then split.

    Args:
        path: name below Keras's `datasets` folder, or an absolute path.
        test_split: share of the test part, from 0 to less than 1.
        seed: seed of the shuffling.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 of shapes (404, 13), (404,), (102, 13), (102,).

    Raises:
        OSError: the file is not there and cannot be fetched.
        ValueError: it is broken, or `test_split` is out of range.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be at least 0 and less than 1. Received: {test_split}")
    x, y = load_npz(find_file(path, _ORIGIN, _HASH), "x", "y")
    x, y = shuffled(np.random.RandomState(seed), x, y)
    split = int(len(x) * (1 - test_split))
    return (x[:split], y[:split]), (x[split:], y[split:])


# What scripts also import from here.
__getattr__ = held_by(__name__)
