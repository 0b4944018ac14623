"""Rows of HDF5 files without a copy: batches that lie in the pages the system keeps of the file.

A file that another program cuts short kills whoever reads its mapped pages. So they are used only under a
lease (Linux, fcntl F_SETLEASE): whoever opens the file for writing waits until the lease is given back, and
`Lease.held` says when that is asked for; a batch has the time that the system lets others wait (45 s). A page
that cannot be read kills as well, so the file must lie on this machine: a lease alone does not say so, as it
is also given for what a program brings from elsewhere (sshfs). Where there is no lease (somebody else's file,
other systems than Linux), and in all other doubt, everything is read through h5py.
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

# File systems that nobody changes but through this machine.
_LOCAL = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
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
    if h5py is None or not _can_lease or all(x is None or isinstance(x, np.ndarray) for x in arrays):
        return None
    try:
        return _mapped(h5py, arrays)
    except (OSError, RuntimeError, ValueError):  # no /proc, what HDF5 cannot tell, no address space
        return None


def _mapped(h5py: Any, arrays: list[Any]) -> MappedRows | None:
    numbers: dict[int, int] = {}
    files: list[_File] = []
    results: list[Any] = []
    places: list[tuple[int, int] | None] = []
    whole: list[tuple[Any, np.ndarray]] = []
    for x in arrays:
        if x is None or isinstance(x, np.ndarray):
            results.append(x)
            places.append(None)
            continue
        data, first = _source(x)
        if type(data) is not h5py.Dataset or not data.size or not data.ndim:
            return None
        file = data.file
        if file.mode != "r" or file.swmr_mode or file.driver != "sec2":
            return None
        offset = _offset(h5py, data)
        if offset is None:
            return None
        descriptor = file.id.get_vfd_handle()
        if descriptor not in numbers:
            if not _on_this_machine(descriptor):
                return None
            numbers[descriptor] = len(files)
            files.append(_File(file.filename, descriptor))
        number = numbers[descriptor]
        rows = np.frombuffer(files[number].pages, data.dtype, data.size, offset).reshape(data.shape)
        whole.append((data, rows))
        results.append(rows[first : first + x.shape[0]])
        places.append((number, offset + first * rows.strides[0]))
    mapped = MappedRows(results, places, files)
    with mapped.lease() as lease:
        return mapped if lease.held() and all(_same(*pair) for pair in whole) else None


def _source(x: Any) -> tuple[Any, int]:
    """Returns (data set, first row) behind a part of it; anything else as it is."""
    first = 0
    while type(x) in (RowRange, HDF5Matrix) and getattr(x, "normalizer", None) is None:
        data = x.data
        if not 0 <= x.start <= x.end <= data.shape[0]:
            break  # reading it fails
        first, x = first + x.start, data
    return x, first


def _offset(h5py: Any, x: Any) -> int | None:
    """Returns where in its file a data set starts; None if its bytes there are not those of its numbers."""
    creation = x.id.get_create_plist()
    if creation.get_layout() != h5py.h5d.CONTIGUOUS or creation.get_external_count():
        return None
    kind = x.dtype
    if kind.kind not in "iuf" or not kind.isnative or h5py.h5t.py_create(kind) != x.id.get_type():
        return None
    offset = x.id.get_offset()
    return None if offset is None or offset % kind.alignment else int(offset)


def _on_this_machine(descriptor: int) -> bool:
    """Whether an open file lies in memory or on a disk of this machine, by its file system."""
    with open(f"/proc/self/fdinfo/{descriptor}") as about:
        mount = next((line.split()[1] for line in about if line.startswith("mnt_id:")), "")
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            if line.startswith(mount + " "):
                return line.partition(" - ")[2].split()[0] in _LOCAL
    return False


def _same(data: Any, rows: np.ndarray) -> bool:
    """What h5py reads is what counts: the file says where its numbers are, and this proves it."""
    return all(rows[i].tobytes() == data[i].tobytes() for i in (0, len(rows) - 1))
