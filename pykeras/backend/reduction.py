"""Functions that reduce axes or run along one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .engine import Tensor, op, to_tensor
from .movement import normalize_axis
from .names import FLOAT_DTYPES, dtype_name

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "l2_normalize",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def axes_of(x: Tensor, axis: Any) -> list[int]:
    """Returns the axes meant by an int, a list or None (all), counted from the front, ascending.

    Raises: ValueError for an axis that x does not have.
    """
    rank = len(x.shape)
    if axis is None:
        return list(range(rank))
    listed = [axis] if isinstance(axis, (int, np.integer)) else axis
    return sorted({normalize_axis(int(a), rank) for a in listed})


def _reduce(name: str, x: Any, axis: Any, keepdims: bool) -> Tensor:
    x = to_tensor(x)
    axes = axes_of(x, axis)
    if not axes:
        return op("identity", x)
    return op(name, x, axes=axes, keepdims=bool(keepdims))


def _numeric(x: Any) -> Tensor:
    """Bools as floats; everything else as it is."""
    x = to_tensor(x)
    return op("cast", x, dtype=dtype_name(None)) if x.dtype == "bool" else x


def _float(x: Any) -> Tensor:
    x = to_tensor(x)
    return x if x.dtype in FLOAT_DTYPES else op("cast", x, dtype=dtype_name(None))


def _truth(x: Any) -> Tensor:
    x = to_tensor(x)
    return x if x.dtype == "bool" else op("cast", x, dtype="bool")


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the greatest element along `axis` (int, list, None for all); `keepdims` keeps size-1 axes."""
    return _reduce("max", x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the smallest element along `axis` (int, list, None for all); `keepdims` keeps size-1 axes."""
    return _reduce("min", x, axis, keepdims)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the sum along `axis` (int, list, None for all); `keepdims` keeps size-1 axes."""
    return _reduce("sum", _numeric(x), axis, keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the product along `axis` (int, list, None for all); `keepdims` keeps size-1 axes."""
    return _reduce("prod", _numeric(x), axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the mean along `axis` (int, list, None for all); whole numbers and bools as floats."""
    return _reduce("mean", _float(x), axis, keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the population variance along `axis` (int, list, or None for all)."""
    x = _float(x)
    return mean(op("square", op("sub", x, mean(x, axis, True))), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns the population standard deviation along `axis` (int, list, or None for all)."""
    return op("sqrt", var(x, axis, keepdims))


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Tells, as bools, whether some element along `axis` is not zero."""
    return _reduce("any", _truth(x), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Tells, as bools, whether no element along `axis` is zero."""
    return _reduce("all", _truth(x), axis, keepdims)


def argmax(x: Any, axis: int = -1) -> Tensor:
    """Returns the place of the greatest element along `axis`, as int64; the first of equal ones."""
    x = to_tensor(x)
    return op("argmax", x, axis=normalize_axis(axis, len(x.shape)))


def argmin(x: Any, axis: int = -1) -> Tensor:
    """Returns the place of the smallest element along `axis`, as int64; the first of equal ones."""
    x = to_tensor(x)
    return op("argmin", x, axis=normalize_axis(axis, len(x.shape)))


def cumsum(x: Any, axis: int = 0) -> Tensor:
    """Returns the running sums along `axis`."""
    x = to_tensor(x)
    return op("cumsum", x, axis=normalize_axis(axis, len(x.shape)), exclusive=False, reverse=False)


def cumprod(x: Any, axis: int = 0) -> Tensor:
    """Returns the running products along `axis`."""
    x = to_tensor(x)
    return op("cumprod", x, axis=normalize_axis(axis, len(x.shape)), exclusive=False, reverse=False)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Returns log(Σ eˣ) along `axis` (int, list, or None for all), without overflow."""
    x = to_tensor(x)
    top = op("stop_gradient", max(x, axis, True))
    # An infinite maximum would give inf - inf.
    top = op("select", op("is_finite", top), top, to_tensor(0.0, x.dtype))
    result = op("log", sum(op("exp", op("sub", x, top)), axis, keepdims))
    if not keepdims:
        for a in reversed(axes_of(x, axis)):
            top = op("squeeze", top, axis=a)
    return op("add", result, top)


def l2_normalize(x: Any, axis: Any = None) -> Tensor:
    """Scales x to unit Euclidean length along `axis` (int, list, or None for all)."""
    x = to_tensor(x)
    length2 = op("maximum", sum(op("square", x), axis, True), to_tensor(1e-12, x.dtype))
    return op("mul", x, op("rsqrt", length2))
