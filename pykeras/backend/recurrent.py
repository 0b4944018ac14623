"""LSTM and GRU over whole sequences, and the product that feeds them.

The sequences here have time first, (time, samples, features), as the engine's loops want them.
"""

from __future__ import annotations

from typing import Any

from .engine import Tensor, op, op_all
from .movement import reshape_to, shape, shape_source

# The activations that the fused ops know, under their names there.
ACTIVATIONS = {
    "elu": "elu",
    "exponential": "exp",
    "hard_sigmoid": "hard_sigmoid",
    "linear": "none",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "softplus": "softplus",
    "softsign": "softsign",
    "tanh": "tanh",
}


def swap_time(x: Tensor) -> Tensor:
    """Returns (samples, time, …) as (time, samples, …), and the reverse."""
    return op("transpose", x, perm=[1, 0, *range(2, len(x.shape))])


def project(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiplies all steps at once.

    Args:
        x: (samples, time, features).
        kernel: (features, n).
        bias: (n,) or None.
    Returns: x·kernel + bias, (time, samples, n).
    """
    features, n = kernel.shape
    # the copy that brings time to the front is made of whatever is smaller
    early = features is None or n is None or features <= n
    if early:
        x = swap_time(x)
    rows: list[Any] = [(x, i) if size is None else size for i, size in enumerate(x.shape[:2])]
    result = op("matmul", reshape_to(x, [-1, features]), kernel)
    if bias is not None:
        result = op("add", result, bias)
    result = reshape_to(result, [*rows, n])
    return result if early else swap_time(result)


def per_sample(x: Tensor, sizes: Any, value: float) -> Tensor:
    """Returns (samples, *sizes) filled with a number, for any tensor x of shape (samples, …) and x's type."""
    first: Any = x.shape[0] if x.shape[0] is not None else shape(x)[0]
    source = shape_source((first, *sizes))
    if isinstance(source, Tensor):
        return op("fill_like", source, value=value, dtype=x.dtype)
    return op("fill", shape=source, value=value, dtype=x.dtype)


def _mask_inputs(mask: Tensor | None) -> list[Tensor]:
    """The mask (samples, time[, 1]) as the ops want it: bool, time first."""
    if mask is None:
        return []
    if mask.dtype != "bool":
        mask = op("cast", mask, dtype="bool")
    if len(mask.shape) == 3:
        mask = op("squeeze", mask, axis=2)
    return [swap_time(mask)]


def lstm(
    projected: Tensor,
    recurrent_kernel: Tensor,
    states: list[Tensor],
    activation: str = "tanh",
    recurrent_activation: str = "hard_sigmoid",
    mask: Tensor | None = None,
    go_backwards: bool = False,
) -> tuple[Tensor, list[Tensor]]:
    """Runs an LSTM.

    Args:
        projected: input product with bias, (time, samples, 4·units), gates in the order i, f, c, o.
        recurrent_kernel: (units, 4·units).
        states: h and c before the first step, (samples, units) each.
        activation, recurrent_activation: keys of `ACTIVATIONS`.
        mask: (samples, time), where false the states stay; or None.
        go_backwards: begin with the last time.
    Returns: h of all steps in the order of the input, (time, samples, units); and the last h and c.
    """
    outputs, c = op_all(
        "lstm",
        projected,
        recurrent_kernel,
        *states,
        *_mask_inputs(mask),
        act=ACTIVATIONS[activation],
        rec_act=ACTIVATIONS[recurrent_activation],
        masked=mask is not None,
        reverse=go_backwards,
    )[:2]
    return outputs, [outputs[0 if go_backwards else -1], c]


def gru(
    projected: Tensor,
    recurrent_kernel: Tensor,
    states: list[Tensor],
    activation: str = "tanh",
    recurrent_activation: str = "hard_sigmoid",
    recurrent_bias: Tensor | None = None,
    reset_after: bool = False,
    mask: Tensor | None = None,
    go_backwards: bool = False,
) -> tuple[Tensor, list[Tensor]]:
    """Runs a GRU.

    Args:
        projected: input product with bias, (time, samples, 3·units), gates in the order z, r, h.
        recurrent_kernel: (units, 3·units).
        states: list of h before the first step, (samples, units).
        recurrent_bias: (3·units,), only with `reset_after`; None means zeros.
        reset_after: apply the reset gate to the recurrent product instead of the state before it.
        Others: as in `lstm`.
    Returns: h of all steps in the order of the input, (time, samples, units); and a list of the last h.
    """
    extra = []
    if reset_after:
        n = recurrent_kernel.shape[1]
        zero = op("fill", shape=[n], value=0.0, dtype=recurrent_kernel.dtype)
        extra = [zero if recurrent_bias is None else recurrent_bias]
    outputs = op_all(
        "gru",
        projected,
        recurrent_kernel,
        *states,
        *extra,
        *_mask_inputs(mask),
        act=ACTIVATIONS[activation],
        rec_act=ACTIVATIONS[recurrent_activation],
        reset_after=reset_after,
        masked=mask is not None,
        reverse=go_backwards,
    )[0]
    return outputs, [outputs[0 if go_backwards else -1]]
