"""Penalties on weights and outputs that join the loss.

Source: the public behaviour of keras/regularizers.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object
from .utils.identifiers import from_name, own_names


class Regularizer:
    """Base class: a callable from a weight tensor to a scalar penalty."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Builds the regularizer from what `get_config` returned."""
        return cls(**config)


class L1L2(Regularizer):
    """Σ l1·|w| + Σ l2·w² (no factor ½, no mean).

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = K.cast_to_floatx(l1)
        self.l2 = K.cast_to_floatx(l2)

    def __call__(self, x: Any) -> Any:
        penalty: Any = 0.0
        if float(self.l1):
            penalty = penalty + K.sum(float(self.l1) * K.abs(x))
        if float(self.l2):
            penalty = penalty + K.sum(float(self.l2) * K.square(x))
        return penalty

    def get_config(self) -> dict[str, Any]:
        """Returns the factors (as the float type of the session stores them)."""
        return {"l1": float(self.l1), "l2": float(self.l2)}


def l1(l: float = 0.01) -> L1L2:
    """Penalty Σ l·|w|."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:
    """Penalty Σ l·w²."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Penalty Σ l1·|w| + Σ l2·w²."""
    return L1L2(l1=l1, l2=l2)


def L1(l1: float = 0.01) -> L1L2:
    """The class name that tf.keras writes for a pure L1 penalty."""
    return L1L2(l1=l1)


def L2(l2: float = 0.01) -> L1L2:
    """The class name that tf.keras writes for a pure L2 penalty."""
    return L1L2(l2=l2)


def serialize(regularizer: Any) -> Any:
    """Returns class name and config, or None for None."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds a regularizer from class name and config.

    Raises:
        ValueError: "Unknown regularizer".
    """
    return deserialize_keras_object(config, own_names(globals()), custom_objects, "regularizer")


def get(identifier: Any) -> Any:
    """Returns a regularizer.

    Args:
        identifier: None, a name ('l2' means factor 0.01), a config, or any callable.

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
    raise ValueError(f"Could not interpret regularizer identifier: {identifier}")
