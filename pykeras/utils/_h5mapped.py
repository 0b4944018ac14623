"""Rows of HDF5 files without a copy: batches that lie in the pages the system keeps of the file.

A file that another program cuts short kills whoever reads its mapped pages. So they are used only under a
lease (Linux, fcntl F_SETLEASE): whoever opens the file for writing waits until the lease is given back, and
`Lease.held` says when that is asked for. Where the system gives no lease (somebody else's file, most network
file systems, other systems than Linux) everything is read through h5py, as also in all other doubt.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._h5matrix import HDF5Matrix, RowRange

try:
    import fcntl

    _can_lease = hasattr(fcntl, "F_SETLEASE") and hasattr(os, "RWF_NOWAIT")
except ImportError:  # Windows
    _can_lease = False

# How much of the file the system is asked to fetch before it is needed, in bytes.
_AHEAD = 8 << 20
# In how many places of each array it is looked whether the file is in memory.
_LOOKS = 32


class _File:
    """One file in memory, and the descriptor that the lease is on."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        # opened once more, by number: the path may lead to another file by now
        self.descriptor = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.size = os.fstat(self.descriptor).st_size
            self.pages = mmap.mmap(self.descriptor, self.size, access=mmap.ACCESS_READ)
        except BaseException:
            os.close(self.descriptor)
            raise

    def cached(self, place: int) -> bool:
        """Whether the system has the byte at `place` in memory (or cannot say)."""
        try:
            return os.preadv(self.descriptor, [bytearray(1)], place, os.RWF_NOWAIT) == 1
        except BlockingIOError:
            return False
        except OSError:
            return True

    def __del__(self) -> None:
        if hasattr(self, "pages"):
            os.close(self.descriptor)  # the map, which arrays may still use, has one of its own


