"""Model summaries, weight counts and kernel conversions.

Source: the public behaviour of keras/utils/layer_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .conv_utils import convert_kernel
from .namespaces import held_by

_SEQUENTIAL_WIDTH = 65
_SEQUENTIAL_POSITIONS = (0.45, 0.85, 1.0)
_GRAPH_WIDTH = 98
_GRAPH_POSITIONS = (0.33, 0.55, 0.67, 1.0)


def count_params(weights: Iterable[Any]) -> int:
    """Number of scalars in the distinct variables of a collection.

    Args:
        weights: variables; the same variable counts once however often it occurs.

    Returns:
        the number.
    """
    from .. import backend as K

    distinct = {id(w): w for w in weights}
    return int(sum(K.count_params(w) for w in distinct.values()))


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Prints a table of a model's layers, their output shapes and numbers of weights.

    Args:
        model: a built model.
        line_length: width of the table in characters.
        positions: ends of the columns, as shares of the width (last ≤ 1) or in characters.
        print_fn: called once per line, `print` by default.
    """
    out = print if print_fn is None else print_fn
    nodes = None if _is_chain(model) else _relevant_nodes(model)
    header = ["Layer (type)", "Output Shape", "Param #"]
    if nodes is None:
        width = line_length or _SEQUENTIAL_WIDTH
        ends = list(positions or _SEQUENTIAL_POSITIONS)
    else:
        width = line_length or _GRAPH_WIDTH
        ends = list(positions or _GRAPH_POSITIONS)
        header.append("Connected to")
    if ends[-1] <= 1:
        ends = [int(width * share) for share in ends]

    out("_" * width)
    out(_row(header, ends))
    out("=" * width)
    layers = model.layers
    for i, layer in enumerate(layers):
        for fields in _layer_rows(layer, nodes):
            out(_row(fields, ends))
        out(("=" if i == len(layers) - 1 else "_") * width)

    check = getattr(model, "_check_trainable_weights_consistency", None)
    if check is not None:
        check()
    trainable = getattr(model, "_collected_trainable_weights", None)
    if trainable is None:
        trainable = model.trainable_weights
    trainable_count = count_params(trainable)
    non_trainable_count = count_params(model.non_trainable_weights)
    out(f"Total params: {trainable_count + non_trainable_count:,}")
    out(f"Trainable params: {trainable_count:,}")
    out(f"Non-trainable params: {non_trainable_count:,}")
    out("_" * width)


def _row(fields: Iterable[Any], ends: list[int]) -> str:
    line = ""
    for i, (field, end) in enumerate(zip(fields, ends)):
        if i > 0:
            line = line[:-1] + " "
        line = (line + str(field))[:end].ljust(end)
    return line


def _nodes_by_depth(model: Any) -> Iterable[list[Any]]:
    return model._nodes_by_depth.values()


def _is_chain(model: Any) -> bool:
    """One node per depth, one input each, no layer used twice: the table needs no connections column."""
    if model.__class__.__name__ == "Sequential":
        return True
    seen: set[int] = set()
    for nodes in _nodes_by_depth(model):
        if len(nodes) > 1 or (nodes and len(nodes[0].inbound_layers) > 1):
            return False
        seen.update(id(node) for node in nodes)
    return all(sum(id(node) in seen for node in layer._inbound_nodes) <= 1 for layer in model.layers)


def _relevant_nodes(model: Any) -> set[int]:
    return {id(node) for nodes in _nodes_by_depth(model) for node in nodes}


def _layer_rows(layer: Any, nodes: set[int] | None) -> Iterable[list[Any]]:
    try:
        shape: Any = layer.output_shape
    except AttributeError:
        shape = "multiple"
    fields = [f"{layer.name} ({layer.__class__.__name__})", shape, layer.count_params()]
    if nodes is None:
        return [fields]
    connections = [
        f"{source.name}[{node.node_indices[i]}][{node.tensor_indices[i]}]"
        for node in layer._inbound_nodes
        if id(node) in nodes
        for i, source in enumerate(node.inbound_layers)
    ]
    rows = [fields + [connections[0] if connections else ""]]
    rows += [["", "", "", connection] for connection in connections[1:]]
    return rows


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list[Any]:
    """Returns the input tensors from which a tensor is computed.

    Args:
        tensor: a Keras tensor.
        layer: its layer, if known.
        node_index: the node of that layer.

    Returns:
        list of tensors.
    """
    from ..engine.topology import get_source_inputs as find

    return find(tensor, layer, node_index)


def convert_all_kernels_in_model(model: Any) -> None:
    """Turns the kernels of all convolutions of a model by 180°, in place (Theano's convention ↔ the others').

    Args:
        model: a built model; nested models are converted too.
    """
    from .. import backend as K

    # a layer may be in several models of one, and turning it twice would leave it as it was
    for layer in {id(layer): layer for layer in _convolutions(model)}.values():
        K.set_value(layer.kernel, convert_kernel(K.get_value(layer.kernel)))


def _convolutions(model: Any) -> Iterable[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _convolutions(layer)
        elif layer.__class__.__name__ in ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose"):
            yield layer


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Any, target_data_format: str = "channels_first"
) -> None:
    """Reorders, in place, the kernel of a Dense layer that follows a Flatten, for the other data format.

    Args:
        dense: the layer; its kernel has shape (prod(previous_feature_map_shape), units).
        previous_feature_map_shape: shape before the Flatten, without the batch axis, in the target format.
        target_data_format: 'channels_first' or 'channels_last': the format that the model now runs in.

    Raises:
        ValueError: another format.
    """
    if target_data_format not in {"channels_last", "channels_first"}:
        raise ValueError(f"Unknown `target_data_format`: {target_data_format}")
    kernel, *rest = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if target_data_format == "channels_first":
        old = (*shape[1:], shape[0], -1)
        kernel = np.moveaxis(kernel.reshape(old), -2, 0)
    else:
        old = (shape[-1], *shape[:-1], -1)
        kernel = np.moveaxis(kernel.reshape(old), 0, -2)
    dense.set_weights([kernel.reshape(-1, kernel.shape[-1]), *rest])


# What scripts also import from here.
__getattr__ = held_by(__name__)
