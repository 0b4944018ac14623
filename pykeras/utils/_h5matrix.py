"""Arrays that stay in HDF5 files and are read row by row.

Source: the public behaviour of keras/utils/io_utils.py (2.1.6).
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np


class RowRange:
    """Some rows of data that stays where it is (in a file) until they are asked for.

    Args:
        data: anything with `shape`, `dtype` and `[…]`, such as an HDF5 data set.
        start: first row.
        end: row after the last; None: all.
    """

    def __init__(self, data: Any, start: int = 0, end: int | None = None) -> None:
        self.start = start
        self.end = int(data.shape[0]) if end is None else end
        self.data = data

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> np.ndarray:
        """Reads rows.

        Args:
            key: number, slice, or list or array of numbers (in increasing order, for HDF5 data sets), counted
                from `start`.

        Raises:
            IndexError: rows beyond the end.
        """
        return self.data[self._rows(key)]

    def _rows(self, key: Any) -> Any:
        """Returns `key` counted from the first row of the data."""
        n = len(self)
        if isinstance(key, slice):
            first = _from_front(key.start or 0, n)
            last = n if key.stop is None else _from_front(key.stop, n)
            if last > n:
                raise IndexError(f"Rows {first} to {last} were asked for, but there are only {n}.")
            return slice(first + self.start, last + self.start, key.step)
        rows = np.asarray(key)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if rows.size == 0:
            return slice(self.start, self.start)
        rows = np.where(rows < 0, rows + n, rows).astype(np.int64)
        if rows.min() < 0 or rows.max() >= n:
            raise IndexError(f"Row {key} was asked for, but there are only {n}.")
        return (rows + self.start).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows, then the shape of a row."""
        return (len(self), *self.data.shape[1:])

    @property
    def dtype(self) -> Any:
        """Type of the numbers."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))


def _from_front(index: int, n: int) -> int:
    return max(0, index + n) if index < 0 else index


class HDF5Matrix(RowRange):
    """A data set of an HDF5 file, given to `fit`, `evaluate` and `predict` in the place of an array.

    The rows of a batch are read when they are needed, so the file may be larger than the memory. In `fit`,
    use `shuffle='batch'` or `shuffle=False`. The file is opened read-only; each process opens it for itself,
    so an instance may be given to workers, threads and processes alike. Rows stored one after the other
    (no chunks, no compression) are used without a copy where the system allows it; within such an epoch a
    program that opens the file for writing waits until the current batch is done.

    Args:
        datapath: path of the file.
        dataset: name of the data set in it.
        start: first row to use.
        end: row after the last; None: all.
        normalizer: function of an array of rows, applied to whatever is read.

    Raises:
        OSError: the file cannot be opened.
        KeyError: there is no such data set.
        ValueError: it has no rows, or not those from `start` to `end`.

    Example:
        >>> x = HDF5Matrix('train.h5', 'images', end=1000, normalizer=lambda rows: rows / 255)
        >>> model.fit(x, HDF5Matrix('train.h5', 'labels', end=1000), shuffle='batch')
    """

    # open files, as long as a matrix uses them
    refs: weakref.WeakValueDictionary[Any, Any] = weakref.WeakValueDictionary()

    def __init__(
        self,
        datapath: Any,
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:
        self.datapath = os.path.abspath(os.fspath(datapath))
        self.dataset = dataset
        self.normalizer = normalizer
        self._opened: tuple[int, Any, Any] | None = None
        rows = self.data.shape[0] if getattr(self.data, "shape", None) else None
        if rows is None:
            raise ValueError(f"{dataset!r} in {self.datapath} is no data set with rows.")
        self.start = start
        self.end = int(rows) if end is None else end
        if not 0 <= self.start <= self.end <= rows:
            raise ValueError(
                f"Rows {self.start} to {self.end} were asked for, but {dataset!r} in {self.datapath} has "
                f"{rows}."
            )
        sample = self.data[start : start + 1]
        if normalizer is not None:
            sample = normalizer(sample)
        self._row_shape = tuple(sample.shape[1:])
        self._dtype = sample.dtype

    @property
    def data(self) -> Any:  # type: ignore[override]
        """The data set, opened by this process."""
        pid = os.getpid()
        if self._opened is None or self._opened[0] != pid or not self._opened[1]:
            import h5py

            status = os.stat(self.datapath)
            key = (pid, self.datapath, status.st_ino, status.st_mtime_ns)
            file = self.refs.get(key)
            if not file:
                file = self.refs[key] = h5py.File(self.datapath, "r")
            self._opened = (pid, file, file[self.dataset])
        return self._opened[2]

    def __getitem__(self, key: Any) -> Any:
        """Reads rows, see `RowRange`, and applies the normalizer."""
        rows = super().__getitem__(key)
        return rows if self.normalizer is None else self.normalizer(rows)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows, then the shape of a row."""
        return (len(self), *self._row_shape)

    @property
    def dtype(self) -> Any:
        """Type of the numbers, after the normalizer."""
        return self._dtype
