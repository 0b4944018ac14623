"""Functions that layers and losses are made of: softmax, normalisation, dropout, crossentropies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import common
from .engine import Tensor, op, op_all, to_tensor
from .movement import normalize_axis
from .reduction import axes_of, mean
from .variables import cast

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "dropout",
    "in_top_k",
    "normalize_batch_in_training",
    "softmax",
    "sparse_categorical_crossentropy",
]


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Returns e^x, scaled to sum 1 along `axis`."""
    x = to_tensor(x)
    return op("softmax", x, axis=normalize_axis(axis, len(x.shape)))


def draw_seed(seed: int | None) -> int:
    """Returns the seed, or for None one from NumPy's global generator (so `np.random.seed` fixes scripts)."""
    return int(np.random.randint(10**7)) if seed is None else int(seed)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Tensor:
    """Zeroes a random share of the elements and enlarges the others by 1 / (1 − level).

    Args:
        level: share to drop, 0 ≤ level < 1.
        noise_shape: shape of the mask: 1 where a decision holds for the whole axis; None, -1 or a tensor's
            size where each place decides. None for the shape of x.
        seed: seed of the draws; None draws one from NumPy's global generator.
    Raises: ValueError for a level outside the range.
    """
    x = to_tensor(x)
    if not 0.0 <= level < 1.0:
        raise ValueError(f"The share to drop must be at least 0 and below 1, not {level!r}.")
    seed = draw_seed(seed)
    if level == 0.0:
        return op("identity", x)
    shape: list[int] = []
    if noise_shape is not None and not isinstance(noise_shape, Tensor):
        shape = [-1 if n is None or isinstance(n, Tensor) else int(n) for n in noise_shape]
        if len(shape) < len(x.shape):
            shape = [1] * (len(x.shape) - len(shape)) + shape
    return op("dropout", x, rate=float(level), seed=seed, noise_shape=shape)


# ---- batch normalization --------------------------------------------------------------------------------


