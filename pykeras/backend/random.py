"""Random tensors. Each call of a function draws anew; a seed and the function's step fix the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .engine import Tensor, binary, op, to_tensor
from .movement import shape_source
from .names import FLOAT_DTYPES, dtype_name
from .nn import draw_seed

__all__ = ["random_binomial", "random_normal", "random_uniform", "truncated_normal"]


def _random(name: str, shape: Any, dtype: Any, seed: int | None, **attrs: Any) -> Tensor:
    kind = dtype_name(dtype)
    drawn = kind if kind in FLOAT_DTYPES else "float64"
    if any(isinstance(v, Tensor) or np.ndim(v) for v in attrs.values()):
        result = _placed(name, shape, drawn, seed, **attrs)
        return result if drawn == kind else op("cast", op("floor", result), dtype=kind)
    parameters: dict[str, Any] = {k: float(v) for k, v in attrs.items()}
    parameters.update(seed=draw_seed(seed), dtype=drawn)
    source = shape_source(shape)
    if isinstance(source, Tensor):
        result = op(name, source, **parameters)
    else:
        result = op(name, shape=source, **parameters)
    return result if drawn == kind else op("cast", op("floor", result), dtype=kind)


def _placed(name: str, shape: Any, dtype: str, seed: int | None, **attrs: Any) -> Tensor:
    """Draws with parameters that are tensors or arrays: from the standard distribution, moved into place."""
    values = {k: v if isinstance(v, Tensor) else to_tensor(v, dtype) for k, v in attrs.items()}
    values = {k: v if v.dtype == dtype else op("cast", v, dtype=dtype) for k, v in values.items()}
    if name == "random_binomial":
        draw = _random("random_uniform", shape, dtype, seed, min=0.0, max=1.0)
        return op("cast", binary("less", draw, values["p"]), dtype=dtype)
    if name == "random_uniform":
        draw = _random(name, shape, dtype, seed, min=0.0, max=1.0)
        return draw * (values["max"] - values["min"]) + values["min"]
    return _random(name, shape, dtype, seed, mean=0.0, stddev=1.0) * values["stddev"] + values["mean"]


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns draws from a normal distribution.

    Args:
        shape: ints, and sizes of tensors such as `K.shape(x)[0]`; or `K.shape(x)`.
        mean, stddev: of the distribution: numbers, or tensors that fit the shape.
        dtype: type; None means `floatx()`. Whole-number types round down.
        seed: seed; None draws one from NumPy's global generator.
    """
    return _random("random_normal", shape, dtype, seed, mean=mean, stddev=stddev)


def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns even draws from [minval, maxval); the other arguments as `random_normal`."""
    return _random("random_uniform", shape, dtype, seed, min=minval, max=maxval)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Returns normal draws, those beyond two standard deviations redrawn; arguments as `random_normal`."""
    return _random("truncated_normal", shape, dtype, seed, mean=mean, stddev=stddev)


def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """Returns 1 with probability p, otherwise 0; the other arguments as `random_normal`."""
    return _random("random_binomial", shape, dtype, seed, p=p)
