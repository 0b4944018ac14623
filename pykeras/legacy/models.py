"""Sequential models that begin with a `Merge` of other models (Keras 1).

Source: the public behaviour of keras/legacy/models.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from ._merge import Merge


def needs_legacy_support(model: Any) -> bool:
    """Whether a model is a stack on top of a `Merge`."""
    return any(isinstance(layer, Merge) and bool(layer.layers) for layer in model.layers)


def legacy_sequential_layers(model: Any) -> list[Any]:
    """Returns the layers of such a model, branch by branch, then those on top; each once."""
    found: dict[int, Any] = {}

    def walk(layers: Any) -> None:
        for layer in layers:
            if isinstance(layer, Merge) and layer.layers:
                for branch in layer.layers:
                    walk(branch.layers if hasattr(branch, "layers") else [branch])
            found.setdefault(id(layer), layer)

    start = next((i for i, layer in enumerate(model.layers) if isinstance(layer, Merge)), 0)
    walk(model.layers[start:])
    return list(found.values())
