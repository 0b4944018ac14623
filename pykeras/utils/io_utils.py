"""Dicts and arrays that stay in HDF5 files, and a question about files.

Source: the public behaviour of keras/utils/io_utils.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from ._h5dict import H5Dict
from ._h5matrix import HDF5Matrix

__all__ = ["H5Dict", "HDF5Matrix", "ask_to_proceed_with_overwrite", "h5dict"]

h5dict = H5Dict


def ask_to_proceed_with_overwrite(filepath: Any) -> bool:
    """Asks on the terminal whether an existing file may be replaced.

    Args:
        filepath: the file's path, for the question.

    Returns:
        True for yes, False for no; asks again until it gets one of them.
    """
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"
