"""How `get` and `deserialize` of the small modules (losses, initializers …) find objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .generic_utils import get_custom_objects

# Callables that those modules hold besides their objects: a file must not be able to call them by name.
_HELPERS = frozenset(
    {
        "Any",
        "Callable",
        "clip_norm",
        "deserialize",
        "deserialize_keras_object",
        "from_name",
        "get",
        "own_names",
        "serialize",
        "serialize_keras_object",
    }
)


def own_names(namespace: dict[str, Any]) -> dict[str, Any]:
    """Picks the objects that configs may name out of a module's globals.

    Args:
        namespace: `globals()` of the module, read at each call because scripts add to it
            (``keras.losses.my_loss = my_loss``).

    Returns:
        dict name → class or function.
    """
    return {
        name: value
        for name, value in namespace.items()
        if callable(value) and not name.startswith("_") and name not in _HELPERS
    }


def from_name(name: str, deserialize: Callable[[dict[str, Any]], Any]) -> Any:
    """Makes the object of a name: the class's default instance, or a custom function as it is.

    Args:
        name: what stands in a call or a config ('he_normal', 'my_regularizer').
        deserialize: the module's function that builds from class name and config.
    """
    custom = get_custom_objects().get(name)
    if inspect.isfunction(custom) and _needs_arguments(custom):
        return custom
    return deserialize({"class_name": name, "config": {}})


def _needs_arguments(function: Callable[..., Any]) -> bool:
    return any(
        parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in inspect.signature(function).parameters.values()
    )
