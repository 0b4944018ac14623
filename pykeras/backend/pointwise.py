"""Functions of single elements: arithmetic, comparisons, activations."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from .engine import Tensor, binary, op, power, to_tensor

__all__ = [
    "abs",
    "clip",
    "cos",
    "elu",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "less",
    "less_equal",
    "log",
    "maximum",
    "minimum",
    "not_equal",
    "pow",
    "relu",
    "round",
    "sigmoid",
    "sign",
    "sin",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "stop_gradient",
    "tanh",
]


def square(x: Any) -> Tensor:
    """Returns x², element by element."""
    return op("square", to_tensor(x))


def abs(x: Any) -> Tensor:
    """Returns the absolute values."""
    return op("abs", to_tensor(x))


def sqrt(x: Any) -> Tensor:
    """Returns the square roots; negative elements count as 0."""
    return op("sqrt", op("clip", to_tensor(x), min=0.0, max=float("inf")))


def exp(x: Any) -> Tensor:
    """Returns e to the power of x, element by element."""
    return op("exp", to_tensor(x))


def log(x: Any) -> Tensor:
    """Returns the natural logarithms."""
    return op("log", to_tensor(x))


def round(x: Any) -> Tensor:
    """Rounds to whole numbers, halves to the even neighbour. No gradient flows through."""
    return op("round", to_tensor(x))


def sign(x: Any) -> Tensor:
    """Returns -1, 0 or 1 by the sign of each element."""
    return op("sign", to_tensor(x))


def sin(x: Any) -> Tensor:
    """Returns the sines."""
    return op("sin", to_tensor(x))


def cos(x: Any) -> Tensor:
    """Returns the cosines."""
    return op("cos", to_tensor(x))


def pow(x: Any, a: Any) -> Tensor:
    """Returns x to the power of a, element by element."""
    return power(to_tensor(x), a)


def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """Limits the elements to a range.

    Args:
        min_value: lower limit; None means none.
        max_value: upper limit; None means none. Below `min_value` it counts as `min_value`.
    """
    x = to_tensor(x)
    if isinstance(min_value, Tensor) or isinstance(max_value, Tensor):
        x = x if max_value is None else binary("minimum", x, max_value)
        return x if min_value is None else binary("maximum", x, min_value)
    low = -np.inf if min_value is None else min_value
    high = np.inf if max_value is None else max_value
    if np.ndim(low) or np.ndim(high):
        return binary("maximum", binary("minimum", x, np.maximum(low, high)), low)
    return op("clip", x, min=float(low), max=float(builtins.max(low, high)))


def maximum(x: Any, y: Any) -> Tensor:
    """Returns the greater of two tensors, element by element, with broadcasting."""
    return binary("maximum", x, y)


def minimum(x: Any, y: Any) -> Tensor:
    """Returns the smaller of two tensors, element by element, with broadcasting."""
    return binary("minimum", x, y)


def equal(x: Any, y: Any) -> Tensor:
    """Returns x = y as bools, with broadcasting."""
    return binary("equal", x, y)


def not_equal(x: Any, y: Any) -> Tensor:
    """Returns x ≠ y as bools, with broadcasting."""
    return binary("not_equal", x, y)


def greater(x: Any, y: Any) -> Tensor:
    """Returns x > y as bools, with broadcasting."""
    return binary("greater", x, y)


def greater_equal(x: Any, y: Any) -> Tensor:
    """Returns x ≥ y as bools, with broadcasting."""
    return binary("greater_equal", x, y)


def less(x: Any, y: Any) -> Tensor:
    """Returns x < y as bools, with broadcasting."""
    return binary("less", x, y)


def less_equal(x: Any, y: Any) -> Tensor:
    """Returns x ≤ y as bools, with broadcasting."""
    return binary("less_equal", x, y)


# ---- activations ----------------------------------------------------------------------------------------


def relu(x: Any, alpha: Any = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Returns the rectified linear unit.

    Args:
        alpha: slope below the threshold.
        max_value: upper limit of the result; None means none.
        threshold: elements below it count as below: they become alpha·(x − threshold).
    """
    x = to_tensor(x)
    if threshold != 0.0:
        above = binary("greater", x, threshold)
        below = to_tensor(0.0, x.dtype) if _is_zero(alpha) else (x - threshold) * alpha
        kept = x if max_value is None else op("clip", x, min=float("-inf"), max=float(max_value))
        return op("select", above, kept, below)
    if _is_zero(alpha):
        return _limited(op("relu", x), max_value)
    if max_value is None and not isinstance(alpha, Tensor) and np.ndim(alpha) == 0:
        return op("leaky_relu", x, alpha=float(alpha))
    return _limited(op("relu", x), max_value) - op("relu", op("neg", x)) * alpha


def _limited(positive: Tensor, max_value: float | None) -> Tensor:
    # Not `clip` of x alone: its gradient at 0 is 1, that of `relu` is 0.
    return positive if max_value is None else op("clip", positive, min=0.0, max=float(max_value))


def _is_zero(alpha: Any) -> bool:
    return not isinstance(alpha, Tensor) and np.ndim(alpha) == 0 and float(alpha) == 0.0


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Returns x where it is positive, alpha·(eˣ − 1) elsewhere."""
    return op("elu", to_tensor(x), alpha=float(alpha))


def sigmoid(x: Any) -> Tensor:
    """Returns 1 / (1 + e⁻ˣ)."""
    return op("sigmoid", to_tensor(x))


def hard_sigmoid(x: Any) -> Tensor:
    """Returns 0.2·x + 0.5, limited to [0, 1]."""
    return op("hard_sigmoid", to_tensor(x))


def tanh(x: Any) -> Tensor:
    """Returns the hyperbolic tangents."""
    return op("tanh", to_tensor(x))


def softplus(x: Any) -> Tensor:
    """Returns log(1 + eˣ)."""
    return op("softplus", to_tensor(x))


def softsign(x: Any) -> Tensor:
    """Returns x / (1 + |x|)."""
    return op("softsign", to_tensor(x))


def stop_gradient(variables: Any) -> Any:
    """Returns the tensor, or the list of tensors, as constants in the eyes of `gradients`."""
    if isinstance(variables, (list, tuple)):
        return [op("stop_gradient", to_tensor(v)) for v in variables]
    return op("stop_gradient", to_tensor(variables))
