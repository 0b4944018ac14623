"""Reading the pickles inside of old data files without running anything that they name.

A pickle is a program that may call any function. Here the only names that it may use are those of NumPy
arrays, and even these lead to the plain readers below, not to NumPy: what comes out can only be made of
containers, text, numbers and arrays.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from .._cython.lists import split_pickle, take_lists

# NumPy 2 renamed its inner modules.
_CORES = ("numpy.core.", "numpy._core.")
# What comes before the elements in the pickle of an array is at most that long.
_HEAD = 500


class Ragged:
    """Lists of whole numbers, laid one behind the other.

    Args:
        words: the numbers, int64.
        lengths: how many each list has, int64.
    """

    def __init__(self, words: np.ndarray, lengths: np.ndarray) -> None:
        self.words, self.lengths = words, lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, order: np.ndarray) -> Ragged:
        return Ragged(*take_lists(self.words, self.lengths, order))


class _Name:
    """What stands for a permitted name: it can be called and nothing else."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes what a name stands for")


class _Type:
    """A NumPy type, from the arguments and the state that NumPy pickles."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, *flags: Any) -> None:
        self.code = _text(code)
        self.order = "|"
        if self.code.rstrip("0123456789") not in ("O", "b", "i", "u", "f"):
            raise pickle.UnpicklingError(f"it holds arrays of type {self.code!r}")

    def __setstate__(self, state: Any) -> None:
        self.order = _text(state[1])

    def dtype(self) -> np.dtype:
        return np.dtype(object) if self.code[0] == "O" else np.dtype(self.order.strip("|") + self.code)


class _Array:
    """A NumPy array: empty until its state is known."""

    __slots__ = ("value",)

    def __init__(self, *args: Any) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        dtype = kind.dtype()
        shape = tuple(int(n) for n in shape)
        if dtype.hasobject:
            value: Any = np.empty(len(data), dtype=object)
            for i, item in enumerate(data):
                value[i] = item.value if isinstance(item, _Array) else item
        else:
            value = np.frombuffer(data, dtype=dtype)
        self.value = value.reshape(shape, order="F" if fortran else "C")


def _from_buffer(data: Any, kind: _Type, shape: Any, order: str) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, kind, order == "F", data))
    return array


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _scalar(kind: _Type, data: bytes) -> Any:
    return np.frombuffer(data, dtype=kind.dtype(), count=1)[0].item()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How Python 3 writes bytes into a pickle for Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


class _Reader(pickle.Unpickler):
    # the permitted names, and what is called in their place
    permitted: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): _Type,
        ("multiarray", "_reconstruct"): _Array,
        ("multiarray", "scalar"): _scalar,
        ("numeric", "_frombuffer"): _from_buffer,
        ("_codecs", "encode"): _encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return None  # only an argument of _reconstruct, which ignores it
        bare = module
        for core in _CORES:
            bare = bare.replace(core, "", 1) if module.startswith(core) else bare
        if (bare, name) in self.permitted:
            return _Name(self.permitted[bare, name])
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and loading runs nothing from a file")


def read_lists(data: bytes) -> Ragged | None:
    """Reads the pickle of an array of lists of whole numbers, without an object for each number.

    The numbers are taken out first; what is left, an array of empty lists, goes to `read_pickle`.

    Args:
        data: the pickle.

    Returns:
        the lists; None for any other pickle.
    """
    # The list of these lists begins at the first "]" that is an opcode; others are parts of small numbers.
    found, start = None, -1
    while found is None and (start := data.find(b"]", start + 1, _HEAD)) >= 0:
        found = split_pickle(data, start)
    if found is None:
        return None
    rest, words, lengths = found
    try:
        array = read_pickle(rest)
    except ValueError:
        return None
    if not isinstance(array, np.ndarray) or array.shape != lengths.shape or any(item != [] for item in array):
        return None
    return Ragged(words, lengths)


def read_pickle(data: bytes, encoding: str = "ASCII") -> Any:
    """Reads a pickle of containers, text, numbers and NumPy arrays.

    Args:
        data: the pickle.
        encoding: how text of Python 2 is read; 'bytes' leaves it as bytes.

    Returns:
        the value; arrays in it at the top, in a dict or in an array of objects are NumPy arrays.

    Raises:
        ValueError: it is broken or wants anything else.
    """
    try:
        value = _Reader(io.BytesIO(data), encoding=encoding).load()
        if isinstance(value, dict):
            return {key: v.value if isinstance(v, _Array) else v for key, v in value.items()}
        return value.value if isinstance(value, _Array) else value
    except (
        pickle.UnpicklingError,
        ArithmeticError,
        AttributeError,
        EOFError,
        ImportError,
        IndexError,
        KeyError,
        MemoryError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"its pickle is refused: {error}") from error
