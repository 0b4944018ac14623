"""Random tensors. Each call of a function draws anew; a seed and the function's step fix the numbers."""

from __future__ import annotations

from typing import Any

from .engine import Tensor, op
from .movement import shape_source
from .names import FLOAT_DTYPES, dtype_name
from .nn import draw_seed

__all__ = ["random_binomial", "random_normal", "random_uniform", "truncated_normal"]


def _random(name: str, shape: Any, dtype: Any, seed: int | None, **attrs: float) -> Tensor:
    kind = dtype_name(dtype)
    drawn = kind if kind in FLOAT_DTYPES else "float64"
    parameters: dict[str, Any] = {k: float(v) for k, v in attrs.items()}
    parameters.update(seed=draw_seed(seed), dtype=drawn)
    source = shape_source(shape)
    if isinstance(source, Tensor):
        result = op(name, source, **parameters)
    else:
        result = op(name, shape=source, **parameters)
    return result if drawn == kind else op("cast", op("floor", result), dtype=kind)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns draws from a normal distribution.

    Args:
        shape: ints, and sizes of tensors such as `K.shape(x)[0]`; or `K.shape(x)`.
        mean, stddev: of the distribution.
        dtype: type; None means `floatx()`. Whole-number types round down.
        seed: seed; None draws one from NumPy's global generator.
    """
    return _random("random_normal", shape, dtype, seed, mean=mean, stddev=stddev)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns even draws from [minval, maxval); the other arguments as `random_normal`."""
    return _random("random_uniform", shape, dtype, seed, min=minval, max=maxval)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns normal draws, those beyond two standard deviations redrawn; arguments as `random_normal`."""
    return _random("truncated_normal", shape, dtype, seed, mean=mean, stddev=stddev)


def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """Returns 1 with probability p, otherwise 0; the other arguments as `random_normal`."""
    return _random("random_binomial", shape, dtype, seed, p=p)
