"""HDF5 files as such: opening, links, attributes, arrays. What they mean to Keras is in the other modules.

Files come from anywhere, so nothing in them is trusted: only hard links are followed (no other file is
ever opened on a file's behalf), data outside the file and unknown filters are refused, and shapes are
looked at before anything is allocated.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .atomic import atomic_write

# Largest size of a header message of the format, less some room for the attribute's own fields.
ATTRIBUTE_LIMIT = 64512

# More names than any model has.
_LONGEST_LIST = 2**20

_SIGNATURE = b"\x89HDF\r\n\x1a\n"

# deflate, shuffle, fletcher32, szip, nbit, scale-offset and h5py's lzf: the filters that need no plug-in
_KNOWN_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})


def import_h5py(caller: str) -> Any:
    """Imports h5py on behalf of the function named `caller`; ImportError says who needs it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"`{caller}` requires h5py.") from error
    return h5py


def is_handle(filepath: Any) -> bool:
    """Whether the argument is an open h5py file or group instead of a path."""
    return hasattr(filepath, "attrs") and hasattr(filepath, "create_group")


# ---- opening


@contextlib.contextmanager
def reading(filepath: Any, caller: str) -> Iterator[Any]:
    """Opens an HDF5 file for reading; an open h5py file or group is handed on and stays open.

    Args:
        filepath: path, or open h5py file or group.
        caller: name of the public function, for the message when h5py is missing.

    Yields:
        the h5py file or group.

    Raises:
        ImportError: no h5py.
        OSError: the file is missing, truncated or of another kind; the message names it and what to do.
    """
    h5py = import_h5py(caller)
    if is_handle(filepath):
        yield filepath
        return
    path = os.fspath(filepath)
    check_file(path)
    try:
        handle = h5py.File(path, "r")
    except OSError as error:
        raise OSError(_damage(path, error)) from error
    try:
        yield handle
    finally:
        handle.close()


def check_file(path: Any) -> None:
    """Raises OSError (or FileNotFoundError …) if no HDF5 file is at `path`, saying what is instead."""
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"Unable to open file: there is no file {os.fsdecode(path)!r} (current folder: {os.getcwd()!r})"
        )
    name = os.fsdecode(path)
    if os.path.isdir(path):
        raise IsADirectoryError(
            f"{name!r} is a folder (a SavedModel?); give an HDF5 file written by `model.save('x.h5')`"
        )
    with open(path, "rb") as file:
        head = file.read(512)
        # a user block of 512, 1024, 2048 … bytes may come before the signature
        offset, found = 512, head.startswith(_SIGNATURE)
        size = os.fstat(file.fileno()).st_size
        while not found and offset < size:
            file.seek(offset)
            found = file.read(8) == _SIGNATURE
            offset *= 2
    if found:
        return
    if not head:
        what = "is empty: the download or the saving broke off; get it again"
    elif head.startswith(b"version https://git-lfs"):
        what = "is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"
    elif head.startswith(b"PK\x03\x04"):
        what = "is a zip archive (a `.keras` file of Keras 3?); save the model as `.h5` there and load that"
    elif head.lstrip()[:1] == b"<":
        what = "is a web page, not a model; download the file itself"
    elif head.lstrip()[:1] == b"{":
        what = "is JSON text; use `model_from_json` for an architecture"
    else:
        what = "is not an HDF5 file; give a file written by `model.save` or `model.save_weights`"
    raise OSError(f"Unable to open file: {name!r} {what}")


def _damage(path: Any, error: Exception) -> str:
    name = os.fsdecode(path)
    if "truncated" in str(error):
        return f"Unable to open file: {name!r} is truncated: get or save it again ({error})"
    return f"Unable to open file: {name!r} cannot be read as HDF5: {error}"


