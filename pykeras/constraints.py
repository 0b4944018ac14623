"""Projections applied to a weight after each of its updates.

Source: the public behaviour of keras/constraints.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object
from .utils.identifiers import from_name, own_names


def _axes(axis: Any) -> Any:
    # JSON turns tuples into lists; either may hold one axis or several.
    return list(axis) if isinstance(axis, (list, tuple)) else axis


def _norms(w: Any, axis: Any) -> Any:
    return K.sqrt(K.sum(K.square(w), axis=axis, keepdims=True))


class Constraint:
    """Base class: a callable from a weight tensor to the tensor that replaces it."""

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {}


class MaxNorm(Constraint):
    """Scales each vector of weights down to at most a given length.

    Args:
        max_value: largest Euclidean length.
        axis: axis or axes along which a vector runs; 0 for Dense kernels (one vector per unit), [0, 1, 2] for
            2D convolution kernels (one per filter).
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = _axes(axis)

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (K.clip(norms, 0, self.max_value) / (K.epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Replaces negative weights by 0."""

    def __call__(self, w: Any) -> Any:
        return w * K.cast(K.greater_equal(w, 0.0), K.dtype(w))


class UnitNorm(Constraint):
    """Scales each vector of weights to length 1.

    Args:
        axis: axis or axes along which a vector runs (see `MaxNorm`).
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = _axes(axis)

    def __call__(self, w: Any) -> Any:
        return w / (K.epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Keeps the length of each vector of weights within two bounds.

    Args:
        min_value: smallest Euclidean length.
        max_value: largest Euclidean length.
        rate: share of the way to the bound that one step goes, in (0, 1]; 1 enforces it at once.
        axis: axis or axes along which a vector runs (see `MaxNorm`).
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = _axes(axis)

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = self.rate * K.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (K.epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

# Keras 1 spellings
maxnorm = max_norm
nonneg = non_neg
unitnorm = unit_norm


def serialize(constraint: Any) -> Any:
    """Returns class name and config, or None for None."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds a constraint from class name and config.

    Raises:
        ValueError: "Unknown constraint".
    """
    return deserialize_keras_object(config, own_names(globals()), custom_objects, "constraint")


def get(identifier: Any) -> Any:
    """Returns a constraint.

    Args:
        identifier: None, a name, a config, or any callable.

    Raises:
        ValueError: anything else, or an unknown name.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return from_name(identifier, deserialize)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret constraint identifier: {identifier}")
