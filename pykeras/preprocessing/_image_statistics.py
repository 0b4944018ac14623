"""Statistics of a data set of images: what `ImageDataGenerator.fit` computes.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6).
"""

from __future__ import annotations

import numpy as np

from .._cython import images
from ._image_transforms import rows_of_pixels


def whitening_matrix(rows: np.ndarray, added: float) -> np.ndarray:
    """The symmetric matrix that makes the columns uncorrelated, with variance 1.

    In double precision: single precision would leave noise in the variances that is far above `added`.
    """
    covariance = np.zeros((rows.shape[1], rows.shape[1]))
    for first in range(0, len(rows), 1024):
        part = rows[first : first + 1024].astype(float)
        covariance += part.T @ part
    # The matrix is symmetric: its eigenvectors are its singular vectors, and cheaper.
    variances, axes = np.linalg.eigh(covariance / len(rows))
    return (axes / np.sqrt(np.maximum(variances, 0) + added)) @ axes.T


def channel_moments(x: np.ndarray, channel_axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over images of equal size, in double precision."""
    each = [
        np.concatenate(
            [images.moments(row, x.shape[3] if channel_axis == 3 else 1) for row, _ in rows], axis=1
        )
        for rows in (rows_of_pixels(picture, channel_axis - 1) for picture in x)
    ]
    means, deviations = np.array(each).transpose(1, 0, 2)
    mean = means.mean(axis=0)
    return mean, np.sqrt((deviations**2 + (means - mean) ** 2).mean(axis=0))
