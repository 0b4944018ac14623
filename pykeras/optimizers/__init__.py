"""Gradient descent and its kin.

Each parameter's step is a chain of pointwise operations on tensors of the parameter's shape; everything
that does not
depend on the parameter (decayed rate, bias corrections) is a scalar computed once per step and shared. The
rewrite
passes turn such a chain into one loop.

Source: the public behaviour of keras/optimizers.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from ..utils.generic_utils import deserialize_keras_object, serialize_keras_object
from ..utils.namespaces import held_by, public_names
from ._adam import Adam, Adamax, Nadam
from ._base import Optimizer, clip_norm
from ._descent import SGD, Adadelta, Adagrad, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "TFOptimizer",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "clip_norm",
    "deserialize",
    "get",
    "nadam",
    "rmsprop",
    "serialize",
    "sgd",
]


class TFOptimizer(Optimizer):
    """Stands where Keras wraps TensorFlow's own optimizers; there is no TensorFlow here.

    Raises:
        NotImplementedError: always.
    """

    def __init__(self, optimizer: Any) -> None:
        raise NotImplementedError(
            f"TensorFlow optimizers such as {optimizer!r} cannot run here. Use an optimizer of "
            "pykeras.optimizers, "
            "for example Adam(lr=0.001)."
        )

    @property
    def weights(self) -> list[Any]:  # type: ignore[override]
        """Keras raises here as well."""
        raise NotImplementedError


sgd = SGD
rmsprop = RMSprop
adagrad = Adagrad
adadelta = Adadelta
adam = Adam
adamax = Adamax
nadam = Nadam


def serialize(optimizer: Any) -> Any:
    """Returns class name and config with the current values."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds an optimizer from class name (of any case) and config.

    Raises:
        ValueError: "Unknown optimizer".
    """
    own: dict[str, Any] = {
        "sgd": SGD,
        "rmsprop": RMSprop,
        "adagrad": Adagrad,
        "adadelta": Adadelta,
        "adam": Adam,
        "adamax": Adamax,
        "nadam": Nadam,
        "tfoptimizer": TFOptimizer,
    }
    if isinstance(config, dict) and str(config.get("class_name", "")).lower() in own:
        config = {**config, "class_name": config["class_name"].lower()}
    return deserialize_keras_object(config, own, custom_objects, "optimizer")


def get(identifier: Any) -> Any:
    """Returns an optimizer.

    Args:
        identifier: a name of any case, a config, or an instance (returned as it is).

    Raises:
        ValueError: anything else, or an unknown name.
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    if isinstance(identifier, Optimizer):
        return identifier
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
