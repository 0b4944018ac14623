"""Functions, gradients, the learning phase and choices."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import engine
from .compiled import Function
from .engine import Tensor, op, to_tensor
from .engine import learning_phase as learning_phase
from .engine import set_learning_phase as set_learning_phase

__all__ = [
    "Function",
    "function",
    "get_session",
    "gradients",
    "in_test_phase",
    "in_train_phase",
    "learning_phase",
    "print_tensor",
    "set_learning_phase",
    "set_session",
    "switch",
]


def function(
    inputs: Sequence[Any], outputs: Sequence[Any], updates: Sequence[Any] | None = None, **kwargs: Any
) -> Function:
    """Compiles a computation.

    Args:
        inputs: list of placeholders; `K.learning_phase()` may be among them.
        outputs: list of tensors to compute.
        updates: list of updates or (variable, new value) pairs, stored after the outputs are computed.
        kwargs: `name`, and `feed_dict`, `fetches`, `options`, `run_metadata` (see `Function`).
    Returns: a callable that takes a list of arrays and returns a list of arrays.
    Raises: TypeError if a list is not one; ValueError for unknown keywords.
    """
    return Function(inputs, outputs, updates=updates, **kwargs)


def gradients(loss: Any, variables: Any) -> list[Tensor | None]:
    """Returns the gradients of a loss.

    Args:
        loss: tensor (its elements count summed), or list of tensors.
        variables: tensor, or list of tensors: variables, placeholders or anything in between.
    Returns: list with one tensor per variable, None where the loss does not depend on it.
    """
    ys = list(loss) if isinstance(loss, (list, tuple)) else [loss]
    xs = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    for x in (*ys, *xs):
        if not isinstance(x, Tensor):
            raise TypeError(f"Gradients are taken of tensors, for tensors; {x!r} is none.")
    return engine.gradients(ys, xs)


def _chosen(x: Any) -> Any:
    return x() if callable(x) and not isinstance(x, Tensor) else x


def _branches(x: Any, alt: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(x, Tensor):
        alt = to_tensor(alt)
        return to_tensor(x, alt.dtype), alt
    return x, to_tensor(alt, x.dtype)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Returns x in the training phase and alt in the test phase.

    Args:
        x, alt: tensors, or functions without arguments that return them and run only if needed.
        training: the phase: bool, 0 or 1, or a scalar tensor; None means `K.learning_phase()`.
    """
    if training is None:
        training = engine.learning_phase()
    if not isinstance(training, Tensor):
        return _chosen(x) if training else _chosen(alt)
    return switch(training, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Returns x in the test phase and alt in the training phase; the reverse of `in_train_phase`."""
    return in_train_phase(alt, x, training=training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Chooses between two tensors.

    Args:
        condition: a scalar (tensor, bool or int) chooses one of the whole tensors; a tensor with axes chooses
            element by element, repeated over the trailing axes that it lacks.
        then_expression, else_expression: tensors of one shape, or functions without arguments giving them.
    Raises: ValueError if the condition has more axes than the expressions.
    """
    if not isinstance(condition, Tensor):
        if np.ndim(condition) == 0:
            return _chosen(then_expression) if condition else _chosen(else_expression)
        condition = to_tensor(np.asarray(condition))
    then, other = _branches(_chosen(then_expression), _chosen(else_expression))
    if engine.is_phase(condition):
        result = op("phase_select", then, other)
        result._uses_learning_phase = True
        return result
    if condition.dtype != "bool":
        condition = op("cast", condition, dtype="bool")
    missing = len(then.shape) - len(condition.shape)
    if missing < 0:
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of the two expressions; it has "
            f"{len(condition.shape)} axes and they have {len(then.shape)}."
        )
    if condition.shape:
        for _ in range(missing):
            condition = op("expand_dims", condition, axis=len(condition.shape))
    return op("select", condition, then, other)


def print_tensor(x: Any, message: str = "") -> Tensor:
    """Returns x, and prints it each time that it is computed: go on with the result, not with x.

    Writes one line to the process's error stream, as TensorFlow does: the message, then the first three
    elements of each axis. Gradients pass through unprinted.

    Args:
        x: tensor of any shape and type.
        message: text to put in front.
    Returns: tensor equal to x.

    Example:
        `h = K.print_tensor(h, "h = ")` prints `h = [[0.1 0.2 0.3 ...] [0.4 0.5 0.6 ...]]`.
    """
    x = to_tensor(x)
    result = op("print", x, message=str(message))
    result._dims = x._dims
    return result


# ---- what belongs to TensorFlow -------------------------------------------------------------------------

_ADVICE = (
    "there are no sessions here: values are read with `K.get_value` or `K.eval`, computations run through "
    "`K.function`, and memory and devices need no configuration."
)


def get_session() -> Any:
    """Raises RuntimeError: there are no sessions. The message says what to use instead."""
    raise RuntimeError(f"`K.get_session` is not available: {_ADVICE}")


def set_session(session: Any) -> None:
    """Ignores the session, with a warning: scripts call it to limit TensorFlow's use of GPU memory."""
    warnings.warn(f"`K.set_session` has no effect: {_ADVICE}", stacklevel=2)


class _TensorFlow:
    """Stands for the module `K.tf`: every attribute is an error that says what to use instead."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"`K.tf.{name}` is not available: this package does not use TensorFlow. Functions on tensors are "
            f"those of `K` (`K.mean` for `tf.reduce_mean`, say); {_ADVICE}"
        )


tf = _TensorFlow()
