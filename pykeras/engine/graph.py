"""The order of a layer graph: which nodes lie between inputs and outputs, and how deep each is.

Source: the public behaviour of keras/engine/topology.py (2.1.6); the walk is iterative, so depth has no
    limit.
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..utils._warn import warn
from ..utils.generic_utils import has_arg, to_list, unpack_singleton
from .input_layer import InputLayer
from .node import Node


class GraphMap:
    """What `map_graph` found.

    Attributes:
        nodes: set of the nodes used.
        nodes_by_depth: dict depth → nodes; depth 0 is at the outputs.
        layers: layers from the deepest to depth 0; within a depth as a walk from the outputs first meets
            them.
        layers_by_depth: dict depth → layers.
    """

    def __init__(self) -> None:
        self.nodes: set[Node] = set()
        self.nodes_by_depth: dict[int, list[Node]] = {}
        self.layers: list[Any] = []
        self.layers_by_depth: dict[int, list[Any]] = {}


def map_graph(inputs: list[Any], outputs: list[Any]) -> GraphMap:
    """Finds the nodes that compute `outputs` and sorts them.

    Args:
        inputs: tensors where the graph starts.
        outputs: tensors where it ends.

    Returns:
        a `GraphMap`.

    Raises:
        RuntimeError: the graph has a cycle, needs a tensor that the inputs do not lead to ("Graph
            disconnected"), or two of its layers share a name.
    """
    post_order, met = _walk(outputs)
    layer_depth: dict[Any, int] = {}
    node_depth: dict[Node, int] = {}
    for node in reversed(post_order):
        layer = node.outbound_layer
        # all calls of a shared layer count as deep as the deepest
        depth = max(node_depth.get(node, 0), layer_depth.get(layer, 0))
        node_depth[node] = layer_depth[layer] = depth
        for source, index in zip(node.inbound_layers, node.node_indices):
            if source is None:  # a tensor that no layer made: reported below
                continue
            before = source._inbound_nodes[index]
            node_depth[before] = max(node_depth.get(before, 0), depth + 1)
    for x in inputs:  # inputs that no output needs are still fed
        layer, index, _ = x._keras_history
        node = layer._inbound_nodes[index]
        if node not in node_depth:
            node_depth[node] = layer_depth[layer] = 0
            met[layer] = -1

    graph = GraphMap()
    graph.nodes = set(node_depth)
    for node, depth in node_depth.items():
        graph.nodes_by_depth.setdefault(depth, []).append(node)
    for layer in sorted(layer_depth, key=lambda layer: (-layer_depth[layer], met[layer])):
        graph.layers.append(layer)
        graph.layers_by_depth.setdefault(layer_depth[layer], []).append(layer)
    _check_connected(inputs, graph)
    _check_names(graph.layers)
    return graph


def _walk(outputs: list[Any]) -> tuple[list[Node], dict[Any, int]]:
    """Depth-first from the outputs, inputs of a node in order.

    Returns:
        (nodes in the order in which they were finished, dict layer → rank at which it was first met)
    """
    post_order: list[Node] = []
    met: dict[Any, int] = {}
    finished: set[Node] = set()
    open_nodes: set[Node] = set()

    for x in outputs:
        stack = [(_node_of(x), 0)]
        while stack:
            node, position = stack.pop()
            if position == 0:
                if node in finished:
                    continue
                if node in open_nodes:
                    raise RuntimeError(
                        f'The tensors at layer "{node.outbound_layer.name}" are part of a cycle.'
                    )
                open_nodes.add(node)
                met.setdefault(node.outbound_layer, len(met))
            if position < len(node.inbound_layers):
                stack.append((node, position + 1))
                source = node.inbound_layers[position]
                if source is None:
                    continue
                stack.append((source._inbound_nodes[node.node_indices[position]], 0))
            else:
                open_nodes.discard(node)
                finished.add(node)
                post_order.append(node)
    return post_order, met


def _node_of(x: Any) -> Node:
    layer, index, _ = x._keras_history
    return layer._inbound_nodes[index]


def check_ends(kind: str, inputs: list[Any], outputs: list[Any]) -> None:
    """Checks what a model is to be made of.

    Args:
        kind: class of the model, for the messages.
        inputs: its inputs, tensors of input layers.
        outputs: its outputs, tensors that layers made.

    Raises:
        ValueError: an input occurs twice.
        TypeError: a tensor of another origin.
    """
    if len({id(x) for x in inputs}) != len(inputs):
        raise ValueError(
            f"The list of inputs passed to the model is redundant. All inputs should only appear once. "
            f"Found: {inputs}"
        )
    if len({id(x) for x in outputs}) != len(outputs):
        warn(
            f"The list of outputs passed to the model is redundant. All outputs should only appear once. "
            f"Found: {outputs}",
        )
    for x in inputs:
        if not hasattr(x, "_keras_history"):
            raise TypeError(
                f"Input tensors to a {kind} must be Keras tensors, as `Input` returns them. Found: {x!r}"
            )
        layer = x._keras_history[0]
        if not isinstance(layer, InputLayer):
            warn(
                f"{kind} inputs must come from `pykeras.layers.Input`, they cannot be the output of "
                f"another layer. The tensor {x!r} was made by layer {layer.name}.",
            )
            raise TypeError(
                f"Input layers to a `{kind}` must be `InputLayer` objects. The tensor {x!r} originates "
                f"from layer {layer.name} ({type(layer).__name__}). Make a new `Input` and call the "
                "layers on it."
            )
    for x in outputs:
        if not hasattr(x, "_keras_history"):
            raise TypeError(
                f"Output tensors to a {kind} must be Keras tensors, that is, made by layers (wrap other "
                f"computations in a `Lambda` layer). Found: {x!r}"
            )


def _check_connected(inputs: list[Any], graph: GraphMap) -> None:
    known = set(inputs)
    done: list[str] = []
    for depth in sorted(graph.nodes_by_depth, reverse=True):
        for node in graph.nodes_by_depth[depth]:
            layer = node.outbound_layer
            for x in node.input_tensors:
                if x not in known:
                    raise RuntimeError(
                        f'Graph disconnected: cannot obtain value for tensor {x} at layer "{layer.name}". '
                        f"The following previous layers were accessed without issue: {done}"
                    )
            known.update(node.output_tensors)
            done.append(layer.name)


def _check_names(layers: list[Any]) -> None:
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) != 1:
            raise RuntimeError(
                f'The name "{name}" is used {names.count(name)} times in the model. All layer names '
                "should be unique."
            )


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list[Any]:
    """Returns the input tensors from which a tensor is computed.

    Args:
        tensor: a tensor; one that no layer made is its own source.
        layer: its layer, if known.
        node_index: the node of that layer.

    Returns:
        list of distinct tensors, in the order in which a walk from the tensor meets them.
    """
    if not hasattr(tensor, "_keras_history"):
        return [tensor]
    if layer is None or node_index:
        layer, node_index, _ = tensor._keras_history
    if not layer._inbound_nodes:
        return [tensor]
    sources: list[Any] = []
    seen: set[Node] = set()
    stack = [layer._inbound_nodes[node_index or 0]]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if not node.inbound_layers:
            sources += [x for x in node.input_tensors if not any(x is s for s in sources)]
            continue
        for source, index, x in reversed(
            list(zip(node.inbound_layers, node.node_indices, node.input_tensors))
        ):
            if source is None:
                sources += [] if any(x is s for s in sources) else [x]
            else:
                stack.append(source._inbound_nodes[index])
    return sources


def mask_of(x: Any) -> Any:
    """Returns the mask that the layer which made x computed for it, None if there is none."""
    layer, node, index = x._keras_history
    return layer._inbound_nodes[node].output_masks[index]


def call_again(
    layer: Any, node: Node, tensors: list[Any], masks: list[Any], values: dict[Any, Any]
) -> tuple[list[Any], list[Any]]:
    """Repeats a recorded call on other tensors.

    Args:
        layer: the layer.
        node: the recorded call.
        tensors: its new inputs.
        masks: their masks.
        values: dict tensor of the recorded graph → (new tensor, mask), for tensors among the keyword
            arguments.

    Returns:
        (outputs, their masks), two lists.
    """
    arguments = {
        # keyword arguments may be tensors of this graph too
        key: values[x][0] if K.is_tensor(x) and x in values else x
        for key, x in node.arguments.items()
    }
    inputs = unpack_singleton(tensors)
    mask = unpack_singleton(masks)
    if "mask" not in arguments and has_arg(layer.call, "mask"):
        arguments["mask"] = mask
    with K.name_scope(layer.name):
        results = to_list(layer.call(inputs, **arguments), allow_tuple=True)
        result_masks = to_list(layer.compute_mask(inputs, mask), allow_tuple=True)
        layer._add_activity_loss(results, tensors)
    if len(result_masks) < len(results):
        result_masks = result_masks * len(results)
    uses_phase = any(getattr(x, "_uses_learning_phase", False) for x in tensors)
    for x, shape in zip(results, layer._output_shapes(tensors, results)):
        if shape is not None and not any(x is t for t in tensors):
            x._keras_shape = shape
        x._uses_learning_phase = getattr(x, "_uses_learning_phase", False) or uses_phase
    return results, result_masks
