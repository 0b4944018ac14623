"""Names, types and shapes: what tensors are described by. Knows nothing of the core."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from . import common

DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")
FLOAT_DTYPES = ("float32", "float64")


# ---- types ----------------------------------------------------------------------------------------------


def dtype_name(dtype: Any) -> str:
    """Returns the name of a type given as text, NumPy type or Python type; None gives `floatx()`.

    Raises: TypeError if the engine has no such type.
    """
    if dtype is None:
        dtype = common._FLOATX
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise TypeError(f"The type {name!r} is not supported; choose one of {', '.join(DTYPES)}.")
    return name


class Dimension(int):
    """A size taken from a `TensorShape`: an int, with the `value` that TensorFlow 1 gives it.

    Sums, differences, products and whole quotients with other ints are sizes as well.
    """

    __slots__ = ()

    @property
    def value(self) -> int:
        """The size as a plain int."""
        return int(self)


def _keep(name: str) -> Any:
    plain = getattr(int, name)

    def method(self: Dimension, other: Any) -> Any:
        result = plain(self, other)
        return Dimension(result) if isinstance(result, int) else result  # or NotImplemented

    return method


for _operator in ("add", "sub", "mul", "floordiv", "mod"):
    setattr(Dimension, f"__{_operator}__", _keep(f"__{_operator}__"))
    setattr(Dimension, f"__r{_operator}__", _keep(f"__r{_operator}__"))


class TensorShape(tuple):
    """Static shape of a tensor: a tuple of ints, None where a size is unknown."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        found = tuple.__getitem__(self, key)
        if isinstance(key, slice):
            return TensorShape(found)
        return None if found is None else Dimension(found)

    @property
    def ndims(self) -> int:
        """Number of axes."""
        return len(self)

    rank = ndims

    def as_list(self) -> list[int | None]:
        """Returns the sizes as a list."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """Tells whether no size is unknown."""
        return None not in self

    def num_elements(self) -> int | None:
        """Returns the number of elements, None where it is unknown."""
        n = 1
        for size in self:
            if size is None:
                return None
            n *= size
        return n


# ---- names ----------------------------------------------------------------------------------------------

_names: dict[str, int] = {}
_uids: dict[str, int] = {}


class _Local(threading.local):
    scope = ""


_local = _Local()


class name_scope:
    """Context manager: names of what is built inside start with `name` and a slash. Scopes nest.

    Args: name: one part of a name, or several joined by slashes.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> str:
        self._outer = _local.scope
        _local.scope = f"{self._outer}/{self._name}" if self._outer else self._name
        return _local.scope + "/"

    def __exit__(self, *_: Any) -> None:
        _local.scope = self._outer


def current_scope() -> str:
    """Returns the scope that new nodes belong to, '' outside of any `name_scope`."""
    return _local.scope


def unique_name(name: str) -> str:
    """Returns `name`, with `_1`, `_2` … appended if it was given out before."""
    n = _names.get(name)
    if n is None:
        _names[name] = 0
        return name
    while True:
        n += 1
        candidate = f"{name}_{n}"
        if candidate not in _names:
            break
    _names[name] = n
    _names[candidate] = 0
    return candidate


def get_uid(prefix: str = "") -> int:
    """Returns how often this function was called with `prefix`, this call included: 1, 2, 3 …"""
    n = _uids.get(prefix, 0) + 1
    _uids[prefix] = n
    return n


def reset_uids() -> None:
    """Lets `get_uid` begin at 1 again, for every prefix."""
    _uids.clear()


def reset_names() -> None:
    """Lets names and counters begin anew."""
    _uids.clear()
    _names.clear()


def scoped_name(name: str) -> str:
    """Returns `name` below the current scope, made unique."""
    scope = _local.scope
    return unique_name(f"{scope}/{name}" if scope else name)
