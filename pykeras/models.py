"""Models: `Model`, `Sequential`, copies of them, and their files.

Source: the public behaviour of keras/models.py (2.1.6).
"""

from __future__ import annotations

import importlib
from typing import Any

from . import backend as K
from .engine.input_layer import Input, InputLayer
from .engine.sequential import Sequential
from .engine.training import Model
from .utils.generic_utils import to_list, unpack_singleton
from .utils.namespaces import held_by, public_names

_FROM_SAVING = frozenset(
    (
        "load_model",
        "model_from_config",
        "model_from_json",
        "model_from_yaml",
        "preprocess_weights_for_loading",
        "save_model",
    )
)

_also_held = held_by(__name__)

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",  # noqa: F822  (fetched when first used)
    "model_from_config",  # noqa: F822
    "model_from_json",  # noqa: F822
    "model_from_yaml",  # noqa: F822
    "save_model",  # noqa: F822
    *public_names(__name__),
]


def __getattr__(name: str) -> Any:
    if name in _FROM_SAVING:
        value = getattr(importlib.import_module(".saving", __package__), name)
        globals()[name] = value
        return value
    return _also_held(name)


def clone_model(model: Any, input_tensors: Any = None) -> Any:
    """Makes a model of the same architecture with new layers and new weights.

    Args:
        model: a `Model` or `Sequential`.
        input_tensors: tensor or list of tensors to start from instead of new inputs.

    Returns:
        the new model, not compiled.

    Raises:
        ValueError: no model, a model without a graph, or a wrong number of tensors.
    """
    if not isinstance(model, Model):
        raise ValueError(f"Expected `model` argument to be a `Model` instance, got {model}")
    if isinstance(model, Sequential):
        return _clone_sequential(model, input_tensors)
    if not model._is_graph_network:
        raise ValueError(
            "Expected `model` argument to be a functional `Model` instance, but got a subclassed "
            "model instead."
        )
    return _clone_functional(model, input_tensors)


def _as_inputs(tensors: Any, names: list[str]) -> list[Any]:
    """Wraps tensors that no layer made in input layers; returns tensors of `Input` layers."""
    given = to_list(tensors, allow_tuple=True)
    if len(given) != len(names):
        raise ValueError(f"The model has {len(names)} inputs, but {len(given)} input tensors were given.")
    result = []
    for x, name in zip(given, names):
        if K.is_keras_tensor(x):
            result.append(x)
        else:
            layer = InputLayer(input_tensor=x, name="input_wrapper_for_" + name)
            result.append(layer._inbound_nodes[0].output_tensors[0])
    return result


def _copy_of(layer: Any) -> Any:
    if isinstance(layer, Model):
        copy = clone_model(layer)
        copy.trainable = layer.trainable
        return copy
    return type(layer).from_config(layer.get_config())


def _clone_functional(model: Any, input_tensors: Any) -> Any:
    if input_tensors is None:
        inputs = []
        for layer, x in zip(model.input_layers, model.inputs):
            inputs.append(
                Input(batch_shape=K.int_shape(x), dtype=layer.dtype, sparse=layer.sparse, name=layer.name)
            )
    else:
        inputs = _as_inputs(input_tensors, model.input_names)
    copies: dict[Any, Any] = {}
    values = dict(zip(model.inputs, inputs))
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            layer = node.outbound_layer
            if node.output_tensors[0] in values:
                continue
            if layer not in copies:
                copies[layer] = _copy_of(layer)
            arguments = {
                key: values[x] if K.is_tensor(x) and x in values else x for key, x in node.arguments.items()
            }
            outputs = copies[layer](unpack_singleton([values[x] for x in node.input_tensors]), **arguments)
            values.update(zip(node.output_tensors, to_list(outputs)))
    return Model(inputs, [values[x] for x in model.outputs], name=model.name)


def _clone_sequential(model: Any, input_tensors: Any) -> Any:
    layers = [_copy_of(layer) for layer in model.layers]
    if input_tensors is None:
        if model._is_graph_network and model._layers[0] not in model.layers:
            x = model.inputs[0]
            first = InputLayer(
                batch_input_shape=K.int_shape(x),
                dtype=K.dtype(x),
                sparse=K.is_sparse(x),
                name=model._layers[0].name,
            )
            layers.insert(0, first)
        return Sequential(layers, name=model.name)
    if len(to_list(input_tensors, allow_tuple=True)) != 1:
        raise ValueError(
            "To clone a `Sequential` model, we expect at most one tensor as part of `input_tensors`."
        )
    x = _as_inputs(input_tensors, [model.input_names[0] if model._is_graph_network else "input"])[0]
    source = x._keras_history[0]
    if not isinstance(source, InputLayer):
        source = InputLayer(input_tensor=x, name="input_wrapper_for_" + source.name)
    return Sequential([source, *layers], name=model.name)
