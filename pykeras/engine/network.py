"""Layers put together into one layer: the functional graph, its weights, losses and updates.

Source: the public behaviour of keras/engine/topology.py (2.1.6) and keras/engine/network.py (2.2.4).
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from .. import backend as K
from ..utils.generic_utils import is_all_none, to_list, unpack_singleton
from ..utils.keras1_calls import generate_legacy_interface
from . import network_config
from .base_layer import Layer, Node, _input_key, check_weights
from .graph import call_again, check_ends, map_graph, mask_of
from .graph import get_source_inputs as get_source_inputs
from .input_layer import InputLayer


def unique(items: Any) -> list[Any]:
    """Returns the items without repetitions (by identity), in order."""
    return list({id(item): item for item in items}.values())


class Network(Layer):
    """A graph of layers that is itself a layer, without training.

    Args:
        inputs: tensor or list of tensors that `Input` returned.
        outputs: tensor or list of tensors computed from them.
        name: unique name; made from the class name if missing.

    A subclass may instead take no tensors, assign layers to attributes in its constructor and override
    `call`.

    Raises:
        TypeError: the tensors do not come from layers.
        RuntimeError: the outputs cannot be reached from the inputs, or layer names are not unique.
    """

    _is_graph_network = False

    @generate_legacy_interface(conversions=[("input", "inputs"), ("output", "outputs")])
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or "inputs" in kwargs or "outputs" in kwargs:
            self._init_graph_network(*args, **kwargs)
        else:
            self._init_subclassed_network(**kwargs)

    def _base_init(self, name: str | None) -> None:
        self._reset_layer()
        self._layers: list[Layer] = []
        if name is None:
            prefix = type(self).__name__.lower()
            name = f"{prefix}_{K.get_uid(prefix)}"
        self.name = name
        self.inputs: list[Any] | None = None
        self.outputs: list[Any] | None = None
        self._nodes_by_depth: dict[int, list[Node]] = {}
        self._network_nodes: set[Node] = set()
        self._call_cache: dict[str, Any] = {}
        self._shape_cache: dict[Any, Any] = {}
        # per inputs of a call: which layers it called, and on what
        self._internal_calls: dict[str, list[tuple[Layer, list[Any]]]] = {}

    def _init_subclassed_network(self, name: str | None = None) -> None:
        self._base_init(name)
        self.built = False

    def _init_graph_network(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self._base_init(name)
        self._connect(to_list(inputs, allow_tuple=True), to_list(outputs, allow_tuple=True))

    def _connect(self, inputs: list[Any], outputs: list[Any]) -> None:
        """Makes this network the graph between the given tensors."""
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        check_ends(type(self).__name__, self.inputs, self.outputs)
        graph = map_graph(self.inputs, self.outputs)
        self._is_graph_network = True
        self._layers = graph.layers
        self.layers_by_depth = graph.layers_by_depth
        self._nodes_by_depth = graph.nodes_by_depth
        self._network_nodes = graph.nodes
        self._call_cache = {}
        self._shape_cache = {}

        histories = [x._keras_history for x in self.inputs]
        self.input_layers = [layer for layer, _, _ in histories]
        self.input_layers_node_indices = [node for _, node, _ in histories]
        self.input_layers_tensor_indices = [index for _, _, index in histories]
        histories = [x._keras_history for x in self.outputs]
        self.output_layers = [layer for layer, _, _ in histories]
        self.output_layers_node_indices = [node for _, node, _ in histories]
        self.output_layers_tensor_indices = [index for _, _, index in histories]

        self.input_names = [layer.name for layer in self.input_layers]
        self.output_names = [layer.name for layer in self.output_layers]
        fed = [(layer.name, x) for layer, x in zip(self.input_layers, self.inputs) if layer.is_placeholder]
        self._feed_input_names = [name for name, _ in fed]
        self._feed_inputs = [x for _, x in fed]
        self._feed_input_shapes = [K.int_shape(x) for x in self._feed_inputs]

        # Node 0 links the ends of this very graph; it keeps its number when a Sequential grows.
        later = self._inbound_nodes[1:]
        self._inbound_nodes = []
        masks_in = [None] * len(self.inputs)
        masks_out = [mask_of(x) for x in self.outputs]
        shapes_in = [K.int_shape(x) for x in self.inputs]
        shapes_out = [K.int_shape(x) for x in self.outputs]
        Node(self, [], [], [], self.inputs, self.outputs, masks_in, masks_out, shapes_in, shapes_out)
        self._inbound_nodes += later
        self.built = True

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Layer) and not self._is_graph_network and name != "callback_model":
            layers = self.__dict__.get("_layers")
            if layers is None:
                raise RuntimeError(
                    "It looks like you are subclassing `Model` and forgot to call `super().__init__()` "
                    "before assigning layers to attributes."
                )
            if not any(layer is value for layer in layers):
                layers.append(value)
        super().__setattr__(name, value)

    # -------------------------------------------------------------------------------- what is in it

    @property
    def layers(self) -> list[Layer]:
        """The layers, from the inputs to the outputs."""
        return self._layers

    @property
    def _input_layers(self) -> list[Layer]:
        return self.input_layers

    @property
    def _output_layers(self) -> list[Layer]:
        return self.output_layers

    @property
    def nodes_by_depth(self) -> dict[int, list[Node]]:
        """The nodes of the graph by their distance to the outputs."""
        return self._nodes_by_depth

    @property
    def container_nodes(self) -> set[str]:
        """Keys (`<layer>_ib-<node>`) of the nodes of the graph."""
        return {
            self._node_key(layer, i)
            for layer in self._layers
            for i, node in enumerate(layer._inbound_nodes)
            if node in self._network_nodes
        }

    _container_nodes = container_nodes

    def _only_node(self, attr: str, what: str) -> Any:
        # called elsewhere or not, a model's ends are its own (node 0)
        if self._is_graph_network:
            return unpack_singleton(getattr(self._inbound_nodes[0], attr))
        return super()._only_node(attr, what)

    def _common_shape(self, attr: str, what: str) -> Any:
        if self._is_graph_network:
            return unpack_singleton(getattr(self._inbound_nodes[0], attr))
        return super()._common_shape(attr, what)

    @staticmethod
    def _node_key(layer: Layer, node_index: int) -> str:
        return f"{layer.name}_ib-{node_index}"

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer.

        Args:
            name: its name.
            index: its place in `layers`; wins over the name.

        Raises:
            ValueError: there is no such layer, or neither argument is given.
        """
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        if not name:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in self._layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers: {[layer.name for layer in self._layers]}")

    # --------------------------------------------------------------------- weights, losses, updates

    @property
    def trainable_weights(self) -> list[Any]:
        """The trainable variables of all layers; empty if the whole network is frozen."""
        if not self.trainable:
            return []
        return [w for layer in self.layers for w in layer.trainable_weights] + self._trainable_weights

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of a model are those of its layers.")

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables of all layers."""
        weights = [w for layer in self.layers for w in layer.non_trainable_weights]
        weights += self._non_trainable_weights
        if not self.trainable:
            trainable = [w for layer in self.layers for w in layer.trainable_weights]
            return trainable + self._trainable_weights + weights
        return weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of a model are those of its layers.")

    def _weights_by_layer(self) -> list[Any]:
        self._require_built("its weights")
        own = self._trainable_weights + self._non_trainable_weights
        return [w for layer in self.layers for w in layer.weights] + own

    def get_weights(self) -> list[Any]:
        """Returns the values of all weights as arrays, layer by layer."""
        return K.batch_get_value(self._weights_by_layer())

    def set_weights(self, weights: Any) -> None:
        """Sets all weights.

        Args:
            weights: arrays in the order and of the shapes that `get_weights` returns.

        Raises:
            ValueError: wrong number of arrays, or a wrong shape; then nothing is changed.
        """
        params = self._weights_by_layer()
        check_weights(self.name, params, weights)
        K.batch_set_value(list(zip(params, weights)))

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"The model {self.name} has not been built yet, so {what} cannot be told. Its first "
                "layer must get an `input_shape` or `batch_input_shape` argument, or call "
                "`build(batch_input_shape)` or `fit` first."
            )

    @property
    def losses(self) -> list[Any]:
        """The losses of all layers and those added to the model, each once."""
        losses: list[Any] = []
        for layer in self.layers:
            for node in layer._inbound_nodes:
                if node in self._network_nodes:
                    losses += layer.get_losses_for(node.input_tensors)
            losses += layer.get_losses_for(None)
            if not self._is_graph_network:
                losses += layer.losses
        return unique(losses + self._losses)

    @property
    def updates(self) -> list[Any]:
        """The updates of all layers; none if the network is frozen and not stateful."""
        if not self.trainable and not self.stateful:
            return []
        updates: list[Any] = []
        for layer in self.layers:
            for node in layer._inbound_nodes:
                if node in self._network_nodes:
                    updates += layer.get_updates_for(node.input_tensors)
            updates += layer.get_updates_for(None)
            if not self._is_graph_network:
                updates += layer.updates
        return unique(updates + self._updates)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Returns the losses that depend on these inputs of a call (None: on no input)."""
        losses = list(super().get_losses_for(inputs))
        if inputs is None:
            for layer in self.layers:
                losses += layer.get_losses_for(None) if self._is_graph_network else layer.losses
        # asked for now, not noted during the call: what layers answer depends on their `trainable` flags
        for layer, tensors in self._internal_calls.get(_input_key(inputs), ()):
            losses += layer.get_losses_for(tensors)
        return losses

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """Returns the updates that depend on these inputs of a call (None: on no input)."""
        if not self.trainable and not self.stateful:
            return []
        updates = list(super().get_updates_for(inputs))
        if inputs is None:
            for layer in self.layers:
                updates += layer.get_updates_for(None) if self._is_graph_network else layer.updates
        for layer, tensors in self._internal_calls.get(_input_key(inputs), ()):
            updates += layer.get_updates_for(tensors)
        return updates

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether any layer keeps states between batches."""
        return any(getattr(layer, "stateful", False) for layer in self.layers)

    @property
    def state_updates(self) -> list[Any]:
        """The updates that carry states from batch to batch."""
        updates: list[Any] = []
        for layer in (x for x in self.layers if getattr(x, "stateful", False)):
            if not self._is_graph_network:
                updates += layer.updates
                continue
            for node in layer._inbound_nodes:
                if node in self._network_nodes:
                    updates += _state_updates_of(layer, node.input_tensors)
            if not isinstance(layer, Network):
                updates += layer.get_updates_for(None)
        return unique(updates)

    def reset_states(self) -> None:
        """Sets the states of all stateful layers to zero."""
        for layer in self.layers:
            if hasattr(layer, "reset_states") and getattr(layer, "stateful", False):
                layer.reset_states()

    @property
    def uses_learning_phase(self) -> bool:
        """Whether an output depends on the learning phase."""
        return any(getattr(x, "_uses_learning_phase", False) for x in self.outputs or ())

    @property
    def input_spec(self) -> Any:  # type: ignore[override]
        """One specification per input."""
        if not self._is_graph_network:
            return None
        return [layer.input_spec for layer in self.input_layers]

    # ------------------------------------------------------------------------------------------- as a layer

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Applies the whole graph to other tensors; the same tensors give the same result objects.

        Args:
            inputs: tensor or list of tensors.
            mask: mask or list of masks.

        Returns:
            tensor or list of tensors.
        """
        results = self._run(inputs, mask)[0]
        if self.outputs is not None and results is self.outputs:
            # called on its own inputs: the ends of this graph stay tensors of its layers
            results = [K.identity(x) for x in results]
        return unpack_singleton(results)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the masks of the outputs (None where there is none)."""
        if not self._is_graph_network:
            return None
        masks = self._run(inputs, mask)[1]
        return None if is_all_none(masks) else unpack_singleton(masks)

    def _run(self, inputs: Any, mask: Any) -> Any:
        tensors = to_list(inputs, allow_tuple=True)
        masks = to_list(mask, allow_tuple=True) if mask is not None else [None] * len(tensors)
        key = f"{_input_key(tensors)}/{_input_key(masks)}"
        found = self._call_cache.get(key)
        if found is None:
            self._keyed_tensors += [x for x in (*tensors, *masks) if x is not None]
            found = self._call_cache[key] = self.run_internal_graph(tensors, masks)
        return found

    def run_internal_graph(self, inputs: Any, masks: Any = None) -> tuple[list[Any], list[Any], list[Any]]:
        """Applies the layers, one after another, to other tensors.

        Args:
            inputs: list of tensors.
            masks: list of masks or None.

        Returns:
            (output tensors, their masks, their shapes), three lists.
        """
        assert self.inputs is not None and self.outputs is not None
        inputs = to_list(inputs, allow_tuple=True)
        masks = [None] * len(inputs) if masks is None else masks
        if all(x is y for x, y in zip(inputs, self.inputs)) and is_all_none(masks):
            own = self.outputs
            return own, [mask_of(x) for x in own], [K.int_shape(x) for x in own]

        values = dict(zip(self.inputs, zip(inputs, masks)))
        calls = self._internal_calls.setdefault(_input_key(inputs), [])
        for depth in sorted(self._nodes_by_depth, reverse=True):
            for node in self._nodes_by_depth[depth]:
                layer = node.outbound_layer
                if node.output_tensors[0] in values or isinstance(layer, InputLayer):
                    continue
                tensors = [values[x][0] for x in node.input_tensors]
                tensor_masks = [values[x][1] for x in node.input_tensors]
                results, result_masks = call_again(layer, node, tensors, tensor_masks, values)
                calls.append((layer, tensors))
                values.update(zip(node.output_tensors, zip(results, result_masks)))
        pairs = [values[x] for x in self.outputs]
        return [x for x, _ in pairs], [m for _, m in pairs], [K.int_shape(x) for x, _ in pairs]

    def _output_shapes(self, inputs: list[Any], outputs: list[Any]) -> list[Any]:
        if not self._is_graph_network and type(self).compute_output_shape is Network.compute_output_shape:
            return [K.int_shape(x) for x in outputs]  # only `call` knows
        return super()._output_shapes(inputs, outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the output shape (or list of shapes) for other input shapes."""
        if not self._is_graph_network:
            if self.outputs is not None:
                return unpack_singleton([K.int_shape(x) for x in self.outputs])
            return super().compute_output_shape(input_shape)
        assert self.inputs is not None and self.outputs is not None
        nested = isinstance(input_shape, (list, tuple)) and input_shape and not _is_size(input_shape[0])
        shapes = [tuple(s) for s in input_shape] if nested else [tuple(input_shape)]
        if len(shapes) != len(self.inputs):
            raise ValueError(
                f"The model {self.name} has {len(self.inputs)} inputs; got the shapes {input_shape}"
            )
        key = tuple(shapes)
        if key not in self._shape_cache:
            known = dict(zip(self.inputs, shapes))
            for depth in sorted(self._nodes_by_depth, reverse=True):
                for node in self._nodes_by_depth[depth]:
                    if node.output_tensors[0] in known:
                        continue
                    if isinstance(node.outbound_layer, InputLayer):
                        known[node.output_tensors[0]] = node.output_shapes[0]
                        continue
                    given = unpack_singleton([known[x] for x in node.input_tensors])
                    result = node.outbound_layer.compute_output_shape(given)
                    single = len(node.output_tensors) == 1 and not (
                        isinstance(result, list) and result and isinstance(result[0], (list, tuple))
                    )
                    known.update(zip(node.output_tensors, [result] if single else result))
            self._shape_cache[key] = [tuple(known[x]) for x in self.outputs]
        return unpack_singleton(self._shape_cache[key])

    # ------------------------------------------------------------------------------------- configs and files

    def get_config(self) -> dict[str, Any]:
        """Returns the graph as plain data: layers, their connections, inputs and outputs."""
        if not self._is_graph_network:
            raise NotImplementedError(
                "A model that is defined by a `call` method has no config; save its weights instead."
            )
        return network_config.to_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Makes a new network (with new weights) from a config.

        Args:
            config: as `get_config` of this package, Keras 2 or tf.keras returned it.
            custom_objects: dict name → class or function, for classes that this package does not know.

        Raises:
            ValueError: the config is broken or names an unknown layer.
        """
        inputs, outputs, name = network_config.from_config(config, custom_objects)
        model = cls(inputs=inputs, outputs=outputs, name=name)
        if config.get("trainable") is False:
            model.trainable = False
        return model

    def _updated_config(self) -> dict[str, Any]:
        """Returns what `to_json` writes, as a dict."""
        from ..saving.hdf5 import BACKEND, KERAS_VERSION

        return {
            "class_name": type(self).__name__,
            "config": self.get_config(),
            "keras_version": KERAS_VERSION,
            "backend": BACKEND,
        }

    def to_json(self, **kwargs: Any) -> str:
        """Returns the architecture (not the weights) as JSON text.

        Args:
            **kwargs: for `json.dumps`.
        """
        from .. import saving

        return saving.model_to_json(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Returns the architecture (not the weights) as YAML text.

        Args:
            **kwargs: for `yaml.dump`.
        """
        from .. import saving

        return saving.model_to_yaml(self, **kwargs)

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Saves architecture, weights and the state of training to one HDF5 file.

        Args:
            filepath: path or open `h5py.File`.
            overwrite: False asks on the terminal before an existing file is replaced.
            include_optimizer: whether to save the optimizer and its state too.
        """
        from .. import saving

        saving.save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Saves the weights to an HDF5 file.

        Args:
            filepath: path.
            overwrite: False asks on the terminal before an existing file is replaced.
        """
        from .. import saving

        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
    ) -> None:
        """Loads weights from an HDF5 file.

        Args:
            filepath: path of a weight file or of a file of a whole model.
            by_name: match layers by name and skip the others, instead of matching them by order.
            skip_mismatch: with `by_name`, only warn about a layer whose weights do not fit.
            reshape: reshape arrays whose sizes fit but whose shapes do not.
        """
        from .. import saving

        saving.load_weights(self, filepath, by_name=by_name, skip_mismatch=skip_mismatch, reshape=reshape)

    def summary(self, line_length: int | None = None, positions: Any = None, print_fn: Any = None) -> None:
        """Prints a table of the layers, their output shapes and numbers of weights.

        Args:
            line_length: width in characters.
            positions: ends of the columns, as shares of the width or in characters.
            print_fn: called once per line, `print` by default.
        """
        from ..utils.layer_utils import print_summary

        self._require_built("its layers' shapes")
        print_summary(self, line_length=line_length, positions=positions, print_fn=print_fn)


# ------------------------------------------------------------------------------------------ helpers


def _is_size(x: Any) -> bool:
    return x is None or isinstance(x, (int, np.integer))


# Subclasses take what they like; what a graph takes is `_init_graph_network`'s business, and shown to users.
Network.__init__.__signature__ = inspect.signature(Network._init_graph_network)  # type: ignore[attr-defined]

Container = Network


def _state_updates_of(layer: Any, inputs: Any) -> list[Any]:
    """The updates of states that one call of a stateful layer made; of a model's call, only those."""
    if not isinstance(layer, Network) or not layer._is_graph_network:
        return layer.get_updates_for(inputs)
    calls = layer._internal_calls.get(_input_key(inputs), ())
    stateful = ((inner, tensors) for inner, tensors in calls if getattr(inner, "stateful", False))
    return [update for inner, tensors in stateful for update in _state_updates_of(inner, tensors)]