@contextlib.contextmanager
def writing(filepath: Any, caller: str) -> Iterator[Any]:
    """Opens an HDF5 file that appears at `filepath` only if the block ends without an error.

    Args:
        filepath: path, or an open h5py file or group (which is written directly and stays open).
        caller: name of the public function, for the message when h5py is missing.

    Yields:
        an h5py file or group.

    Raises:
        ImportError: no h5py.
        OSError: it cannot be written; what was there is unchanged.
    """
    h5py = import_h5py(caller)
    if is_handle(filepath):
        yield filepath
        return
    with atomic_write(filepath) as file:
        sink = _Sink(file)
        with h5py.File(sink, "w") as handle:
            yield handle
        if sink.error is not None:
            raise sink.error


class _Sink:
    """A file object for h5py that keeps the first error to itself.

    An error in the middle of a write leaves the HDF5 library in a state in which it cannot even close the
    file. So it is told that all went well, and whoever opened the sink asks for the error afterwards.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._position = 0
        self._size = 0
        self.error: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        if self.error is None:
            try:
                self._file.seek(self._position)
                self._file.write(data)
            except OSError as error:
                self.error = error
        self._position += count
        self._size = max(self._size, self._position)
        return count

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = 0
        if self.error is None:
            try:
                self._file.seek(self._position)
                count = self._file.readinto(view) or 0
            except OSError as error:
                self.error = error
        view[count:] = bytes(len(view) - count)
        self._position += len(view)
        return len(view)

    def read(self, count: int = -1) -> bytes:
        buffer = bytearray(max(0, self._size - self._position) if count < 0 else count)
        self.readinto(buffer)
        return bytes(buffer)

    def truncate(self, size: int | None = None) -> int:
        self._size = self._position if size is None else size
        if self.error is None:
            try:
                self._file.truncate(self._size)
            except OSError as error:
                self.error = error
        return self._size

    def flush(self) -> None:
        if self.error is None:
            try:
                self._file.flush()
            except OSError as error:
                self.error = error


# ---- attributes


@contextlib.contextmanager
def _sound(what: str) -> Iterator[None]:
    """Turns whatever h5py raises on a damaged structure into a ValueError that says what is damaged."""
    try:
        yield
    except (KeyError, RuntimeError, TypeError, OverflowError) as error:
        raise ValueError(f"{what} is damaged: {error}") from error


def has_attribute(group: Any, *names: str) -> bool:
    """Whether a group has any of these attributes."""
    with _sound(f"The list of attributes of {group.name!r} in the file"):
        return any(name in group.attrs for name in names)


def attribute(group: Any, name: str) -> Any:
    """Reads an attribute that is text or numbers; None if it is not there.

    Raises:
        ValueError: it is damaged, of another kind, or absurdly long.
    """
    import h5py

    with _sound(f"Attribute {name!r} of {group.name!r} in the file"):
        if name not in group.attrs:
            return None
        # looked at first, since the HDF5 library may crash on reading what its header does not describe
        header = group.attrs.get_id(name)
        if header.get_type().get_class() not in (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT):
            raise TypeError("it holds neither text nor numbers")
        if header.shape is None:
            return np.zeros(0)
        if math.prod(header.shape) > _LONGEST_LIST:
            raise TypeError(f"it has {header.shape} items")
        return group.attrs[name]


def text(value: Any) -> str:
    """Turns what h5py returns for a string attribute (str, bytes, NumPy scalar or array of one) into str."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(())[()]
    if isinstance(value, bytes):
        # fixed strings are padded with zeros
        return value.rstrip(b"\0").decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a text in the file, found {type(value).__name__}")


def text_attribute(group: Any, name: str, default: str | None = None) -> str | None:
    """Reads a string attribute, `default` if it is not there."""
    value = attribute(group, name)
    return default if value is None else text(value)


