"""Names that NumPy had when Keras 2 was current and has taken out since, for the time that a script runs.

Source: the release notes of NumPy 1.24 and 2.0.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

# Types of Python, under NumPy's names and under those of Python 2.
_PYTHON = {"bool": bool, "complex": complex, "float": float, "int": int, "object": object, "str": str}
_PYTHON2 = {"long": int, "unicode": str}

# Old name -> the name that NumPy says to use.
_RENAMED = {
    "Inf": "inf",
    "Infinity": "inf",
    "NaN": "nan",
    "PINF": "inf",
    "alltrue": "all",
    "cfloat": "complex128",
    "complex_": "complex128",
    "cumproduct": "cumprod",
    "float_": "float64",
    "infty": "inf",
    "mat": "asmatrix",
    "product": "prod",
    "round_": "round",
    "row_stack": "vstack",
    "sometrue": "any",
    "string_": "bytes_",
    "trapz": "trapezoid",
    "unicode_": "str_",
}


def _asscalar(a: Any) -> Any:
    return a.item()


def _asfarray(a: Any, dtype: Any = np.float64) -> np.ndarray:
    return np.asarray(a, dtype=dtype if np.issubdtype(dtype, np.inexact) else np.float64)


def _in1d(ar1: Any, ar2: Any, assume_unique: bool = False, invert: bool = False) -> np.ndarray:
    return np.isin(np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert)


def _missing() -> dict[str, Any]:
    """Old names that this NumPy does not have, with what they stood for."""
    found: dict[str, Any] = {**_PYTHON, **_PYTHON2, "NINF": -np.inf}
    found.update(asscalar=_asscalar, asfarray=_asfarray, in1d=_in1d)
    found.update((old, getattr(np, new)) for old, new in _RENAMED.items() if hasattr(np, new))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are only about to go
        return {name: value for name, value in found.items() if not hasattr(np, name)}


_restored: dict[str, Any] = {}


def restore() -> None:
    """Gives NumPy back the names that it has lost; those that it has stay as they are."""
    for name, value in _missing().items():
        setattr(np, name, value)
        _restored[name] = value


def take_away() -> None:
    """Undoes `restore`."""
    for name in list(_restored):
        if vars(np).get(name) is _restored.pop(name):
            delattr(np, name)