def batch_normalization(x: Any, mean: Any, var: Any, beta: Any, gamma: Any, epsilon: float = 1e-3) -> Tensor:
    """Normalises with given statistics: gamma·(x − mean) / √(var + epsilon) + beta.

    Args:
        mean, var, beta, gamma: tensors that broadcast against x; beta and gamma may be None.
    """
    x, mean, var = to_tensor(x), to_tensor(mean), to_tensor(var)
    # Small tensors first: what is left for x is one product and one sum, which a convolution can swallow.
    scale = op("rsqrt", var + float(epsilon))
    if gamma is not None:
        scale = scale * gamma
    shift = op("neg", mean * scale) if beta is None else to_tensor(beta, x.dtype) - mean * scale
    return op("add", op("mul", x, scale), shift)


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalises with the batch's own mean and population variance.

    Args:
        gamma, beta: scale and offset, broadcasting over the axes that are kept; may be None.
        reduction_axes: axes to take the statistics over.
    Returns: the normalised tensor, the mean and the variance (both without the reduced axes).
    """
    x = to_tensor(x)
    rank = len(x.shape)
    axes = axes_of(x, list(reduction_axes))
    kept = [i for i in range(rank) if i not in axes]
    if len(kept) == 1:
        n = x.shape[kept[0]]
        if n is not None or (gamma is not None and beta is not None):
            gamma = _per_channel(gamma, 1.0, n, x.dtype)
            beta = _per_channel(beta, 0.0, n, x.dtype)
            y, average, variance = op_all(
                "batch_norm_train", x, gamma, beta, axis=kept[0], epsilon=float(epsilon)
            )
            return y, average, variance
    centre = mean(x, axes, True)
    spread = mean(op("square", x - centre), axes, True)
    y = op("mul", x - centre, op("rsqrt", spread + float(epsilon)))
    if gamma is not None:
        y = y * _spread_out(to_tensor(gamma, x.dtype), x, axes)
    if beta is not None:
        y = y + _spread_out(to_tensor(beta, x.dtype), x, axes)
    for a in reversed(axes):
        centre, spread = op("squeeze", centre, axis=a), op("squeeze", spread, axis=a)
    return y, centre, spread


def _per_channel(value: Any, default: float, n: int | None, dtype: str) -> Tensor:
    if value is None:
        return op("fill", shape=[n], value=default, dtype=dtype)
    value = to_tensor(value, dtype)
    return value if len(value.shape) == 1 else op("reshape", value, shape=[-1])


def _spread_out(value: Tensor, x: Tensor, axes: list[int]) -> Tensor:
    """A parameter of the kept axes' shape, with size 1 where axes are reduced; one of x's rank as it is."""
    if len(value.shape) != len(x.shape) - len(axes):
        return value
    for a in axes:
        value = op("expand_dims", value, axis=a)
    return value


# ---- losses ---------------------------------------------------------------------------------------------


def _target(target: Any, output: Tensor) -> Tensor:
    return cast(target, output.dtype) if isinstance(target, Tensor) else to_tensor(target, output.dtype)


def _probabilities(output: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by epsilon."""
    return op("clip", output, min=common._EPSILON, max=1.0 - common._EPSILON)


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Returns −Σ target·log(output) along `axis`.

    Args:
        target: true distribution, of the output's shape.
        output: predicted distribution (scaled to sum 1 here), or logits.
        from_logits: whether `output` holds logits.
    Returns: tensor without `axis`.
    """
    output = to_tensor(output)
    target = _target(target, output)
    axis = normalize_axis(axis, len(output.shape))
    if from_logits:
        logs = op("log_softmax", output, axis=axis)
    else:
        output = op("div", output, op("sum", output, axes=[axis], keepdims=True))
        logs = op("log", _probabilities(output))
    return op("neg", op("sum", op("mul", target, logs), axes=[axis], keepdims=False))


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Returns −log of the probability of the true class.

    Args:
        target: class numbers (of any type), of the output's shape without `axis`, or with size 1 there.
        output: predicted distribution, or logits.
        from_logits: whether `output` holds logits.
    Returns: tensor without `axis`.
    """
    output = to_tensor(output)
    rank = len(output.shape)
    axis = normalize_axis(axis, rank)
    if axis != rank - 1:
        output = op("transpose", output, perm=[*(i for i in range(rank) if i != axis), axis])
    target = to_tensor(target)
    classes = target if target.dtype in ("int32", "int64") else op("cast", target, dtype="int64")
    if len(classes.shape) == rank:
        classes = op("squeeze", classes, axis=axis)
    elif len(classes.shape) != rank - 1:
        raise ValueError(
            f"Class numbers of shape {tuple(target.shape)} do not fit predictions of shape "
            f"{tuple(output.shape)}."
        )
    if not from_logits:
        output = op("log", _probabilities(output))
    return op("neg", op("pick", op("log_softmax", output, axis=rank - 1), classes))


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Returns −target·log(output) − (1 − target)·log(1 − output), element by element.

    Args:
        target: tensor of the output's shape.
        output: probabilities, or logits.
        from_logits: whether `output` holds logits.
    """
    output = to_tensor(output)
    target = _target(target, output)
    if not from_logits:
        output = _probabilities(output)
        output = op("log", op("div", output, 1.0 - output))
    # The exponent is never positive, and the gradient at 0 is right too: both branches of |x| are explicit.
    positive = output >= 0.0
    upper = op("select", positive, output, to_tensor(0.0, output.dtype))
    lower = op("select", positive, op("neg", output), output)
    return upper - output * target + op("softplus", lower)


def in_top_k(predictions: Any, targets: Any, k: int) -> Tensor:
    """Tells for each row whether the true class is among the k with the greatest predictions.

    Args:
        predictions: tensor of shape (samples, classes).
        targets: class numbers, of shape (samples,).
    Returns: bools of shape (samples,).
    """
    targets = to_tensor(targets)
    if targets.dtype not in ("int32", "int64"):
        targets = op("cast", targets, dtype="int32")
    return op("in_top_k", to_tensor(predictions), targets, k=int(k))