class MappedRows:
    """Arrays of which some lie in HDF5 files, with their rows mapped into memory.

    Attributes:
        arrays: the arrays, those of files replaced by read-only NumPy arrays. To be read only while `lease`
            is held.
    """

    def __init__(self, arrays: list[Any], places: list[tuple[int, int] | None], files: list[_File]) -> None:
        self.arrays = arrays
        self._places = places  # of each array of a file: index of the file, offset of its first row
        self._files = files

    @contextlib.contextmanager
    def lease(self) -> Iterator[Lease]:
        """Takes the lease on all files; gives an object whose `held` says whether it (still) holds."""
        lease = Lease(self._files)
        try:
            yield lease
        finally:
            lease.give_back()

    def check(self) -> None:
        """Raises OSError if a file is shorter than it was: HDF5 itself would go on with zeros."""
        for file in self._files:
            size = os.fstat(file.descriptor).st_size
            if size < file.size:
                raise OSError(
                    f"The file {file.path} was cut short while its rows were in use: of {file.size} bytes "
                    f"{size} are left. Put it back as it was, and open it again."
                )

    def reader(self, ranges: list[tuple[int, int]]) -> Callable[[int], None]:
        """Prepares reading ahead: the pages of a mapped file come from the disk only when they are touched.

        Args:
            ranges: (first row, row after the last) of each batch, in their order.

        Returns:
            function of a batch's number, to be called when its turn comes: asks the system for a later one.
        """
        files = [
            (self._files[place[0]], place[1], x.strides[0])
            for x, place in zip(self.arrays, self._places)
            if place
        ]
        # a look here and there costs little; asking for each batch of a file in memory would cost as much as
        # the copy that is saved
        some = ranges[:: max(1, len(ranges) // _LOOKS)]
        if all(file.cached(first + start * row) for file, first, row in files for start, _ in some):
            return lambda index: None

        def fetch(index: int) -> None:
            for start, stop in ranges[index : index + 1]:
                for file, first, row in files:
                    os.posix_fadvise(
                        file.descriptor, first + start * row, (stop - start) * row, os.POSIX_FADV_WILLNEED
                    )

        start, stop = ranges[0]
        ahead = max(1, _AHEAD // ((stop - start) * sum(row for _, _, row in files)))
        for index in range(ahead):
            fetch(index)
        return lambda index: fetch(index + ahead)


class Lease:
    """The right to read mapped files, until somebody wants to write to one.

    Args:
        files: the files.
    """

    def __init__(self, files: list[_File]) -> None:
        self._taken: list[_File] = []
        self._valid = True
        try:
            for file in files:
                # the signal that asks for the lease would end the process; `held` looks instead
                fcntl.fcntl(file.descriptor, fcntl.F_SETSIG, signal.SIGURG)
                fcntl.fcntl(file.descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                fcntl.fcntl(file.descriptor, fcntl.F_SETOWN, 0)
                self._taken.append(file)
                self._valid &= os.fstat(file.descriptor).st_size >= file.size
        except OSError:
            self._valid = False

    def held(self) -> bool:
        """Whether mapped rows may be read; if no longer, gives the lease back."""
        if self._valid:
            for file in self._taken:
                if fcntl.fcntl(file.descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK:
                    self._valid = False
        if not self._valid:
            self.give_back()
        return self._valid

    def give_back(self) -> None:
        """Lets others write."""
        self._valid = False
        while self._taken:
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._taken.pop().descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def mapped_rows(arrays: list[Any]) -> MappedRows | None:
    """Maps the arrays that lie in HDF5 files.

    Args:
        arrays: NumPy arrays and others (as `slice_arrays` takes them), HDF5 data sets, `HDF5Matrix`.

    Returns:
        None if there are no arrays in files, or one of them is not stored row after row as NumPy would have
        it (in chunks, compressed, in another byte order), or not in an ordinary file opened read-only.
    """
    h5py = sys.modules.get("h5py")
    if h5py is None or not _can_lease:
        return None
    found: list[tuple[Any, int, int | None] | None] = []
    for x in arrays:
        if x is None or isinstance(x, np.ndarray):
            found.append(None)
            continue
        source = _source(x)
        if type(source[0]) is not h5py.Dataset or _offset(h5py, source[0]) is None:
            return None
        found.append(source)
    if not any(found):
        return None
    try:
        return _mapped(h5py, arrays, found)
    except (OSError, ValueError):  # no /proc, a file that is not as it says, no address space
        return None


def _source(x: Any) -> tuple[Any, int, int | None]:
    """Returns (data set, first row, row after the last or None) behind a part of it."""
    first, last = 0, None
    while type(x) in (RowRange, HDF5Matrix) and getattr(x, "normalizer", None) is None:
        if last is None:
            last = len(x)
        elif last > len(x):
            break  # reading it fails
        first, last = first + x.start, last + x.start
        x = x.data
    return x, first, last


def _offset(h5py: Any, x: Any) -> int | None:
    """Returns where in its file a data set starts; None if its bytes there are not those of its numbers."""
    file = x.file
    if file.mode != "r" or file.driver != "sec2" or file.swmr_mode or not x.ndim or not x.size:
        return None
    creation = x.id.get_create_plist()
    if creation.get_layout() != h5py.h5d.CONTIGUOUS or creation.get_external_count():
        return None
    kind = x.dtype
    if kind.kind not in "iuf" or not kind.isnative or h5py.h5t.py_create(kind) != x.id.get_type():
        return None
    offset = x.id.get_offset()
    return None if offset is None or offset % kind.alignment else int(offset)


def _mapped(
    h5py: Any, arrays: list[Any], found: list[tuple[Any, int, int | None] | None]
) -> MappedRows | None:
    numbers: dict[int, int] = {}
    files: list[_File] = []
    results: list[Any] = []
    places: list[tuple[int, int] | None] = []
    whole: list[tuple[Any, np.ndarray]] = []
    for x, source in zip(arrays, found):
        if source is None:
            results.append(x)
            places.append(None)
            continue
        data, first, last = source
        if last is not None and not 0 <= first <= last <= len(data):
            return None
        descriptor = data.file.id.get_vfd_handle()
        if descriptor not in numbers:
            numbers[descriptor] = len(files)
            files.append(_File(data.file.filename, descriptor))
        number = numbers[descriptor]
        offset = _offset(h5py, data) or 0
        rows = np.frombuffer(files[number].pages, data.dtype, data.size, offset).reshape(data.shape)
        whole.append((data, rows))
        results.append(rows[first:last])
        places.append((number, offset + first * rows.strides[0]))
    mapped = MappedRows(results, places, files)
    with mapped.lease() as lease:
        return mapped if lease.held() and all(_same(*pair) for pair in whole) else None


def _same(data: Any, rows: np.ndarray) -> bool:
    """What h5py reads is what counts: the file says where its numbers are, and this proves it."""
    return all(rows[i].tobytes() == data[i].tobytes() for i in (0, len(rows) - 1))
