"""Keras 1's Merge: one layer for all ways of joining tensors, and the function of that name."""

from __future__ import annotations

import warnings
from typing import Any

from .. import backend as K
from ..engine.base_layer import Layer
from ..layers._lambda import _dump, _recall
from ..layers.merge import Add, Average, Concatenate, Dot, Maximum, Multiply
from ..utils.generic_utils import is_all_none
from ..utils.keras1_words import MERGES

_LAYERS: dict[str, Any] = {cls.__name__: cls for cls in (Add, Average, Concatenate, Dot, Maximum, Multiply)}


class Merge(Layer):
    """Joins several tensors.

    Args:
        layers: layers or models whose outputs are joined at once, as the start of a `Sequential`; None to
            call the layer on a list of tensors.
        mode: 'sum', 'mul', 'concat', 'ave', 'cos', 'dot', 'max', or a function of the list of tensors.
        concat_axis: axis of mode 'concat'.
        dot_axes: axis, or one axis for each input, of modes 'dot' and 'cos'.
        output_shape: with a function: shape without the batch, or function of the list of input shapes.
        output_mask: with a function: the mask, or a function (inputs, mask) → mask.
        arguments: with a function: its keyword arguments.
        node_indices, tensor_indices: which output of each of `layers`, 0 if None.
        name: name of the layer.

    Raises:
        TypeError, ValueError: unknown mode, or layers that cannot be joined.
    """

    def __init__(
        self,
        layers: Any = None,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: Any = None,
        node_indices: Any = None,
        tensor_indices: Any = None,
        name: str | None = None,
    ) -> None:
        warnings.warn(
            "The `Merge` layer is deprecated. Use the layers of `keras.layers.merge` instead: `add`, "
            "`concatenate` …",
            stacklevel=2,
        )
        super().__init__(**({"name": name} if name else {}))
        if not callable(mode) and mode not in MERGES:
            raise TypeError(
                f"Invalid merge mode: {mode!r}. It should be a function or one of {sorted(MERGES)}."
            )
        self.mode = mode
        self.concat_axis = concat_axis
        self.dot_axes = dot_axes
        self.arguments = dict(arguments) if arguments else {}
        self._output_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self._output_mask = output_mask
        self.supports_masking = True
        self._layer = None if callable(mode) else self._counterpart()
        self.layers: list[Any] = list(layers or ())
        self.node_indices = list(node_indices or [0] * len(self.layers))
        self.tensor_indices = list(tensor_indices or [0] * len(self.layers))
        if layers is not None:
            self._join()

    def _counterpart(self) -> Layer:
        """The layer of Keras 2 that does the work."""
        options: dict[str, Any] = {"name": self.name}
        if self.mode == "concat":
            options["axis"] = self.concat_axis
        elif self.mode in ("dot", "cos"):
            axes = self.dot_axes
            if isinstance(axes, (list, tuple)):
                axes = tuple(a[0] if isinstance(a, (list, tuple)) else a for a in axes)
            options.update(axes=axes, normalize=self.mode == "cos")
        return _LAYERS[MERGES[self.mode]](**options)

    def _join(self) -> None:
        """Calls this layer on the outputs of `layers`."""
        if len(self.layers) < 2:
            raise TypeError(
                f"`layers` of Merge {self.name} should hold two layers or more; it holds {len(self.layers)}."
            )
        tensors = []
        for layer, node, index in zip(self.layers, self.node_indices, self.tensor_indices):
            if not isinstance(layer, Layer):
                raise TypeError(f"`layers` of Merge {self.name} must hold layers or models. Found: {layer}")
            outputs = layer.get_output_at(node)
            tensors.append(outputs[index] if isinstance(outputs, list) else outputs)
        self(tensors)

    def branch_layers(self, layers: list[Any]) -> list[Any]:
        """Puts the layers of the joined branches into Keras 1's order: one branch after the other.

        Args:
            layers: all layers of the branches, in any order.
        """
        order: dict[int, Any] = {}
        for branch in self.layers:
            for layer in _flat(branch):
                if any(layer is other for other in layers):
                    order.setdefault(id(layer), layer)
        inputs = [layer for layer in layers if id(layer) not in order]
        return inputs + list(order.values())

    def build(self, input_shape: Any) -> None:
        if self._layer is not None:
            self._layer.build(input_shape)
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if not isinstance(inputs, list) or len(inputs) < 2:
            raise TypeError(
                f"Merge {self.name} must be called on a list of two tensors or more. Got: {inputs}"
            )
        if self._layer is not None:
            return self._layer.call(inputs)
        arguments = dict(self.arguments)
        if "mask" in getattr(getattr(self.mode, "__code__", None), "co_varnames", ()):
            arguments["mask"] = mask
        return self.mode(inputs, **arguments)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._layer is not None:
            return self._layer.compute_output_shape(input_shape)
        if callable(self._output_shape):
            shape = self._output_shape(input_shape)
            return [tuple(s) for s in shape] if isinstance(shape, list) else tuple(shape)
        if self._output_shape is not None:
            return (input_shape[0][0], *self._output_shape)
        placeholders = [K.placeholder(shape=shape) for shape in input_shape]
        return K.int_shape(self.mode(placeholders, **self.arguments))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if self._layer is not None:
            return None if is_all_none(mask) else self._layer.compute_mask(inputs, mask)
        if callable(self._output_mask):
            return self._output_mask(inputs, mask)
        if self._output_mask is None and not is_all_none(mask):
            raise ValueError(
                f"Merge {self.name} got masked inputs: with a function for `mode` it needs `output_mask`, "
                f"a function (inputs, mask) or a tensor."
            )
        return self._output_mask

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "concat_axis": self.concat_axis,
            "dot_axes": self.dot_axes,
            "arguments": self.arguments,
        }
        parts = {"mode": self.mode, "output_shape": self._output_shape, "output_mask": self._output_mask}
        for key, value in parts.items():
            config[key], config[key + "_type"] = _dump(value) if callable(value) else (value, "raw")
        if self.layers:
            config["layers"] = [
                {"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self.layers
            ]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Makes the layer from its config; branches that the config holds are made and joined too.

        Raises:
            ValueError: a function that this process does not know (bytecode is never run).
        """
        from ..layers import deserialize

        config = dict(config)
        for key in ("mode", "output_shape", "output_mask"):
            kind = config.pop(key + "_type", "raw")
            if kind != "raw":
                function = (custom_objects or {}).get(config[key]) if kind == "function" else None
                config[key] = function or (_recall(config[key]) if kind == "lambda" else None)
                if config[key] is None:
                    raise ValueError(
                        f"Merge {config.get('name')!r} has a function for its {key}, which this program does "
                        f"not hold; code from configs is never run."
                    )
        if config.get("layers"):
            config["layers"] = [deserialize(entry, custom_objects) for entry in config["layers"]]
        known = ("layers", "mode", "concat_axis", "dot_axes", "output_shape", "output_mask", "arguments")
        return cls(**{key: config[key] for key in (*known, "name") if config.get(key) is not None})


def _flat(branch: Any) -> list[Any]:
    """The layers of a branch; those of a branch below a `Merge` of its own come first."""
    if isinstance(branch, Merge):
        return [layer for below in branch.layers for layer in _flat(below)] + [branch]
    below = getattr(branch, "_layers", None)
    return [branch] if below is None else [layer for inner in below for layer in _flat(inner)]


def merge(
    inputs: Any,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
) -> Any:
    """Joins several tensors (Keras 1).

    Args:
        inputs: list of tensors, or of layers that were called once.
        Others: as in `Merge`.

    Returns:
        the joined tensor; a `Merge` layer if `inputs` are layers.
    """
    options = {
        "mode": mode,
        "concat_axis": concat_axis,
        "dot_axes": dot_axes,
        "output_shape": output_shape,
        "output_mask": output_mask,
        "arguments": arguments,
        "name": name,
    }
    warnings.warn(
        "The `merge` function is deprecated. Use the functions of `keras.layers.merge` instead: `add`, "
        "`concatenate` …",
        stacklevel=2,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The `Merge` layer")
        if all(hasattr(x, "_keras_history") for x in inputs):
            return Merge(**options)(list(inputs))
        return Merge(list(inputs), **options)