def load_names(group: Any, name: str) -> list[str]:
    """Reads a list of names that may be split into `name0`, `name1` … (empty if there is none).

    Args:
        group: h5py group.
        name: attribute, such as 'weight_names'.

    Returns:
        list of str.
    """
    values = attribute(group, name)
    if values is not None:
        return [text(item) for item in np.ravel(values)]
    names: list[str] = []
    for chunk in itertools.count():
        values = attribute(group, f"{name}{chunk}")
        if values is None:
            break
        names += [text(item) for item in np.ravel(values)]
    return names


def save_names(group: Any, name: str, values: Iterable[str]) -> None:
    """Writes a list of names as an attribute, split into several where it is too long for one.

    Args:
        group: h5py group.
        name: attribute.
        values: the names.

    Raises:
        RuntimeError: a single name is too long for the format.
    """
    data = [value.encode("utf-8") for value in values]
    too_long = [value for value in data if len(value) > ATTRIBUTE_LIMIT]
    if too_long:
        raise RuntimeError(
            f"The following attributes cannot be saved to HDF5 file because they are larger than "
            f"{ATTRIBUTE_LIMIT} bytes: {[value[:60] for value in too_long]}"
        )
    array = np.asarray(data)
    parts = 1
    chunks = [array]
    while any(chunk.nbytes > ATTRIBUTE_LIMIT for chunk in chunks):
        parts += 1
        chunks = np.array_split(array, parts)
    if parts == 1:
        group.attrs[name] = array
        return
    for i, chunk in enumerate(chunks):
        group.attrs[f"{name}{i}"] = chunk


# ---- groups and arrays


def child(group: Any, path: str) -> Any:
    """Returns the group or dataset at `path`, following hard links only.

    Args:
        group: h5py group.
        path: names separated by slashes.

    Returns:
        h5py group or dataset.

    Raises:
        ValueError: there is none, or the way leads through a soft or external link.
    """
    import h5py

    node = group
    with _sound(f"{path!r} in the file"):
        for part in path.split("/"):
            if part in ("", "."):
                continue
            link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
            if link is None:
                raise ValueError(f"The file lacks {path!r} in its group {group.name!r}; it is incomplete")
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"The file's {path!r} is a link to elsewhere; such links are not followed")
            node = node[part]
        return node


def has_child(group: Any, name: str) -> bool:
    """Whether a group holds something of that name."""
    with _sound(f"{group.name!r} in the file"):
        return name in group


def open_array(group: Any, path: str) -> Any:
    """Returns the dataset at `path` after checking that its numbers lie plainly in this file.

    Raises:
        ValueError: no such dataset, not numbers, stored outside the file, or packed by an unknown filter.
    """
    import h5py

    node = child(group, path)
    if not isinstance(node, h5py.Dataset):
        raise ValueError(f"{path!r} is no array in this file")
    where = f"Array {path!r} of the file"
    with _sound(where):
        if node.dtype.kind not in "fiub":
            raise ValueError(f"{where} holds {node.dtype}, not numbers")
        if node.shape is None:
            raise ValueError(f"{where} is empty")
        properties = node.id.get_create_plist()
        if node.external or node.is_virtual:
            raise ValueError(f"{where} keeps its data in another file; that is not followed")
        filters = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
    if not filters <= _KNOWN_FILTERS:
        raise ValueError(f"{where} is packed by an unknown filter ({sorted(filters - _KNOWN_FILTERS)})")
    return node


def read_array(dataset: Any, limit: int) -> np.ndarray:
    """Reads a dataset of at most `limit` elements.

    Args:
        dataset: h5py dataset.
        limit: largest number of elements for which there is any use.

    Returns:
        array.

    Raises:
        ValueError: it is larger, or its bytes are damaged.
    """
    if math.prod(dataset.shape) > limit:
        raise ValueError(
            f"Array {dataset.name!r} of the file has shape {dataset.shape}: too large to fit here"
        )
    with _sound(f"Array {dataset.name!r} of the file"):
        try:
            return np.asarray(dataset[()])
        except OSError as error:
            raise OSError(f"Array {dataset.name!r} of the file cannot be read: {error}") from error
