"""Random tensors. Each call of a function draws anew; a seed and the function's step fix the numbers."""

from __future__ import annotations

from typing import Any

from .engine import Tensor, op
from .movement import shape_source
from .names import dtype_name
from .nn import draw_seed

__all__ = ["random_binomial", "random_normal", "random_uniform", "truncated_normal"]


def _random(name: str, shape: Any, a: float, b: float, dtype: Any, seed: int | None) -> Tensor:
    attrs: dict[str, Any] = {
        "a": float(a),
        "b": float(b),
        "seed": draw_seed(seed),
        "dtype": dtype_name(dtype),
    }
    source = shape_source(shape)
    if isinstance(source, Tensor):
        return op(name, source, **attrs)
    return op(name, shape=source, **attrs)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns draws from a normal distribution.

    Args:
        shape: ints, and sizes of tensors such as `K.shape(x)[0]`; or `K.shape(x)`.
        mean, stddev: of the distribution.
        dtype: type; None means `floatx()`.
        seed: seed; None draws one from NumPy's global generator.
    """
    return _random("random_normal", shape, mean, stddev, dtype, seed)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns even draws from [minval, maxval); the other arguments as `random_normal`."""
    return _random("random_uniform", shape, minval, maxval, dtype, seed)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns normal draws, those beyond two standard deviations redrawn; arguments as `random_normal`."""
    return _random("truncated_normal", shape, mean, stddev, dtype, seed)


def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """Returns 1 with probability p, otherwise 0; the other arguments as `random_normal`."""
    return _random("random_binomial", shape, p, 0.0, dtype, seed)
