"""Records of the layer graph: what a layer demands of its inputs, what its calls connected.

Source: the public behaviour of keras/engine/topology.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..utils.generic_utils import unpack_singleton


class InputSpec:
    """What a layer demands of one input; every field left at None is not checked.

    Args:
        dtype: name of the type.
        shape: full shape, batch axis included; None in a place stands for any size.
        ndim: exact number of axes.
        max_ndim: largest number of axes.
        min_ndim: smallest number of axes.
        axes: dict axis → size.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = axes or {}

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim")
        parts = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name) is not None]
        if self.axes:
            parts.append(f"axes={self.axes}")
        return f"InputSpec({', '.join(parts)})"

    def check(self, x: Any, index: int, layer_name: str) -> None:
        """Compares a tensor with this specification.

        Args:
            x: tensor.
            index: its place among the layer's inputs.
            layer_name: for the message.

        Raises:
            ValueError: "Input <index> is incompatible with layer <name>: …".
        """
        start = f"Input {index} is incompatible with layer {layer_name}: "
        shape = K.int_shape(x)
        rank = None if shape is None else len(shape)
        if rank is not None:
            if self.ndim is not None and rank != self.ndim:
                raise ValueError(f"{start}expected ndim={self.ndim}, found ndim={rank}")
            if self.max_ndim is not None and rank > self.max_ndim:
                raise ValueError(f"{start}expected max_ndim={self.max_ndim}, found ndim={rank}")
            if self.min_ndim is not None and rank < self.min_ndim:
                raise ValueError(f"{start}expected min_ndim={self.min_ndim}, found ndim={rank}")
        if self.dtype is not None and K.dtype(x) != self.dtype:
            raise ValueError(f"{start}expected dtype={self.dtype}, found dtype={K.dtype(x)}")
        if shape is None or rank is None:
            return
        for axis, size in self.axes.items():
            axis = int(axis)
            if size is None or not -rank <= axis < rank:
                continue
            if shape[axis] not in (size, None):
                raise ValueError(
                    f"{start}expected axis {axis} of input shape to have value {size} but got shape {shape}"
                )
        if self.shape is not None:
            for wanted, found in zip(self.shape, shape):
                if wanted is not None and found is not None and wanted != found:
                    raise ValueError(f"{start}expected shape={tuple(self.shape)}, found shape={shape}")


