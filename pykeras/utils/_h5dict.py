"""A dict whose content lies in an HDF5 file, in a group of one, or in a dict.

Source: the public behaviour of keras/utils/io_utils.py `H5Dict` (2.2.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np


class H5Dict:
    """One face for HDF5 files and dicts: code that fills the one can fill the other.

    Args:
        path: path of an HDF5 file, an open h5py file or group, or a dict.
        mode: as for `h5py.File`; with 'r' nothing can be set.

    Text and lists of text become attributes (split where they are too long for one), other values arrays. A
    key that is not there yet gives a new group when it is read, unless the mode is 'r'.

    Raises:
        TypeError: `path` is of another kind.

    Example:
        >>> data = H5Dict({})
        >>> data['layer']['names'] = ['kernel', 'bias']
        >>> data['layer']['names']
        ['kernel', 'bias']
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        self.read_only = mode == "r"
        self._is_file = False
        self.data: Any
        if isinstance(path, dict) or (hasattr(path, "attrs") and hasattr(path, "create_group")):
            self.data = path
        elif isinstance(path, (str, bytes)) or hasattr(path, "__fspath__"):
            try:
                import h5py
            except ImportError as error:
                raise ImportError("`H5Dict` requires h5py to open a file.") from error
            self.data = h5py.File(path, mode)
            self._is_file = True
        else:
            raise TypeError(
                f"`H5Dict` takes the path of a file, an open h5py file or group, or a dict, not {path!r}"
            )

    @staticmethod
    def is_supported_type(path: Any) -> bool:
        """Whether the argument is something that `H5Dict` takes."""
        is_group = hasattr(path, "attrs") and hasattr(path, "create_group")
        return is_group or isinstance(path, (str, bytes, dict)) or hasattr(path, "__fspath__")

    def __setitem__(self, attr: Any, val: Any) -> None:
        key = _text(attr)
        if self.read_only:
            raise ValueError(f"Cannot set {key!r}: the file is open for reading only.")
        if isinstance(self.data, dict):
            self.data[key] = val
            return
        if key in self:
            raise KeyError(f"Cannot set {key!r}: there is something of that name already.")
        if isinstance(val, (str, bytes)):
            self.data.attrs[key] = val if isinstance(val, str) else np.bytes_(val)
        elif isinstance(val, (list, tuple)) and val and all(isinstance(item, (str, bytes)) for item in val):
            from ..saving.h5file import save_names  # stands above; nothing of it is needed for dicts

            save_names(self.data, key, [_text(item) for item in val])
        elif isinstance(val, dict):
            self[key].update(val)
        else:
            self.data.create_dataset(key, data=np.asarray(val))

    def __getitem__(self, attr: Any) -> Any:
        key = _text(attr)
        if isinstance(self.data, dict):
            if key not in self.data:
                self._check_growing(key)
                self.data[key] = {}
            val = self.data[key]
            return H5Dict(val, self._mode) if isinstance(val, dict) else val
        from ..saving.h5file import attribute, child, load_names, text

        if key in self.data.attrs:
            val = attribute(self.data, key)
            if np.ndim(val):
                return [text(item) for item in val] if np.asarray(val).dtype.kind in "SUO" else val
            return bytes(val) if isinstance(val, bytes) else val
        if f"{key}0" in self.data.attrs:
            return load_names(self.data, key)
        if key not in self.data:
            self._check_growing(key)
            return H5Dict(self.data.create_group(key), self._mode)
        val = child(self.data, key)
        return H5Dict(val, self._mode) if hasattr(val, "create_group") else np.asarray(val)

    @property
    def _mode(self) -> str:
        return "r" if self.read_only else "a"

    def _check_growing(self, key: str) -> None:
        if self.read_only:
            raise ValueError(
                f"There is no {key!r}, and it cannot be made: the file is open for reading only."
            )

    def __contains__(self, key: Any) -> bool:
        key = _text(key)
        if isinstance(self.data, dict):
            return key in self.data
        return key in self.data or key in self.data.attrs or f"{key}0" in self.data.attrs

    def __iter__(self) -> Iterator[str]:
        if isinstance(self.data, dict):
            yield from self.data
            return
        yield from self.data
        for name in self.data.attrs:
            whole = re.fullmatch(r"(.+?)(\d+)", name)
            if whole is None or f"{whole[1]}0" not in self.data.attrs:
                yield name
            elif whole[2] == "0":
                yield whole[1]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def iter(self) -> Iterator[str]:
        """Returns an iterator over the keys."""
        return iter(self)

    def get(self, key: Any, default: Any = None) -> Any:
        """Returns the value of a key, `default` if it is not there."""
        return self[key] if key in self else default

    def update(self, *args: Any) -> None:
        """Sets everything that the given dicts hold."""
        for items in args:
            for key in items:
                self[key] = items[key]

    def close(self) -> None:
        """Closes the file, if this object opened it."""
        if self._is_file:
            self.data.close()
            self._is_file = False

    def __enter__(self) -> H5Dict:
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.close()


def _text(key: Any) -> str:
    return key.decode("utf-8") if isinstance(key, bytes) else key
