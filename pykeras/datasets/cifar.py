"""One batch file of CIFAR-10 or CIFAR-100.

Source: the public behaviour of keras/datasets/cifar.py (2.1.6). The files are pickles of Python 2; they
are read without running what they name.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import backend as K
from ..utils.data_utils import get_file
from ._files import unusable
from ._pickles import read_pickle


def load_batch(fpath: str, label_key: str = "labels") -> tuple[np.ndarray, list[int]]:
    """Reads a batch file.

    Args:
        fpath: the file.
        label_key: name of the labels in it: 'labels', 'fine_labels' or 'coarse_labels'.

    Returns:
        pictures uint8 (n, 3, 32, 32), and the list of n labels.

    Raises:
        OSError: no such file.
        ValueError: it is broken, or holds anything but numbers and text.
    """
    with open(fpath, "rb") as file:
        data = file.read()
    try:
        batch: Any = read_pickle(data, encoding="bytes")
        pictures, labels = batch[b"data"], list(batch[label_key.encode("utf8")])
        if pictures.dtype != np.uint8:
            raise ValueError(f"its pictures are of type {pictures.dtype}")
        pictures = pictures.reshape(len(labels), 3, 32, 32)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise unusable(fpath, error) from error
    return pictures, labels


def _load_files(
    folder: str, origin: str, files: list[str], label_key: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Fetches the archive once and reads batch files: pictures in the layout configured, labels (n, 1)."""
    path = get_file(folder, origin=origin, untar=True)
    parts = []
    for name in files:
        file = os.path.join(path, name)
        if not os.path.exists(file):
            raise unusable(path, f"the file {name} is missing in this folder")
        pictures, labels = load_batch(file, label_key)
        if K.image_data_format() == "channels_last":
            pictures = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
        parts.append((pictures, np.array(labels, dtype="uint8").reshape(-1, 1)))
    return parts