class Node:
    """One call of a layer: the tensors that went in and came out, and where the former came from.

    A node registers itself with the layer called (`_inbound_nodes`) and with the layers that made the inputs
    (`_outbound_nodes`).

    Args:
        outbound_layer: the layer called.
        inbound_layers: the layers that made the inputs, one per input.
        node_indices: per input, which node of its layer made it.
        tensor_indices: per input, which output of that node it is.
        input_tensors, output_tensors: lists of tensors.
        input_masks, output_masks: lists of tensors or Nones.
        input_shapes, output_shapes: lists of shape tuples.
        arguments: keyword arguments of the call.
    """

    def __init__(
        self,
        outbound_layer: Any,
        inbound_layers: list[Any],
        node_indices: list[int],
        tensor_indices: list[int],
        input_tensors: list[Any],
        output_tensors: list[Any],
        input_masks: list[Any],
        output_masks: list[Any],
        input_shapes: list[Any],
        output_shapes: list[Any],
        arguments: dict[str, Any] | None = None,
    ) -> None:
        self.outbound_layer = outbound_layer
        self.inbound_layers = inbound_layers
        self.node_indices = node_indices
        self.tensor_indices = tensor_indices
        self.input_tensors = input_tensors
        self.output_tensors = output_tensors
        self.input_masks = input_masks
        self.output_masks = output_masks
        self.input_shapes = input_shapes
        self.output_shapes = output_shapes
        self.arguments = arguments or {}
        for layer in inbound_layers:
            if layer is not None:
                layer._outbound_nodes.append(self)
        outbound_layer._inbound_nodes.append(self)

    def get_config(self) -> dict[str, Any]:
        """Returns the names of the layers concerned and the indices."""
        return {
            "outbound_layer": self.outbound_layer.name if self.outbound_layer else None,
            "inbound_layers": [layer.name if layer else None for layer in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }


class Connected:
    """The part of a layer that answers what its calls connected."""

    name: str
    _inbound_nodes: list[Node]

    def _get_node_attribute_at_index(self, node_index: int, attr: str, attr_name: str) -> Any:
        if not self._inbound_nodes:
            raise RuntimeError(f"The layer has never been called and thus has no defined {attr_name}.")
        if not -len(self._inbound_nodes) <= node_index < len(self._inbound_nodes):
            raise ValueError(
                f"Asked to get {attr_name} at node {node_index}, but the layer has only "
                f"{len(self._inbound_nodes)} inbound nodes."
            )
        return unpack_singleton(getattr(self._inbound_nodes[node_index], attr))

    def get_input_shape_at(self, node_index: int) -> Any:
        """Returns the input shape (or list of shapes) of call number `node_index`."""
        return self._get_node_attribute_at_index(node_index, "input_shapes", "input shape")

    def get_output_shape_at(self, node_index: int) -> Any:
        """Returns the output shape (or list of shapes) of call number `node_index`."""
        return self._get_node_attribute_at_index(node_index, "output_shapes", "output shape")

    def get_input_at(self, node_index: int) -> Any:
        """Returns the input tensor (or list of tensors) of call number `node_index`."""
        return self._get_node_attribute_at_index(node_index, "input_tensors", "input")

    def get_output_at(self, node_index: int) -> Any:
        """Returns the output tensor (or list of tensors) of call number `node_index`."""
        return self._get_node_attribute_at_index(node_index, "output_tensors", "output")

    def get_input_mask_at(self, node_index: int) -> Any:
        """Returns the input mask (or list of masks) of call number `node_index`."""
        return self._get_node_attribute_at_index(node_index, "input_masks", "input mask")

    def get_output_mask_at(self, node_index: int) -> Any:
        """Returns the output mask (or list of masks) of call number `node_index`."""
        return self._get_node_attribute_at_index(node_index, "output_masks", "output mask")

    def _only_node(self, attr: str, what: str) -> Any:
        count = len(self._inbound_nodes)
        if count > 1:
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is '
                f"ill-defined. Use `get_{what.replace(' ', '_')}_at(node_index)` instead."
            )
        if not count:
            if what.startswith("input"):
                raise AttributeError(f"Layer {self.name} is not connected, no {what} to return.")
            raise AttributeError(f"Layer {self.name} has no inbound nodes: it has not been called yet.")
        return unpack_singleton(getattr(self._inbound_nodes[0], attr))

    @property
    def input(self) -> Any:
        """The input tensor (or list) of the layer's only call; AttributeError if it was called not once."""
        return self._only_node("input_tensors", "input")

    @property
    def output(self) -> Any:
        """The output tensor (or list) of the layer's only call; AttributeError if it was called not once."""
        return self._only_node("output_tensors", "output")

    @property
    def input_mask(self) -> Any:
        """The input mask (or list) of the layer's only call; AttributeError if it was called not once."""
        return self._only_node("input_masks", "input mask")

    @property
    def output_mask(self) -> Any:
        """The output mask (or list) of the layer's only call; AttributeError if it was called not once."""
        return self._only_node("output_masks", "output mask")

    def _common_shape(self, attr: str, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined {what} shape."
            )
        shapes = [getattr(node, attr) for node in self._inbound_nodes]
        if any(shape != shapes[0] for shape in shapes):
            raise AttributeError(
                f"The layer {self.name} has multiple inbound nodes with different {what} shapes. Hence "
                f'the notion of "{what} shape" is ill-defined for the layer. Use '
                f"`get_{what}_shape_at(node_index)` instead."
            )
        return unpack_singleton(shapes[0])

    @property
    def input_shape(self) -> Any:
        """The input shape, if all calls agree; AttributeError otherwise."""
        return self._common_shape("input_shapes", "input")

    @property
    def output_shape(self) -> Any:
        """The output shape, if all calls agree; AttributeError otherwise."""
        return self._common_shape("output_shapes", "output")
