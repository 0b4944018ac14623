"""Finding and reading the files of the data sets, with errors that say what to do."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..utils.data_utils import get_file, validate_file
from ._pickles import read_lists, read_pickle


def find_file(
    path: str, origin: str, file_hash: str | None = None, accept: Callable[[str], bool] | None = None
) -> str:
    """Returns the path of a data file, fetched if need be.

    Args:
        path: name below Keras's `datasets` folder, or the absolute path of a file of the caller's own,
            for which no hash is asked.
        origin: where the published file is.
        file_hash: its hash.
        accept: called with the path of a file that is there with another hash; True takes it all the same.
    """
    own = os.path.expanduser(path)
    if os.path.isabs(own) and os.path.exists(own):
        return own
    if accept is not None and file_hash is not None:
        from ..utils._download import cached_path

        cached = cached_path(path)
        if cached is not None and not validate_file(cached, file_hash) and accept(cached):
            return cached
    return get_file(path, origin, file_hash=file_hash)


def unusable(path: str, why: Any) -> ValueError:
    """The error for a file that cannot be read as what it should be."""
    reason = " ".join(str(why).split()).rstrip(".")
    return ValueError(
        f"The data file {path!r} is broken or another one than expected: {reason}. Remove it, so that "
        f"it is fetched again, or put a good copy there"
    )


def load_npz(path: str, *names: str, ragged: bool = False) -> list[Any]:
    """Reads arrays of an .npz file, also arrays of lists, without running anything that the file names.

    Args:
        path: the file.
        names: the arrays' names.
        ragged: give arrays of lists of whole numbers as `Ragged`, which is much faster.

    Returns:
        the arrays, in the order of the names.

    Raises:
        OSError: no such file.
        ValueError: it is broken, lacks an array, or holds more than numbers and lists.
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_member(archive, f"{name}.npy", ragged) for name in names]
    except KeyError as error:
        raise unusable(path, error.args[0]) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise unusable(path, error) from error


def _read_member(archive: Any, name: str, ragged: bool) -> Any:
    info = archive.getinfo(name)
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise ValueError(f"{name} has format {version}")
        shape, fortran, dtype = read_header(file)
        order: Any = "F" if fortran else "C"
        if not dtype.hasobject:
            size = math.prod(shape) * dtype.itemsize
            # what is claimed is compared with what is there before anything is allocated
            if size > info.file_size:
                raise ValueError(f"{name} ends early")
            array: Any = np.frombuffer(bytearray(file.read(size)), dtype=dtype)
            return array.reshape(shape, order=order)
        data = file.read()
        if ragged and (lists := read_lists(data)) is not None and (len(lists),) == shape:
            return lists
        array = read_pickle(data)
        if not isinstance(array, np.ndarray) or array.dtype != object or array.size != math.prod(shape):
            raise ValueError(f"{name} is not the array that its head describes")
        return array.reshape(shape, order=order)


def load_word_index(path: str) -> dict[str, int]:
    """Reads a JSON file of words and their ranks. Raises ValueError if it is none."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            index = json.load(file)
    except ValueError as error:
        raise unusable(path, error) from error
    if not isinstance(index, dict):
        raise unusable(path, "it is not a table of words")
    return index
