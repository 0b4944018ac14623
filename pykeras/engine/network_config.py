"""A functional graph as plain data, and back.

Source: items 3.1.1 and 3.1.2 of the format's description; keras/engine/topology.py (2.1.6).
"""

from __future__ import annotations

import copy
import json
from typing import Any

from ..utils._warn import warn
from ..utils.generic_utils import unpack_singleton
from .base_layer import Layer
from .input_layer import InputLayer

Config = dict[str, Any]


def _own_nodes(layer: Layer) -> int:
    """How many nodes a layer has before anything calls it: a model's first node links its own ends."""
    return 1 if getattr(layer, "_is_graph_network", False) else 0


def layer_config(layer: Any) -> Any:
    """Returns the config of a layer of a model; that of a model inside also says that it is frozen.

    A model's own flag is not part of its config in Keras 2, and of the outermost one it stays so: training
    with a part frozen compiles that part first, so the flag does not tell what it was compiled with.
    """
    config = layer.get_config()
    if hasattr(layer, "layers") and isinstance(config, dict) and not layer.trainable:
        return {**config, "trainable": False}
    return config


def to_config(network: Any) -> Config:
    """Returns name, layers, input_layers and output_layers of a functional network.

    Nodes are numbered anew, counting only those inside this network.
    """
    numbers: dict[Any, int] = {}
    for layer in network._layers:
        number = _own_nodes(layer)
        for node in layer._inbound_nodes:
            if node in network._network_nodes:
                numbers[node] = number
                number += 1

    def reference(layer: Layer, node_index: int, tensor_index: int) -> list[Any]:
        return [layer.name, numbers[layer._inbound_nodes[node_index]], tensor_index]

    layers = []
    for layer in network._layers:
        inbound = []
        for node in layer._inbound_nodes:
            if node not in network._network_nodes or not node.inbound_layers:
                continue
            arguments = _plain_arguments(layer, node.arguments)
            inbound.append(
                [
                    [*reference(*source), arguments]
                    for source in zip(node.inbound_layers, node.node_indices, node.tensor_indices)
                ]
            )
        layers.append(
            {
                "name": layer.name,
                "class_name": type(layer).__name__,
                "config": layer_config(layer),
                "inbound_nodes": inbound,
            }
        )
    ends = [[reference(*x._keras_history) for x in tensors] for tensors in (network.inputs, network.outputs)]
    return copy.deepcopy(
        {"name": network.name, "layers": layers, "input_layers": ends[0], "output_layers": ends[1]}
    )


def _plain_arguments(layer: Layer, arguments: Config) -> Config:
    if not arguments:
        return {}
    try:
        json.dumps(arguments)
    except TypeError:
        warn(
            f"Layer {layer.name} was passed non-serializable keyword arguments: {arguments}. They will "
            "not be included in the serialized model (and thus will be missing at deserialization time).",
        )
        return {}
    return arguments


def from_config(
    config: Config, custom_objects: Config | None = None
) -> tuple[list[Any], list[Any], str | None]:
    """Builds the layers of a config and connects them.

    Args:
        config: as `to_config` returns it; entries without keyword arguments, single tensors and dicts where
            lists are usual (tf.keras) are read too.
        custom_objects: dict name → class or function.

    Returns:
        (input tensors, output tensors, name of the network or None)

    Raises:
        ValueError: an unknown class, or connections that lead nowhere.
    """
    from ..layers import deserialize  # layers stand above the engine

    entries = {}
    layers: dict[str, Layer] = {}
    for data in config["layers"]:
        layer = deserialize({k: data[k] for k in ("class_name", "config")}, custom_objects=custom_objects)
        name = data.get("name") or layer.name
        layers[name] = layer
        nodes = data.get("inbound_nodes") or []
        entries[name] = [_references(node) for node in (nodes.values() if isinstance(nodes, dict) else nodes)]
    ends = [_references(config[key]) for key in ("input_layers", "output_layers")]

    used = [r for nodes in entries.values() for node in nodes for r in node] + ends[0] + ends[1]
    # made[name][i] is the index that node number i of the config has got
    made: dict[str, list[int]] = {}
    for name, layer in layers.items():
        if isinstance(layer, InputLayer):
            made[name] = [0]
        else:
            # some writers do not count a nested model's own node: then somebody refers to number 0
            counts_own = _own_nodes(layer) and not any(r[0] == name and r[1] == 0 for r in used)
            made[name] = [0] if counts_own else []

    def tensor(reference: list[Any]) -> Any:
        name, node, index = reference[:3]
        if name not in layers:
            raise ValueError(f"The config of a model refers to a layer {name!r} that it does not contain.")
        if node >= len(made[name]):
            raise LookupError
        return layers[name]._inbound_nodes[made[name][node]].output_tensors[index]

    def revive(value: Any) -> Any:
        """Puts tensors in place of the references to them in keyword arguments."""
        if isinstance(value, list):
            if len(value) in (3, 4) and isinstance(value[0], str) and value[0] in layers:
                return tensor(value)
            return [revive(item) for item in value]
        return value

    waiting = {name: nodes for name, nodes in entries.items() if nodes}
    while waiting:
        progress = False
        for name in list(waiting):
            layer = layers[name]
            while waiting.get(name):
                node = waiting[name][0]
                try:
                    inputs = [tensor(reference) for reference in node]
                    arguments = {k: revive(v) for k, v in _arguments(node).items()}
                except LookupError:
                    break  # needs a layer that comes later
                layer(unpack_singleton(inputs), **arguments)
                made[name].append(len(layer._inbound_nodes) - 1)
                waiting[name] = waiting[name][1:]
                progress = True
            if not waiting[name]:
                del waiting[name]
        if not progress:
            raise ValueError(
                f"The config of model {config.get('name')!r} is broken: the inputs of its layers "
                f"{sorted(waiting)} are never made."
            )
    try:
        inputs, outputs = ([tensor(reference) for reference in end] for end in ends)
    except LookupError:
        raise ValueError(
            f"The config of model {config.get('name')!r} is broken: its ends refer to calls that it lacks."
        ) from None
    return inputs, outputs, config.get("name")


def _references(value: Any) -> list[list[Any]]:
    """Flattens what stands for the inputs of a call (or the ends of a model) to a list of references."""
    if isinstance(value, dict):
        value = list(value.values())
    if value and isinstance(value[0], str):
        return [list(value)]
    return [reference for item in value for reference in _references(item)]


def _arguments(node: list[list[Any]]) -> Config:
    merged: Config = {}
    for reference in node:
        if len(reference) > 3 and reference[3]:
            merged.update(reference[3])
    return merged
