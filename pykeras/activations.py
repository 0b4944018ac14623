"""Activation functions: tensor in, tensor of the same shape out.

Source: the public behaviour of keras/activations.py (2.1.6; `exponential` and `threshold` from 2.2.4).
"""

from __future__ import annotations

import warnings
from typing import Any

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object
from .utils.identifiers import own_names
from .utils.namespaces import held_by

# Klambauer et al. 2017, "Self-Normalizing Neural Networks", equation 14.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def softmax(x: Any, axis: int = -1) -> Any:
    """Softmax over one axis.

    Args:
        x: tensor of rank 2 or more.
        axis: the axis that sums to 1 afterwards.

    Returns:
        tensor of x's shape.

    Raises:
        ValueError: x has rank 1.
    """
    if K.ndim(x) < 2:
        raise ValueError(f"Cannot apply softmax to a tensor that is 1D. Received: {x}")
    return K.softmax(x, axis=axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha·(exp(x) − 1)."""
    return K.elu(x, alpha)


def selu(x: Any) -> Any:
    """Scaled ELU with the two constants that keep mean 0 and variance 1 (use with `lecun_normal`)."""
    return SELU_SCALE * K.elu(x, SELU_ALPHA)


def softplus(x: Any) -> Any:
    """log(exp(x) + 1)."""
    return K.softplus(x)


def softsign(x: Any) -> Any:
    """x / (|x| + 1)."""
    return K.softsign(x)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectifier.

    Args:
        x: tensor.
        alpha: slope below the threshold.
        max_value: largest output, None for no limit.
        threshold: value where the unit begins to pass x on.

    Returns:
        tensor of x's shape.
    """
    if threshold:
        return K.relu(x, alpha=alpha, max_value=max_value, threshold=threshold)
    return K.relu(x, alpha=alpha, max_value=max_value)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return K.tanh(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(−x))."""
    return K.sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """0.2·x + 0.5, cut off at 0 and 1."""
    return K.hard_sigmoid(x)


def exponential(x: Any) -> Any:
    """exp(x)."""
    return K.exp(x)


def linear(x: Any) -> Any:
    """x itself."""
    return x


def serialize(activation: Any) -> Any:
    """Returns the name under which `deserialize` finds the function (class and config of a layer)."""
    return serialize_keras_object(activation)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Finds an activation by name.

    Args:
        name: function name.
        custom_objects: names that only this call knows.

    Raises:
        ValueError: "Unknown activation function".
    """
    # The module's live names: scripts register their own with `activations.swish = swish`.
    return deserialize_keras_object(name, own_names(globals()), custom_objects, "activation function")


def get(identifier: Any) -> Any:
    """Returns an activation function.

    Args:
        identifier: None (linear), a name, or any callable; a layer is accepted with a warning.

    Raises:
        ValueError: anything else, or an unknown name.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        if hasattr(identifier, "compute_output_shape") and hasattr(identifier, "get_config"):
            warnings.warn(
                f"A layer ({type(identifier).__name__}) was passed as `activation`: layers such as "
                "LeakyReLU keep "
                "their own parameters and names and should be added to the model as layers.",
                stacklevel=2,
            )
        return identifier
    raise ValueError(f"Could not interpret activation function identifier: {identifier}")


# What scripts also import from here.
__getattr__ = held_by(__name__)
