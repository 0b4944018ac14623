"""Small things that most layers need: reading arguments, writing configs, taking shapes apart."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import backend as K

_MODULES = {
    "activation": activations,
    "constraint": constraints,
    "initializer": initializers,
    "regularizer": regularizers,
}


def _module(name: str) -> Any:
    return _MODULES[name.rsplit("_", 1)[-1]]


def adopt(layer: Any, **identifiers: Any) -> None:
    """Sets attributes such as `kernel_initializer=` or `activation=` from names, configs or callables.

    Args:
        layer: the layer.
        **identifiers: attribute name (ending in activation, initializer, regularizer or constraint) →
        identifier.
    """
    for name, identifier in identifiers.items():
        setattr(layer, name, _module(name).get(identifier))


def describe(layer: Any, *names: str) -> dict[str, Any]:
    """The reverse of `adopt`: returns the config entries of the named attributes."""
    return {name: _module(name).serialize(getattr(layer, name)) for name in names}


def add_part(layer: Any, part: str, shape: tuple[int, ...], name: str | None = None, **more: Any) -> Any:
    """Adds a weight with the layer's `<part>_initializer`, `<part>_regularizer` and `<part>_constraint`.

    Args:
        layer: the layer.
        part: 'kernel', 'bias' …
        shape: the weight's shape.
        name: the weight's name if it is not the part's.
        **more: further arguments of `add_weight`.
    """
    return layer.add_weight(
        name=name or part,
        shape=shape,
        initializer=getattr(layer, f"{part}_initializer"),
        regularizer=getattr(layer, f"{part}_regularizer", None),
        constraint=getattr(layer, f"{part}_constraint", None),
        **more,
    )


def split_shape(shape: Any, data_format: str) -> tuple[Any, tuple[Any, ...], Any]:
    """Returns (batch, spatial sizes, channels) of a shape in either layout."""
    if data_format == "channels_first":
        return shape[0], tuple(shape[2:]), shape[1]
    return shape[0], tuple(shape[1:-1]), shape[-1]


def join_shape(batch: Any, spatial: Any, channels: Any, data_format: str) -> tuple[Any, ...]:
    """The reverse of `split_shape`."""
    if data_format == "channels_first":
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def channel_axis(data_format: str) -> int:
    """Returns the axis of the channels: 1 or −1."""
    return 1 if data_format == "channels_first" else -1


def require_known(size: Any, layer: Any, what: str, input_shape: Any) -> int:
    """Returns a size that weights depend on.

    Raises:
        ValueError: it is None.
    """
    if size is None:
        raise ValueError(
            f"The {what} of the inputs to layer {layer.name} ({type(layer).__name__}) should be defined, "
            "because "
            f"the layer's weights depend on it. Found `None` in input shape {tuple(input_shape)}."
        )
    return int(size)


def shape_of(x: Any) -> Any:
    """Returns the shape of a tensor of known rank, None for sizes that are not known."""
    return K.int_shape(x)
