"""The graph of a model's layers as boxes and edges: what `plot_model` shows, whoever draws it.

Source: the public behaviour of keras/utils/vis_utils.py (2.1.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class LayerBox:
    """What is written into the box of one layer.

    Attributes:
        layer: the layer.
        name, kind: its name and class; of a wrapper, with those of the layer inside in parentheses.
        input_shapes, output_shapes: its shapes as text; 'multiple' if its calls have different ones.
    """

    layer: Any
    name: str
    kind: str
    input_shapes: str
    output_shapes: str

    @property
    def label(self) -> str:
        """Name and class in one line."""
        return f"{self.name}: {self.kind}"

    @property
    def description(self) -> str:
        """All that is known, for a tooltip."""
        return f"{self.label}\ninput: {self.input_shapes}\noutput: {self.output_shapes}"


def layer_boxes(model: Any) -> tuple[list[LayerBox], list[tuple[int, int]]]:
    """Returns the boxes of a model's layers and its edges, pairs (source, target) of their numbers.

    Args:
        model: a model.

    Raises:
        ValueError: it has no graph of layers (yet).
    """
    if not getattr(model, "_is_graph_network", False):
        raise ValueError(
            f"The model {model.name} has no graph that could be drawn: build it first by calling `build()` "
            "or `fit()`, or give its first layer an `input_shape`. A subclass of `Model` with its own `call` "
            "has none."
        )
    nodes = model._network_nodes
    layers = model._layers
    number = {id(layer): i for i, layer in enumerate(layers)}
    boxes, edges = [], []
    for layer in layers:
        calls = [node for node in layer._inbound_nodes if node in nodes]
        name, kind = layer.name, type(layer).__name__
        inside = _wrapped(layer)
        if inside is not None:
            name, kind = f"{name}({inside.name})", f"{kind}({type(inside).__name__})"
        boxes.append(
            LayerBox(
                layer,
                name,
                kind,
                _shapes([node.input_shapes for node in calls]),
                _shapes([node.output_shapes for node in calls]),
            )
        )
        for node in calls:
            for source in node.inbound_layers:
                edges.append((number[id(source)], number[id(layer)]))
    return boxes, edges


def inner_model(layer: Any) -> Any:
    """Returns the model that a layer is, or that a wrapper applies; None if there is none with a graph."""
    for candidate in (layer, _wrapped(layer)):
        if getattr(candidate, "_is_graph_network", False):
            return candidate
    return None


def _wrapped(layer: Any) -> Any:
    """Returns the layer inside a wrapper (None: it is no wrapper)."""
    from ..layers.wrappers import Wrapper

    return layer.layer if isinstance(layer, Wrapper) else None


def _shapes(calls: list[Any]) -> str:
    """The shapes of one side of a layer, in words."""
    texts = set()
    for shapes in calls:
        if len(shapes) > 2 and all(shape == shapes[0] for shape in shapes):
            texts.add(f"{len(shapes)} × {shapes[0]}")
        else:
            texts.add(", ".join(str(shape) for shape in shapes))
    if len(texts) != 1:
        return "multiple" if texts else ""
    return texts.pop()
