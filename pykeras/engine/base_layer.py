"""The layer: names, weights, the calling protocol, masks, losses and updates.

Source: the public behaviour of keras/engine/topology.py (2.1.6) and keras/engine/base_layer.py (2.2.4).
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np

from .. import backend as K
from .. import initializers
from ..utils.generic_utils import has_arg, is_all_none, to_list, unpack_singleton
from ..utils.keras1_calls import add_weight_args_preprocessing, generate_legacy_interface
from ..utils.namespaces import held_by, public_names
from .node import Connected, InputSpec, Node

__all__ = ["InputSpec", "Layer", "Node"]

_ALLOWED_KEYWORDS = frozenset(
    ("input_shape", "batch_input_shape", "batch_size", "dtype", "name", "trainable", "weights", "input_dtype")
)

# Counts every change of a `trainable` flag, so that a training step need not walk over all layers to see that
# nothing has changed.
_trainable_changes = [0]


def trainable_changes() -> int:
    """Returns a number that grows whenever a layer's `trainable` flag is assigned another value."""
    return _trainable_changes[0]


class Layer(Connected):
    """Base class of all layers.

    Args:
        input_shape: shape of the input without the batch axis (only needed on a model's first layer).
        batch_input_shape: the same with the batch axis.
        batch_size: size of the batch axis, used with `input_shape`.
        dtype: type of the input that a `Sequential` makes for this layer.
        name: unique within a model; made from the class name if missing.
        trainable: whether the weights are updated in training.
        weights: arrays to start with.

    Raises:
        TypeError: another keyword.

    Subclasses override `build(input_shape)` (make weights), `call(inputs)` and
    `compute_output_shape(input_shape)`, and `get_config()` if they take arguments.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight('factor', (input_shape[-1],), initializer='ones')
        ...         super().build(input_shape)
        ...     def call(self, inputs):
        ...         return inputs * self.factor
    """

    # class attributes too, because many a subclass works before (or without) the base constructor
    input_spec: Any = None
    supports_masking = False
    stateful = False
    _trainable = True
    _built = False
    _initial_weights: Any = None
    name: str
    dtype: str
    batch_input_shape: tuple[Any, ...]

    def __init__(self, **kwargs: Any) -> None:
        for key in kwargs:
            if key not in _ALLOWED_KEYWORDS:
                raise TypeError(f"Keyword argument not understood: {key}")
        self._reset_layer()
        name = kwargs.get("name")
        self.name = name or _default_name(type(self).__name__)
        self.trainable = kwargs.get("trainable", True)
        self._initial_weights = kwargs.get("weights")

        if "batch_input_shape" in kwargs:
            self.batch_input_shape = tuple(kwargs["batch_input_shape"])
        elif "input_shape" in kwargs:
            shape = kwargs["input_shape"]
            shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
            self.batch_input_shape = (kwargs.get("batch_size"), *shape)
        if hasattr(self, "batch_input_shape"):
            dtype = kwargs.get("dtype")
            self.dtype = dtype or kwargs.get("input_dtype") or K.floatx()

    def _reset_layer(self) -> None:
        """Gives the layer empty lists of nodes, weights, losses and updates."""
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._losses: list[Any] = []
        self._updates: list[Any] = []
        self._per_input_losses: dict[str, list[Any]] = {}
        self._per_input_updates: dict[str, list[Any]] = {}
        # The keys above are identities: keeps those tensors alive, so that no other takes their place.
        self._keyed_tensors: list[Any] = []

    # ----------------------------------------------------------------------------- plain properties

    @property
    def built(self) -> bool:
        """Whether the weights exist."""
        return self._built

    @built.setter
    def built(self, value: bool) -> None:
        self._built = value

    @property
    def trainable(self) -> bool:
        """Whether `trainable_weights` is filled; takes effect at the next `compile`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value != self._trainable:
            _trainable_changes[0] += 1
        self._trainable = value

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes; empty if the layer is frozen."""
        return self._trainable_weights if getattr(self, "trainable", True) else []

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Any]) -> None:
        self._trainable_weights = weights

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables; all of them if the layer is frozen."""
        if getattr(self, "trainable", True):
            return self._non_trainable_weights
        return self._trainable_weights + self._non_trainable_weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Any]) -> None:
        self._non_trainable_weights = weights

    @property
    def weights(self) -> list[Any]:
        """The trainable variables, then the others."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def initial_weights(self) -> Any:
        """The arrays given as `weights=`."""
        return self._initial_weights

    @initial_weights.setter
    def initial_weights(self, weights: Any) -> None:
        self._initial_weights = weights

    @property
    def inbound_nodes(self) -> list[Node]:
        """The calls of this layer."""
        return self._inbound_nodes

    @inbound_nodes.setter
    def inbound_nodes(self, nodes: list[Node]) -> None:
        self._inbound_nodes = nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls that took an output of this layer."""
        return self._outbound_nodes

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: list[Node]) -> None:
        self._outbound_nodes = nodes

    # --------------------------------------------------------------------------- losses and updates

    @property
    def losses(self) -> list[Any]:
        """All loss tensors added to this layer."""
        return self._losses

    @property
    def updates(self) -> list[Any]:
        """All updates of this layer; none if it is frozen and not stateful."""
        if not self.trainable and not self.stateful:
            return []
        return self._updates

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds scalar tensors to the loss of every model with this layer.

        Args:
            losses: tensor or list of tensors.
            inputs: the tensors that the losses depend on; None if they depend on no input.
        """
        losses = to_list(losses, allow_tuple=True) if losses is not None else []
        if losses:
            self._losses = self._losses + losses
            self._file_under(self._per_input_losses, inputs, losses)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds updates that run with every training step.

        Args:
            updates: an update, a (variable, value) pair, or a list of these.
            inputs: the tensors that the updates depend on; None if they depend on no input.
        """
        if updates is None or (isinstance(updates, list) and not updates):
            return
        updates = to_list(updates)
        self._updates = self._updates + updates
        self._file_under(self._per_input_updates, inputs, updates)

    def _file_under(self, table: dict[str, list[Any]], inputs: Any, items: list[Any]) -> None:
        if isinstance(inputs, (list, tuple)) and not inputs:
            inputs = None
        if inputs is not None:
            self._keyed_tensors.extend(to_list(inputs, allow_tuple=True))
        table.setdefault(_input_key(inputs), []).extend(items)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """Returns the updates that depend on these inputs (None: on none); none if frozen, not stateful."""
        if not self.trainable and not self.stateful:
            return []
        return self._per_input_updates.get(_input_key(inputs), [])

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Returns the losses that depend on these inputs (None: on no input)."""
        return self._per_input_losses.get(_input_key(inputs), [])

    # ---------------------------------------------------------------------------- building, calling

    @generate_legacy_interface(preprocessor=add_weight_args_preprocessing)
    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
    ) -> Any:
        """Makes a variable of the layer.

        Args:
            name: last part of its name. (The Keras 1 order, shape first, is understood.)
            shape: tuple of ints.
            dtype: None means `K.floatx()`.
            initializer: name, object or callable(shape, dtype=None).
            regularizer: callable on the variable; its result is added to the losses.
            trainable: whether training changes it.
            constraint: callable that the optimizer applies to each new value.

        Returns:
            the variable.
        """
        dtype = dtype or K.floatx()
        initializer = initializers.get(initializer if initializer is not None else "glorot_uniform")
        shape = tuple(int(n) for n in (() if shape is None else shape))
        value = initializers.initial_value(initializer, shape, dtype)
        weight = K.variable(value, dtype=dtype, name=name, constraint=constraint)
        if regularizer is not None:
            with K.name_scope("weight_regularizer"):
                self.add_loss(regularizer(weight))
        weight.trainable = trainable
        (self._trainable_weights if trainable else self._non_trainable_weights).append(weight)
        return weight

    def assert_input_compatibility(self, inputs: Any) -> None:
        """Compares the inputs with `input_spec`.

        Args:
            inputs: tensor or list of tensors.

        Raises:
            ValueError: an input is no tensor, has a wrong rank, shape or type, or is one too many.
        """
        tensors = to_list(inputs, allow_tuple=True)
        for x in tensors:
            if not K.is_tensor(x):
                raise ValueError(
                    f"Layer {self.name} was called with an input that isn't a symbolic tensor: {type(x)}. "
                    f"Full input: {inputs}. Layers take what `Input` and other layers return; wrap other "
                    f"computations in a `Lambda`, and give arrays to `predict` or `K.constant`."
                )
        specs = self.input_spec
        if not specs:
            return
        specs = to_list(specs, allow_tuple=True)
        if len(tensors) != len(specs):
            raise ValueError(
                f"Layer {self.name} expects {len(specs)} inputs, but it received {len(tensors)} input "
                f"tensors. Input received: {inputs}"
            )
        for i, (x, spec) in enumerate(zip(tensors, specs)):
            if spec is not None:
                spec.check(x, i, self.name)

    def build(self, input_shape: Any) -> None:
        """Makes the weights. Override it, and end with `super().build(input_shape)` or `self.built = True`.

        Args:
            input_shape: tuple, or list of tuples if the layer takes several inputs; None for unknown sizes.
        """
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Computes the layer's output tensors. Override it.

        Args:
            inputs: tensor or list of tensors.
            **kwargs: further arguments; `mask` and `training` have their Keras meaning.
        """
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape (or list of shapes) of the output. Override it if it differs from the input's."""
        if hasattr(self, "get_output_shape_for"):
            warnings.warn(
                f"Class {type(self).__name__} has `get_output_shape_for`, which Keras 1 called, but no "
                "`compute_output_shape`: its output counts as of the input's shape. Rename the method.",
                stacklevel=2,
            )
        return input_shape

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the mask of the output.

        Args:
            inputs: tensor or list of tensors.
            mask: mask or list of masks of the inputs (None where there is none).

        Raises:
            TypeError: there is a mask and the layer does not support any.
        """
        if not self.supports_masking:
            if not is_all_none(mask):
                raise TypeError(
                    f"Layer {self.name} does not support masking, but was passed an input_mask: {mask}"
                )
            return None
        return mask

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Applies the layer to tensors and records the call in the layer graph.

        Args:
            inputs: tensor or list of tensors.
            **kwargs: passed to `call`.

        Returns:
            the output tensor; a list of tensors if `call` makes several.

        Raises:
            ValueError: the inputs do not fit.
        """
        if isinstance(inputs, (list, tuple)):
            inputs = list(inputs)
        with K.name_scope(self.name):
            if not self.built:
                self.assert_input_compatibility(inputs)
                self._build_for(inputs)
            self.assert_input_compatibility(inputs)

            previous_mask = _masks_of(inputs)
            arguments = dict(kwargs)
            if "mask" not in kwargs and not is_all_none(previous_mask) and has_arg(self.call, "mask"):
                kwargs["mask"] = previous_mask
            outputs = self.call(inputs, **kwargs)
            output_mask = self.compute_mask(inputs, previous_mask)

            tensors = to_list(inputs)
            results = to_list(outputs, allow_tuple=True)
            # a layer that returns its input needs a tensor of its own, or the graph would point past it
            results = [K.identity(x) if any(x is t for t in tensors) else x for x in results]
            outputs = unpack_singleton(results)

            self._add_inbound_node(tensors, results, previous_mask, output_mask, arguments)
            self._add_activity_loss(results, inputs)
        return outputs

    def _build_for(self, inputs: Any) -> None:
        shapes = [K.int_shape(x) for x in to_list(inputs)]
        self.build(shapes if isinstance(inputs, list) and len(shapes) > 1 else shapes[0])
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def _add_activity_loss(self, outputs: list[Any], inputs: Any) -> None:
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is not None:
            with K.name_scope("activity_regularizer"):
                self.add_loss([regularizer(x) for x in outputs], inputs=to_list(inputs))

    def _output_shapes(self, inputs: list[Any], outputs: list[Any]) -> list[Any]:
        """Returns one shape per output, as `compute_output_shape` says."""
        shapes = self.compute_output_shape(unpack_singleton([K.int_shape(x) for x in inputs]))
        nested = isinstance(shapes, list) and bool(shapes) and isinstance(shapes[0], (list, tuple))
        if len(outputs) == 1 and not nested:
            return [None if shapes is None else tuple(shapes)]
        return [None if shape is None else tuple(shape) for shape in shapes]

    def _add_inbound_node(
        self,
        input_tensors: Any,
        output_tensors: Any,
        input_masks: Any = None,
        output_masks: Any = None,
        arguments: dict[str, Any] | None = None,
        output_shapes: list[Any] | None = None,
    ) -> None:
        """Records a call and marks the outputs as made by it."""
        input_tensors = to_list(input_tensors)
        output_tensors = to_list(output_tensors)
        if output_shapes is None:
            output_shapes = self._output_shapes(input_tensors, output_tensors)
        masks_in = to_list(input_masks, allow_tuple=True)
        masks_out = to_list(output_masks, allow_tuple=True)
        if len(masks_in) < len(input_tensors):
            masks_in = masks_in * len(input_tensors)
        if len(masks_out) < len(output_tensors):
            masks_out = masks_out * len(output_tensors)

        sources: list[Any] = [getattr(x, "_keras_history", (None, None, None)) for x in input_tensors]
        uses_phase = any(getattr(x, "_uses_learning_phase", False) for x in input_tensors)
        for i, (x, shape) in enumerate(zip(output_tensors, output_shapes)):
            x._keras_shape = tuple(x.shape) if shape is None else shape
            x._uses_learning_phase = getattr(x, "_uses_learning_phase", False) or uses_phase
            x._keras_history = (self, len(self._inbound_nodes), i)
        Node(
            self,
            inbound_layers=[layer for layer, _, _ in sources],
            node_indices=[node for _, node, _ in sources],
            tensor_indices=[index for _, _, index in sources],
            input_tensors=input_tensors,
            output_tensors=output_tensors,
            input_masks=masks_in,
            output_masks=masks_out,
            input_shapes=[K.int_shape(x) for x in input_tensors],
            output_shapes=[K.int_shape(x) for x in output_tensors],
            arguments=arguments,
        )

    # -------------------------------------------------------------------------- weights and configs

    def get_weights(self) -> list[Any]:
        """Returns the values of `weights` as arrays."""
        return K.batch_get_value(self.weights)

    def set_weights(self, weights: Any) -> None:
        """Sets the values of `weights`.

        Args:
            weights: arrays in the order and of the shapes that `get_weights` returns.

        Raises:
            ValueError: wrong number of arrays, or a wrong shape; then nothing is changed.
        """
        params = self.weights
        check_weights(self.name, params, weights)
        K.batch_set_value(list(zip(params, weights)))

    def count_params(self) -> int:
        """Returns the number of scalars in the weights.

        Raises:
            RuntimeError: the layer has no weights yet.
        """
        if not self.built:
            if type(self).__name__ == "Sequential":
                self.build()  # type: ignore[call-arg]
            else:
                raise RuntimeError(
                    f"You tried to call `count_params` on {self.name}, but the layer isn't built. "
                    f"You can build it manually via: `{self.name}.build(batch_input_shape)`."
                )
        return int(sum(K.count_params(w) for w in self.weights))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain data."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if hasattr(self, "batch_input_shape"):
            config["batch_input_shape"] = self.batch_input_shape
        if hasattr(self, "dtype"):
            config["dtype"] = self.dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes a new layer (with new weights) from what `get_config` returned."""
        return cls(**config)


# ------------------------------------------------------------------------------------------ helpers


def check_weights(name: str, params: list[Any], weights: Any) -> None:
    """Compares arrays with the variables that they are meant for.

    Args:
        name: of the layer, for the message.
        params: variables.
        weights: arrays.

    Raises:
        ValueError: wrong number or shape.
    """
    if len(params) != len(weights):
        raise ValueError(
            f'You called `set_weights(weights)` on layer "{name}" with a  weight list of length '
            f"{len(weights)}, but the layer was expecting {len(params)} weights. "
            f"Provided weights: {str(weights)[:50]}..."
        )
    for p, w in zip(params, weights):
        if tuple(K.int_shape(p) or ()) != np.shape(w):
            raise ValueError(
                f"Layer weight shape {K.int_shape(p)} not compatible with provided weight shape "
                f"{np.shape(w)} ({p.name} of layer {name})"
            )


def _input_key(inputs: Any) -> str:
    """Returns the key of `_per_input_losses` and `_per_input_updates`: one per list of tensors."""
    if inputs is None or (isinstance(inputs, (list, tuple)) and not inputs):
        return ""
    return ", ".join(str(id(x)) for x in to_list(inputs, allow_tuple=True))


def _to_snake_case(name: str) -> str:
    """Returns a class name as a layer name: 'MaxPooling2D' → 'max_pooling2d'."""
    text = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    text = re.sub("([a-z])([A-Z])", r"\1_\2", text).lower()
    # a name that starts with an underscore is no legal scope
    return "private" + text if text[0] == "_" else text


def _default_name(class_name: str) -> str:
    return f"{_to_snake_case(class_name)}_{K.get_uid(class_name)}"


def _masks_of(tensors: Any) -> Any:
    """Returns the masks that the previous layers computed for tensors: one, or a list of them."""
    masks: list[Any] = []
    for x in to_list(tensors):
        history = getattr(x, "_keras_history", None)
        if history is None:
            masks.append(None)
        else:
            layer, node, index = history
            masks.append(layer._inbound_nodes[node].output_masks[index])
    return masks if isinstance(tensors, list) and len(masks) != 1 else masks[0] if masks else None


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
