"""UCI handwritten digits: 1,797 grey pictures of 8x8 pixels, shipped with the package.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49 (the test part of the original, the same pictures as
scikit-learn's `load_digits`). Licence: Creative Commons Attribution 4.0 International (CC BY 4.0). Changed:
only the container of the numbers.
"""

import os

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def load_data(path: str | None = None) -> tuple[Split, Split]:
    """Load the pictures and their labels, split once and for all into training and test parts.

    Of each digit, every fifth picture in the order of the original file goes to the test part, so that both
    parts hold all ten digits in equal shares and every call returns the same arrays.

    Args:
        path: an `.npz` file with arrays `images` (n, 8, 8) and `labels` (n,); default: that in the package.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures uint8 (1442, 8, 8) and (355, 8, 8), each pixel
        0 (paper) to 16 (ink); labels uint8 0 to 9.

    Raises:
        OSError: the file cannot be read.  KeyError: it lacks one of the two arrays.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, int(x_train.max())
        ((1442, 8, 8), 16)
    """
    if path is None:
        path = os.path.join(os.path.dirname(__file__), "digits.npz")
    with np.load(path, allow_pickle=False) as data:
        images, labels = data["images"], data["labels"]
    test = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        test[np.flatnonzero(labels == digit)[4::5]] = True
    return (images[~test], labels[~test]), (images[test], labels[test])
